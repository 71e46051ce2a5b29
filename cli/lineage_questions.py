"""The commands of `orgctl lineage` that ask something of one thing: find the thing, ask, print, exit code."""

from __future__ import annotations

from dataclasses import dataclass

from cli.lineage_asked import CLEAN, FINDINGS, Asked, known_besides, opened
from cli.lineage_ids import key_for
from cli.lineage_remote import ask_api, walk, whole
from cli.lineage_told import tell_all, tell_whole
from cli.render.lineage import placed_text
from cli.render.lineage_impact import frontier_lines, impact_lines
from cli.render.lineage_thing import link_lines, root_lines, saying_lines, shown_lines, verification_lines
from cli.render.lineage_tree import descent_lines
from handlers.lineage.queries.descent import Descent, ancestors, descendants
from handlers.lineage.queries.effective_root import EffectiveRoot, effective_root
from handlers.lineage.queries.evidence import Testimony, evidence_between, evidence_of
from handlers.lineage.queries.frontiers import Frontiers, frontiers
from handlers.lineage.queries.impact import Impact, impact
from handlers.lineage.queries.reasons import Reason, in_order
from handlers.lineage.queries.show import Shown, show
from handlers.lineage.queries.smallest import Smallest, smallest_rebuild
from handlers.lineage.queries.verify import Result, Verification, verify
from org.errors import NotFound, OrgctlError


def show_thing(asked: Asked, id: str) -> int:
    besides = known_besides(asked)
    if asked.api:
        shown = ask_api(asked, Shown, "show", id)
    else:
        with opened(asked) as graph:
            shown = show(graph, key_for(graph, id, asked.region), besides.scope, asked.time)
    return tell_whole(asked, besides, shown, shown_lines)


def show_ancestors(asked: Asked, id: str) -> int:
    besides = known_besides(asked)
    if asked.api:
        descent = ask_api(asked, Descent, "ancestors", id, **walk(asked))
    else:
        with opened(asked) as graph:
            descent = ancestors(graph, key_for(graph, id, asked.region), besides.scope, asked.bounds, asked.time)
    return tell_whole(asked, besides, descent, descent_lines)


def show_descendants(asked: Asked, id: str) -> int:
    besides = known_besides(asked)
    if asked.api:
        descent = ask_api(asked, Descent, "descendants", id, **walk(asked))
    else:
        with opened(asked) as graph:
            descent = descendants(graph, key_for(graph, id, asked.region), besides.scope, asked.bounds, asked.time)
    return tell_whole(asked, besides, descent, descent_lines)


def show_impact(asked: Asked, id: str) -> int:
    besides = known_besides(asked)
    if asked.api:
        affected = ask_api(asked, Impact, "impact", id, **walk(asked))
    else:
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
    besides = known_besides(asked)
    if asked.api:
        order = ask_api(asked, Frontiers, "frontiers", id, **walk(asked))
        named = ",".join(map(whole, fixed))
        least = ask_api(asked, Smallest, "smallest", id, **walk(asked), fixed=named)
    else:
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
    besides = known_besides(asked)
    if asked.api:
        # Whom the organization trusts, the API knows itself.
        found = ask_api(asked, Verification, "verify", id, **walk(asked), trust=",".join(trust))
    else:
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
    besides = known_besides(asked)
    said = _testimony(asked, child, parent, attribute)
    about, other = said.about, said.parent
    if other is None:
        if not said.sayings:
            raise NotFound(placed_text(about), f"nothing was ever said of {attribute}", "see lineage show for what was")
        tell_all(asked, besides, said.sayings, lambda words: saying_lines(about, attribute, said.sayings, words))
        return CLEAN
    if not said.links:
        what = f"no fact says that it came of {placed_text(other)}, or uses it"
        raise NotFound(placed_text(about), what, "ask lineage ancestors for the pairs that there are")
    tell_all(asked, besides, said.links, lambda words: link_lines(about, other, said.links, words))
    return CLEAN


def _testimony(asked: Asked, child: str, parent: str, attribute: str) -> Testimony:
    if asked.api:
        return ask_api(asked, Testimony, "evidence", child, parent=whole(parent), attribute=attribute)
    with opened(asked) as graph:
        key = key_for(graph, child, asked.region)
        if attribute:
            return Testimony(key, None, (), evidence_of(graph, key, attribute, asked.time))
        other = key_for(graph, parent, asked.region)
        return Testimony(key, other, evidence_between(graph, key, other, asked.time), ())


def show_root(asked: Asked, id: str) -> int:
    besides = known_besides(asked)
    if asked.api:
        root = ask_api(asked, EffectiveRoot, "root", id, **walk(asked))
    else:
        with opened(asked) as graph:
            root = effective_root(graph, key_for(graph, id, asked.region), besides.scope, asked.bounds, asked.time)
    return tell_whole(asked, besides, root, root_lines)
