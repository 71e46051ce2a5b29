"""All that is wrong with what is known: where sources contradict each other, and what is not heard or read."""

from __future__ import annotations

from handlers.lineage.findings import Finding
from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Place
from handlers.lineage.queries import contradictions, coverage_findings
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.contradictions import findings_of
from handlers.lineage.queries.coverage import coverage

FAMILIES = (contradictions.FAMILY, coverage_findings.FAMILY)
_AT_ONCE = Bounds(size=20_000)


def lineage_findings(
    graph: Graph, scope: Scope, home: Place, approval: tuple[str | None, str | None] = (None, None)
) -> tuple[Finding, ...]:
    """Judge the whole graph, as of `scope.now`. BadQuery, GraphError.

    `home`: the lineage account in its Region; `approval`: tag and value, None for the usual ones. What is not among the
    findings is not wrong, or no longer: facts are never taken back, so a place that cannot be read hides no
    contradiction that was there before.
    """
    usual = contradictions.APPROVED
    tag = (approval[0] or usual[0], approval[1] or usual[1])
    found: list[contradictions.Contradiction] = []
    after: Key | None = None
    while True:
        page = contradictions.contradictions(graph, scope, _AT_ONCE, after, tag)
        found += page.found
        after = page.after
        if after is None:
            break
    told = coverage_findings.coverage_findings(coverage(graph, scope), home)
    return (*findings_of(found, home.account), *told)
