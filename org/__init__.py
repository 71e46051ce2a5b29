"""The organization: its model, and how it is observed, planned for and changed."""
