"""The lockout proof: no change of a plan takes a call from a principal that must go on making it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from org import changes as c
from org.interest import POLICIES, STACKSETS
from org.plan.model import Effect, Plan, Step
from org.policy.authorize import Engine
from org.policy.grammar import STATEMENT_KINDS
from org.policy.model import Policy
from org.proof.chains import DECLARATIVE, Chains, chains_after, chains_before, chains_with
from org.proof.evaluate import Evaluation
from org.proof.expand import Expander, vocabulary_of
from org.proof.model import Demand, Proof
from org.proof.moments import BEARING, Moments
from org.proof.needs import Needs
from org.proof.stacks import EXECUTION_ROLE, OPERATIONS, ReadTemplate, Stacks, read_json
from org.references import resolve

_ID = re.compile(r"(?<!\d)\d{12}(?!\d)")
_PART_OF_AN_ID = re.compile(r"""[:"'](?=[\d*?]*\d)(?=[\d*?]*[*?])[\d*?]+[:"']|(?<!\d)\d{3,11}[*?]|[*?]\d{3,11}(?!\d)""")
_MEANWHILE = "while the plan is carried out"
_HALFWAY = (
    "what would let it through may come later than what denies it, and not at all if the run ends half-way: "
    "bring it in a run of its own first"
)
_DEPLOYING = (c.CreateStackInstances, c.UpdateStackInstances, c.UpdateStackSet, c.DeleteStackInstances)


def prove(plan: Plan, read_template: ReadTemplate = read_json, engine: Engine | None = None) -> Proof:
    """Evaluate the chain of every account that the plan touches, as it will be, for all who must keep working there.

    The plan's own deployments are also evaluated as things are when they may begin and may end. An account stands
    for all others under the same policies that no policy tells apart.
    """
    if not any(isinstance(step.change, (*BEARING, *_DEPLOYING)) for step in plan.steps):
        return Proof(0, 0, 0)
    return _Prover(plan, read_template, engine or Engine()).prove()


@dataclass(slots=True)
class _Counts:
    principals: set[tuple[str, str]] = field(default_factory=set)
    calls: set[tuple[str, str]] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)

    def add(self, demand: Demand, accounts: Iterable[str]) -> None:
        self.principals.add((demand.who, demand.exempt))
        self.calls |= {(demand.who, call.action) for call in demand.calls}
        self.accounts.update(accounts)


