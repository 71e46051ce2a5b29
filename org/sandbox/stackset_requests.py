"""What a StackSet request says, checked as AWS checks it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from org.sandbox.settings import current_settings
from org.sandbox.stack_types import check_supported
from org.sandbox.stackset_model import AutoDeployment, Instance, Preferences, StackSet, Status
from org.sandbox.stackset_refusals import LimitExceeded, refuse
from org.sandbox.template import check_capabilities, check_parameters, order_resources, parse_template

_Item = TypeVar("_Item")

NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
UNIT_ID = re.compile(r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}")
MAX_PAGE = 100
MAX_TAGS = 50
MAX_UNITS = 50
"""Per operation: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html"""


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise refuse(
            f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def check_template(body: str, parameters: Mapping[str, str], capabilities: Iterable[str]) -> None:
    """Refuse a template that a service-managed StackSet cannot have, or whose parameters do not fit."""
    template = parse_template(body)
    if "Transform" in template:
        raise refuse("Templates that reference a macro are not supported in StackSets with service-managed permissions")
    check_supported(template)
    order_resources(template)
    check_parameters(template, parameters)
    check_capabilities(template, capabilities)


def read_parameters(given: Iterable[Mapping[str, Any]], previous: Mapping[str, str]) -> dict[str, str]:
    """Answer the values of a parameter list; one that is to keep its value and has none is left out."""
    values = {}
    for parameter in given:
        key = parameter["ParameterKey"]
        if parameter.get("UsePreviousValue"):
            if "ParameterValue" in parameter:
                raise refuse(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty "
                    "value for a parameter"
                )
            if key in previous:
                values[key] = previous[key]
        else:
            values[key] = str(parameter.get("ParameterValue", ""))
    return values


def read_overrides(
    stack_set: StackSet, given: Sequence[Mapping[str, Any]] | None
) -> Callable[[Instance], dict[str, str]] | None:
    """Answer what an instance's overrides become: a list replaces them all, none at all leaves them.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStackInstances.html
    """
    if given is None:
        return None
    template = parse_template(stack_set.template)
    declared = template.get("Parameters") or {}
    unknown = sorted({parameter["ParameterKey"] for parameter in given} - set(declared))
    if unknown:
        raise refuse(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    check_parameters(template, {**stack_set.parameters, **read_parameters(given, {})})
    return lambda instance: read_parameters(given, instance.overrides)


def read_tags(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    tags = {tag["Key"]: tag["Value"] for tag in given}
    if len(tags) > MAX_TAGS:
        raise refuse(f"A maximum number of {MAX_TAGS} tags can be specified")
    return tags


def read_auto_deployment(given: Mapping[str, Any] | None, known_arns: Iterable[str]) -> AutoDeployment:
    if not given or given.get("Enabled") is None:
        raise refuse("AutoDeployment is required for StackSets with SERVICE_MANAGED permission model")
    if not given["Enabled"]:
        if given.get("RetainStacksOnAccountRemoval") is not None:
            raise refuse("RetainStacksOnAccountRemoval may be specified only if AutoDeployment is enabled")
        return AutoDeployment()
    if given.get("RetainStacksOnAccountRemoval") is None:
        raise refuse("RetainStacksOnAccountRemoval is required if AutoDeployment is enabled")
    depends_on = tuple(given.get("DependsOn") or ())
    most = current_settings().quotas.stacksets.dependencies
    if len(depends_on) > most:
        raise LimitExceeded(f"A StackSet can have at most {most} dependencies")
    known = set(known_arns)
    unknown = [arn for arn in depends_on if arn not in known]
    if unknown:
        raise refuse(f"AutoDeployment.DependsOn names StackSets that do not exist: {', '.join(unknown)}")
    return AutoDeployment(True, bool(given["RetainStacksOnAccountRemoval"]), depends_on)


def check_dependencies(stack_sets: Iterable[StackSet], arn: str, depends_on: Iterable[str]) -> None:
    """Refuse dependencies that lead back to the StackSet itself."""
    edges = {stack_set.arn: stack_set.auto_deployment.depends_on for stack_set in stack_sets}
    reached: set[str] = set()
    ahead = list(depends_on)
    while ahead:
        current = ahead.pop()
        if current == arn:
            raise refuse("AutoDeployment.DependsOn leads back to the StackSet itself")
        if current not in reached:
            reached.add(current)
            ahead.extend(edges.get(current, ()))


def read_preferences(given: Mapping[str, Any] | None, regions: Iterable[str]) -> Preferences:
    given = given or {}
    for count, percentage in (
        ("FailureToleranceCount", "FailureTolerancePercentage"),
        ("MaxConcurrentCount", "MaxConcurrentPercentage"),
    ):
        if given.get(count) is not None and given.get(percentage) is not None:
            raise refuse(f"You can specify either {count} or {percentage}, but not both")
    order = tuple(given.get("RegionOrder") or ())
    outside = sorted(set(order) - set(regions))
    if outside:
        raise refuse(f"RegionOrder names Regions that are not part of the operation: {', '.join(outside)}")
    return Preferences(
        region_order=order,
        parallel_regions=given.get("RegionConcurrencyType") == "PARALLEL",
        soft_tolerance=given.get("ConcurrencyMode") == "SOFT_FAILURE_TOLERANCE",
        tolerance_count=given.get("FailureToleranceCount") or 0,
        tolerance_percentage=given.get("FailureTolerancePercentage"),
        concurrent_count=given.get("MaxConcurrentCount") or 1,
        concurrent_percentage=given.get("MaxConcurrentPercentage"),
    )


def check_unit_ids(unit_ids: Sequence[str]) -> None:
    if len(unit_ids) > MAX_UNITS:
        raise refuse(f"The maximum number of organizational units in an operation is {MAX_UNITS}")
    for unit_id in unit_ids:
        if not UNIT_ID.fullmatch(unit_id):
            raise refuse(
                f"1 validation error detected: Value '[{unit_id}]' at 'deploymentTargets.organizationalUnitIds' failed "
                f"to satisfy constraint: Member must satisfy regular expression pattern: ^({UNIT_ID.pattern})$"
            )


def select_instances(stack_set: StackSet, filters: Iterable[Mapping[str, Any]], **where: str | None) -> list[Instance]:
    """Answer the instances that all filters of ListStackInstances let through."""
    instances = [
        instance
        for instance in stack_set.instances.values()
        if where.get("account") in (None, instance.place.account_id)
        and where.get("region") in (None, instance.place.region)
    ]
    for each in filters:
        # AWS splits one value at its commas.
        values = each.get("Values", "").split(",")
        match each.get("Name"):
            case "DETAILED_STATUS":
                instances = [instance for instance in instances if instance.detailed_status in values]
            case "LAST_OPERATION_ID":
                instances = [instance for instance in instances if instance.last_operation_id in values]
            case "DRIFT_STATUS":
                instances = [instance for instance in instances if "NOT_CHECKED" in values]
            case name:
                raise refuse(f"Invalid filter name: {name}")
    return sorted(instances, key=lambda instance: instance.place)


def take_page(items: Sequence[_Item], max_results: int | None, token: str | None) -> tuple[list[_Item], str | None]:
    """Answer one page and the token of the next."""
    size = MAX_PAGE if max_results is None else max_results
    if not 1 <= size <= MAX_PAGE:
        raise refuse(
            f"1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: Member must "
            f"have value between 1 and {MAX_PAGE}"
        )
    if token and not token.isdigit():
        raise refuse("NextToken is invalid")
    start = int(token or 0)
    page = list(items[start : start + size])
    return page, str(start + size) if start + size < len(items) else None


def count_active(stack_sets: Iterable[StackSet]) -> int:
    return sum(stack_set.status is Status.ACTIVE for stack_set in stack_sets)
