"""`orgctl guardrails simulate`: requests judged under the manifest's or the live organization's policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cli.guardrail_chains import account_id, manifest_chains, manifest_if_any, read_live_chains
from cli.guardrail_requests import Asked, PolicyFiles, check_action, read_requests
from cli.render.console import results, talk
from cli.render.decision import Judged, decision_json, decision_lines, summary
from cli.settings import Settings, load_desired
from cli.text_files import name_of, read_text
from org.errors import OrgctlError
from org.explain.asked import account_in, global_region, membership, whose
from org.policy.authorize import Engine, Grants
from org.policy.catalog import Catalog
from org.policy.context import make_context, principal_of
from org.policy.decision import Decision, Verdict
from org.policy.model import Policy, PolicyKind
from org.policy.parse import parse_policy
from org.policy.patterns import overlaps
from org.policy.request import Request
from org.proof.chains import Chains
from org.proof.regions import is_global
from org.regions import known_regions
from org.source.findings import suggest

CLEAN, FINDINGS = 0, 3
_FILLED = re.compile(r"\$\{[^{}]*\}")
"""What AWS's reference writes for a part of an ARN that each resource has of its own."""
_FORMS = 3
"""As many forms of resources are shown; EC2 has calls with twenty."""


def simulate_requests(settings: Settings, asked: Asked | Path, files: PolicyFiles, *, live: bool) -> int:
    """Print the verdict on each request; answer 3 unless each is what it was expected to be, else allowed."""
    requests = read_requests(asked) if isinstance(asked, Path) else [asked]
    if isinstance(asked, Asked) and (fault := check_action(asked.action)):
        raise OrgctlError("--action", fault, "correct it")
    if live:
        told = manifest_if_any(settings)
        chains = read_live_chains(settings, told[1].home_region if told else "")
    else:
        chains = manifest_chains(load_desired(settings)[1])
    judge = _Judge(chains, files)
    judged = [judge.judge(request) for request in requests]
    if settings.is_json:
        results().print(decision_json(judged))
    else:
        for each in judged:
            for line in decision_lines(each, verbose=settings.verbose):
                results().print(line)
    if isinstance(asked, Path):
        talk().print(summary(judged))
    return CLEAN if all(each.is_as_wanted for each in judged) else FINDINGS


class _Judge:
    """Keeps the engine, the chains and the policies that stand beside them."""

    def __init__(self, chains: Chains, files: PolicyFiles) -> None:
        self._chains = chains
        self._engine = Engine()
        self._identity = _policy(files.identity, PolicyKind.IDENTITY)
        self._boundary = _policy(files.boundary, PolicyKind.BOUNDARY)
        self._resource = files.resource
        self._resource_policies: dict[PolicyKind, Policy | None] = {}

    def judge(self, asked: Asked) -> Judged:
        request = self._request(asked)
        if len(self._outside(request)) > 1:
            raise _nothing_to_ask(request, str(asked.place or "request"))
        if why := _why_never_asked(self._engine.catalog, request):
            return Judged(asked, Decision(Verdict.NOT_EVALUATED), (why,))
        decision = self._engine.authorizer(self._grants(request)).decide(request)
        return Judged(asked, decision, tuple(self._notes(asked, request)))

    def _notes(self, asked: Asked, request: Request) -> Iterator[str]:
        yield from (
            f"account {account} is not in the organization, so that none of its policies reaches {what}"
            for account, what in self._outside(request)
            if account
        )
        yield from (
            f"{key} is no condition key that is known: is it written rightly?"
            for key in asked.known
            if not self._engine.catalog.key_known(key)
        )
        if asked.region and asked.region not in known_regions():
            near = suggest(asked.region, known_regions(), otherwise="is it written rightly?")
            yield f"{asked.region} is no Region that is known; {near}"

    def _outside(self, request: Request) -> list[tuple[str, str]]:
        accounts = (request.principal.account, "the principal"), (request.resource_account, "the resource")
        return [(account, what) for account, what in accounts if account not in self._chains.accounts]

    def _request(self, asked: Asked) -> Request:
        named = self._with_ids(asked.principal, asked.where("--principal"))
        try:
            principal = principal_of(named)
        except OrgctlError as error:
            what = f"{asked.principal!r} is no principal"
            raise OrgctlError(asked.where("--principal"), what, error.todo) from error
        resource = self._with_ids(asked.resource, asked.where("--resource"))
        owner = (
            account_id(self._chains, asked.account, asked.where("--account")) if asked.account else account_in(resource)
        )
        told = owner or (principal.account if asked.complete else "")
        region = asked.region
        if not region and is_global(asked.action):
            region = global_region(asked.action, principal)
        organization, path = membership(self._chains, principal.account)
        context = make_context(
            principal,
            asked.action,
            resource,
            region=region,
            organization_id=organization,
            organization_path=path,
            more={**whose(self._chains, principal, resource, told), **asked.known},
        )
        return Request(principal, asked.action, resource, owner or principal.account, context, asked.complete)

    def _grants(self, request: Request) -> Grants:
        grants = self._chains.grants(request.principal.account, request.resource_account)
        kind = _kind_of_resource_policy(request.action)
        if kind not in self._resource_policies:
            self._resource_policies[kind] = _policy(self._resource, kind)
        return replace(
            grants,
            identity=(self._identity,) if self._identity else None,
            boundary=(self._boundary,) if self._boundary else (),
            resource=self._resource_policies[kind],
        )

    def _with_ids(self, arn: str, where: str) -> str:
        """Put the account's id where an ARN has its name."""
        parts = arn.split(":", 5)
        if len(parts) < 6 or not parts[4] or parts[4] == "aws" or set(parts[4]) <= set("0123456789*?"):
            return arn
        return ":".join((*parts[:4], account_id(self._chains, parts[4], where), parts[5]))


def _why_never_asked(catalog: Catalog, request: Request) -> str:
    """Answer why AWS never asks its policies this: a verdict would be none on what was meant. Empty if it does."""
    entry = catalog.find_action(request.action)
    if entry is None:
        others = catalog.actions_matching(request.action.partition(":")[0] + ":*")
        near = suggest(request.action, others, otherwise="")
        return f"{request.action} is not in the catalog of actions" + (f"; {near}" if near else "")
    forms = sorted({type.arn for type in entry.resources})
    patterns = [_FILLED.sub("*", form) for form in forms]  # a form that the reference does not tell is empty
    if request.resource == "*" or not all(patterns) or any(overlaps(request.resource, each) for each in patterns):
        return ""
    listed = ", ".join(forms[:_FORMS]) + (", …" if len(forms) > _FORMS else "")
    return f"{request.action} is asked on {listed or '*'}, and never on this"


def _nothing_to_ask(request: Request, where: str) -> OrgctlError:
    account = request.principal.account or request.resource_account
    named = f"account {account} is not in the organization" if account else "no account is named"
    todo = "write the account's name for its id if the manifest does not tell the id, or tell the resource's account"
    return OrgctlError(where, f"{named}, so that no policy would be asked", todo)


def _policy(path: Path | None, kind: PolicyKind) -> Policy | None:
    return parse_policy(read_text(path), kind, path.stem, file=name_of(path)) if path else None


def _kind_of_resource_policy(action: str) -> PolicyKind:
    lower = action.lower()
    if lower.startswith("sts:"):
        return PolicyKind.TRUST
    return PolicyKind.KEY if lower.startswith("kms:") else PolicyKind.RESOURCE
