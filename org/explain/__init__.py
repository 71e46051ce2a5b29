"""What AWS says when it refuses a call, and what in the organization made it say so; pure."""
