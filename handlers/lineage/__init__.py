"""The lineage domain: where every machine image came from."""
