"""Policies and where they are attached: a policy of the manifest is attached to what it names and to nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from org.changes import AttachPolicy, CreatePolicy, DeletePolicy, DetachPolicy, MoveAccount, UpdatePolicy
from org.errors import OrgctlError
from org.interest import POLICIES, policy_label
from org.model import (
    OWNER_TAG,
    ROOT,
    DesiredPolicy,
    LiveState,
    ObservedPolicy,
    PolicyType,
    Target,
    TargetKind,
    UnitPath,
    is_within,
)
from org.plan.draft import Draft, producers_of, step_id
from org.plan.situation import Situation, is_owned
from org.plan.units import named_tags, plan_tags
from org.policy.grammar import STATEMENT_KINDS
from org.policy.render import means_the_same
from org.quotas import Quotas
from org.references import policy_reference, resolve

_FIXED = (PolicyType("RESOURCE_CONTROL_POLICY"), "RCPFullAWSAccess")
"""https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""


def plan_policies(situation: Situation, draft: Draft, quotas: Quotas) -> None:
    live = {(policy.type, policy.name): policy for policy in situation.observed.policies}
    wanted = {(policy.type, policy.name) for policy in situation.desired.policies}
    targets = _Targets(situation)
    out_of_reach = _out_of_reach(situation)
    for policy in situation.desired.policies:
        if situation.is_unread(POLICIES, policy.type, policy_label(policy.type, policy.name)):
            continue
        found = live.get((policy.type, policy.name))
        if policy.aws_managed and found is None and policy.type in situation.observed.policy_types:
            raise OrgctlError(
                f"policy {policy.name}", f"AWS manages no {policy.type} of that name", "check its name and type"
            )
        _content(situation, draft, policy, found)
        _attachments(draft, policy, targets.of(found), frozenset(policy.targets), out_of_reach)
    for key in sorted(live.keys() - wanted):
        _unnamed(draft, live[key], targets.of(live[key]))
    _order_detachments(situation, draft, quotas)


class _Targets:
    """The live targets of a policy by the names that they have after the plan."""

    def __init__(self, situation: Situation) -> None:
        self._names = {situation.observed.root_id: Target(TargetKind.ROOT, ROOT)}
        self._names |= {unit.id: Target(TargetKind.UNIT, path) for path, unit in situation.units.items()}
        self._names |= {id: Target(TargetKind.ACCOUNT, name) for id, name in situation.names.items()}

    def of(self, policy: ObservedPolicy | None) -> frozenset[Target]:
        ids = policy.target_ids if policy else ()
        return frozenset(self._names[id] for id in ids if id in self._names)


def _out_of_reach(situation: Situation) -> frozenset[Target]:
    """Answer the accounts that are not active, or will not be: nothing is attached to them or detached from them."""
    wanted = {match.desired.name for match in situation.accounts if not match.is_deployable}
    others = {situation.names[a.id] for a in situation.unmanaged_accounts if a.state is not LiveState.ACTIVE}
    return frozenset(Target(TargetKind.ACCOUNT, name) for name in wanted | others)


def _content(situation: Situation, draft: Draft, policy: DesiredPolicy, live: ObservedPolicy | None) -> None:
    if policy.aws_managed:
        return
    subject = policy_label(policy.type, policy.name)
    content = resolve(policy.content, situation.ids)
    made_first = [step_id("enable-policy-type", policy.type), *producers_of(content)]
    if live is None:
        tags = named_tags(policy.tags) | {OWNER_TAG: "true"}
        change = CreatePolicy(policy.type, policy.name, policy.description, content, tags)
        draft.add(change, subject, needs=made_first)
        return
    if not _is_same_document(policy.type, content, live.content) or policy.description != live.description:
        draft.add(
            UpdatePolicy(policy.type, policy.name, policy.description, content, live.description, live.content),
            subject,
            needs=made_first,
        )
    if live.id not in situation.unread_tags:
        label = f"{policy.type} {policy.name}"
        plan_tags(draft, policy_reference(policy.type, policy.name), label, policy.tags, live.tags, own=True)


def _is_same_document(type: PolicyType, one: str, other: str) -> bool:
    """Compare by meaning: AWS may write a policy that it keeps in another way, and in statements no order counts."""
    if one == other:
        return True
    try:
        same = bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
    return same or (type in STATEMENT_KINDS and means_the_same(one, other, STATEMENT_KINDS[type]))


