"""Brings stacks to accounts that orgctl enters: what `orgctl lineage deploy` does."""
