"""API Gateway's front in the sandbox: REST APIs that stacks made answer requests, in the order in which AWS decides."""
