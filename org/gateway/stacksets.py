"""CloudFormation StackSets, service-managed, called from the management account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from org.errors import NotFound, OrgctlError
from org.gateway.errors import aws_errors
from org.model import (
    HIDDEN_VALUE,
    AccountId,
    ObservedInstance,
    ObservedStackSet,
    OperationPreferences,
    Region,
    StackSetSettings,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackInstanceSummaryTypeDef, StackSetTypeDef


@dataclass(frozen=True, slots=True)
class DeploymentTargets:
    """Unit ids, and, where not all of their accounts are meant, the accounts."""

    unit_ids: tuple[str, ...]
    account_ids: tuple[AccountId, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    status: str
    """RUNNING, QUEUED, STOPPING, or an end: SUCCEEDED, FAILED, STOPPED."""
    reason: str

    @property
    def is_over(self) -> bool:
        return self.status in ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass(frozen=True, slots=True)
class FailedInstance:
    account_id: AccountId
    region: Region
    reason: str


class StackSetsGateway:
    """One method per call; a list is read to its last page."""

    def __init__(self, client: CloudFormationClient) -> None:
        self._client = client

    # reading

    def has_organizations_access(self) -> bool:
        """Answer whether StackSets may act in the organization; not being in one is a no."""
        try:
            with aws_errors("cloudformation:DescribeOrganizationsAccess"):
                return self._client.describe_organizations_access().get("Status") == "ENABLED"
        except NotFound:
            return False
        except OrgctlError as error:
            # What CloudFormation answers before the organization has all features, or trusted access ever.
            if "InvalidOperationException" in error.what:
                return False
            raise

    def list_service_managed(self) -> tuple[str, ...]:
        pages = self._pages("list_stack_sets", Status="ACTIVE")
        return tuple(
            sorted(
                summary["StackSetName"]
                for page in pages
                for summary in page["Summaries"]
                if summary.get("PermissionModel") == "SERVICE_MANAGED"
            )
        )

    def describe_stackset(self, name: str) -> ObservedStackSet:
        """Read settings and tags; `depends_on` holds ARNs, since names are not what CloudFormation keeps."""
        with aws_errors("cloudformation:DescribeStackSet", name):
            return _stackset(self._client.describe_stack_set(StackSetName=name)["StackSet"])

    def list_deployment_targets(self, name: str) -> tuple[tuple[str, Region], ...]:
        pages = self._pages("list_stack_set_auto_deployment_targets", name, StackSetName=name)
        return tuple(
            sorted(
                (summary["OrganizationalUnitId"], Region(region))
                for page in pages
                for summary in page["Summaries"]
                for region in summary.get("Regions", [])
            )
        )

    def list_instances(self, name: str) -> tuple[ObservedInstance, ...]:
        pages = self._pages("list_stack_instances", name, StackSetName=name)
        found = [_instance(summary) for page in pages for summary in page["Summaries"]]
        return tuple(sorted(found, key=lambda instance: (instance.account_id, instance.region)))

    def describe_overrides(self, name: str, account_id: AccountId, region: Region) -> Mapping[str, str]:
        with aws_errors("cloudformation:DescribeStackInstance", f"{name} {account_id} {region}"):
            answer = self._client.describe_stack_instance(
                StackSetName=name, StackInstanceAccount=account_id, StackInstanceRegion=region
            )
        return _from_parameters(answer["StackInstance"].get("ParameterOverrides", []))

    def describe_operation(self, name: str, operation_id: str) -> Operation:
        with aws_errors("cloudformation:DescribeStackSetOperation", name):
            answer = self._client.describe_stack_set_operation(StackSetName=name, OperationId=operation_id)
        operation = answer["StackSetOperation"]
        return Operation(operation.get("Status", ""), operation.get("StatusReason", ""))

    def list_failed_instances(self, name: str, operation_id: str) -> tuple[FailedInstance, ...]:
        pages = self._pages("list_stack_set_operation_results", name, StackSetName=name, OperationId=operation_id)
        return tuple(
            FailedInstance(AccountId(r["Account"]), Region(r["Region"]), r.get("StatusReason", ""))
            for page in pages
            for r in page["Summaries"]
            if r.get("Status") == "FAILED"
        )

    def list_running_operations(self, name: str) -> tuple[str, ...]:
        pages = self._pages("list_stack_set_operations", name, StackSetName=name)
        return tuple(
            summary["OperationId"]
            for page in pages
            for summary in page["Summaries"]
            if summary.get("Status") in ("RUNNING", "QUEUED", "STOPPING")
        )

    # changing

    def activate_organizations_access(self) -> None:
        with aws_errors("cloudformation:ActivateOrganizationsAccess"):
            self._client.activate_organizations_access()

    def create_stackset(self, name: str, settings: StackSetSettings, tags: Mapping[str, str]) -> None:
        with aws_errors("cloudformation:CreateStackSet", name):
            self._client.create_stack_set(
                StackSetName=name,
                PermissionModel="SERVICE_MANAGED",
                **_settings(settings, tags),
            )

    def update_stackset(
        self,
        name: str,
        settings: StackSetSettings,
        tags: Mapping[str, str],
        preferences: OperationPreferences,
        operation_id: str,
    ) -> None:
        with aws_errors("cloudformation:UpdateStackSet", name):
            self._client.update_stack_set(
                StackSetName=name,
                OperationPreferences=_preferences(preferences),
                OperationId=operation_id,
                **_settings(settings, tags),
            )

    def create_instances(
        self,
        name: str,
        targets: DeploymentTargets,
        regions: Sequence[Region],
        overrides: Mapping[str, str],
        preferences: OperationPreferences,
        operation_id: str,
    ) -> None:
        """Deploy to what is missing or outdated there; the overrides of instances that exist stay if none are given."""
        overridden = {"ParameterOverrides": _to_parameters(overrides)} if overrides else {}
        with aws_errors("cloudformation:CreateStackInstances", name):
            self._client.create_stack_instances(
                StackSetName=name,
                DeploymentTargets=_targets(targets),
                Regions=list(regions),
                OperationPreferences=_preferences(preferences),
                OperationId=operation_id,
                **overridden,
            )

    def update_instances(
        self,
        name: str,
        targets: DeploymentTargets,
        regions: Sequence[Region],
        overrides: Mapping[str, str],
        preferences: OperationPreferences,
        operation_id: str,
    ) -> None:
        """Deploy again with just these overrides; without any, the instances go back to the StackSet's values."""
        with aws_errors("cloudformation:UpdateStackInstances", name):
            self._client.update_stack_instances(
                StackSetName=name,
                DeploymentTargets=_targets(targets),
                Regions=list(regions),
                ParameterOverrides=_to_parameters(overrides),
                OperationPreferences=_preferences(preferences),
                OperationId=operation_id,
            )

    def delete_instances(
        self,
        name: str,
        targets: DeploymentTargets,
        regions: Sequence[Region],
        preferences: OperationPreferences,
        operation_id: str,
        *,
        retain: bool,
    ) -> None:
        with aws_errors("cloudformation:DeleteStackInstances", name):
            self._client.delete_stack_instances(
                StackSetName=name,
                DeploymentTargets=_targets(targets),
                Regions=list(regions),
                RetainStacks=retain,
                OperationPreferences=_preferences(preferences),
                OperationId=operation_id,
            )

    def delete_stackset(self, name: str) -> None:
        with aws_errors("cloudformation:DeleteStackSet", name):
            self._client.delete_stack_set(StackSetName=name)

    def _pages(self, operation: str, subject: str = "", **parameters: object) -> Iterator[dict[str, Any]]:
        """Page by hand where botocore has no paginator for the call (auto-deployment targets)."""
        call = "cloudformation:" + operation.title().replace("_", "")
        token: dict[str, str] = {}
        while True:
            with aws_errors(call, subject):
                page: dict[str, Any] = getattr(self._client, operation)(**parameters, **token)
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}


