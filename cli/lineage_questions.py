"""The commands of `orgctl lineage` that ask something of one thing: find the thing, ask, print, exit code."""

from __future__ import annotations

from dataclasses import dataclass

from cli.lineage_asked import CLEAN, FINDINGS, Asked, known_besides, opened
from cli.lineage_ids import key_for
from cli.lineage_remote import remote_question, remote_rebuilding, remote_verification, walk, whole
from cli.lineage_told import tell_all, tell_whole
from cli.render.lineage import placed_text
from cli.render.lineage_impact import frontier_lines, impact_lines
from cli.render.lineage_thing import link_lines, root_lines, saying_lines, shown_lines, verification_lines
from cli.render.lineage_tree import descent_lines
from handlers.lineage.queries.descent import ancestors, descendants
from handlers.lineage.queries.effective_root import effective_root
from handlers.lineage.queries.evidence import evidence_between, evidence_of
from handlers.lineage.queries.frontiers import Frontiers, frontiers
from handlers.lineage.queries.impact import impact
from handlers.lineage.queries.reasons import Reason, in_order
from handlers.lineage.queries.show import show
from handlers.lineage.queries.smallest import Smallest, smallest_rebuild
from handlers.lineage.queries.verify import Result, verify
from org.errors import NotFound, OrgctlError


def show_thing(asked: Asked, id: str) -> int:
    if asked.api:
        return remote_question(asked, "show", id)
    besides = known_besides(asked)
    with opened(asked) as graph:
        shown = show(graph, key_for(graph, id, asked.region), besides.scope, asked.time)
    return tell_whole(asked, besides, shown, shown_lines)


def show_ancestors(asked: Asked, id: str) -> int:
    if asked.api:
        return remote_question(asked, "ancestors", id, **walk(asked))
    besides = known_besides(asked)
    with opened(asked) as graph:
        descent = ancestors(graph, key_for(graph, id, asked.region), besides.scope, asked.bounds, asked.time)
    return tell_whole(asked, besides, descent, descent_lines)


def show_descendants(asked: Asked, id: str) -> int:
    if asked.api:
        return remote_question(asked, "descendants", id, **walk(asked))
    besides = known_besides(asked)
    with opened(asked) as graph:
        descent = descendants(graph, key_for(graph, id, asked.region), besides.scope, asked.bounds, asked.time)
    return tell_whole(asked, besides, descent, descent_lines)


def show_impact(asked: Asked, id: str) -> int:
    if asked.api:
        return remote_question(asked, "impact", id, **walk(asked))
    besides = known_besides(asked)
    with opened(asked) as graph:
        affected = impact(graph, key_for(graph, id, asked.region), besides.scope, asked.bounds, asked.time)
    return tell_whole(asked, besides, affected, impact_lines)


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """In which order to rebuild, and the least that must be."""

    frontiers: Frontiers
    smallest: Smallest
    reasons: tuple[Reason, ...]
    """Of both."""

    @property
    def complete(self) -> bool:
        return not self.reasons


def show_frontiers(asked: Asked, id: str, fixed: list[str]) -> int:
    if asked.api:
        return remote_rebuilding(asked, id, fixed)
    besides = known_besides(asked)
    with opened(asked) as graph:
        key = key_for(graph, id, asked.region)
        kept = frozenset(key_for(graph, each, asked.region) for each in fixed)
        order = frontiers(graph, key, besides.scope, asked.bounds, asked.time)
        least = smallest_rebuild(graph, key, besides.scope, asked.bounds, asked.time, kept)
    return tell_whole(
        asked,
        besides,
        Rebuilding(order, least, in_order((*order.reasons, *least.reasons))),
        lambda both, words: frontier_lines(both.frontiers, both.smallest, words),
    )


def verify_descent(asked: Asked, id: str, trust: list[str]) -> int:
    """Answer 3 unless it is verified, and whole."""
    if asked.api:
        return remote_verification(asked, id, trust)
    besides = known_besides(asked)
    trusted = trust or besides.trusted
    if not trusted:
        todo = "name owners of base images, such as amazon; or lineage.trusted_image_owners in the manifest"
        raise OrgctlError("--trust", "nobody is trusted, so that nothing can be verified", todo)
    with opened(asked) as graph:
        key = key_for(graph, id, asked.region)
        found = verify(graph, key, trusted, besides.scope, asked.bounds, asked.time)
    code = tell_whole(asked, besides, found, verification_lines)
    return code if found.result is Result.VERIFIED else FINDINGS


def show_evidence(asked: Asked, child: str, parent: str, attribute: str) -> int:
    if asked.api:
        return remote_question(asked, "evidence", child, parent=whole(parent), attribute=attribute)
    besides = known_besides(asked)
    with opened(asked) as graph:
        key = key_for(graph, child, asked.region)
        if attribute:
            sayings = evidence_of(graph, key, attribute, asked.time)
            if not sayings:
                raise NotFound(
                    placed_text(key), f"nothing was ever said of {attribute}", "see lineage show for what was"
                )
            tell_all(asked, besides, sayings, lambda words: saying_lines(key, attribute, sayings, words))
            return CLEAN
        other = key_for(graph, parent, asked.region)
        links = evidence_between(graph, key, other, asked.time)
    if not links:
        what = f"no fact says that it came of {placed_text(other)}, or uses it"
        raise NotFound(placed_text(key), what, "ask lineage ancestors for the pairs that there are")
    tell_all(asked, besides, links, lambda words: link_lines(key, other, links, words))
    return CLEAN


def show_root(asked: Asked, id: str) -> int:
    if asked.api:
        return remote_question(asked, "root", id, **walk(asked))
    besides = known_besides(asked)
    with opened(asked) as graph:
        root = effective_root(graph, key_for(graph, id, asked.region), besides.scope, asked.bounds, asked.time)
    return tell_whole(asked, besides, root, root_lines)
