"""Questions to the graph: pure over its interface, and so the same on every engine."""