class _Prover:
    def __init__(self, plan: Plan, read_template: ReadTemplate, engine: Engine) -> None:
        self.plan = plan
        self.before, self.after = chains_before(plan), chains_after(plan)
        self.stacks = Stacks(plan, self.after, read_template)
        self.needs = Needs(plan, self.after, self.stacks)
        policies = [*_policies(self.before), *_policies(self.after)]
        expander = Expander(engine.catalog, vocabulary_of(policies), self.needs.partition)
        by_region = _tells_regions_apart(policies, self.needs.regions)
        self.evaluation = Evaluation(engine, expander, self.needs.partition, by_region=by_region)
        self.mentioned, self.all_apart = _mentioned(plan, self.before, self.after)
        self.counts = _Counts()
        self._asked: set[object] = set()
        self._moments = Moments(plan)
        self._states: dict[frozenset[str], Chains] = {}

    def prove(self) -> Proof:
        touched = [id for id in self.after.accounts if self._is_touched(id)]
        for accounts in self._classes(touched, self.after, self.stacks.key):
            self._prove_class(accounts)
        for done in self._moments.halfway():
            self._prove_halfway(self._state(done))
        for step in self.plan.steps:
            if isinstance(step.change, _DEPLOYING):
                self._prove_step(step)
        self._note_gaps()
        self._note_unread()
        for home, demand in self.needs.strangers():
            because = f"account {home} is not in the organization, and orgctl knows no policies of it: is the id right?"
            self.evaluation.note(demand.who, [home], because, self.after, demand)
        found = tuple(self.evaluation.findings())
        assumed = tuple(sorted(self.stacks.assumed))
        return Proof(len(self.counts.principals), len(self.counts.calls), len(self.counts.accounts), found, assumed)

    def _is_touched(self, account: str) -> bool:
        if account not in self.before.accounts:
            return True
        return self.before.signature(account) != self.after.signature(account)

    def _classes(
        self, accounts: Iterable[str], chains: Chains, key: Callable[[str], tuple[object, ...]]
    ) -> Iterator[list[str]]:
        found: dict[tuple[object, ...], list[str]] = {}
        for id in accounts:
            found.setdefault((chains.signature(id), self._token(id), *key(id)), []).append(id)
        yield from found.values()

    def _token(self, account: str) -> str:
        """Tell an account apart that something names; of the others none differs from the next but by its id."""
        special = self.all_apart or account in self.mentioned or account == self.after.management
        return account if special else ""

    def _names(self, accounts: Iterable[str]) -> list[str]:
        return [self.after.tree.nodes[id].name for id in accounts]

    def _prove_class(self, accounts: list[str]) -> None:
        first = accounts[0]
        for demand in self.needs.of(first):
            self.counts.add(demand, accounts)
            self.evaluation.ask(self.after, self._names(accounts), demand)

    def _prove_halfway(self, chains: Chains) -> None:
        """Evaluate the calls of people and tools in accounts that are under other policies than before and after."""
        between = [
            id
            for id in chains.accounts
            if id in self.after.accounts
            and all(
                id not in other.accounts or chains.signature(id) != other.signature(id)
                for other in (self.before, self.after)
            )
        ]
        for accounts in self._classes(between, chains, lambda _: ()):
            for demand in self.needs.of_people(accounts[0]):
                self.evaluation.ask(chains, self._names(accounts), demand, _MEANWHILE, _HALFWAY)

    def _prove_step(self, step: Step) -> None:
        """Evaluate a deployment's calls as things may be when it begins, and as they may be when it ends.

        What the step waits for is taken to be done.
        """
        change = step.change
        name = change.name if isinstance(change, c.UpdateStackSet) else change.stackset  # type: ignore[union-attr]
        leaving = isinstance(change, c.DeleteStackInstances)
        for done in self._moments.of(step):
            chains = self._state(done)
            accounts = [
                id
                for id in self.stacks.instances
                if id in chains.accounts and self._is_reached(id, name, leaving=leaving)
            ]
            for alike in self._classes(accounts, chains, self.stacks.key):
                asked = (name, leaving, chains.signature(alike[0]), self._token(alike[0]), self.stacks.key(alike[0]))
                if asked in self._asked:
                    continue
                self._asked.add(asked)
                same = alike[0] in self.after.accounts and chains.signature(alike[0]) == self.after.signature(alike[0])
                for demand in self.stacks.own(alike[0], name):
                    self.counts.add(demand, alike)
                    when = "" if same else _MEANWHILE
                    self.evaluation.ask(chains, self._names(alike), demand, when)

    def _is_reached(self, account: str, stackset: str, *, leaving: bool) -> bool:
        return any(
            name == stackset and effect in OPERATIONS and (effect is Effect.DELETED) == leaving
            for name, _, effect in self.stacks.instances[account]
        )

    def _state(self, done: set[str]) -> Chains:
        bearing = frozenset(
            s.id for s in self.plan.steps if s.id in done and isinstance(s.change, (*BEARING, c.RenameUnit))
        )
        if bearing not in self._states:
            self._states[bearing] = chains_with(self.plan, (s.change for s in self.plan.steps if s.id in bearing))
        return self._states[bearing]

    def _note_gaps(self) -> None:
        for name, reasons in sorted(self.stacks.gaps.items()):
            at = [id for id, found in self.stacks.instances.items() if any(n == name for n, _, _ in found)]
            arn = f"arn:{self.needs.partition}:iam::*:role/{EXECUTION_ROLE}"
            demand = Demand(f"StackSet {name}", arn, arn, (), (), "")
            for reason in sorted(reasons):
                self.evaluation.note(
                    demand.who, self._names(i for i in at if i in self.after.tree.nodes), reason, self.after, demand
                )

    def _note_unread(self) -> None:
        """What stands above an account is not known where not all policies could be read."""
        for gap in self.plan.observed.unread:
            if gap.area == STACKSETS:
                arn = f"arn:{self.needs.partition}:iam::*:role/{EXECUTION_ROLE}"
                demand = Demand(f"StackSet {gap.subject or '*'}", arn, arn, (), (), "")
                because = f"it could not be read: {gap.reason}"
                self.evaluation.note(demand.who, self._names(self.after.accounts), because, self.after, demand)
            if gap.area == POLICIES and gap.subject.partition("/")[0] in ("", *STATEMENT_KINDS, DECLARATIVE):
                demand = Demand("everybody", "arn:*:iam::*:*", "arn:*:iam::*:*", (), (), "")
                because = f"policies could not be read: {gap.subject} {gap.reason}"
                self.evaluation.note(demand.who, self._names(self.after.accounts), because, self.after, demand)


def _policies(chains: Chains) -> Iterator[Policy]:
    for key in chains.tree.policies:
        if key[0] in STATEMENT_KINDS:
            yield chains.parsed(key)


def _tells_regions_apart(policies: Iterable[Policy], regions: Iterable[str]) -> bool:
    for policy in policies:
        for statement in policy.statements:
            texts = [text for each in statement.conditions for text in (each.key, *each.values)]
            if any("aws:requestedregion" in text.lower() for text in (*texts, *statement.resources)):
                return True
            if any(part[3:4] not in ([], [""], ["*"]) for part in (text.split(":") for text in statement.resources)):
                return True
            values = [value for each in statement.conditions for value in each.values]
            if any(region in value for region in (*regions, "us-east-1") for value in values):
                return True
    return False


def _mentioned(plan: Plan, *chains: Chains) -> tuple[set[str], bool]:
    """Answer the accounts that policies, parameters and demands name, and whether some pattern names parts of ids."""
    texts = [document.content for each in chains for document in each.tree.policies.values()]
    texts += [f"{p.arn} {call.resource} {call.context}" for p in plan.protected_principals for call in p.calls]
    texts += [
        str(s.change.settings.parameters)
        for s in plan.steps
        if isinstance(s.change, c.CreateStackSet | c.UpdateStackSet)
    ]
    texts += [
        str(s.change.overrides)
        for s in plan.steps
        if isinstance(s.change, c.CreateStackInstances | c.UpdateStackInstances)
    ]
    texts += [str(stackset.settings.parameters) for stackset in plan.observed.stacksets]
    apart = any(_PART_OF_AN_ID.search(text) for text in texts)
    ids = chains[-1].tree.ids
    return {found for text in texts for found in _ID.findall(resolve(text, ids))}, apart
