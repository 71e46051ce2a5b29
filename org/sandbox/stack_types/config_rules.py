"""AWS::Config::ConfigurationRecorder, DeliveryChannel, ConfigRule and OrganizationConfigRule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from org.sandbox.config_service import organization_rules
from org.sandbox.config_service.backend import SandboxConfig, find_config
from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted


class ConfigurationRecorder:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-config-configurationrecorder.html.

    It is started once there is a delivery channel; AWS waits for one to come.
    """

    shape = Shape(
        "AWS::Config::ConfigurationRecorder",
        properties=frozenset({"Name", "RecordingGroup", "RoleARN", "StartedOnCreate"}),
        name_property="Name",
        name_limit=256,
        replaced_by=frozenset({"StartedOnCreate"}),
    )

    def create(self, wanted: Wanted) -> Created:
        config = _config(wanted)
        if wanted.name in config.recorders:
            raise ResourceRefused(f"Configuration recorder {wanted.name} already exists.")
        self._put(config, wanted)
        if _is_started(wanted):
            config.started_on_create.add(wanted.name)
        config.start_those_that_wait()
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        if old is not None:
            self._put(_config(wanted), wanted)
        return created

    def _put(self, config: SandboxConfig, wanted: Wanted) -> None:
        group = wanted.properties.get("RecordingGroup")
        recorder = {"name": wanted.name, "roleARN": wanted.properties["RoleARN"]}
        config.put_configuration_recorder(recorder | ({"recordingGroup": _lower(group)} if group else {}))
        organization_rules.deploy_waiting(config)

    def delete(self, created: Created, wanted: Wanted) -> None:
        _config(wanted).delete_configuration_recorder(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is none
        return created.physical_id


class DeliveryChannel:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-config-deliverychannel.html.

    The recorder must be there: DependsOn. (CloudFormation tries again for a while.)
    """

    shape = Shape(
        "AWS::Config::DeliveryChannel",
        properties=frozenset(
            {"ConfigSnapshotDeliveryProperties", "Name", "S3BucketName", "S3KeyPrefix", "S3KmsKeyArn", "SnsTopicARN"}
        ),
        name_property="Name",
        name_limit=256,
    )

    def create(self, wanted: Wanted) -> Created:
        config = _config(wanted)
        if wanted.name in config.delivery_channels:
            raise ResourceRefused(f"Delivery channel {wanted.name} already exists.")
        self._put(config, wanted)
        config.start_those_that_wait()
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        if old is not None:
            self._put(_config(wanted), wanted)
        return created

    def _put(self, config: SandboxConfig, wanted: Wanted) -> None:
        names = {"S3BucketName": "s3BucketName", "S3KeyPrefix": "s3KeyPrefix", "S3KmsKeyArn": "s3KmsKeyArn"}
        channel = {to: wanted.properties[name] for name, to in names.items() if name in wanted.properties}
        if "SnsTopicARN" in wanted.properties:
            channel["snsTopicARN"] = wanted.properties["SnsTopicARN"]
        snapshots = wanted.properties.get("ConfigSnapshotDeliveryProperties")
        if snapshots:
            channel["configSnapshotDeliveryProperties"] = _lower(snapshots)
        config.put_delivery_channel({"name": wanted.name, **channel})

    def delete(self, created: Created, wanted: Wanted) -> None:
        config = _config(wanted)
        for recorder in config.recorders.values():
            # CloudFormation stops the recorder, which cannot be without a channel.
            recorder.status.stop()
        config.delete_delivery_channel(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is none
        return created.physical_id


class ConfigRule:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-config-configrule.html."""

    shape = Shape(
        "AWS::Config::ConfigRule",
        properties=frozenset(
            {
                "ConfigRuleName",
                "Description",
                "EvaluationModes",
                "InputParameters",
                "MaximumExecutionFrequency",
                "Scope",
                "Source",
            }
        ),
        attributes=frozenset({"Arn", "Compliance.Type", "ConfigRuleId"}),
        name_property="ConfigRuleName",
        name_limit=128,
    )

    def create(self, wanted: Wanted) -> Created:
        config = _config(wanted)
        if wanted.name in config.config_rules:
            raise ResourceRefused(f"Config rule {wanted.name} already exists.")
        self._put(config, wanted)
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        if old is not None:
            self._put(_config(wanted), wanted)
        return created

    def _put(self, config: SandboxConfig, wanted: Wanted) -> None:
        config.put_config_rule({**wanted.properties, "ConfigRuleName": wanted.name})

    def delete(self, created: Created, wanted: Wanted) -> None:
        _config(wanted).delete_config_rule(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        config = _config(wanted)
        rule = config.config_rules[created.physical_id]
        if name == "Compliance.Type":
            return config.evaluations.compliance(rule.config_rule_id)["ComplianceType"]
        return rule.config_rule_arn if name == "Arn" else rule.config_rule_id


class OrganizationConfigRule:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-config-organizationconfigrule.html.

    It fails where the rule fails in an account, with what DescribeOrganizationConfigRuleStatuses says.
    """

    shape = Shape(
        "AWS::Config::OrganizationConfigRule",
        properties=frozenset(
            {
                "ExcludedAccounts",
                "OrganizationConfigRuleName",
                "OrganizationCustomPolicyRuleMetadata",
                "OrganizationCustomRuleMetadata",
                "OrganizationManagedRuleMetadata",
            }
        ),
        attributes=frozenset({"OrganizationConfigRuleArn"}),
        name_property="OrganizationConfigRuleName",
        name_limit=64,
    )

    def create(self, wanted: Wanted) -> Created:
        config = _config(wanted)
        if wanted.name in config.organization_rules:
            raise ResourceRefused(f"Organization config rule {wanted.name} already exists.")
        organization_rules.put(config, wanted.name, wanted.properties)
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        config = _config(wanted)
        if old is not None:
            organization_rules.put(config, wanted.name, wanted.properties)
        status = config.organization_rules[wanted.name].show_status()
        if str(status["OrganizationRuleStatus"]).endswith("_FAILED"):
            told = [str(status[name]) for name in ("OrganizationRuleStatus", "ErrorCode", "ErrorMessage")]
            raise ResourceRefused(": ".join(told))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        organization_rules.delete(_config(wanted), created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # only its ARN
        return _config(wanted).organization_rules[created.physical_id].arn


def _is_started(wanted: Wanted) -> bool:
    return wanted.properties.get("StartedOnCreate", True) in (True, "true")


def _lower(given: Any) -> Any:
    """Write properties as Config's API does; texts that CloudFormation takes for booleans become some."""
    if isinstance(given, Mapping):
        return {f"{name[0].lower()}{name[1:]}": _lower(value) for name, value in given.items()}
    return {"true": True, "false": False}.get(given, given) if isinstance(given, str) else given


def _config(wanted: Wanted) -> SandboxConfig:
    return find_config(wanted.account_id, wanted.region)
