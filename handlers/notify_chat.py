"""The function that brings notices from SNS to a chat's webhook.

Calls secretsmanager:GetSecretValue on the webhook's secret, and posts to the address in it. Whoever has the address can
write into the chat: it is neither logged nor told in an error.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from handlers.lineage.environment import setting
from org.errors import OrgctlError
from org.gateway.errors import aws_errors

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "lineage-notify"
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="orgctl", service=SERVICE)

SECRET = "ORGCTL_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
SECONDS = 10.0
KEPT = 300.0
"""Seconds for which the address is kept: a new one is used soon after it is put."""
LONGEST = 3_000
"""Characters of a text in Slack (https://docs.slack.dev/reference/block-kit/composition-objects/text-object)."""


class NotDelivered(OrgctlError):
    """The chat did not take a notice; Lambda tries again, and then puts it aside."""


class Webhook(NamedTuple):
    """Where to post: `https` only."""

    host: str
    port: int | None
    path: str


Post = Callable[[Webhook, bytes], int]
"""Posts a body and answers the status of the HTTP response; NotDelivered if there is none. No redirect is followed."""


@cache
def _address() -> Kept:
    return Kept(_read_secret, time.monotonic)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 - the decorators read it
    """Post each notice; answers how many."""
    return {"delivered": deliver(event, _address(), post)}


class Kept:
    """An address that is read anew after a while."""

    def __init__(self, read: Callable[[], str], clock: Callable[[], float]) -> None:
        self._read, self._clock = read, clock
        self._value: Webhook | None = None
        self._until = 0.0

    def get(self) -> Webhook:
        if self._value is None or self._clock() >= self._until:
            self._value, self._until = webhook(self._read()), self._clock() + KEPT
        return self._value

    def forget(self) -> None:
        """Read it anew next time: it may have been changed."""
        self._value = None


def deliver(event: Mapping[str, Any], address: Kept, post: Post) -> int:
    """Post the notices of an SNS event. NotDelivered for what is refused: all of the event come again then."""
    records = event["Records"]
    for record in records:
        status = post(address.get(), body_of(record["Sns"]))
        if not 200 <= status < 300:
            address.forget()
            metrics.add_metric("notices_refused", MetricUnit.Count, 1)
            what = f"the chat answered {status}" + (
                ", a redirect, which is not followed" if 300 <= status < 400 else ""
            )
            raise NotDelivered("the chat's webhook", what, "see that the address in its secret is right")
        logger.info("a notice was delivered", message_id=record["Sns"].get("MessageId"), status=status)
    metrics.add_metric("notices_delivered", MetricUnit.Count, len(records))
    return len(records)


def body_of(notice: Mapping[str, Any]) -> bytes:
    """Write a notice as Slack reads it (`text`): what would mean something to Slack is escaped, mentions included.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    subject, message = str(notice.get("Subject") or "orgctl"), str(notice.get("Message") or "")
    head = f"*{_plain(subject.replace('*', '∗'), LONGEST // 10)}*\n"
    return json.dumps({"text": head + _plain(message, LONGEST - len(head))}).encode()


_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _plain(text: str, longest: int) -> str:
    """Escape a text, and end it before it is too long, never within an escape."""
    written = [_ESCAPED.get(each, each) for each in text]
    lengths = accumulate(map(len, written))
    fits = sum(length < longest for length in lengths)
    return "".join(written[:fits]) + ("…" if fits < len(written) else "")


def webhook(secret: str) -> Webhook:
    """Read an address: the secret's whole text, or its JSON's `url`. NotDelivered, without the text, if it is none."""
    text = secret.strip()
    if text.startswith("{"):
        try:
            read = json.loads(text)
        except ValueError:
            raise _no_address() from None
        text = str(read.get("url", ""))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _no_address() from None
    if not _is_address(parts, text):
        raise _no_address()
    return Webhook(str(parts.hostname), port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _is_address(parts: SplitResult, text: str) -> bool:
    usable = text.isascii() and text.isprintable() and " " not in text
    return usable and parts.scheme == "https" and bool(parts.hostname) and parts.username is None


def _no_address() -> NotDelivered:
    what = "it holds no https address, or one with a user or strange characters"
    return NotDelivered("the webhook's secret", what, "put the chat's address into it")


def post(to: Webhook, body: bytes) -> int:
    """Post with TLS and its certificates checked; a redirect is answered like any status and not followed."""
    connection = http.client.HTTPSConnection(to.host, to.port, timeout=SECONDS)
    try:
        connection.request("POST", to.path, body, {"Content-Type": "application/json; charset=utf-8"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        # The error's text may hold the address.
        what = f"there is no answer ({type(error).__name__})"
        raise NotDelivered("the chat's webhook", what, "see that the function reaches the internet") from None
    finally:
        connection.close()


def _read_secret() -> str:
    import boto3

    with aws_errors("secretsmanager:GetSecretValue"):
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=setting(SECRET))
    return str(answer.get("SecretString", ""))
