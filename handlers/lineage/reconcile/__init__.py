"""Asks AWS what is there, in one account and Region after another, and sends on what is new."""
