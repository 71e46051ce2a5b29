"""What a service puts in a queue, and the checks that AWS makes of it on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.kms.models import kms_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from org.model import RequiredCall
from org.policy.request import Principal, PrincipalKind
from org.sandbox.authorization.decide import authorize_as

if TYPE_CHECKING:
    from moto.sqs.models import Queue

_USED = ("kms:GenerateDataKey", "kms:Decrypt")


class Undelivered(Exception):
    """Why something does not reach what it was sent to, beyond a denial."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: a service, for a resource of an account, or a role."""

    principal: Principal
    source: Mapping[str, str] = field(default_factory=dict)
    """`aws:SourceArn` and `aws:SourceAccount`, for a service."""

    @classmethod
    def service(cls, name: str, source_arn: str, source_account: str) -> Sender:
        source = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
        return cls(Principal(name, "", PrincipalKind.SERVICE), source)

    def require(self, action: str, resource: str, region: str) -> None:
        """Raise Denied unless the sender may."""
        authorize_as(self.principal, RequiredCall(action, resource, self.source), region)


def find_queue(arn: str) -> Queue | None:
    """Answer a queue by its ARN."""
    _, _, _, region, account, name = arn.split(":", 5)
    queue: Queue | None = sqs_backends[account][region].queues.get(name)
    return queue


def send_to_queue(arn: str, body: str, by: Sender, attributes: dict[str, Any] | None = None) -> None:
    """Put a message into a queue.

    `attributes` are as SQS has them: `{"n": {"DataType": "String", "StringValue": "1"}}`. Raises Denied for what the
    policies of queue and key do not let through, and Undelivered where there is no such queue.
    """
    queue = find_queue(arn)
    if queue is None:
        raise Undelivered(f"there is no queue {arn}")
    by.require("sqs:SendMessage", arn, queue.region)
    require_key(getattr(queue, "kms_master_key_id", None), queue.account_id, queue.region, by)
    sqs_backends[queue.account_id][queue.region].send_message(queue.name, body, message_attributes=attributes)


def require_key(key: object, account: str, region: str, by: Sender) -> None:
    """Raise unless the sender may use the key with which a queue or topic encrypts; an AWS managed one no service may.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    if not key:
        return
    if str(key).rpartition(":")[2].startswith("alias/aws/"):
        if by.principal.kind is PrincipalKind.SERVICE:
            raise Undelivered(f"{by.principal.arn} cannot use the AWS managed key {key}")
        return
    arn = find_key(str(key), account, region)
    for action in _USED:
        by.require(action, arn, region)


def find_key(key: str, account: str, region: str) -> str:
    """Answer the ARN of a key that is given by its id, its alias or the ARN of either."""
    prefix = f"arn:{get_partition(region)}:kms:{region}:{account}:"
    arn = key if key.startswith("arn:") else prefix + (key if key.startswith("alias/") else f"key/{key}")
    owner, place, name = arn.split(":")[4], arn.split(":")[3], arn.split(":")[5]
    if not name.startswith("alias/"):
        return arn
    found = next((each for each in kms_backends[owner][place].keys.values() if name in each.aliases), None)
    if found is None:
        raise Undelivered(f"there is no key {key}")
    return str(found.arn)
