"""What is done in Security Hub's console and has no call of its own: a custom action on chosen findings.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html. Nobody's permission is
asked: at AWS the console needs those to read findings, and custom actions themselves have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from org.sandbox.securityhub.hub import SandboxHub, known_hubs

CUSTOM_ACTION = "Security Hub Findings - Custom Action"
_MOST_AT_ONCE = 20
"""https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-all-findings.html"""


def send_to_action(action: str, ids: Sequence[str]) -> dict[str, Any]:
    """Send findings, by their ids, to a custom action, by its id or ARN, in the hub that has it.

    Raises ValueError where there is no such action or finding, or more than one: then say which, by ARN.
    """
    if not 1 <= len(ids) <= _MOST_AT_ONCE:
        raise ValueError(f"1 to {_MOST_AT_ONCE} findings can be sent to a custom action at once, not {len(ids)}")
    hub, arn = _find_action(action)
    findings = []
    for id in ids:
        found = [each for each in hub.find({}) if id in (each["Id"], f"{each['ProductArn']}/{each['Id']}")]
        if len(found) != 1:
            raise ValueError(f"there are {len(found)} findings {id} in {hub.account_id} {hub.region_name}")
        findings += found
    target = hub.insights.actions[arn]
    detail = {"actionName": target["Name"], "actionDescription": target["Description"], "findings": findings}
    hub.tell(CUSTOM_ACTION, [arn], detail)
    return {"action": arn, "findings": [each["Id"] for each in findings]}


def _find_action(action: str) -> tuple[SandboxHub, str]:
    known = [(hub, arn) for hub in known_hubs() if hub.enabled for arn in hub.insights.actions]
    found = [(hub, arn) for hub, arn in known if action in (arn, arn.rpartition("/")[2])]
    if len(found) == 1:
        return found[0]
    choices = ", ".join(arn for _, arn in found or known) or "none at all"
    raise ValueError(f"there are {len(found)} custom actions {action}; known: {choices}")
