"""`orgctl lineage search` and `coverage`: things by what holds of them, and places by what is heard from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cli.lineage_asked import FINDINGS, Asked, Besides, known_besides, opened
from cli.lineage_remote import LARGEST_SIZE, ask_api
from cli.lineage_told import tell
from cli.render.lineage_lists import contradiction_lines, coverage_lines, page_lines
from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Kind
from handlers.lineage.queries.contradictions import Contradiction, Contradictions, contradictions
from handlers.lineage.queries.coverage import Coverage, coverage
from handlers.lineage.queries.places import known_scope
from handlers.lineage.queries.reasons import Reason, Why, in_order
from handlers.lineage.queries.search import Page, Wanted, search_heard
from org.errors import OrgctlError
from org.model import AccountId, Region


def search_things(
    asked: Asked, kind: str, account: str, name: str, said: list[str], *, limit: int, cursor: str | None
) -> int:
    besides = known_besides(asked)
    if asked.api:
        owner = account if _is_account(account) or not account else _account(account, besides.names)
        page = ask_api(
            asked, Page, "search", kind=kind, account=owner, name_contains=name, where=said, limit=limit, cursor=cursor
        )
        return tell(asked, besides, page, page_lines)
    wanted = Wanted(
        Kind(kind),
        Region(asked.region) if asked.region else None,
        _account(account, besides.names) if account else None,
        name or None,
        tuple(_pair(each) for each in said),
    )
    with opened(asked) as graph:
        besides = _with_known(besides, graph)
        page = search_heard(graph, wanted, besides.scope, limit, cursor)
    return tell(asked, besides, page, page_lines)


def show_coverage(asked: Asked, silence: int | None, examine: int) -> int:
    if asked.api:
        if silence is not None:
            raise OrgctlError("--silence", "the API knows itself which silence is too long", "leave out --silence")
        found = ask_api(asked, Coverage, "coverage", examine=examine)
        return tell(asked, known_besides(asked), found, coverage_lines)
    besides = known_besides(asked, silence)
    with opened(asked) as graph:
        besides = _with_known(besides, graph)
        found = coverage(graph, besides.scope, examine)
    return tell(asked, besides, found, coverage_lines)


def show_contradictions(asked: Asked, after: str) -> int:
    """Answer 3 if there are any."""
    besides = known_besides(asked)
    if asked.api:
        found = _remote_contradictions(asked, after)
    else:
        with opened(asked) as graph:
            besides = _with_known(besides, graph)
            found = contradictions(graph, besides.scope, asked.bounds, Key(after) if after else None)
    code = tell(asked, besides, found, contradiction_lines)
    return FINDINGS if found.found else code


def _remote_contradictions(asked: Asked, after: str) -> Contradictions:
    """Ask page after page, since the API looks at fewer things at a time than a command does."""
    found: list[Contradiction] = []
    reasons: set[Reason] = set()
    examined, last = 0, after
    while True:
        size = min(asked.size - examined, LARGEST_SIZE)
        page = ask_api(asked, Contradictions, "contradictions", size=size, after=last)
        found += page.found
        examined += page.examined
        reasons.update(each for each in page.reasons if each.why is not Why.BOUND)
        if page.after is None:
            return Contradictions(tuple(found), examined, None, in_order(reasons))
        if page.examined < 1 or page.after == last:
            what = f"it does not go on after {last or 'the beginning'}"
            raise OrgctlError(asked.api, what, "ask for a smaller --size")
        last = page.after
        if examined >= asked.size:
            reasons.add(Reason(Why.BOUND, "size", f"{examined:,} things were looked at; go on after the last"))
            return Contradictions(tuple(found), examined, page.after, in_order(reasons))


def _with_known(besides: Besides, graph: Graph) -> Besides:
    """Where neither a manifest nor AWS tells which accounts there are, what the reconciliation noted counts."""
    if besides.scope.accounts or besides.scope.now is None:
        return besides
    return replace(besides, scope=known_scope(graph, besides.scope.now, besides.scope.silence))


def _pair(said: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not (name and equals):
        raise OrgctlError("--where", f"{said!r} is no pair", "write it as NAME=VALUE: state=available, tag:Team=web")
    return name, value


def _account(said: str, names: Mapping[AccountId, str]) -> AccountId:
    found = [id for id, name in names.items() if name == said]
    if found:
        return found[0]
    if _is_account(said) or said.isalpha():
        return AccountId(said)
    raise OrgctlError("--account", f"{said!r} is no account that is known", "give its twelve digits, or pass --live")


def _is_account(said: str) -> bool:
    return said.isdecimal() and len(said) == 12
