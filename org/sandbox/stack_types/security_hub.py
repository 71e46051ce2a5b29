"""AWS::SecurityHub::Hub, Insight and ActionTarget."""

from __future__ import annotations

from typing import Any

from org.sandbox.securityhub.hub import SandboxHub, find_hub
from org.sandbox.stack_types.interface import Created, Shape, Wanted


class Hub:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-securityhub-hub.html.

    There are no standards in the sandbox, whatever EnableDefaultStandards says.
    """

    shape = Shape(
        "AWS::SecurityHub::Hub",
        properties=frozenset({"AutoEnableControls", "ControlFindingGenerator", "EnableDefaultStandards", "Tags"}),
        attributes=frozenset({"ARN", "SubscribedAt"}),
    )

    def create(self, wanted: Wanted) -> Created:
        hub = _hub(wanted)
        hub.enable(wanted.tags)
        return Created(f"{hub.arn}:hub/default")

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # no old parts
        hub = _hub(wanted)
        hub.auto_enable_controls = wanted.properties.get("AutoEnableControls", True) in (True, "true")
        hub.generator = wanted.properties.get("ControlFindingGenerator", "SECURITY_CONTROL")
        hub.tags = wanted.tags
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:  # noqa: ARG002  # there is one per account and Region
        _hub(wanted).disable()

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        return created.physical_id if name == "ARN" else _hub(wanted).enabled_at


class Insight:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-securityhub-insight.html."""

    shape = Shape(
        "AWS::SecurityHub::Insight",
        properties=frozenset({"Filters", "GroupByAttribute", "Name"}),
        attributes=frozenset({"InsightArn"}),
    )

    def create(self, wanted: Wanted) -> Created:
        hub = _enabled(wanted)
        return Created(hub.insights.create_insight(*_of_insight(wanted)))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # no old parts
        name, filters, group = _of_insight(wanted)
        given = {"Name": name, "Filters": filters, "GroupByAttribute": group}
        _enabled(wanted).insights.update_insight(created.physical_id, **given)
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _enabled(wanted).insights.delete_insight(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # only InsightArn
        return created.physical_id


class ActionTarget:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-securityhub-actiontarget.html."""

    shape = Shape(
        "AWS::SecurityHub::ActionTarget",
        properties=frozenset({"Description", "Id", "Name"}),
        attributes=frozenset({"ActionTargetArn"}),
        replaced_by=frozenset({"Id"}),
    )

    def create(self, wanted: Wanted) -> Created:
        asked = wanted.properties
        arn = _enabled(wanted).insights.create_action(asked["Name"], asked["Description"], asked["Id"])
        return Created(arn)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # no old parts
        asked = wanted.properties
        _enabled(wanted).insights.update_action(created.physical_id, asked["Name"], asked["Description"])
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _enabled(wanted).insights.delete_action(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # only its ARN
        return created.physical_id


def _of_insight(wanted: Wanted) -> tuple[str, dict[str, Any], str]:
    asked = wanted.properties
    return asked["Name"], dict(asked["Filters"]), asked["GroupByAttribute"]


def _hub(wanted: Wanted) -> SandboxHub:
    return find_hub(wanted.account_id, wanted.region)


def _enabled(wanted: Wanted) -> SandboxHub:
    hub = _hub(wanted)
    hub.require_enabled()
    return hub
