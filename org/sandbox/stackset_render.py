"""StackSets as CloudFormation's API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from org.sandbox.stackset_model import Instance, Operation, Result, StackSet

NOT_CHECKED = "NOT_CHECKED"
_ADMIN_ROLE = (
    "role/aws-service-role/stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgAdmin"
)


def render_stack_set(stack_set: StackSet) -> dict[str, Any]:
    return {
        **render_stack_set_summary(stack_set),
        "TemplateBody": stack_set.template,
        "Parameters": render_parameters(stack_set.parameters),
        "Capabilities": list(stack_set.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in stack_set.tags.items()],
        "StackSetARN": stack_set.arn,
        "AdministrationRoleARN": f"arn:{stack_set.arn.split(':')[1]}:iam::{stack_set.administrator}:{_ADMIN_ROLE}",
        "OrganizationalUnitIds": list(stack_set.targets),
        "Regions": sorted({place.region for place in stack_set.instances}),
    }


def render_stack_set_summary(stack_set: StackSet) -> dict[str, Any]:
    auto = stack_set.auto_deployment
    shown: dict[str, Any] = {"Enabled": auto.enabled}
    if auto.enabled:
        shown["RetainStacksOnAccountRemoval"] = auto.retain_stacks
    if auto.depends_on:
        shown["DependsOn"] = list(auto.depends_on)
    return {
        "StackSetName": stack_set.name,
        "StackSetId": stack_set.id,
        "Description": stack_set.description or None,
        "Status": stack_set.status,
        "AutoDeployment": shown,
        "PermissionModel": "SERVICE_MANAGED",
        "DriftStatus": NOT_CHECKED,
        "ManagedExecution": {"Active": stack_set.managed_execution},
    }


def render_instance(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
    return {
        "StackSetId": stack_set.id,
        "Region": instance.place.region,
        "Account": instance.place.account_id,
        "StackId": instance.stack_id or None,
        "ParameterOverrides": render_parameters(instance.overrides),
        "Status": instance.status,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed_status},
        "StatusReason": instance.reason or None,
        "OrganizationalUnitId": instance.unit_id or None,
        "DriftStatus": NOT_CHECKED,
        "LastOperationId": instance.last_operation_id or None,
    }


def render_operation(stack_set: StackSet, operation: Operation) -> dict[str, Any]:
    over = operation.ended is not None
    shown: dict[str, Any] = {
        "OperationId": operation.id,
        "StackSetId": stack_set.id,
        "Action": operation.action,
        "Status": operation.status,
        "CreationTimestamp": operation.created,
        "EndTimestamp": operation.ended,
        "OperationPreferences": dict(operation.preferences) or None,
        "DeploymentTargets": dict(operation.targets) or None,
        "RetainStacks": operation.retain_stacks,
        "StatusReason": (operation.reason or None) if over else None,
    }
    if over:
        shown["StatusDetails"] = {"FailedStackInstancesCount": operation.failures}
    return shown


def render_result(result: Result) -> dict[str, Any]:
    return {
        "Account": result.place.account_id,
        "Region": result.place.region,
        "Status": result.status,
        "StatusReason": result.reason or None,
        "AccountGateResult": {"Status": "SKIPPED", "StatusReason": "Account gates do not exist in the orgctl sandbox"},
        "OrganizationalUnitId": result.unit_id or None,
    }


def render_parameters(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
