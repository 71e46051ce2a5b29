"""CloudFormation's API for StackSets with service-managed permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import StackSetNotEmpty
from moto.cloudformation.utils import generate_stackset_arn, generate_stackset_id
from moto.core.responses import ActionResult, EmptyResult

from org.sandbox.cloudformation import find_backend
from org.sandbox.settings import current_settings
from org.sandbox.stackset_calls import active_arns, find_stack_set
from org.sandbox.stackset_engine import FindPlaces, update_instances
from org.sandbox.stackset_instance_responses import StackInstanceResponses
from org.sandbox.stackset_model import StackSet, Status
from org.sandbox.stackset_refusals import InvalidOperation, LimitExceeded, NameAlreadyExists, refuse
from org.sandbox.stackset_render import (
    render_operation,
    render_result,
    render_stack_set,
    render_stack_set_summary,
)
from org.sandbox.stackset_requests import (
    check_dependencies,
    check_name,
    check_template,
    count_active,
    read_auto_deployment,
    read_parameters,
    read_preferences,
    read_tags,
)
from org.sandbox.stackset_targets import (
    activate_access,
    deactivate_access,
    find_management_account,
    has_access,
)


class StackSetResponses(StackInstanceResponses):
    """All StackSet operations but drift detection and import."""

    # --- access to the organization

    def activate_organizations_access(self) -> ActionResult:
        activate_access(self.current_account, self.region)
        return EmptyResult()

    def deactivate_organizations_access(self) -> ActionResult:
        deactivate_access(self.current_account, self.region)
        return EmptyResult()

    def describe_organizations_access(self) -> ActionResult:
        if not find_management_account(self.current_account, self.region):
            # AWS documents no error for it: assumed.
            return ActionResult({"Status": "DISABLED"})
        administrator = self._find_administrator()
        return ActionResult({"Status": "ENABLED" if has_access(administrator, self.region) else "DISABLED"})

    # --- the StackSet itself

    def create_stack_set(self) -> ActionResult:
        if self._get_param("PermissionModel", "SELF_MANAGED") != "SERVICE_MANAGED":
            raise refuse("the orgctl sandbox does not emulate PermissionModel SELF_MANAGED")
        if self._get_param("StackId"):
            raise refuse("the orgctl sandbox does not emulate the import of a stack (StackId)")
        name, token = self._get_param("StackSetName"), self._get_param("ClientRequestToken", "")
        check_name(name)
        administrator = self._require_access()
        backend = find_backend(administrator, self.region)
        existing = find_stack_set(backend, name)
        if existing is not None and token and existing.client_token == token:
            return ActionResult({"StackSetId": existing.id})
        if existing is not None:
            raise NameAlreadyExists(f"StackSet {name} already exists")
        if count_active(backend.stack_sets.values()) >= current_settings().quotas.stacksets.stack_sets:
            raise LimitExceeded("You have exceeded the limit for the number of StackSets")
        body = self._read_body()
        parameters = read_parameters(self._get_param("Parameters", []), {})
        capabilities = tuple(self._get_param("Capabilities", []))
        check_template(body, parameters, capabilities)
        id = generate_stackset_id(name)
        stack_set = StackSet(
            id=id,
            name=name,
            arn=generate_stackset_arn(id, self.region, administrator),
            region=self.region,
            administrator=administrator,
            template=body,
            description=self._get_param("Description", ""),
            parameters=parameters,
            tags=read_tags(self._get_param("Tags", [])),
            capabilities=capabilities,
            auto_deployment=read_auto_deployment(self._get_param("AutoDeployment"), active_arns(backend)),
            managed_execution=bool(self._get_param("ManagedExecution", {}).get("Active")),
            client_token=token,
        )
        backend.stack_sets[id] = stack_set
        return ActionResult({"StackSetId": id})

    def describe_stack_set(self) -> ActionResult:
        return ActionResult({"StackSet": render_stack_set(self._find_stack_set())})

    def list_stack_sets(self) -> ActionResult:
        status = self._get_param("Status")
        stack_sets = [
            stack_set for stack_set in self._administered().stack_sets.values() if status in (None, stack_set.status)
        ]
        return self._answer_page(stack_sets, render_stack_set_summary)

    def update_stack_set(self) -> ActionResult:
        self._require_access()
        stack_set, params = self._find_stack_set(), self._get_params()
        places = self._places_to_update(stack_set)
        preferences = read_preferences(
            self._get_param("OperationPreferences"), {place.region for place in stack_set.instances}
        )
        operation = self._make_operation("UPDATE", update_instances(stack_set, places, preferences))
        # Before, since a refused operation must not have changed the StackSet.
        stack_set.check_submittable(operation.id)
        self._change_settings(stack_set, params)
        stack_set.submit(operation)
        return ActionResult({"OperationId": operation.id})

    def delete_stack_set(self) -> ActionResult:
        stack_set = find_stack_set(self._administered(), self._get_param("StackSetName"))
        if stack_set is not None:
            stack_set.require_idle()
            if stack_set.instances:
                raise StackSetNotEmpty
            stack_set.status = Status.DELETED
        return EmptyResult()

    def list_stack_set_auto_deployment_targets(self) -> ActionResult:
        stack_set = self._find_stack_set()
        return self._answer_page(
            list(stack_set.targets.items()),
            lambda target: {"OrganizationalUnitId": target[0], "Regions": list(target[1])},
        )

    # --- operations

    def describe_stack_set_operation(self) -> ActionResult:
        stack_set = self._find_stack_set()
        operation = stack_set.find_operation(self._get_param("OperationId"))
        shown = render_operation(stack_set, operation)
        stack_set.count_poll()  # after it is shown, since asking is what moves it on
        return ActionResult({"StackSetOperation": shown})

    def list_stack_set_operations(self) -> ActionResult:
        stack_set = self._find_stack_set()
        operations = list(reversed(stack_set.operations.values()))
        answer = self._answer_page(operations, lambda each: render_operation(stack_set, each))
        stack_set.count_poll()
        return answer

    def list_stack_set_operation_results(self) -> ActionResult:
        stack_set = self._find_stack_set()
        results = stack_set.find_operation(self._get_param("OperationId")).results
        for each in self._get_param("Filters", []):
            if each.get("Name") != "OPERATION_RESULT_STATUS":
                raise refuse(f"Invalid filter name: {each.get('Name')}")
            results = [result for result in results if result.status in each["Values"].split(",")]
        return self._answer_page(results, render_result)

    def stop_stack_set_operation(self) -> ActionResult:
        self._find_stack_set().stop(self._get_param("OperationId"))
        return EmptyResult()

    def _places_to_update(self, stack_set: StackSet) -> FindPlaces:
        targeted, regions = self._get_param("DeploymentTargets"), self._get_param("Regions", [])
        if self._get_param("Accounts"):
            raise refuse("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
        if bool(targeted) != bool(regions):
            raise refuse("DeploymentTargets and Regions must be specified together")
        if not targeted:
            return lambda: list(stack_set.instances)
        if self._get_param("AutoDeployment"):
            raise refuse("If you specify AutoDeployment, don't specify DeploymentTargets or Regions")
        return self._find_targeted_places(stack_set, self._read_regions())

    def _change_settings(self, stack_set: StackSet, params: Mapping[str, Any]) -> None:
        """Write what UpdateStackSet says; what it does not say stays, but for parameters, which fall to defaults."""
        previous = self._get_bool_param("UsePreviousTemplate", False)
        if previous and (params.get("TemplateBody") or params.get("TemplateURL")):
            raise refuse("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
        body = stack_set.template if previous else self._read_body()
        parameters = read_parameters(params.get("Parameters") or [], stack_set.parameters)
        capabilities = tuple(params.get("Capabilities") or ())
        check_template(body, parameters, capabilities)
        auto_deployment = stack_set.auto_deployment
        if params.get("AutoDeployment"):
            backend = self._administered()
            auto_deployment = read_auto_deployment(params["AutoDeployment"], active_arns(backend))
            check_dependencies(backend.stack_sets.values(), stack_set.arn, auto_deployment.depends_on)
        if params.get("PermissionModel", "SERVICE_MANAGED") != "SERVICE_MANAGED":
            raise refuse("The permission model of a StackSet with stack instances cannot be changed")
        managed = params.get("ManagedExecution")
        if managed is not None and bool(managed.get("Active")) != stack_set.managed_execution and stack_set.queue:
            raise InvalidOperation("The execution configuration cannot be changed while operations run or are queued")
        tags = params.get("Tags")
        stack_set.tags = stack_set.tags if tags is None else read_tags(tags)
        stack_set.description = params.get("Description") or stack_set.description
        stack_set.managed_execution = stack_set.managed_execution if managed is None else bool(managed.get("Active"))
        stack_set.template, stack_set.parameters = body, parameters
        stack_set.capabilities, stack_set.auto_deployment = capabilities, auto_deployment
        if not previous or params.get("Parameters"):
            for instance in stack_set.instances.values():
                if instance.status is Status.CURRENT:
                    instance.status = Status.OUTDATED
