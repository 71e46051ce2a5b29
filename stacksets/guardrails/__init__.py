"""Built-in guardrails: one module each, composed by name from the manifest."""
