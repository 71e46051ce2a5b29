"""What can go wrong with lineage."""

from __future__ import annotations

from org.errors import OrgctlError


class GraphError(OrgctlError):
    """The graph could not be read or written; the events stay in their queue and come again."""
