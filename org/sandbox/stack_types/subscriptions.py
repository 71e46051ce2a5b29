"""AWS::SNS::Subscription and TopicPolicy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted
from org.sandbox.topics import check_protocol, find_topic, subscriptions_of

if TYPE_CHECKING:
    from moto.sns.models import SNSBackend, Topic

_ATTRIBUTES = ("FilterPolicyScope", "FilterPolicy", "RawMessageDelivery", "RedrivePolicy")
"""In the order in which they are set: the form of a policy hangs on its scope."""
_DEFAULTS = {"FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": "false"}


class Subscription:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html."""

    shape = Shape(
        "AWS::SNS::Subscription",
        properties=frozenset({*_ATTRIBUTES, "Endpoint", "Protocol", "TopicArn"}),
        attributes=frozenset({"Arn"}),
        replaced_by=frozenset({"Endpoint", "Protocol", "TopicArn"}),
    )

    def create(self, wanted: Wanted) -> Created:
        endpoint, protocol = str(wanted.properties["Endpoint"]), str(wanted.properties["Protocol"])
        refuse_protocol(protocol)
        topic = _topic(str(wanted.properties["TopicArn"]))
        if any((each.endpoint, each.protocol) == (endpoint, protocol) for each in subscriptions_of(topic)):
            raise ResourceRefused("Invalid parameter: Attributes Reason: Subscription already exists")
        return Created(str(_backend(topic).subscribe(topic.arn, endpoint, protocol).arn))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend = _backend(_topic(str(wanted.properties["TopicArn"])))
        for name in _ATTRIBUTES:
            given = wanted.properties.get(name, _DEFAULTS.get(name))
            if given is not None or (old is not None and name in old.properties):
                backend.set_subscription_attributes(created.physical_id, name, _text(given))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        topic = find_topic(str(wanted.properties["TopicArn"]))
        if topic is not None:
            _backend(topic).unsubscribe(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Arn
        return created.physical_id


class TopicPolicy:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topicpolicy.html.

    [H]: a topic that loses its policy has again the one that it was made with.
    """

    shape = Shape(
        "AWS::SNS::TopicPolicy", properties=frozenset({"PolicyDocument", "Topics"}), attributes=frozenset({"Id"})
    )

    def create(self, wanted: Wanted) -> Created:
        if not isinstance(wanted.properties["PolicyDocument"], dict) or not wanted.properties["Topics"]:
            raise ResourceRefused("Properties validation failed: PolicyDocument must be an object, Topics a list")
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        topics = wanted.properties["Topics"]
        for arn in [each for each in (old.properties["Topics"] if old else []) if each not in topics]:
            _reset(str(arn))
        for arn in topics:
            _topic(str(arn)).policy = json.dumps(wanted.properties["PolicyDocument"])
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:  # noqa: ARG002  # it is known by its topics
        for arn in wanted.properties["Topics"]:
            _reset(str(arn))

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id


def refuse_protocol(protocol: str) -> None:
    try:
        check_protocol(protocol)
    except NotImplementedError as error:
        raise ResourceRefused(f"the orgctl sandbox does not emulate {error}") from error


def _topic(arn: str) -> Topic:
    found = find_topic(arn)
    if found is None:
        raise ResourceRefused("Topic does not exist")
    return found


def _backend(topic: Topic) -> SNSBackend:
    return topic.sns_backend


def _reset(arn: str) -> None:
    topic = find_topic(arn)
    if topic is not None:
        policy = topic._create_default_topic_policy(topic.sns_backend.region_name, topic.account_id, topic.name)
        topic.policy = json.dumps(policy)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)