def _attachments(
    draft: Draft,
    policy: DesiredPolicy,
    live: frozenset[Target],
    wanted: frozenset[Target],
    out_of_reach: frozenset[Target],
) -> None:
    subject = policy_label(policy.type, policy.name)
    for target in sorted(wanted - live - out_of_reach):
        creation = {TargetKind.UNIT: "create-unit", TargetKind.ACCOUNT: "create-account"}.get(target.kind)
        draft.add(
            AttachPolicy(policy.type, policy.name, target),
            attachment_subject(policy.type, policy.name, target),
            needs=[
                step_id("enable-policy-type", policy.type),
                step_id("create-policy", subject),
                step_id("update-policy", subject),
                *([step_id(creation, target.name)] if creation else []),
            ],
        )
    leaving = sorted(live - wanted - out_of_reach)
    if leaving and (policy.type, policy.name) == _FIXED:
        draft.notes.append(f"{policy.type} {policy.name} stays attached everywhere: AWS does not let it be detached")
        return
    for target in leaving:
        _detach(draft, policy.type, policy.name, target)


def attachment_subject(type: PolicyType, name: str, target: Target) -> str:
    return f"{policy_label(type, name)}@{target.name}"


def _detach(draft: Draft, type: PolicyType, name: str, target: Target) -> str:
    return draft.add(DetachPolicy(type, name, target), attachment_subject(type, name, target))


def _unnamed(draft: Draft, policy: ObservedPolicy, live: Iterable[Target]) -> None:
    """Delete what is ours and no longer named; list what is not ours, and pass over what AWS manages."""
    if is_owned(policy.tags):
        detached = [_detach(draft, policy.type, policy.name, target) for target in sorted(live)]
        draft.add(DeletePolicy(policy.type, policy.name), policy_label(policy.type, policy.name), needs=detached)
    elif not policy.aws_managed:
        draft.unmanaged.append(f"{policy.type} {policy.name}")


def _order_detachments(situation: Situation, draft: Draft, quotas: Quotas) -> None:
    """Attach before detaching, so that nothing is unguarded in between; the other way where a target's quota is full.

    Where the attaching fails, the detaching is not tried. A unit keeps its policies until all have left that will.
    """
    attached = attachment_counts(situation)
    attaching = {id: draft.steps[id].change for id in draft.ids_of("attach-policy")}
    for id in draft.ids_of("detach-policy"):
        old = draft.steps[id].change
        assert isinstance(old, DetachPolicy)
        same_policy, same_place = [], []
        for other, new in attaching.items():
            assert isinstance(new, AttachPolicy)
            if new.type == old.type and new.name == old.name:
                same_policy.append(other)
            elif new.type == old.type and new.target == old.target:
                same_place.append(other)
        if attached[old.type, old.target] + len(same_place) <= quotas.policy(old.type).max_per_target:
            draft.need(id, [*same_policy, *same_place])
            draft.order_after(id, _leaving(draft, old.target))
        else:
            # It waits for nothing then, since two full targets that swap policies would wait for each other.
            for later in same_place:
                draft.need(later, [id])


def _leaving(draft: Draft, target: Target) -> list[str]:
    return [
        id
        for id in draft.ids_of("move-account")
        if target.kind is TargetKind.UNIT
        and isinstance(change := draft.steps[id].change, MoveAccount)
        and is_within(change.source, UnitPath(target.name))
    ]


def attachment_counts(situation: Situation) -> Counter[tuple[PolicyType, Target]]:
    """Count the policies of each type on each live target, those of AWS included."""
    targets = _Targets(situation)
    return Counter((policy.type, target) for policy in situation.observed.policies for target in targets.of(policy))


def find_guards(draft: Draft) -> Mapping[UnitPath, list[str]]:
    """Answer the attachments that govern what is put into a unit, by the unit that they are on."""
    found: dict[UnitPath, list[str]] = {}
    for id in draft.ids_of("attach-policy"):
        change = draft.steps[id].change
        if isinstance(change, AttachPolicy) and change.target.kind is not TargetKind.ACCOUNT:
            found.setdefault(UnitPath(change.target.name), []).append(id)
    return found


def find_updates(draft: Draft, wanted: Iterable[DesiredPolicy]) -> Mapping[UnitPath, list[str]]:
    """Answer the updates of policies that are to be on a unit, by the unit."""
    found: dict[UnitPath, list[str]] = {}
    for policy in wanted:
        id = step_id("update-policy", policy_label(policy.type, policy.name))
        for target in policy.targets:
            if id in draft.steps and target.kind is not TargetKind.ACCOUNT:
                found.setdefault(UnitPath(target.name), []).append(id)
    return found


def detachments_from(draft: Draft, unit: UnitPath) -> list[str]:
    target = Target(TargetKind.UNIT, unit)
    return [
        id
        for id in draft.ids_of("detach-policy")
        if isinstance(change := draft.steps[id].change, DetachPolicy) and change.target == target
    ]
