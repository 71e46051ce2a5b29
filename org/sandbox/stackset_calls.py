"""What all StackSet calls share: who calls, about which StackSet, which accounts and Regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.cloudformation.exceptions import StackSetNotFoundException
from moto.cloudformation.models import cloudformation_backends
from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random

from org.sandbox.cloudformation import SandboxCloudFormation, find_backend
from org.sandbox.stack_responses import StackResponses
from org.sandbox.stackset_engine import FindPlaces
from org.sandbox.stackset_model import Operation, Place, StackSet, Status, Work
from org.sandbox.stackset_refusals import refuse
from org.sandbox.stackset_requests import check_unit_ids, take_page
from org.sandbox.stackset_targets import (
    Targets,
    Tree,
    find_administrator,
    has_access,
    observe_tree,
    read_targets,
)


class StackSetCalls(StackResponses):
    """Base of the StackSet operations."""

    # moto's would take our lists for its dictionaries.
    RESPONSE_KEY_PATH_TO_TRANSFORMER = {  # noqa: RUF012  # as moto declares it
        key: transform
        for key, transform in StackResponses.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
        if not key.startswith("DescribeStackSetOutput")
    }

    def _find_administrator(self) -> str:
        return find_administrator(self.current_account, self.region, self._get_param("CallAs", "SELF"))

    def _require_access(self) -> str:
        administrator = self._find_administrator()
        if not has_access(administrator, self.region):
            raise refuse("You must enable organizations access to operate a service managed stack set")
        return administrator

    def _administered(self) -> SandboxCloudFormation:
        if self._get_param("CallAs") == "DELEGATED_ADMIN":
            return find_backend(self._find_administrator(), self.region)
        return self.cloudformation_backend

    def _find_stack_set(self) -> StackSet:
        name = self._get_param("StackSetName")
        stack_set = find_stack_set(self._administered(), name)
        if stack_set is None:
            raise StackSetNotFoundException(name)
        return stack_set

    def _read_regions(self) -> tuple[str, ...]:
        regions = tuple(dict.fromkeys(self._get_param("Regions", [])))
        if not regions:
            raise refuse("At least one Region must be specified")
        known = cloudformation_backends[self.current_account].regions
        unknown = [region for region in regions if region not in known]
        if unknown:
            raise refuse(f"Invalid Regions: {', '.join(unknown)}")
        return regions

    def _read_targets(self) -> tuple[Tree, Targets]:
        if self._get_param("Accounts"):
            raise refuse("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
        given: Mapping[str, Any] = self._get_param("DeploymentTargets", {})
        check_unit_ids(given.get("OrganizationalUnitIds") or ())
        tree = observe_tree(self._find_administrator(), self.region)
        return tree, read_targets(given, tree)

    def _find_targeted_places(self, stack_set: StackSet, regions: tuple[str, ...]) -> FindPlaces:
        """Answer how to find the instances that the request is about; refuse units that are none of its targets."""
        tree, targets = self._read_targets()
        for unit_id in targets.unit_ids:
            if not _touches(stack_set, tree, unit_id):
                raise refuse(f"Organizational unit {unit_id} not found in StackSet")
        return lambda: select_places(stack_set, targets, regions)

    def _make_operation(self, action: str, work: Work, *, retain: bool | None = None) -> Operation:
        return Operation(
            self._get_param("OperationId") or str(mock_random.uuid4()),
            action,
            self._get_param("OperationPreferences", {}),
            self._get_param("DeploymentTargets", {}),
            work,
            retain_stacks=retain,
        )

    def _answer_page(self, items: list[Any], render: Callable[[Any], dict[str, Any]]) -> ActionResult:
        page, token = take_page(items, self._get_int_param("MaxResults"), self._get_param("NextToken"))
        return ActionResult({"Summaries": [render(item) for item in page], "NextToken": token})


def find_stack_set(backend: SandboxCloudFormation, name_or_id: str) -> StackSet | None:
    for stack_set in backend.stack_sets.values():
        if name_or_id in (stack_set.name, stack_set.id) and stack_set.status is Status.ACTIVE:
            return stack_set
    return None


def active_arns(backend: SandboxCloudFormation) -> list[str]:
    return [stack_set.arn for stack_set in backend.stack_sets.values() if stack_set.status is Status.ACTIVE]


def _touches(stack_set: StackSet, tree: Tree, unit_id: str) -> bool:
    """Say whether a unit is a target of the StackSet, lies in one, or holds one, or held an instance."""
    above = tree.chain(unit_id)
    return any(target in above or unit_id in tree.chain(target) for target in stack_set.targets) or any(
        instance.unit_id == unit_id for instance in stack_set.instances.values()
    )


def select_places(stack_set: StackSet, targets: Targets, regions: tuple[str, ...]) -> list[Place]:
    """Answer the targeted instances: by where their accounts are now, or which unit they were targeted through."""
    accounts = targets.find_accounts(observe_tree(stack_set.administrator, stack_set.region))
    return [
        place
        for place, instance in stack_set.instances.items()
        if place.region in regions
        and (place.account_id in accounts or (targets.whole_units and instance.unit_id in targets.unit_ids))
    ]
