"""Whether a call to the sandbox is allowed, and what AWS says where it is not."""
