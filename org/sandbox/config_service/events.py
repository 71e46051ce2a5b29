"""What a rule's function is given.

https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from moto.core.utils import utcnow

from org.sandbox.config_service.items import Item
from org.sandbox.config_service.rules import ON_CHANGE, ON_SCHEDULE, Rule

Circumstance = Mapping[str, Any]
"""Why a rule is evaluated: what stands in `invokingEvent`."""


def changed(item: Item, time: str) -> Circumstance:
    """An item is never so large that AWS would leave its configuration out.  [H]: that a diff may be missing."""
    return {
        "configurationItemDiff": None,
        "configurationItem": item,
        "notificationCreationTime": time,
        "messageType": ON_CHANGE,
        "recordVersion": "1.3",
    }


def scheduled(account: str, time: str) -> Circumstance:
    return {
        "awsAccountId": account,
        "notificationCreationTime": time,
        "messageType": ON_SCHEDULE,
        "recordVersion": "1.0",
    }


def payload(rule: Rule, why: Circumstance, token: str, *, left: bool, role: str, account: str) -> dict[str, Any]:
    """`left`: whether the resource has left the rule's scope; `role`: the recorder's [H for rules of organizations]."""
    return {
        "version": "1.0",
        "invokingEvent": json.dumps(why, separators=(",", ":")),
        "ruleParameters": rule.parameters,
        "resultToken": token,
        "eventLeftScope": left,
        "executionRoleArn": role,
        "configRuleArn": rule.config_rule_arn,
        "configRuleName": rule.config_rule_name,
        "configRuleId": rule.config_rule_id,
        "accountId": account,
    }


def now() -> str:
    return utcnow().replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
