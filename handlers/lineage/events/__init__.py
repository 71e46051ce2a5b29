"""What AWS says that happened, as facts: one small function for each call and notification. Pure; no call is made."""
