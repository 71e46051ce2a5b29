"""AWS Config: what changed is noted, functions judge it, and what they say is kept."""
