"""Queues of our own: encrypted, kept for as long as SQS keeps messages, and reached by TLS alone."""

from __future__ import annotations

from troposphere import GetAtt, Ref
from troposphere.sqs import Queue, QueuePolicy, RedrivePolicy

_FOURTEEN_DAYS = 14 * 24 * 60 * 60
TRIES = 5


def own_queue(title: str, name: str, key_arn: object, *, seconds: int = 60, dead: Queue | None = None) -> Queue:
    """Make a queue for a function that runs for at most `seconds`; after some tries messages go to `dead`."""
    redrive = (
        {"RedrivePolicy": RedrivePolicy(deadLetterTargetArn=GetAtt(dead, "Arn"), maxReceiveCount=TRIES)} if dead else {}
    )
    return Queue(
        title,
        QueueName=name,
        # A queue that is left behind would make the next deployment fail on its name.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
        KmsMasterKeyId=key_arn,
        MessageRetentionPeriod=_FOURTEEN_DAYS,
        # Six times the function's timeout, as AWS advises:
        # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        VisibilityTimeout=6 * seconds,
        **redrive,
    )


def tls_only(title: str, queue: Queue, *allowed: dict[str, object]) -> QueuePolicy:
    """Allow what the statements allow, each on this queue, and nothing without TLS."""
    arn = GetAtt(queue, "Arn")
    deny = {
        "Sid": "NothingWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return QueuePolicy(
        title,
        Queues=[Ref(queue)],
        PolicyDocument={
            "Version": "2012-10-17",
            "Statement": [*({**each, "Resource": arn} for each in allowed), deny],
        },
    )