def _settings(settings: StackSetSettings, tags: Mapping[str, str]) -> Any:  # noqa: ANN401 - TypedDict of the stubs
    auto: dict[str, Any] = {"Enabled": settings.auto_deployment}
    if settings.auto_deployment:
        # CloudFormation refuses the other two where auto-deployment is off.
        auto["RetainStacksOnAccountRemoval"] = settings.retain_on_removal
        if settings.depends_on:
            auto["DependsOn"] = list(settings.depends_on)
    said = {
        "TemplateBody": settings.template,
        "Parameters": _to_parameters(settings.parameters),
        "Capabilities": list(settings.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        "AutoDeployment": auto,
        "ManagedExecution": {"Active": True},
    }
    return said | ({"Description": settings.description} if settings.description else {})


def _targets(targets: DeploymentTargets) -> Any:  # noqa: ANN401 - TypedDict of the stubs
    said: dict[str, Any] = {"OrganizationalUnitIds": list(targets.unit_ids)}
    if targets.account_ids:
        said |= {"Accounts": list(targets.account_ids), "AccountFilterType": "INTERSECTION"}
    return said


def _preferences(preferences: OperationPreferences) -> Any:  # noqa: ANN401 - TypedDict of the stubs
    return {
        "RegionConcurrencyType": "PARALLEL" if preferences.regions_in_parallel else "SEQUENTIAL",
        "FailureTolerancePercentage": preferences.failure_tolerance_percentage,
        "MaxConcurrentPercentage": preferences.max_concurrent_percentage,
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE"
        if preferences.soft_failure_tolerance
        else "STRICT_FAILURE_TOLERANCE",
    }


def _to_parameters(parameters: Mapping[str, str]) -> Any:  # noqa: ANN401 - TypedDict of the stubs
    return [
        {"ParameterKey": key} | ({"UsePreviousValue": True} if value == HIDDEN_VALUE else {"ParameterValue": value})
        for key, value in sorted(parameters.items())
    ]


def _from_parameters(parameters: Sequence[Any]) -> Mapping[str, str]:
    return {p["ParameterKey"]: p.get("ParameterValue", "") for p in parameters}


def _stackset(found: StackSetTypeDef) -> ObservedStackSet:
    auto = found.get("AutoDeployment", {})
    return ObservedStackSet(
        name=found["StackSetName"],
        id=found["StackSetId"],
        arn=found.get("StackSetARN", ""),
        service_managed=found.get("PermissionModel") == "SERVICE_MANAGED",
        managed_execution=found.get("ManagedExecution", {}).get("Active", False),
        settings=StackSetSettings(
            template=found.get("TemplateBody", ""),
            description=found.get("Description", ""),
            parameters=_from_parameters(found.get("Parameters", [])),
            capabilities=tuple(sorted(found.get("Capabilities", []))),
            auto_deployment=auto.get("Enabled", False),
            retain_on_removal=auto.get("RetainStacksOnAccountRemoval", False),
            depends_on=tuple(sorted(auto.get("DependsOn", []))),
        ),
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
    )


def _instance(summary: StackInstanceSummaryTypeDef) -> ObservedInstance:
    return ObservedInstance(
        account_id=AccountId(summary["Account"]),
        region=Region(summary["Region"]),
        status=summary.get("Status", ""),
        detailed_status=summary.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
        reason=summary.get("StatusReason", ""),
        unit_id=summary.get("OrganizationalUnitId", ""),
    )
