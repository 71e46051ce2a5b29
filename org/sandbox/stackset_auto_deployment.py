"""Auto-deployment: what StackSets do by themselves when an account joins, moves, or leaves.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html: account
filters and overrides are not considered, and neither are operation preferences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from moto.cloudformation.models import cloudformation_backends
from moto.moto_api._internal import mock_random

from org.sandbox.cloudformation import SandboxCloudFormation
from org.sandbox.stackset_engine import Selection, create_instances, delete_instances
from org.sandbox.stackset_model import Operation, Outcome, Place, Preferences, Progress, StackSet, Status, Work
from org.sandbox.stackset_targets import Tree, has_access, observe_tree

_TOLERANT = Preferences(tolerance_percentage=100, concurrent_percentage=100, parallel_regions=True)
"""Places do not depend on each other here."""


def redeploy_account(management_account: str, account_id: str, from_parent: str, to_parent: str) -> None:
    """Delete the instances of the units that the account has left, then create those of the units it is in now.

    An empty parent stands for outside the organization. An account that is closed keeps its instances.
    """
    stack_sets = [each for each in _administered_by(management_account) if each.auto_deployment.enabled]
    if not stack_sets or account_id == management_account:
        return
    region = stack_sets[0].region
    tree = observe_tree(management_account, region)
    if account_id in tree.inactive or not has_access(management_account, region):
        return
    ordered = order_by_dependency(stack_sets)
    for stack_set in reversed(ordered):
        _withdraw(stack_set, account_id, tree, from_parent, to_parent)
    failed: set[str] = set()
    for stack_set in ordered:
        if not _extend(stack_set, account_id, tree, to_parent, failed):
            failed.add(stack_set.arn)


def order_by_dependency(stack_sets: Iterable[StackSet]) -> list[StackSet]:
    """Put each StackSet behind those that it depends on; a cycle, which AWS refuses, is cut where it closes."""
    by_arn = {stack_set.arn: stack_set for stack_set in stack_sets}
    ordered: dict[str, StackSet] = {}
    visiting: set[str] = set()

    def visit(arn: str) -> None:
        if arn in visiting or arn not in by_arn:
            return
        visiting.add(arn)
        for dependency in by_arn[arn].auto_deployment.depends_on:
            visit(dependency)
        ordered[arn] = by_arn[arn]

    for arn in by_arn:
        visit(arn)
    return list(ordered.values())


def _administered_by(management_account: str) -> list[StackSet]:
    backends = cloudformation_backends[management_account].values()
    return [
        stack_set
        for backend in list(backends)
        if isinstance(backend, SandboxCloudFormation)
        for stack_set in backend.stack_sets.values()
        if stack_set.status is Status.ACTIVE
    ]


def _covered_regions(stack_set: StackSet, tree: Tree, parent: str) -> Mapping[str, str]:
    """Answer the Regions to which a unit's accounts are deployed, each with the target that says so."""
    units = tree.chain(parent)
    targets = [unit_id for unit_id in stack_set.targets if unit_id in units]
    pairs = chain.from_iterable(((region, unit_id) for region in stack_set.targets[unit_id]) for unit_id in targets)
    return dict(reversed(list(pairs)))


def _withdraw(stack_set: StackSet, account_id: str, tree: Tree, from_parent: str, to_parent: str) -> None:
    covered = _covered_regions(stack_set, tree, to_parent)
    left = [
        place
        for region in _covered_regions(stack_set, tree, from_parent)
        if region not in covered and (place := Place(account_id, region)) in stack_set.instances
    ]
    for region, unit_id in covered.items():
        kept = stack_set.instances.get(Place(account_id, region))
        if kept is not None:
            kept.unit_id = unit_id
    if left:
        retain = stack_set.auto_deployment.retain_stacks
        _run(stack_set, "DELETE", delete_instances(stack_set, lambda: left, _TOLERANT, retain=retain), retain=retain)


def _extend(stack_set: StackSet, account_id: str, tree: Tree, to_parent: str, failed: set[str]) -> bool:
    """Create what the account lacks; answer whether those that depend on this StackSet may follow."""
    covered = _covered_regions(stack_set, tree, to_parent)
    places = tuple(
        place for region in sorted(covered) if (place := Place(account_id, region)) not in stack_set.instances
    )
    if not places:
        return True
    missing = [arn for arn in stack_set.auto_deployment.depends_on if arn in failed]
    if missing:
        reason = f"Not begun, since StackSets that it depends on failed: {', '.join(missing)}"
        _run(stack_set, "CREATE", _fail_at_once(reason))
        return False
    # One Region may be covered by another target than the next, and an instance remembers which.
    operations = [
        _run(
            stack_set,
            "CREATE",
            create_instances(stack_set, Selection((place,), {account_id: covered[place.region]}), {}, _TOLERANT),
        )
        for place in places
    ]
    return not any(operation.failures for operation in operations)


def _fail_at_once(reason: str) -> Work:
    def work(_: Operation) -> Progress:
        yield from ()
        return Outcome(Status.FAILED, reason)

    return work


def _run(stack_set: StackSet, action: str, work: Work, *, retain: bool | None = None) -> Operation:
    operation = Operation(str(mock_random.uuid4()), action, {}, {}, work, retain_stacks=retain)
    stack_set.run_at_once(operation)
    return operation
