"""Carry a plan out; the only part of orgctl that changes an organization."""
