"""`orgctl lineage search` and `coverage`: things by what holds of them, and places by what is heard from them."""

from __future__ import annotations

from collections.abc import Mapping

from cli.lineage_asked import Asked, known_besides, opened
from cli.lineage_remote import remote_question
from cli.lineage_told import tell
from cli.render.lineage_lists import coverage_lines, page_lines
from handlers.lineage.model import Kind
from handlers.lineage.queries.coverage import coverage
from handlers.lineage.queries.search import Wanted, search
from org.errors import OrgctlError
from org.model import AccountId, Region


def search_things(
    asked: Asked, kind: str, account: str, name: str, said: list[str], *, limit: int, cursor: str | None
) -> int:
    if asked.api:
        owner: str = (
            account if _is_account(account) else (_account(account, known_besides(asked).names) if account else "")
        )
        return remote_question(
            asked, "search", kind=kind, account=owner, name_contains=name, where=said, limit=limit, cursor=cursor
        )
    besides = known_besides(asked)
    wanted = Wanted(
        Kind(kind),
        Region(asked.region) if asked.region else None,
        _account(account, besides.names) if account else None,
        name or None,
        tuple(_pair(each) for each in said),
    )
    with opened(asked) as graph:
        page = search(graph, wanted, limit, cursor)
    return tell(asked, besides, page, page_lines)


def show_coverage(asked: Asked, silence: int | None, examine: int) -> int:
    if asked.api:
        if silence is not None:
            raise OrgctlError("--silence", "the API knows itself which silence is too long", "leave out --silence")
        return remote_question(asked, "coverage", examine=examine)
    besides = known_besides(asked, silence)
    with opened(asked) as graph:
        found = coverage(graph, besides.scope, examine)
    return tell(asked, besides, found, coverage_lines)


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
