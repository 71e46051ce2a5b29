"""What AWS says where it denies a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
"""

from __future__ import annotations

import base64
import json
import zlib

from org.policy.decision import Deciding, Decision
from org.policy.model import PolicyKind
from org.sandbox.authorization.model import Check
from org.sandbox.authorization.principals import Caller
from org.sandbox.authorization.requests import service_names

_QUOTING = frozenset({"s3"})
"""S3 puts the resource in quotes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html"""

_WITH_ARN = frozenset({
    PolicyKind.SERVICE_CONTROL, PolicyKind.RESOURCE_CONTROL, PolicyKind.BOUNDARY, PolicyKind.SESSION,
    PolicyKind.IDENTITY,
})  # fmt: skip


class Denied(Exception):
    """A call that the policies do not allow."""

    def __init__(self, message: str, check: Check, caller: Caller) -> None:
        super().__init__(message)
        self.message = message
        self.check = check
        self.caller = caller

    @property
    def encoded(self) -> str:
        """What EC2 adds for `sts:DecodeAuthorizationMessage`; here it is no secret, and holds little."""
        facts = {"allowed": False, "principal": self.caller.shown, "action": self.check.action}
        text = json.dumps({**facts, "resource": self.check.resource})
        return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()


def denial(caller: Caller, check: Check, decision: Decision | None, *, explained: bool = True) -> Denied:
    """Make the denial; AWS says why only to callers of the same account or organization (`explained`)."""
    action = _as_shown(check.action)
    resource = f'"{check.resource}"' if action.partition(":")[0] in _QUOTING else check.resource
    message = f"User: {caller.shown} is not authorized to perform: {action} on resource: {resource}"
    if decision is not None and decision.deciding and explained:
        message = f"{message} {_reason(_first(decision), action)}"
    return Denied(message, check, caller)


def _as_shown(action: str) -> str:
    """Write the action as its service does in a denial: SNS with `SNS:`, SQS in lower case."""
    service, _, name = action.partition(":")
    shown = service_names().shown.get(service, service)
    return action.lower() if shown == "lower" else f"{shown}:{name}"


def _first(decision: Decision) -> Deciding:
    """Choose the one that AWS names, though several deny; [H]: the first, explicit ones before the others."""
    return next((each for each in decision.deciding if each.explicit), decision.deciding[0])


def _reason(deciding: Deciding, action: str) -> str:
    kind = PolicyKind.RESOURCE if deciding.kind is PolicyKind.KEY else deciding.kind
    if not deciding.explicit:
        return f"because no {kind} allows the {action} action"
    article = "the" if kind is PolicyKind.TRUST else "an" if kind is PolicyKind.IDENTITY else "a"
    arn = f": {deciding.arn}" if deciding.arn and kind in _WITH_ARN else ""
    return f"with an explicit deny in {article} {kind}{arn}"
