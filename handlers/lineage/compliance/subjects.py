"""Which things are judged: the images and instances that an organization has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from handlers.lineage.fold import State, fold_states
from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Fact, Key, Kind, Relation, Time
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.fetch import facts_of, pages
from handlers.lineage.queries.things import GONE, MADE, OWNER, OWNER_ALIAS, STATE, Thing, thing_of
from org.ids import AccountId, Region

PAGE = 5_000
ALIASES_OF_AWS = frozenset({"amazon", "aws-marketplace", "aws-backup-vault"})
_MAKING = MADE | {Relation.LAUNCHED_FROM}
SAYING = _MAKING | {Relation.NOTED}
"""Relations of the facts that tell what a thing is, and whose."""
FORGOTTEN = 7 * 24 * 3_600_000
"""Milliseconds for which a thing that is gone is still told to be gone; whoever listens has heard it then."""


def subjects(
    graph: Graph, kind: Kind, scope: Scope, now: Time, region: Region | None = None, account: AccountId | None = None
) -> Iterator[Thing]:
    """Answer the things of a kind that are known and the organization's, in the order of keys.

    With `account` only those that it is said to own.
    """
    owned = ((OWNER, str(account)),) if account is not None else ()
    for keys in pages(graph, Search(kind, region, owned), PAGE):
        for thing in things_of(graph, keys):
            if is_subject(thing, scope, now) and (account is None or thing.account == account):
                yield thing


def is_subject(thing: Thing, scope: Scope, now: Time) -> bool:
    """Tell whether a thing is judged.

    Left out are things of which only the name is known (they are told as unresolved by the coverage), those of others,
    and those that are long gone.
    """
    if not (thing.known and is_ours(thing, scope)):
        return False
    state = thing.state_of.attributes.get(STATE)
    return state is None or state.value not in GONE or now - state.evidence.time <= FORGOTTEN


def things_of(graph: Graph, keys: Collection[Key]) -> list[Thing]:
    """Answer some things, with the account in which each was made where no owner is said."""
    facts: dict[Key, list[Fact]] = {key: [] for key in sorted(keys)}
    for fact in facts_of(graph, keys, SAYING, None):
        facts[fact.child].append(fact)
    states = fold_states(fact for some in facts.values() for fact in some if fact.relation is Relation.NOTED)
    return [thing_from(key, some, states.get(key)) for key, some in facts.items()]


def thing_from(key: Key, facts: Iterable[Fact], state: State | None) -> Thing:
    """Answer a thing, given its facts, the oldest first, and what they come to."""
    made = (fact.evidence.account for fact in facts if fact.relation in _MAKING)
    return thing_of(key, state, next(made, None))


def is_ours(thing: Thing, scope: Scope) -> bool:
    """Tell whether the organization has a thing, or may have it, where its owner is not known."""
    return thing.state_of.value(OWNER_ALIAS) not in ALIASES_OF_AWS and scope.may_own(thing.account)
