"""What a message of SNS looks like on its way, in each of the forms that subscribers get.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

if TYPE_CHECKING:
    from moto.sns.models import Subscription, Topic

Attributes = Mapping[str, Mapping[str, Any]]
"""As SNS shows them: `{"severity": {"Type": "String", "Value": "HIGH"}}`."""


class InvalidParameter(ServiceException):
    code = "InvalidParameter"


@dataclass(frozen=True, slots=True)
class Message:
    text: str
    subject: str = ""
    attributes: Attributes = field(default_factory=dict)
    structure: str = ""
    """`json` where the text says for each protocol what it gets."""
    fifo: Mapping[str, str | None] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(mock_random.uuid4()))

    def __post_init__(self) -> None:
        if self.structure and "default" not in self._texts():
            raise InvalidParameter("Invalid parameter: Message Structure - No default entry in JSON message body")

    def for_protocol(self, protocol: str) -> str:
        if not self.structure:
            return self.text
        texts = self._texts()
        return str(texts.get(protocol, texts["default"]))

    def _texts(self) -> dict[str, Any]:
        try:
            read = json.loads(self.text)
        except ValueError as error:
            what = "Invalid parameter: Message Structure - JSON message body failed to parse"
            raise InvalidParameter(what) from error
        return read if isinstance(read, dict) else {}


def is_raw(subscription: Subscription) -> bool:
    return str(subscription.attributes.get("RawMessageDelivery")).lower() == "true"


def for_queue(topic: Topic, subscription: Subscription, message: Message) -> tuple[str, dict[str, Any]]:
    """Answer the body and the attributes of the message in the queue.

    https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
    """
    if not is_raw(subscription):
        return json.dumps(notification(topic, subscription, message), indent=2), {}
    attributes = {}
    for name, each in message.attributes.items():
        value = "BinaryValue" if str(each["Type"]).startswith("Binary") else "StringValue"
        attributes[name] = {"DataType": each["Type"], value: each["Value"]}
    return message.for_protocol("sqs"), attributes


def notification(topic: Topic, subscription: Subscription, message: Message) -> dict[str, Any]:
    host = f"https://sns.{topic.sns_backend.region_name}.amazonaws.com"
    told: dict[str, Any] = {"Type": "Notification", "MessageId": message.id, "TopicArn": topic.arn}
    if message.subject:
        told["Subject"] = message.subject
    told |= {
        "Message": message.for_protocol(str(subscription.protocol)),
        "Timestamp": now(),
        "SignatureVersion": "1",
        "Signature": "",
        "SigningCertURL": f"{host}/SimpleNotificationService.pem",
        "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription.arn}",
    }
    if message.attributes:
        told["MessageAttributes"] = {name: dict(each) for name, each in message.attributes.items()}
    return told


def for_function(topic: Topic, subscription: Subscription, message: Message) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html."""
    told = {"Subject": None, "MessageAttributes": {}, **notification(topic, subscription, message)}
    told["SigningCertUrl"], told["UnsubscribeUrl"] = told.pop("SigningCertURL"), told.pop("UnsubscribeURL")
    return told


def now() -> str:
    return utcnow().replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
