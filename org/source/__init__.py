"""What was read from files, with the place of each value, and what is wrong with it."""
