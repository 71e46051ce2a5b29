"""Bring Security Hub's findings up to date: made, changed, and resolved once the wrong is right again.

What Security Hub was told last is kept in ledgers: only what is new or over is asked of it, and only what is new, over
or different is told to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from handlers.lineage.findings import Finding
from handlers.lineage.model import Key, Time
from handlers.lineage.publish.asff import Product, asff_of, finding_id, resolved, timestamp
from handlers.lineage.publish.books import Books, is_open
from handlers.lineage.publish.ledger import Forgetful, Store, entry_of, parts_of_id, said_by
from handlers.lineage.publish.security_hub import Hub, complain
from handlers.lineage.queries.asking import never

REFRESH = 7 * 24 * 3_600_000
"""Milliseconds after which a finding that is as it was is told again: Security Hub forgets one after 90 days."""

LOOKED_UP = 2_000
"""New findings that are looked up by their ids; where there are more, all that is open is read instead."""

Covered = Callable[[str, Key], bool]
"""Tells of a rule and a thing whether it was judged this time, so that a finding that is missing is no longer so."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the findings; each in the order of ids."""

    created: tuple[Finding, ...] = ()
    updated: tuple[Finding, ...] = ()
    """It was known, and says something else now."""
    unchanged: tuple[Finding, ...] = ()
    resolved: tuple[str, ...] = ()
    """Ids of what was wrong and is no longer."""


def _ignore(_: Published) -> None:
    pass


def publish(
    hub: Hub,
    findings: Collection[Finding],
    covered: Covered,
    product: Product,
    families: Collection[str],
    now: Time,
    before_import: Callable[[Published], None] = _ignore,
    store: Store | None = None,
    late: Callable[[], bool] = never,
) -> Published:
    """Tell Security Hub what is wrong now, and resolve what was, was judged again, and is right now.

    `families`: of the findings and of what may be resolved (`compliance`, `contradiction`, …); others are not read. Of
    two findings with one id the last counts. NotImported if a finding was refused; all others are there then, and doing
    it again does no harm.

    `before_import` is where people are told: a message may then come twice, if the run is killed right
    after it, and is never lost.

    `store` keeps the ledgers. Unfinished once it is `late`: what was done is kept, and the next call goes on there.
    """
    books = Books(hub, product, store or Forgetful(), late)
    books.open(families)
    wanted = {finding_id(each): each for each in findings}
    known = books.entries
    unknown = [id for id in wanted if id not in known]
    if len(unknown) > LOOKED_UP:
        books.read_again()
        unknown = []
    # A ledger may be older than what Security Hub was told; and what is archived keeps its first date.
    stored = books.look_up(unknown)
    ended = sorted(id for id in known if id not in wanted and covered(*parts_of_id(id)))
    created, updated, unchanged = [], [], []
    todo: list[tuple[Finding, str | None]] = []
    for id, finding in sorted(wanted.items()):
        there = stored.get(id)
        before = known.get(id) or (entry_of(there) if there is not None and is_open(there) else None)
        first = before.created if before else None if there is None else str(there["CreatedAt"])
        if before is None:
            created.append(finding)
        elif before.said != said_by(asff_of(finding, product, now)):
            updated.append(finding)
        else:
            unchanged.append(finding)
            if now - _milliseconds(before.updated) < REFRESH:
                continue
        todo.append((finding, first))
    before_import(Published(tuple(created), tuple(updated), tuple(unchanged)))
    imports = (asff_of(finding, product, now, first) for finding, first in todo)
    new = {finding_id(each) for each in created}
    refused = books.bring(
        imports, {finding_id(each): first or timestamp(now) for each, first in todo if finding_id(each) in new}
    )
    over = books.end(ended, lambda each: resolved(each, now), refused)
    complain(refused, len(todo) + len(over))
    return Published(tuple(created), tuple(updated), tuple(unchanged), tuple(over))


def _milliseconds(text: str) -> Time:
    return Time(int(datetime.fromisoformat(text).timestamp() * 1000))
