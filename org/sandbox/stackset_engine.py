"""What StackSet operations do in the member accounts: real stacks, created, updated, deleted or let go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from org.sandbox.cloudformation import SandboxCloudFormation, find_backend
from org.sandbox.stack_permissions import Actor, stackset_actor
from org.sandbox.stack_resources import REFUSALS, StackRequest, reason_of
from org.sandbox.stackset_model import Instance, Operation, Place, Preferences, Progress, Result, StackSet, Status, Work
from org.sandbox.stackset_rollout import Rollout, roll_out
from org.sandbox.stackset_targets import is_inactive, observe_tree
from org.sandbox.template import parse_template

CANCELLED = "Cancelled since failure tolerance has exceeded"
STOPPED = "Cancelled since the operation was stopped"
GONE = "Cancelled since the stack instance is no longer there"
SUSPENDED = "Skipped, since the account is suspended"

Change = Callable[[Instance], str]
"""Changes the stack of an instance; answers why that failed, or nothing."""
FindPlaces = Callable[[], Iterable[Place]]
"""Asked when the work begins, since a queued operation may find more instances than there were when it was called."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The places of an operation, and through which unit each was targeted."""

    places: tuple[Place, ...]
    units: Mapping[str, str]
    """By account."""


def create_instances(
    stack_set: StackSet, selection: Selection, overrides: Mapping[str, str] | None, preferences: Preferences
) -> Work:
    """Make the work that adds instances; those that exist are deployed again only where they are OUTDATED.

    Accounts that are not active get no instance.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html (OperationId)
    """

    def work(operation: Operation) -> Progress:
        tree = observe_tree(stack_set.administrator, stack_set.region)
        places = [
            place for place in selection.places if place in stack_set.instances or place.account_id not in tree.inactive
        ]
        for place in places:
            if place not in stack_set.instances:
                stack_set.instances[place] = Instance(place, selection.units[place.account_id], dict(overrides or {}))
            elif overrides is not None and stack_set.instances[place].status is not Status.CURRENT:
                stack_set.instances[place].overrides = dict(overrides)

        def deploy_unless_current(instance: Instance) -> str:
            return "" if instance.status is Status.CURRENT else deploy(stack_set, instance)

        return (yield from roll_out(places, preferences, _make_rollout(stack_set, operation, deploy_unless_current)))

    return work


def update_instances(
    stack_set: StackSet,
    find_places: FindPlaces,
    preferences: Preferences,
    override: Callable[[Instance], dict[str, str]] | None = None,
) -> Work:
    """Make the work that brings instances up to date, with new overrides if those are given.

    An INOPERABLE instance is left out, as AWS does.
    """

    def work(operation: Operation) -> Progress:
        live = [
            place
            for place in find_places()
            if place in stack_set.instances and stack_set.instances[place].status is not Status.INOPERABLE
        ]

        def deploy_again(instance: Instance) -> str:
            if override is not None:
                instance.overrides = override(instance)
            return deploy(stack_set, instance)

        return (yield from roll_out(live, preferences, _make_rollout(stack_set, operation, deploy_again)))

    return work


def delete_instances(stack_set: StackSet, find_places: FindPlaces, preferences: Preferences, *, retain: bool) -> Work:
    """Make the work that removes instances, and their stacks unless they are retained.

    The stack of a suspended account cannot be deleted, only let go of.
    https://repost.aws/knowledge-center/cloudformation-removal-stacksets
    """

    def work(operation: Operation) -> Progress:
        live = [place for place in find_places() if place in stack_set.instances]
        change: Change = (lambda _: "") if retain else partial(delete_stack, stack_set)
        rollout = _make_rollout(stack_set, operation, change, even_inactive=retain)

        def remove(place: Place) -> Result:
            result, instance = rollout.perform(place), stack_set.instances.get(place)
            if instance and instance.detailed_status is Status.SUCCEEDED:
                del stack_set.instances[place]
            elif instance and result.status is Status.FAILED:
                instance.status = instance.detailed_status = Status.INOPERABLE
            return result

        return (yield from roll_out(live, preferences, replace(rollout, perform=remove)))

    return work


