"""What may be done and what not while one step of a plan goes on, or when the plan ends before its time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from org import changes as c
from org.plan.model import Plan, Step

BEARING = (
    c.CreateOrganization,
    c.EnablePolicyType,
    c.DisablePolicyType,
    c.CreateUnit,
    c.DeleteUnit,
    c.CreateAccount,
    c.MoveAccount,
    c.CreatePolicy,
    c.UpdatePolicy,
    c.DeletePolicy,
    c.AttachPolicy,
    c.DetachPolicy,
)
_TAKING = (c.DetachPolicy, c.DeletePolicy, c.DisablePolicyType)
_MOVING = (c.MoveAccount,)
_KINDS_OF_CHANGE = (
    tuple(kind for kind in BEARING if kind not in (*_TAKING, *_MOVING, c.UpdatePolicy)),
    _TAKING,
    _MOVING,
    (c.UpdatePolicy,),
)


class Moments:
    def __init__(self, plan: Plan) -> None:
        self._bearing = [step for step in plan.steps if isinstance(step.change, BEARING)]
        self._waits = {step.id: {*step.needs, *step.after} for step in plan.steps}
        self._followers: dict[str, set[str]] = {}
        for step in plan.steps:
            for other in self._waits[step.id]:
                self._followers.setdefault(other, set()).add(step.id)

    def of(self, step: Step) -> Iterator[set[str]]:
        """Yield what may be done while a step goes on: of the steps beside it each kind, whole, and in any company.

        What attaches, what moves and what takes away are told apart, so that also a Deny or the want of an Allow is
        met that there is neither when the deployment begins nor when it ends.
        """
        early = _closure(step.id, self._waits)
        yield from self._states(early, early | _closure(step.id, self._followers))

    def halfway(self) -> Iterator[set[str]]:
        """Yield what may be done when a run ends before its time: each kind of step, whole, and in any company."""
        yield from self._states(set(), set())

    def _states(self, early: set[str], settled: set[str]) -> Iterator[set[str]]:
        beside = [each for each in self._bearing if each.id not in settled]
        ids = {each.id for each in beside}
        kinds = [{each.id for each in beside if isinstance(each.change, kind)} for kind in _KINDS_OF_CHANGE]
        kinds = [kind for kind in kinds if kind]
        seen: set[frozenset[str]] = set()
        for chosen in product((False, True), repeat=len(kinds)):
            done = early.union(*(kind for kind, is_in in zip(kinds, chosen, strict=True) if is_in))
            while waiting := {id for id in done - early if not (self._waits[id] & ids) <= done}:
                done -= waiting
            if frozenset(done) not in seen:
                seen.add(frozenset(done))
                yield done


def _closure(id: str, edges: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [id]
    while waiting:
        fresh = edges.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found
