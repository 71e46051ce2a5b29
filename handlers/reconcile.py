"""The function behind the reconciliation queue: what AWS says of one account in one Region goes to the ingest.

Enters the account by its reader role, asks EC2, and sends readings to their queue. It is outside the network of the
graph, which it neither reads nor writes. A place that cannot be entered is told as such, and is no failure; a message
that failed otherwise comes again by itself.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

from handlers.lineage.events.envelope import partition_of, region_of
from handlers.lineage.model import Place, Time
from handlers.lineage.reconcile.asking import Call, through
from handlers.lineage.reconcile.memory import Memories, S3Memories
from handlers.lineage.reconcile.reader import Read, read_place, refused_message
from handlers.lineage.settings import read_settings, setting
from org.errors import AccessDenied, OrgctlError
from org.gateway.errors import aws_errors
from org.ids import AccountId

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "lineage-reconcile"
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="orgctl", service=SERVICE)

STATE, READINGS = "ORGCTL_LINEAGE_STATE", "ORGCTL_READINGS_QUEUE"
READER_ROLE = "orgctl-lineage-reader"
SESSION = "orgctl-lineage-reconcile"
"""Says in the CloudTrail of every account who it was."""
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)

Enter = Callable[[Place], Call]
"""Enters an account in a Region; AccessDenied if its reader role does not let us in."""
Send = Callable[[str], None]


def enter(place: Place) -> Call:
    """Assume the reader role of an account, at the endpoint of STS in our own Region. OrgctlError."""
    import boto3
    from botocore.config import Config

    # Regional is botocore's own default: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html
    sts = boto3.client("sts")
    arn = f"arn:{partition_of(place.region)}:iam::{place.account}:role/{READER_ROLE}"
    with aws_errors("sts:AssumeRole", arn):
        entered = sts.assume_role(
            RoleArn=arn,
            RoleSessionName=SESSION,
            ExternalId=read_settings().external_id,
            DurationSeconds=900,
        )["Credentials"]
    return through(
        boto3.client(
            "ec2",
            region_name=place.region,
            aws_access_key_id=entered["AccessKeyId"],
            aws_secret_access_key=entered["SecretAccessKey"],
            aws_session_token=entered["SessionToken"],
            config=Config(retries={"mode": "adaptive", "total_max_attempts": 8}),
        )
    )


@cache
def _memories() -> Memories:
    import boto3

    return S3Memories(boto3.client("s3"), setting(STATE))


@cache
def _send() -> Send:
    return sender(setting(READINGS))


def sender(queue: str) -> Send:
    """Send texts to a queue; OrgctlError."""
    import boto3

    sqs = boto3.client("sqs")

    def send(body: str) -> None:
        with aws_errors("sqs:SendMessage", queue):
            sqs.send_message(QueueUrl=queue, MessageBody=body)

    return send


def now() -> Time:
    return Time(int(time.time() * 1000))


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the decorators read it
    """Take a batch of places; answers which are to come again (ReportBatchItemFailures)."""
    return take(event, enter, _memories(), _send(), now)


def take(
    event: dict[str, Any], enter: Enter, memories: Memories, send: Send, now: Callable[[], Time]
) -> dict[str, Any]:
    """Take a batch of SQS messages, each `{"account": "111122223333", "region": "eu-central-1"}`."""

    def read(record: SQSRecord) -> None:
        _report(place := _place(record.body), reconcile(place, enter, memories, send, now()))

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], read):
        processor.process()
    return dict(processor.response())


def reconcile(place: Place, enter: Enter, memories: Memories, send: Send, now: Time) -> Read | None:
    """Read one place and send what is new; None if it may not be entered, which is sent, too. OrgctlError.

    What was sent is remembered last: where anything fails before, it is sent again.
    """
    try:
        call = enter(place)
    except AccessDenied:
        send(refused_message(place, now, "sts:AssumeRole", "AccessDenied"))
        return None
    read = read_place(call, place, memories.load(place), now)
    for message in read.messages:
        send(message)
    memories.save(place, read.memory)
    return read


def _place(body: str) -> Place:
    try:
        said = json.loads(body)
        account, region = str(said["account"]), region_of(str(said["region"]), "region")
    except (ValueError, KeyError, TypeError) as error:
        raise OrgctlError("reconciliation queue", f"a message names no place: {type(error).__name__}") from error
    if not _ACCOUNT.fullmatch(account):
        raise OrgctlError("reconciliation queue", "a message names no account")
    return Place(AccountId(account), region)


def _report(place: Place, read: Read | None) -> None:
    refused = {"sts:AssumeRole": "AccessDenied"} if read is None else dict(read.refused)
    if refused:
        logger.warning("a place could not be read whole", account=place.account, region=place.region, refused=refused)
    metrics.add_metric("places_refused" if refused else "places_read", MetricUnit.Count, 1)
    if read is not None:
        metrics.add_metric("calls", MetricUnit.Count, read.calls.total())
        metrics.add_metric("things_sent", MetricUnit.Count, read.things)
