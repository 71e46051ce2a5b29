"""What the lineage account gets in the home Region to make a graph of what it hears: queues, function, archive.

Central bus → rule → queue → function, which writes each event to the archive before it adds to the graph. What the
reconciliation has read comes by a queue of its own. A message that fails goes back to its queue, and after some tries
to the dead letters.
"""

from __future__ import annotations

from troposphere import AccountId, GetAtt, Output, Parameter, Ref, Sub, Template
from troposphere.events import DeadLetterConfig, Rule, Target
from troposphere.kms import Key
from troposphere.s3 import (
    Bucket,
    DefaultRetention,
    ObjectLockConfiguration,
    ObjectLockRule,
    VersioningConfiguration,
)
from troposphere.sqs import Queue

from stacksets.functions import ACTIONS, INGEST, RECONCILE, RECONCILE_PLAN
from stacksets.templates.buckets import bucket_by_tls_only, own_bucket
from stacksets.templates.function import (
    add_function,
    add_function_parameters,
    add_graph_parameters,
    add_parameter,
    depth_alarm,
    take_from,
)
from stacksets.templates.names import BUS_NAME_PATTERN, CENTRAL_BUS, LINEAGE_QUEUE, READINGS_QUEUE
from stacksets.templates.own_key import own_key
from stacksets.templates.queues import by_these_alone, own_queue, rule_may_send, tls_only

_RULE_ARN = Sub(
    f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/${{CentralBusName}}/{LINEAGE_QUEUE}"
)
_AT_ONCE = 5
"""Writers of one graph get into each other's way beyond a few; what waits, waits in the queue."""


def render() -> Template:
    template = Template("orgctl lineage ingest: queues, function and archive of machine image events")
    template.set_version()
    _add_parameters(template)
    key = template.add_resource(_key())
    archive = template.add_resource(_archive(key))
    # A rebuild believes what it finds there.
    writing = ("s3:DeleteObject", "s3:PutObject")
    template.add_resource(bucket_by_tls_only(archive, by_these_alone("IngestAloneWrites", writing, [INGEST.name])))
    events, readings = (_add_queue(template, *each, key) for each in _QUEUES)
    rule = template.add_resource(_rule(events))
    add_function(template, INGEST)
    for queue in (events, readings):
        take_from(template, INGEST, queue, batch=100, at_once=_AT_ONCE, wait=2)

    def output(name: str, description: str, value: object) -> None:
        template.add_output(Output(name, Description=description, Value=value))

    output("ArchiveBucket", "Every event as it came", Ref(archive))
    output("QueueUrl", "Events on their way", Ref(events))
    output("ReadingsQueueUrl", "Readings on their way", Ref(readings))
    output("ReadingsQueueArn", "Readings on their way", GetAtt(readings, "Arn"))
    output("EventsKeyArn", "Encrypts the queues and the archive", GetAtt(key, "Arn"))
    output("RuleArn", "From the bus to the queue", GetAtt(rule, "Arn"))
    return template


_READERS = (RECONCILE_PLAN.name, RECONCILE.name, ACTIONS.name)
"""Whose functions send readings."""
_QUEUES = (("Events", LINEAGE_QUEUE), ("Readings", READINGS_QUEUE))


def _add_parameters(template: Template) -> None:
    add_function_parameters(template, in_network=True)
    add_graph_parameters(template)
    add_parameter(
        template,
        "CentralBusName",
        "Name of the central event bus",
        Default=CENTRAL_BUS,
        AllowedPattern=BUS_NAME_PATTERN,
    )
    add_parameter(
        template,
        "RetentionMode",
        "GOVERNANCE: principals with s3:BypassGovernanceRetention may delete events before their time; "
        "COMPLIANCE: nobody may, and nobody can change that",
        Default="GOVERNANCE",
        AllowedValues=["GOVERNANCE", "COMPLIANCE"],
    )
    days = {"Type": "Number", "MinValue": 1, "MaxValue": 36500}
    template.add_parameter(
        Parameter("RetentionDays", Description="How long events cannot be deleted", Default=365, **days)
    )


def _add_queue(template: Template, title: str, name: str, key: Key) -> Queue:
    """Add a queue and its dead letters, which SQS moves there itself.

    The ingest knows by the queue that a message came in who sent it: to each only one kind of sender may send.
    """
    key_arn = GetAtt(key, "Arn")
    dead = template.add_resource(own_queue(f"{title}DeadLetters", f"{name}-dead-letters", key_arn))
    queue = template.add_resource(own_queue(title, name, key_arn, seconds=INGEST.seconds, dead=dead))
    rule = [rule_may_send(f"${{CentralBusName}}/{LINEAGE_QUEUE}")] if title == "Events" else []
    alone = _nobody_else_sends() if rule else by_these_alone("ReadersAloneSend", ["sqs:SendMessage"], _READERS)
    template.add_resource(tls_only(f"{queue.title}Policy", queue, *rule, alone))
    # EventBridge puts there what it could not bring to the queue.
    template.add_resource(tls_only(f"{dead.title}Policy", dead, *rule))
    template.add_resource(depth_alarm(f"{name}-dead-letters", dead))
    return queue


def _nobody_else_sends() -> dict[str, object]:
    """Requests of principals have no aws:SourceArn, which the negated operator counts as another."""
    denied = by_these_alone("RuleAloneSends", ["sqs:SendMessage"], [])
    denied["Condition"]["ArnNotEquals"]["aws:SourceArn"] = _RULE_ARN
    return denied


def _rule(queue: Queue) -> Rule:
    dead = GetAtt(f"{queue.title}DeadLetters", "Arn")
    return Rule(
        "EventsToQueue",
        Name=LINEAGE_QUEUE,
        Description="Brings every event of the central bus to the queue, also one that should not be there: it is told",
        EventBusName=Ref("CentralBusName"),
        EventPattern={"source": [{"prefix": ""}]},
        State="ENABLED",
        Targets=[Target(Id="queue", Arn=GetAtt(queue, "Arn"), DeadLetterConfig=DeadLetterConfig(Arn=dead))],
    )


def _archive(key: Key) -> Bucket:
    return own_bucket(
        "Archive",
        "orgctl-lineage-archive-${AWS::AccountId}-${AWS::Region}",
        GetAtt(key, "Arn"),
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        ObjectLockEnabled=True,
        ObjectLockConfiguration=ObjectLockConfiguration(
            ObjectLockEnabled="Enabled",
            Rule=ObjectLockRule(
                DefaultRetention=DefaultRetention(Mode=Ref("RetentionMode"), Days=Ref("RetentionDays"))
            ),
        ),
        VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
        Metadata={
            "Reasons": {"Retain": "The graph can be rebuilt from it alone"},
            "checkov": {
                "skip": [
                    {
                        "id": "CKV_AWS_18",
                        "comment": "Who reads and writes is for data events of the organization's trail: a log of S3 "
                        "itself is best effort, and would need a bucket without Object Lock beside this one",
                    }
                ]
            },
        },
    )


def _key() -> Key:
    """Encrypt queues and archive."""
    uses = [
        {
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
            "Sid": "EventBridgeSendsToTheQueue",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": AccountId}},
        }
    ]
    return own_key("LineageKey", "Encrypts the queues and the archive of orgctl's lineage ingest", uses)
