"""The proof that no change of policy locks out what must keep working; pure."""