def deploy(stack_set: StackSet, instance: Instance) -> str:
    """Create or update the instance's stack; answer why that failed, or nothing."""
    backend = find_backend(instance.place.account_id, instance.place.region)
    request, actor = make_request(stack_set, instance), _actor_in(stack_set, instance)
    try:
        stack = backend.find_stack(instance.stack_id) if instance.stack_id else None
        if stack is not None and stack.status.startswith("ROLLBACK"):
            # What never came to be is made anew: CloudFormation does not update it.
            backend.delete_stack(stack.stack_id, actor)
            stack = None
        if stack is None:
            name = f"StackSet-{stack_set.name}-{mock_random.uuid4()}"
            stack = backend.deploy_stack(name, request, actor)
            instance.stack_id = stack.stack_id
        else:
            stack.update_to(request, actor)
    except REFUSALS as error:
        return reason_of(error)
    return (stack.stack_status_reason or stack.status) if stack.failed else ""


def make_request(stack_set: StackSet, instance: Instance) -> StackRequest:
    """Answer what the instance's stack should be; an override of a parameter that is gone is forgotten."""
    declared = parse_template(stack_set.template).get("Parameters") or {}
    overrides = {name: value for name, value in instance.overrides.items() if name in declared}
    return StackRequest(stack_set.template, {**stack_set.parameters, **overrides}, dict(stack_set.tags))


def delete_stack(stack_set: StackSet, instance: Instance) -> str:
    backend: SandboxCloudFormation = find_backend(instance.place.account_id, instance.place.region)
    stack = backend.find_stack(instance.stack_id) if instance.stack_id else None
    if stack is None:
        return ""
    try:
        backend.delete_stack(stack.stack_id, _actor_in(stack_set, instance))
    except REFUSALS as error:
        return reason_of(error)
    return (stack.stack_status_reason or stack.status) if stack.failed else ""


def _actor_in(stack_set: StackSet, instance: Instance) -> Actor:
    place = instance.place
    return stackset_actor(stack_set.id, place.account_id, get_partition(place.region))


def _make_rollout(stack_set: StackSet, operation: Operation, change: Change, *, even_inactive: bool = False) -> Rollout:
    """Make the steps of an operation; between two of them, accounts may be closed, moved, or leave."""

    def perform(place: Place) -> Result:
        instance = stack_set.instances.get(place)
        if instance is None:
            return Result(place, Status.CANCELLED, GONE)
        instance.last_operation_id = operation.id
        if is_inactive(place.account_id, stack_set.region) and not even_inactive:
            # Skipping is no failure, and results know no word for it.
            instance.detailed_status, instance.reason = Status.SKIPPED_SUSPENDED_ACCOUNT, SUSPENDED
            return Result(place, Status.SUCCEEDED, SUSPENDED, instance.unit_id)
        instance.reason = change(instance)
        failed = bool(instance.reason)
        instance.status = Status.OUTDATED if failed else Status.CURRENT
        instance.detailed_status = Status.FAILED if failed else Status.SUCCEEDED
        return Result(place, instance.detailed_status, instance.reason, instance.unit_id)

    def is_stopped() -> bool:
        return operation.status is Status.STOPPING

    def cancel(place: Place) -> Result:
        instance = stack_set.instances.get(place)
        if instance is None:
            return Result(place, Status.CANCELLED, GONE)
        instance.last_operation_id = operation.id
        instance.detailed_status, instance.reason = Status.CANCELLED, STOPPED if is_stopped() else CANCELLED
        return Result(place, Status.CANCELLED, instance.reason, instance.unit_id)

    return Rollout(perform, cancel, is_stopped)
