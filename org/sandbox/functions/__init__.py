"""Lambda functions in the sandbox: the zip that was deployed is what runs, in a process of its own."""
