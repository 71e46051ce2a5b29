"""What types cannot say of a manifest's policies and their attachments; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from config.manifest import Attach, Manifest, PolicySpec, Steps
from config.names import Fault, Names, find_repeated
from org.model import ROOT, Target, TargetKind
from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from org.quotas import load_quotas
from org.source.findings import Place

_SOURCES = ("file", "inline", "guardrail", "aws_managed")
_ALWAYS_ATTACHED = {SERVICE_CONTROL_POLICY: "FullAWSAccess", RESOURCE_CONTROL_POLICY: "RCPFullAWSAccess"}
"""AWS attaches it to everything; the one for RCPs cannot be detached, that for SCPs stays unless the manifest names it.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""


def find_policy_faults(manifest: Manifest, names: Names, place_of: Callable[[Steps], Place]) -> Iterator[Fault]:
    first: dict[tuple[str, str], int] = {}
    for index, policy in enumerate(manifest.policies):
        at: Steps = ("policies", index)
        if (other := first.setdefault((policy.type, policy.name), index)) != index:
            what = f"the {policy.type} {policy.name!r} is already at {place_of(('policies', other, 'name'))}"
            yield (*at, "name"), what, "rename one of the two"
        yield from _find_source_faults(policy, at)
        yield from _find_attach_faults(policy.attach, (*at, "attach"), names)
    yield from _find_crowded_targets(manifest)


def _find_source_faults(policy: PolicySpec, at: Steps) -> Iterator[Fault]:
    given = [key for key in _SOURCES if getattr(policy, key) is not None]
    if not given:
        what = f"the policy {policy.name!r} has no text"
        yield at, what, "add one of file, inline, guardrail and aws_managed: true"
    elif len(given) > 1:
        what = f"the policy {policy.name!r} has both {' and '.join(given)}"
        yield (*at, given[1]), what, "keep one of them"
    if policy.parameters and policy.guardrail is None:
        yield (*at, "parameters"), "parameters are given without a guardrail", "remove them, or write variables:"
    if policy.variables and policy.file is None and policy.inline is None:
        yield (*at, "variables"), "variables are given without file or inline", "remove them, or write parameters:"
    if policy.aws_managed:
        for key in ("description", "tags"):
            if getattr(policy, key):
                yield (*at, key), f"{key!r} is given for a policy that AWS manages", "remove it"


def _find_attach_faults(attach: Attach, at: Steps, names: Names) -> Iterator[Fault]:
    for index, path in enumerate(attach.units):
        if path == ROOT:
            yield (*at, "units", index), "the root is listed among the units", "write root: true instead"
        else:
            yield from names.find_unknown_unit((*at, "units", index), path)
    for index, name in enumerate(attach.accounts):
        yield from names.find_unknown_account((*at, "accounts", index), name)
    yield from find_repeated((*at, "units"), attach.units, "unit")
    yield from find_repeated((*at, "accounts"), attach.accounts, "account")


def _find_crowded_targets(manifest: Manifest) -> Iterator[Fault]:
    """Yield a fault for each attachment that goes over what AWS allows for its target."""
    named = {(policy.type, policy.name) for policy in manifest.policies}
    attached: Counter[tuple[str, Target]] = Counter()
    for index, policy in enumerate(manifest.policies):
        always = _ALWAYS_ATTACHED.get(policy.type)  # type: ignore[call-overload]
        if policy.type == RESOURCE_CONTROL_POLICY and policy.name == always:
            continue  # it is counted for every target below
        most = load_quotas().policy(policy.type).max_per_target
        beside = always is not None and (policy.type == RESOURCE_CONTROL_POLICY or (policy.type, always) not in named)
        for steps, target in _targets(policy.attach):
            attached[policy.type, target] += 1
            if (count := attached[policy.type, target] + beside) > most:
                counted = f", {always} among them" if beside else ""
                what = f"{target} would have {count} policies of the type {policy.type}{counted}, and AWS allows {most}"
                yield ("policies", index, "attach", *steps), what, "attach fewer, or join some of them"


def _targets(attach: Attach) -> Iterator[tuple[Steps, Target]]:
    if attach.root:
        yield ("root",), Target(TargetKind.ROOT, ROOT)
    for index, unit in enumerate(attach.units):
        yield ("units", index), Target(TargetKind.UNIT, unit)
    for index, account in enumerate(attach.accounts):
        yield ("accounts", index), Target(TargetKind.ACCOUNT, account)
