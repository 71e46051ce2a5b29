"""What a service puts in a queue or a log group, and the checks that AWS makes of it on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.core.utils import unix_time_millis
from moto.logs.models import logs_backends
from moto.sqs.models import sqs_backends

from org.model import RequiredCall
from org.policy.request import Principal, PrincipalKind
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.encryption import TO_WRITE, Lock, NoKey

if TYPE_CHECKING:
    from moto.sqs.models import Queue


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
        """Raise Denied unless the sender may, and Undelivered where that cannot be said."""
        with _judging():
            authorize_as(self.principal, RequiredCall(action, resource, self.source), region)

    def require_key(self, lock: Lock) -> None:
        """Raise Denied unless the sender may use the key to write, and Undelivered where there is none to use."""
        with _judging():
            lock.require(self.principal, TO_WRITE, self.source)


@contextmanager
def _judging() -> Iterator[None]:
    """Keep what cannot be delivered from breaking the request that it comes of."""
    try:
        yield
    except NoKey as error:
        raise Undelivered(str(error)) from error
    except NotImplementedError as error:
        raise Undelivered(f"the orgctl sandbox does not emulate {error}") from error


def find_queue(arn: str) -> Queue | None:
    """Answer a queue by its ARN."""
    _, _, _, region, account, name = arn.split(":", 5)
    queue: Queue | None = sqs_backends[account][region].queues.get(name)
    return queue


def send_to_queue(
    arn: str,
    body: str,
    by: Sender,
    attributes: dict[str, Any] | None = None,
    fifo: Mapping[str, str | None] | None = None,
) -> None:
    """Put a message into a queue.

    `attributes` are as SQS has them: `{"n": {"DataType": "String", "StringValue": "1"}}`; `fifo` holds `group_id` and
    `deduplication_id`, for a queue that keeps the order. Raises Denied for what the
    policies of queue and key do not let through, and Undelivered where there is no such queue.
    """
    queue = find_queue(arn)
    if queue is None:
        raise Undelivered(f"there is no queue {arn}")
    by.require("sqs:SendMessage", arn, queue.region)
    by.require_key(lock_of(queue))
    order = {**fifo, "validate_group_id": False} if fifo and queue.fifo_queue else {}
    backend = sqs_backends[queue.account_id][queue.region]
    backend.send_message(queue.name, body, message_attributes=attributes, **order)  # type: ignore[arg-type]


def log_in_group(arn: str, text: str, stream: str, by: Sender) -> None:
    """Write one event into a new stream of a log group.

    Raises Denied where no resource policy of the Region's log groups lets the sender, and Undelivered where there is no
    such group. [H]: that a stream has one event.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-cloudwatchlogs-permissions
    """
    _, partition, _, region, account, rest = arn.split(":", 5)
    name = rest.removeprefix("log-group:").removesuffix(":*")
    backend = logs_backends[account][region] if account in logs_backends else None
    if backend is None or name not in backend.groups:
        raise Undelivered(f"there is no log group {arn}")
    resource = f"arn:{partition}:logs:{region}:{account}:log-group:{name}:log-stream:{stream}"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        by.require(action, resource, region)
    backend.create_log_stream(name, stream)
    backend.put_log_events(name, stream, [{"timestamp": int(unix_time_millis()), "message": text}])


def lock_of(queue: Queue) -> Lock:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html."""
    key = getattr(queue, "kms_master_key_id", None)
    return Lock(key, queue.account_id, queue.region, "sqs", {"aws:sqs:arn": queue.queue_arn})
