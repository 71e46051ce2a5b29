"""What AWS Config asks of a custom rule, read strictly; pure.

https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.lineage.compliance.evaluate import rules_named
from handlers.lineage.compliance.verdicts import Rule
from handlers.lineage.model import Key, Kind, key_of
from handlers.lineage.queries.asking import BadQuery
from org.errors import OrgctlError
from org.ids import AccountId, Region

INSTANCE = "AWS::EC2::Instance"
SCHEDULED = "ScheduledNotification"
CHANGED = {
    "ConfigurationItemChangeNotification": "configurationItem",
    "OversizedConfigurationItemChangeNotification": "configurationItemSummary",
}
"""Where each kind of message tells which resource changed; a large one tells only that, which is all that is needed."""
GONE = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})
_RULE_ARN = re.compile(r"arn:(aws[a-z-]*):config:([a-z0-9-]+):(\d{12}):config-rule/([\w./-]+)", re.ASCII)
_INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,17}", re.ASCII)


class BadInvocation(OrgctlError):
    """Not what AWS Config sends; nothing is told to anybody."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """Which rules are asked for, in which account, and of what."""

    account: AccountId
    region: Region
    """That of the Config rule: evaluations are put there."""
    rule: str
    """Its id: one that is made anew has another."""
    partition: str
    token: str
    time: datetime
    """By which Config orders evaluations of one resource."""
    rules: tuple[Rule, ...] | None
    """None: all that the manifest applies."""
    regions: tuple[Region, ...] | None
    """Of the images that are judged on a schedule; None: all that are governed, since rules are in one Region [H]."""
    changed: Key | None
    """The instance that changed; None: all is judged, on a schedule."""
    gone: bool = False
    """The instance is deleted, or the rule is no longer about it."""


def read_invocation(event: Mapping[str, Any]) -> Invocation:
    """Read an event. BadInvocation if anything is missing, of another type, or of two accounts at once.

    The event's `executionRoleArn` is not even read: whoever may invoke the function could name any role in it that
    trusts ours, and have us act in it (the confused deputy). The role is put together from the account's id instead.
    """
    arn = _RULE_ARN.fullmatch(_text(event, "configRuleArn"))
    if arn is None:
        raise _bad("configRuleArn is not the ARN of a rule")
    partition, region, account = arn[1], Region(arn[2]), AccountId(arn[3])
    message = _object(_text(event, "invokingEvent"), "invokingEvent")
    parameters = _object(str(event.get("ruleParameters") or "{}"), "ruleParameters")
    if _text(event, "accountId") != account:
        raise _bad("accountId is not the account of the rule")
    kind, token = _text(message, "messageType"), _text(event, "resultToken")
    rules, regions = _parameters(parameters)
    if kind == SCHEDULED:
        time = _time(message, "notificationCreationTime")
        if _text(message, "awsAccountId") != account:
            raise _bad("awsAccountId is not the account of the rule")
        return Invocation(account, region, arn[4], partition, token, time, rules, regions, None)
    if kind not in CHANGED:
        raise _bad(f"it cannot be told what a {kind[:60]!r} is")
    item = message.get(CHANGED[kind])
    if not isinstance(item, dict):
        raise _bad(f"{CHANGED[kind]} is missing")
    if (_text(item, "awsAccountId"), _text(item, "awsRegion")) != (account, region):
        raise _bad("the resource is of another account or Region than the rule")
    if _text(item, "resourceType") != INSTANCE or not _INSTANCE_ID.fullmatch(_text(item, "resourceId")):
        raise _bad("the resource is no instance")
    if rules is not None and Rule.INSTANCE_IMAGE not in rules:
        raise _bad(f"an instance changed, and the rule asks for {rules[0].value}")
    changed = key_of(Kind.INSTANCE, _text(item, "resourceId"), region, partition)
    gone = event.get("eventLeftScope") is True or _text(item, "configurationItemStatus") in GONE
    time = _time(item, "configurationItemCaptureTime")
    return Invocation(account, region, arn[4], partition, token, time, rules, regions, changed, gone)


def _parameters(said: Mapping[str, Any]) -> tuple[tuple[Rule, ...] | None, tuple[Region, ...] | None]:
    """Read `rules` and `regions`: names with commas; without `regions` all that are governed."""
    if unknown := sorted(set(said) - {"rules", "regions"}):
        raise _bad(f"the rule has no parameter {unknown[0][:60]!r}; there are rules and regions")
    rules = None
    if "rules" in said:
        try:
            rules = rules_named(_listed(said, "rules"))
        except BadQuery as error:
            raise _bad(f"{error.what}; {error.todo}") from error
    return rules, tuple(map(Region, _listed(said, "regions"))) if "regions" in said else None


def _listed(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in _text(said, name).split(","))


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _bad(f"{name} is missing")
    return value.strip()


def _time(said: Mapping[str, Any], name: str) -> datetime:
    try:
        time = datetime.fromisoformat(_text(said, name))
    except ValueError as error:
        raise _bad(f"{name} is not a time") from error
    if time.tzinfo is None:
        raise _bad(f"{name} has no time zone")
    return time


def _object(text: str, name: str) -> Mapping[str, Any]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(f"{name} is not JSON") from error
    if not isinstance(read, dict):
        raise _bad(f"{name} is not an object")
    return read


def _bad(what: str) -> BadInvocation:
    return BadInvocation("the invocation by AWS Config", what, "let AWS Config alone invoke this function")
