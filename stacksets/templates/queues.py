"""Queues of our own: encrypted, kept for as long as SQS keeps messages, and reached by TLS alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from troposphere import GetAtt, Ref, Sub
from troposphere.sqs import Queue, QueuePolicy, RedrivePolicy

from stacksets.templates.names import ACCESS_ROLE

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


def by_these_alone(sid: str, actions: Sequence[str], functions: Sequence[str]) -> dict[str, Any]:
    """Deny the actions to all but roles of functions, and whoever administers the account and sends anew what failed.

    Without it whoever may send to any queue of the account, or write into any bucket, would be believed.
    """
    roles = [
        Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}-${{AWS::Region}}") for name in functions
    ]
    administrator = Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{ACCESS_ROLE}")
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [*roles, administrator]}},
    }


def rule_may_send(rule: str) -> dict[str, object]:
    """Let a rule of this account's own bus put there what it could not bring to its target.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    arn = Sub(f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{rule}")
    return _may_send("RuleMaySend", "events", arn)


def topics_may_send(*topics: str) -> dict[str, object]:
    """Let subscriptions of topics put there what they could not deliver.

    https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html
    """
    arns = [Sub(f"arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:{topic}") for topic in topics]
    return _may_send("TopicsMaySend", "sns", arns)


def _may_send(sid: str, service: str, source: object) -> dict[str, object]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }


def tls_only(title: str, queue: Queue, *more: dict[str, object]) -> QueuePolicy:
    """Allow or deny what the statements do, each on this queue, and nothing without TLS."""
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
            "Statement": [*({**each, "Resource": arn} for each in more), deny],
        },
    )
