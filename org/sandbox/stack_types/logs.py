"""AWS::Logs::LogGroup and ResourcePolicy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.logs.models import logs_backends

from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted, removed_keys

if TYPE_CHECKING:
    from moto.logs.models import LogsBackend

RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


class LogGroup:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html."""

    shape = Shape(
        "AWS::Logs::LogGroup",
        properties=frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"}),
        attributes=frozenset({"Arn"}),
        name_property="LogGroupName",
        name_limit=512,
    )

    def create(self, wanted: Wanted) -> Created:
        _backend(wanted).create_log_group(wanted.name, {})
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend = _backend(wanted)
        group = backend.groups[created.physical_id]
        retention = wanted.properties.get("RetentionInDays")
        if retention is not None and int(retention) not in RETENTION_DAYS:
            raise ResourceRefused(f"{retention} is not a valid number of days for RetentionInDays")
        group.retention_in_days = None if retention is None else int(retention)
        group.kms_key_id = wanted.properties.get("KmsKeyId")
        backend.tag_resource(group.arn, wanted.tags)
        backend.untag_resource(group.arn, removed_keys(old.tags if old else {}, wanted.tags))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).delete_log_group(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Arn
        return f"{_backend(wanted).groups[created.physical_id].arn}:*"


class ResourcePolicy:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-resourcepolicy.html."""

    shape = Shape(
        "AWS::Logs::ResourcePolicy",
        properties=frozenset({"PolicyDocument", "PolicyName"}),
        name_property="PolicyName",
    )

    def create(self, wanted: Wanted) -> Created:
        if wanted.name in _backend(wanted).resource_policies:
            raise ResourceRefused(f"Resource policy {wanted.name} already exists.")
        return self._put(wanted)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        return created if old is None else self._put(wanted)

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).delete_resource_policy(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError

    def _put(self, wanted: Wanted) -> Created:
        document = wanted.properties.get("PolicyDocument", "")
        try:
            json.loads(document)
        except (TypeError, ValueError) as error:
            raise ResourceRefused("Properties validation failed: PolicyDocument must be a string of JSON") from error
        return Created(_backend(wanted).put_resource_policy(wanted.name, document).policy_name)


def _backend(wanted: Wanted) -> LogsBackend:
    return logs_backends[wanted.account_id][wanted.region]
