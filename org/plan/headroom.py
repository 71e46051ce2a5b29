"""How much of AWS's quotas the organization uses once the plan is applied; pure."""

from __future__ import annotations

from collections.abc import Iterator

from org.changes import AttachPolicy, CreatePolicy, DetachPolicy, UpdatePolicy
from org.model import LiveState, TargetKind, WantedState
from org.plan.draft import Draft
from org.plan.model import Headroom
from org.plan.policies import attachment_counts
from org.plan.situation import Situation
from org.quotas import Quotas
from org.references import with_sample_ids


def find_headroom(situation: Situation, draft: Draft, quotas: Quotas) -> tuple[Headroom, ...]:
    """Count what will be there, the tightest first."""
    found = [*_organization(situation, draft, quotas), *_attachments(situation, draft, quotas)]
    found += _sizes(situation, draft, quotas)
    return tuple(sorted(found, key=lambda room: (-room.used / room.limit, room.what)))


def _organization(situation: Situation, draft: Draft, quotas: Quotas) -> Iterator[Headroom]:
    observed, limits = situation.observed, quotas.organization
    created = len(draft.ids_of("create-account"))
    if created:
        accounts = len(observed.accounts) + created + (0 if observed.id else 1)
        yield Headroom("accounts", accounts, limits.accounts, adjustable=True)
    units = len(observed.units) + len(draft.ids_of("create-unit")) - len(draft.ids_of("delete-unit"))
    yield Headroom("units", units, limits.units)
    closing = len(draft.ids_of("close-account"))
    if closing:
        members = sum(account.state is LiveState.ACTIVE for account in observed.accounts)
        yield Headroom("accounts closed in 30 days", closing, limits.closures(members))
    names = {s.name for s in observed.stacksets} | {s.name for s in situation.desired.stacksets}
    yield Headroom("StackSets", len(names) - len(draft.ids_of("delete-stack-set")), quotas.stacksets.stack_sets)


def _attachments(situation: Situation, draft: Draft, quotas: Quotas) -> Iterator[Headroom]:
    counts = attachment_counts(situation)
    for step in draft.steps.values():
        match step.change:
            case AttachPolicy(type=type, target=target):
                counts[type, target] += 1
            case DetachPolicy(type=type, target=target):
                counts[type, target] -= 1
            case _:
                pass
    gone = {m.desired.name for m in situation.accounts if m.desired.state is WantedState.CLOSED}
    for (type, target), count in counts.items():
        if target.kind is not TargetKind.ACCOUNT or target.name not in gone:
            yield Headroom(f"{type} on {target}", count, quotas.policy(type).max_per_target)


def _sizes(situation: Situation, draft: Draft, quotas: Quotas) -> Iterator[Headroom]:
    changed = {
        (step.change.type, step.change.name): step.change.content
        for step in draft.steps.values()
        if isinstance(step.change, CreatePolicy | UpdatePolicy)
    }
    there = {(p.type, p.name): p.content for p in situation.observed.policies if not p.aws_managed}
    for (type, name), content in (there | changed).items():
        yield Headroom(f"characters of {type} {name}", len(with_sample_ids(content)), quotas.policy(type).max_bytes)
