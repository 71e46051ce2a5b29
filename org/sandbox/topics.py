"""SNS: a message goes from its topic to those who subscribe, and AWS's checks are made on the way.

Queues and functions get it; mails, texts and what would go to a URL are kept, and can be listed. Every subscription
counts as confirmed: nobody here could follow the link in a mail. Messages are not signed. moto sends to URLs, and asks
nobody whether it may.
https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import json
import logging
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.sns.models import SNSBackend, Topic, sns_backends
from moto.sns.utils import FilterPolicyMatcher

from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.principals import current_caller
from org.sandbox.deliveries import Sender, Undelivered, send_to_queue
from org.sandbox.encryption import TO_WRITE, Lock, NoKey
from org.sandbox.functions.invocations import Invoker, Refused, later
from org.sandbox.topic_messages import Attributes, Message, for_function, for_queue, is_raw, notification, now

if TYPE_CHECKING:
    from moto.sns.models import Subscription

_log = logging.getLogger(__name__)

_SERVICE = "sns.amazonaws.com"
_KEPT = frozenset({"email", "email-json", "http", "https", "sms"})
PROTOCOLS = frozenset({"lambda", "sqs", *_KEPT})
_MOST_KEPT = 20_000
_LONGEST = 262_144
"""Bytes: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out of AWS, and here was kept."""

    topic: str
    protocol: str
    endpoint: str
    subject: str
    message: str
    attributes: Attributes
    id: str
    time: str


_sent: deque[Sent] = deque(maxlen=_MOST_KEPT)


class _KeyDenied(ServiceException):
    """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""

    code = "KMSAccessDenied"


def sent() -> list[dict[str, Any]]:
    """Answer the last 20,000 mails, texts and requests that were kept, the oldest first."""
    return [asdict(each) for each in _sent]


def forget() -> None:
    _sent.clear()


def publish(topic_arn: str, message: Message, by: Sender) -> str:
    """Send a message in the name of a service or role; answer its id.

    Raises Denied for what the policies of topic and key do not let through, and Undelivered where there is no topic.
    """
    topic = find_topic(topic_arn)
    if topic is None:
        raise Undelivered(f"there is no topic {topic_arn}")
    if len(message.text.encode()) > _LONGEST:
        raise Undelivered(f"it is longer than {_LONGEST} bytes")
    region = str(topic.sns_backend.region_name)
    by.require("sns:Publish", topic_arn, region)
    by.require_key(_lock(topic))
    return _deliver(topic, message)


def check_protocol(protocol: str) -> None:
    """Raise NotImplementedError for a way in which no message could be brought to anybody."""
    if protocol not in PROTOCOLS:
        raise NotImplementedError(f"subscriptions by {protocol}")


def find_topic(arn: str) -> Topic | None:
    """Answer a topic by its ARN."""
    parts = arn.split(":")
    known = len(parts) == 6 and parts[4] in sns_backends and parts[3] in sns_backends[parts[4]]
    return sns_backends[parts[4]][parts[3]].topics.get(arn) if known else None


def subscriptions_of(topic: Topic) -> list[Subscription]:
    return [each for each in topic.sns_backend.subscriptions.values() if each.topic.arn == topic.arn]


def _deliver(topic: Topic, message: Message) -> str:
    for subscription in subscriptions_of(topic):
        if _is_wanted(subscription, message):
            try:
                _send(topic, subscription, message)
            except (Denied, Undelivered, Refused, NotImplementedError) as error:
                _log.warning("%s of %s did not reach %s: %s", message.id, topic.arn, subscription.endpoint, error)
                _redrive(topic, subscription, message)
    topic.sent_notifications.append((message.id, message.text, message.subject, dict(message.attributes), None))
    return message.id


def _is_wanted(subscription: Subscription, message: Message) -> bool:
    """Ask the filter policy; it is read anew, since moto keeps an older scope with it.

    https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
    """
    policy = subscription.attributes.get("FilterPolicy")
    if not policy:
        return True
    scope = subscription.attributes.get("FilterPolicyScope") or "MessageAttributes"
    return bool(FilterPolicyMatcher(json.loads(policy), scope).matches(dict(message.attributes), message.text))


def _send(topic: Topic, subscription: Subscription, message: Message) -> None:
    protocol, endpoint = str(subscription.protocol), str(subscription.endpoint)
    match protocol:
        case "sqs":
            by = Sender.service(_SERVICE, topic.arn, topic.account_id)
            body, attributes = for_queue(topic, subscription, message)
            send_to_queue(endpoint, body, by, attributes, message.fifo)
        case "lambda":
            record = {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription.arn,
                "Sns": for_function(topic, subscription, message),
            }
            later(endpoint, {"Records": [record]}, Invoker(_SERVICE, topic.arn, topic.account_id))
        case _ if protocol in _KEPT:
            _sent.append(_keep(topic, subscription, message))
        case _:
            raise Undelivered(f"the orgctl sandbox does not emulate subscriptions by {protocol}")


def _redrive(topic: Topic, subscription: Subscription, message: Message) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html."""
    policy = subscription.attributes.get("RedrivePolicy")
    arn = json.loads(policy).get("deadLetterTargetArn") if policy else None
    if not arn:
        return
    body, attributes = for_queue(topic, subscription, message)
    try:
        send_to_queue(str(arn), body, Sender.service(_SERVICE, topic.arn, topic.account_id), attributes, message.fifo)
    except (Denied, Undelivered) as error:
        _log.warning("%s did not reach the dead-letter queue either: %s", message.id, error)


def _keep(topic: Topic, subscription: Subscription, message: Message) -> Sent:
    protocol, text = str(subscription.protocol), message.for_protocol(str(subscription.protocol))
    if protocol == "email-json" or (protocol in ("http", "https") and not is_raw(subscription)):
        text = json.dumps(notification(topic, subscription, message))
    subject = message.subject or ("AWS Notification Message" if protocol.startswith("email") else "")
    return Sent(topic.arn, protocol, str(subscription.endpoint), subject, text, message.attributes, message.id, now())


def _publish(
    self: Topic,
    message: str,
    subject: str | None = None,
    message_attributes: dict[str, Any] | None = None,
    group_id: str | None = None,
    deduplication_id: str | None = None,
    message_structure: str | None = None,
) -> str:
    """Do so for a call to Publish, which has been judged but for the topic's key."""
    _require_key(self)
    fifo = {"group_id": group_id, "deduplication_id": deduplication_id} if self.fifo_topic else {}
    told = Message(message, subject or "", message_attributes or {}, message_structure or "", fifo)
    return _deliver(self, told)


def _lock(topic: Topic) -> Lock:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html."""
    region = str(topic.sns_backend.region_name)
    return Lock(topic.kms_master_key_id, topic.account_id, region, "sns", {"aws:sns:topicArn": topic.arn})


def _require_key(topic: Topic) -> None:
    caller = current_caller()
    if caller is None:
        return
    try:
        _lock(topic).require(caller.principal, TO_WRITE)
    except NoKey as error:
        raise _KeyDenied("KMSNotFound", str(error)) from error
    except Denied as denied:
        raise _KeyDenied(denied.message) from denied


_moto_subscribe = SNSBackend.subscribe


def _subscribe(self: SNSBackend, topic_arn: str, endpoint: str, protocol: str) -> Subscription:
    check_protocol(protocol)
    return _moto_subscribe(self, topic_arn, endpoint, protocol)


def install() -> None:
    SNSBackend.subscribe = _subscribe  # type: ignore[method-assign]
    Topic.publish = _publish  # type: ignore[method-assign]
