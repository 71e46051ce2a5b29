"""Tells people and Security Hub of findings."""
