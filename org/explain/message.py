"""An access-denied message as a value: who was refused what, and by which kind of policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from org.errors import OrgctlError
from org.policy.model import PolicyKind
from org.policy.request import ContextValue

MAX_CHARACTERS = 100_000
EXPECTED = (
    "give the whole message: 'User: ARN is not authorized to perform: service:Action on resource: ARN "
    "with an explicit deny in a service control policy: ARN'"
)

_KINDS = {
    "identity-based policy": PolicyKind.IDENTITY,
    "resource-based policy": PolicyKind.RESOURCE,
    "permissions boundary policy": PolicyKind.BOUNDARY,
    "permissions boundary": PolicyKind.BOUNDARY,
    "session policy": PolicyKind.SESSION,
    "sessions policy": PolicyKind.SESSION,
    "service control policy": PolicyKind.SERVICE_CONTROL,
    "resource control policy": PolicyKind.RESOURCE_CONTROL,
    "role trust policy": PolicyKind.TRUST,
    "kms key policy": PolicyKind.KEY,
    "vpc endpoint policy": PolicyKind.ENDPOINT,
}
_CALL = re.compile(r"An error occurred \(([\w.]+)\) when calling the (\w+) operation")
_HEAD = re.compile(r"(\S+) is not authorized to perform:? ", re.IGNORECASE)
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*]+")
_ON = re.compile(r"\s+on (?:the )?resources?:\s*", re.IGNORECASE)
_TYPE = "|".join(_KINDS)
_ARN = r"(?::\s*(?P<arn>arn:[^\s\"',;)]+))?"
_EXPLICIT = re.compile(
    rf"with an explicit deny in (?:an?|the) (?P<type>{_TYPE})(?: transitively through an? (?P<through>{_TYPE}))?{_ARN}",
    re.IGNORECASE,
)
_IMPLICIT = re.compile(rf"because no (?P<type>{_TYPE}) allows the \S+ action{_ARN}", re.IGNORECASE)
_REASON = re.compile(r"with an explicit deny|because no ", re.IGNORECASE)
_UNKNOWN_REASON = re.compile(r"with an explicit deny in [^:.]{1,60}|because no [^:.]{1,60}", re.IGNORECASE)
_ENCODED = re.compile(r"Encoded authorization failure message:\s*([\w+/=-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a message tells; an empty text is what it does not tell."""

    principal: str
    """An ARN, or `anonymous`."""
    action: str
    resource: str = ""
    kind: PolicyKind | None = None
    explicit: bool | None = None
    """A statement denies; False: none allows."""
    policy_arn: str = ""
    code: str = ""
    """`AccessDenied`, `UnauthorizedOperation`, …"""
    operation: str = ""
    encoded: str = ""
    """What only `aws sts decode-authorization-message` can read."""
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    """By condition key in lower case; a decoded message alone tells it."""
    more: int = 0
    """How many further messages the text holds."""


def parse_message(text: str) -> Refusal:
    """Read a message, also within other text and over several lines; raises OrgctlError where it is none."""
    if len(text) > MAX_CHARACTERS:
        raise OrgctlError("message", f"it has more than {MAX_CHARACTERS:,} characters", "give the message alone")
    flat = " ".join(text.split())
    encoded = _ENCODED.search(flat)
    head = _HEAD.search(flat)
    action = _ACTION.match(flat, head.end()) if head else None
    if head is None or action is None:
        raise _not_understood(flat, encoded[1] if encoded else "")
    call = _CALL.search(flat)
    principal = head[1].strip("\"'(").removeprefix("User:")
    rest = flat[action.end() : encoded.start() if encoded else None]
    following = _HEAD.search(rest)
    more = sum(_ACTION.match(flat, each.end()) is not None for each in _HEAD.finditer(flat, head.end()))
    rest = rest[: following.start()] if following else rest
    resource, rest = _split(rest)
    kind, explicit, arn = _reason(rest)
    return Refusal(
        principal,
        action[0],
        resource,
        kind,
        explicit,
        arn,
        call[1] if call else "",
        call[2] if call else "",
        encoded[1] if encoded else "",
        more=more,
    )


def _split(rest: str) -> tuple[str, str]:
    """Answer what stands after `on resource:`, and what follows; it holds blanks in quotes, or before a reason."""
    on = _ON.match(rest)
    if on is None:
        return "", rest
    text = rest[on.end() :]
    if text.startswith('"'):
        resource, _, after = text[1:].partition('"')
        return resource, after
    reason = _REASON.search(text)
    if reason is not None:
        return text[: reason.start()].strip(" .,;"), text[reason.start() :]
    resource, _, after = text.partition(" ")
    return resource.rstrip(".,;)'\""), after


def _reason(rest: str) -> tuple[PolicyKind | None, bool | None, str]:
    explicit = _EXPLICIT.search(rest)
    if explicit is not None:
        # Behind an endpoint the message names two kinds: the latter is what denies.
        return _KINDS[(explicit["through"] or explicit["type"]).lower()], True, _arn(explicit)
    implicit = _IMPLICIT.search(rest)
    if implicit is not None:
        return _KINDS[implicit["type"].lower()], False, _arn(implicit)
    unknown = _UNKNOWN_REASON.search(rest)
    if unknown is not None:
        known = ", ".join(dict.fromkeys(each.value for each in _KINDS.values()))
        raise OrgctlError("message", f"{unknown[0]!r} names no kind of policy that is known", f"known are: {known}")
    return None, True if "with an explicit deny" in rest.lower() else None, ""


def _arn(found: re.Match[str]) -> str:
    return (found["arn"] or "").rstrip(".")


def _not_understood(flat: str, encoded: str) -> OrgctlError:
    if encoded:
        return OrgctlError(
            "message",
            "who was refused what stands in its encoded part alone",
            f"run: aws sts decode-authorization-message --encoded-message {encoded}, "
            "and give orgctl guardrails explain what it prints",
        )
    said = flat[:60] + ("…" if len(flat) > 60 else "")
    return OrgctlError("message", f"{said!r} is not an access-denied message that names an action", EXPECTED)
