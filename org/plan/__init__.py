"""From what is wanted and what is there to the changes between them; pure, no I/O."""
