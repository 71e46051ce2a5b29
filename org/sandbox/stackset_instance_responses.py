"""CloudFormation's API for the instances of StackSets."""

from __future__ import annotations

from moto.core.responses import ActionResult

from org.sandbox.settings import current_settings
from org.sandbox.stackset_calls import StackSetCalls
from org.sandbox.stackset_engine import Selection, create_instances, delete_instances, update_instances
from org.sandbox.stackset_model import Place
from org.sandbox.stackset_refusals import LimitExceeded, StackInstanceNotFound, refuse
from org.sandbox.stackset_render import render_instance
from org.sandbox.stackset_requests import read_overrides, read_parameters, read_preferences, select_instances


class StackInstanceResponses(StackSetCalls):
    """Create, update, delete and read stack instances."""

    def create_stack_instances(self) -> ActionResult:
        self._require_access()
        stack_set, regions = self._find_stack_set(), self._read_regions()
        tree, targets = self._read_targets()
        if targets.filter == "UNION":
            raise refuse("AccountFilterType UNION is not supported for CreateStackInstances")
        overrides = read_overrides(stack_set, self._get_params().get("ParameterOverrides"))
        preferences = read_preferences(self._get_param("OperationPreferences"), regions)
        units = targets.find_accounts(tree)
        places = tuple(Place(account_id, region) for region in regions for account_id in units)
        most = current_settings().quotas.stacksets.instances_per_stack_set
        if len(stack_set.instances.keys() | set(places)) > most:
            raise LimitExceeded(f"A StackSet can have at most {most} stack instances")
        given = None if overrides is None else read_parameters(self._get_param("ParameterOverrides"), {})
        work = create_instances(stack_set, Selection(places, units), given, preferences)
        operation = self._make_operation("CREATE", work)
        stack_set.submit(operation)
        for unit_id in targets.unit_ids:
            stack_set.add_target(unit_id, regions)
        return ActionResult({"OperationId": operation.id})

    def update_stack_instances(self) -> ActionResult:
        self._require_access()
        stack_set, regions = self._find_stack_set(), self._read_regions()
        overrides = read_overrides(stack_set, self._get_params().get("ParameterOverrides"))
        find_places = self._find_targeted_places(stack_set, regions)
        if not find_places() and not stack_set.queue:
            raise StackInstanceNotFound("The specified stack instance doesn't exist.")
        preferences = read_preferences(self._get_param("OperationPreferences"), regions)
        operation = self._make_operation("UPDATE", update_instances(stack_set, find_places, preferences, overrides))
        stack_set.submit(operation)
        return ActionResult({"OperationId": operation.id})

    def delete_stack_instances(self) -> ActionResult:
        self._require_access()
        stack_set, regions = self._find_stack_set(), self._read_regions()
        retain = self._get_bool_param("RetainStacks")
        if retain is None:
            raise refuse("RetainStacks must be specified")
        _, targets = self._read_targets()
        find_places = self._find_targeted_places(stack_set, regions)
        preferences = read_preferences(self._get_param("OperationPreferences"), regions)
        work = delete_instances(stack_set, find_places, preferences, retain=retain)
        operation = self._make_operation("DELETE", work, retain=retain)
        stack_set.submit(operation)
        if targets.whole_units:
            for unit_id in targets.unit_ids:
                stack_set.remove_target(unit_id, regions)
        return ActionResult({"OperationId": operation.id})

    def describe_stack_instance(self) -> ActionResult:
        stack_set = self._find_stack_set()
        place = Place(self._get_param("StackInstanceAccount"), self._get_param("StackInstanceRegion"))
        if place not in stack_set.instances:
            raise StackInstanceNotFound(
                f"Stack instance not found for StackSet {stack_set.name}, account {place.account_id}, "
                f"region {place.region}"
            )
        return ActionResult({"StackInstance": render_instance(stack_set, stack_set.instances[place])})

    def list_stack_instances(self) -> ActionResult:
        stack_set = self._find_stack_set()
        if not self._get_param("NextToken"):
            # Who looks only here still sees a large operation get on; not between two pages of one list.
            stack_set.advance()
        instances = select_instances(
            stack_set,
            self._get_param("Filters", []),
            account=self._get_param("StackInstanceAccount"),
            region=self._get_param("StackInstanceRegion"),
        )
        return self._answer_page(instances, lambda instance: render_instance(stack_set, instance))
