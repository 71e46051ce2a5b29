"""What bounds a question, what the asker knows besides the graph, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches

from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Key, Kind, Place, Relation, Time, parts_of
from org.errors import NotFound, OrgctlError
from org.ids import AccountId

DEPTH, SIZE = range(1, 101), range(1, 100_001)
ALL_RELATIONS = frozenset(Relation)
_PREFIX = re.compile(r"\A(?:ami|snap|vol|i|lt|fleet|sfr|sir)-", re.ASCII)


class BadQuery(OrgctlError):
    """A question that is not well put: a bound out of range, a key that is none, a cursor of another search."""


class UnknownThing(NotFound):
    """Of this thing nothing was ever said; its like are named where they are cheap to find."""


def never() -> bool:
    """Tell that there is all the time that is needed."""
    return False


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far to look; a bound that is hit makes an answer incomplete. BadQuery if one is out of its range."""

    depth: int = 50
    """Hops from the start: 1 to 100."""
    size: int = 10_000
    """Things in the answer, the start among them: 1 to 100,000."""
    per_parent: int = 10_000
    """Facts by which children are found of one parent, the oldest first: 1 to 100,000."""
    late: Callable[[], bool] = field(default=never, compare=False, repr=False)
    """Tells whether the time for looking is up; asked before each level of a walk."""

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("depth", self.depth, DEPTH),
            ("size", self.size, SIZE),
            ("per-parent limit", self.per_parent, SIZE),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
                raise BadQuery(
                    name, f"{value!r} is not within bounds", f"give a number from {allowed[0]} to {allowed[-1]:,}"
                )


@dataclass(frozen=True, slots=True)
class Scope:
    """What the asker knows of the organization; what is not given is not judged."""

    accounts: frozenset[AccountId] = frozenset()
    """Of the organization. Where none is given, every owner may be one of its accounts."""
    organization: str = ""
    """`o-…`: to tell a share with one's own organization or unit from one with another's."""
    expected: frozenset[Place] = field(default_factory=frozenset)
    """From which events ought to come."""
    now: Time | None = None
    silence: int | None = None
    """Milliseconds after which a place from which nothing was heard counts as silent; needs `now`."""

    def may_own(self, account: str) -> bool:
        """Tell whether an account is, or may be, one of the organization; empty: it is not known which one it is."""
        return not (self.accounts and account) or account in self.accounts


USUAL_BOUNDS = Bounds()
NO_SCOPE = Scope()


def check_key(key: Key) -> None:
    """Raise BadQuery unless the key is one."""
    try:
        partition, region, _, name = parts_of(key)
    except ValueError as error:
        todo = "write it as <partition>/<region>/<kind>/<name>, as aws/us-east-1/image/ami-0123456789abcdef0"
        raise BadQuery(repr(key), "is not the key of a thing", todo) from error
    if not (partition and region and name):
        raise BadQuery(repr(key), "has an empty part", "give the partition, the region (or '-'), the kind and the name")


def check_kind(key: Key, kind: Kind) -> None:
    """Raise BadQuery unless the key is one of this kind."""
    check_key(key)
    if parts_of(key).kind is not kind:
        raise BadQuery(key, f"is no {kind.value}", f"give the key of one: aws/<region>/{kind.value}/…")


def check_known(graph: Graph, key: Key) -> None:
    """Raise UnknownThing unless something was said of the thing, or of another with it."""
    if graph.facts_of([key], ALL_RELATIONS) or graph.facts_into([key], ALL_RELATIONS, limit=1):
        return
    like = _like(graph, key)
    todo = f"did you mean {', '.join(like)}?" if like else "see that its region is right and that its events are heard"
    raise UnknownThing(key, "nothing is known of this thing", todo)


def _like(graph: Graph, key: Key) -> list[str]:
    """Answer at most three keys of the same kind and Region that begin alike: one read, no scan."""
    _, region, kind, name = parts_of(key)
    head = key[: len(key) - len(name)]
    near = graph.find(Search(kind, region), after=Key(head + name[: max(4, len(name) // 2)]), limit=100).keys
    # By what differs: a partition, a Region and a prefix that all have in common would make strangers alike.
    names = {own: other for other in near if other.startswith(head) for own in [_own_part(parts_of(other).name)]}
    return [names[each] for each in get_close_matches(_own_part(name), names, n=3, cutoff=0.8)]


def _own_part(name: str) -> str:
    """Leave out of `ami-…`, `snap-…` what says the kind once more."""
    return _PREFIX.sub("", name)
