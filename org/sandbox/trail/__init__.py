"""What AWS says on EventBridge of the calls that the sandbox serves: CloudTrail's events, and EC2's and SSM's own."""
