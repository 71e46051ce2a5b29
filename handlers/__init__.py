"""The Lambda functions of the lineage account."""
