"""AWS::SNS::Topic, AWS::SQS::Queue and QueuePolicy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted, removed_keys
from org.sandbox.stack_types.subscriptions import refuse_protocol

if TYPE_CHECKING:
    from moto.sns.models import SNSBackend
    from moto.sqs.models import Queue as MotoQueue
    from moto.sqs.models import SQSBackend

QUEUE_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DelaySeconds": 0,
    "KmsDataKeyReusePeriodSeconds": 300,
    "KmsMasterKeyId": None,
    "MaximumMessageSize": 262_144,
    "MessageRetentionPeriod": 345_600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "RedrivePolicy": None,
    "SqsManagedSseEnabled": True,
    "VisibilityTimeout": 30,
}
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html"""


class Topic:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html."""

    shape = Shape(
        "AWS::SNS::Topic",
        properties=frozenset({"DisplayName", "FifoTopic", "KmsMasterKeyId", "Subscription", "Tags", "TopicName"}),
        attributes=frozenset({"TopicArn", "TopicName"}),
        name_property="TopicName",
        name_limit=256,
        replaced_by=frozenset({"FifoTopic"}),
    )

    def create(self, wanted: Wanted) -> Created:
        backend = _topics(wanted)
        if any(topic.name == wanted.name for topic in backend.topics.values()):
            raise ResourceRefused(f"Topic {wanted.name} already exists.")
        fifo = {"FifoTopic": "true"} if wanted.properties.get("FifoTopic") in (True, "true") else {}
        return Created(backend.create_topic(wanted.name, fifo).arn)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend, arn = _topics(wanted), created.physical_id
        topic = backend.get_topic(arn)
        topic.display_name = wanted.properties.get("DisplayName", "")
        topic.kms_master_key_id = wanted.properties.get("KmsMasterKeyId", "")
        subscriptions = _subscriptions(wanted)
        for endpoint, protocol in subscriptions:
            refuse_protocol(protocol)
            backend.subscribe(arn, endpoint, protocol)
        for key, subscription in list(backend.subscriptions.items()):
            endpoint_and_protocol = (subscription.endpoint, subscription.protocol)
            unwanted = endpoint_and_protocol in _subscriptions(old) and endpoint_and_protocol not in subscriptions
            if subscription.topic is topic and unwanted:
                backend.unsubscribe(key)
        backend.tag_resource(arn, wanted.tags)
        backend.untag_resource(arn, removed_keys(old.tags if old else {}, wanted.tags))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _topics(wanted).delete_topic(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        topic = _topics(wanted).get_topic(created.physical_id)
        return topic.arn if name == "TopicArn" else topic.name


class Queue:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html."""

    shape = Shape(
        "AWS::SQS::Queue",
        properties=frozenset({*QUEUE_DEFAULTS, "FifoQueue", "QueueName", "Tags"}),
        attributes=frozenset({"Arn", "QueueName", "QueueUrl"}),
        name_property="QueueName",
        name_limit=80,
        replaced_by=frozenset({"FifoQueue"}),
    )

    def create(self, wanted: Wanted) -> Created:
        backend = _queues(wanted)
        if wanted.name in backend.queues:
            raise ResourceRefused(f"Queue {wanted.name} already exists.")
        fifo = "true" if wanted.properties.get("FifoQueue") in (True, "true") else "false"
        return Created(backend.create_queue(wanted.name, FifoQueue=fifo).physical_resource_id)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        queue = _queue(created, wanted)
        attributes = {key: wanted.properties.get(key, default) for key, default in QUEUE_DEFAULTS.items()}
        # moto resets the policy, which is not the queue's own property, unless it is given again.
        _queues(wanted).set_queue_attributes(queue.name, {**attributes, "Policy": queue.policy})
        queue.tags = {key: value for key, value in queue.tags.items() if not old or key not in old.tags} | wanted.tags
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _queues(wanted).delete_queue(_queue(created, wanted).name)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        queue = _queue(created, wanted)
        return {"Arn": queue.queue_arn, "QueueName": queue.name, "QueueUrl": created.physical_id}[name]


class QueuePolicy:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html."""

    shape = Shape(
        "AWS::SQS::QueuePolicy", properties=frozenset({"PolicyDocument", "Queues"}), attributes=frozenset({"Id"})
    )

    def create(self, wanted: Wanted) -> Created:
        if not isinstance(wanted.properties["PolicyDocument"], dict) or not wanted.properties["Queues"]:
            raise ResourceRefused("Properties validation failed: PolicyDocument must be an object, Queues a list")
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        queues = wanted.properties["Queues"]
        for url in [each for each in (old.properties["Queues"] if old else []) if each not in queues]:
            self._write(wanted, url, "")
        for url in queues:
            self._write(wanted, url, json.dumps(wanted.properties["PolicyDocument"]))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:  # noqa: ARG002  # it is known by its queues
        for url in wanted.properties["Queues"]:
            self._write(wanted, url, "")

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id

    def _write(self, wanted: Wanted, url: str, policy: str) -> None:
        backend, name = _queues(wanted), str(url).rpartition("/")[2]
        if name in backend.queues:
            backend.set_queue_attributes(name, {"Policy": policy})


def _topics(wanted: Wanted) -> SNSBackend:
    return sns_backends[wanted.account_id][wanted.region]


def _subscriptions(wanted: Wanted | None) -> list[tuple[str, str]]:
    subscriptions = wanted.properties.get("Subscription", []) if wanted else []
    return [(subscription["Endpoint"], subscription["Protocol"]) for subscription in subscriptions]


def _queues(wanted: Wanted) -> SQSBackend:
    return sqs_backends[wanted.account_id][wanted.region]


def _queue(created: Created, wanted: Wanted) -> MotoQueue:
    return _queues(wanted).get_queue(created.physical_id.rpartition("/")[2])
