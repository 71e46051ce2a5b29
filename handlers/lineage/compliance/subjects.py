"""Which things are judged: the images and instances that an organization has."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from handlers.lineage.compliance.subject import ALIASES_OF_AWS
from handlers.lineage.fold import fold_states
from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Fact, Key, Kind, Relation, Time
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.fetch import facts_of, pages
from handlers.lineage.queries.things import GONE, MADE, OWNER, OWNER_ALIAS, STATE, Thing, thing_of
from org.ids import AccountId, Region

PAGE = 5_000
FORGOTTEN = 7 * 24 * 3_600_000
"""Milliseconds for which a thing that is gone is still told to be gone; whoever listens has heard it then."""


def subjects(
    graph: Graph, kind: Kind, scope: Scope, now: Time, region: Region | None = None, account: AccountId | None = None
) -> Iterator[Thing]:
    """Answer the things of a kind that are known and the organization's, in the order of keys.

    Left out are things of which only the name is known (they are told as unresolved by the coverage), those of others,
    and those that are long gone. With `account` only those that it is said to own.
    """
    owned = ((OWNER, str(account)),) if account is not None else ()
    for keys in pages(graph, Search(kind, region, owned), PAGE):
        for thing in things_of(graph, keys):
            if thing.known and _is_ours(thing, scope) and (account is None or thing.account == account):
                state = thing.state_of.attributes.get(STATE)
                if state is None or state.value not in GONE or now - state.evidence.time <= FORGOTTEN:
                    yield thing


def things_of(graph: Graph, keys: Collection[Key]) -> list[Thing]:
    """Answer some things, with the account in which each was made where no owner is said."""
    facts: list[Fact] = list(facts_of(graph, keys, MADE | {Relation.NOTED, Relation.LAUNCHED_FROM}, None))
    made: dict[Key, str] = {}
    for fact in facts:
        if fact.relation is not Relation.NOTED:
            made.setdefault(fact.child, fact.evidence.account)
    states = fold_states(fact for fact in facts if fact.relation is Relation.NOTED)
    return [thing_of(key, states.get(key), made.get(key)) for key in sorted(keys)]


def _is_ours(thing: Thing, scope: Scope) -> bool:
    return thing.state_of.value(OWNER_ALIAS) not in ALIASES_OF_AWS and scope.may_own(thing.account)
