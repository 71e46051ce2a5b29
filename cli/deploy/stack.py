"""One CloudFormation stack: what is there, what would change, and the change.

Calls DescribeStacks, GetTemplate, CreateStack, UpdateStack and DescribeStackEvents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from org.errors import OrgctlError
from org.model import OWNER_TAG

_POLL_SECONDS = 5.0
_MOST_POLLS = 720
"""An hour: a Neptune cluster takes a quarter of it."""
_NO_UPDATE = "No updates are to be performed."
_NOT_THERE = "ValidationError"
"""CloudFormation's word for a stack that does not exist."""
_NEVER_MADE = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
"""A stack whose first making failed: it can only be deleted.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""
_KEPT_CLUSTER = "ROLLBACK_FAILED"
"""What cannot be deleted is still there: a cluster with deletion protection."""
_GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_BEGINS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
INLINE_BYTES = 51_200
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


@dataclass(frozen=True, slots=True)
class Wanted:
    name: str
    body: str
    parameters: Mapping[str, str]
    """Those whose values are known; others of the template keep their default, or the value they have."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What putting a stack would change, as far as can be told before the earlier stacks are put."""

    is_new: bool
    added: tuple[str, ...] = ()
    """Resources, by their names in the template."""
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    parameters: Mapping[str, tuple[str, str]] | None = None
    """Those with another value: the old one and the new one."""

    @property
    def is_nothing(self) -> bool:
        return not (self.is_new or self.added or self.changed or self.removed or self.parameters)


class Stacks:
    """The stacks of one account and Region. OrgctlError where a stack does not come to a good end."""

    def __init__(self, cloudformation: Any, sleep: Callable[[float], None]) -> None:  # noqa: ANN401 - boto3's own
        self._client = cloudformation
        self._sleep = sleep

    def outputs(self, name: str) -> Mapping[str, str] | None:
        """Answer the outputs; None where there is no such stack."""
        stack = self._describe(name)
        return None if stack is None else _outputs(stack)

    def difference(self, wanted: Wanted) -> Difference:
        stack = self._made(wanted.name)
        new = json.loads(wanted.body)["Resources"]
        if stack is None:
            return Difference(is_new=True, added=tuple(new))
        body = self._client.get_template(StackName=wanted.name)["TemplateBody"]
        old = (json.loads(body) if isinstance(body, str) else body)["Resources"]
        had = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
        return Difference(
            is_new=False,
            added=tuple(name for name in new if name not in old),
            changed=tuple(name for name in new if name in old and _plain(new[name]) != _plain(old[name])),
            removed=tuple(name for name in old if name not in new),
            parameters={
                name: (had.get(name, ""), value) for name, value in wanted.parameters.items() if had.get(name) != value
            },
        )

    def put(self, wanted: Wanted, template: Mapping[str, str]) -> tuple[bool, Mapping[str, str]]:
        """Make the stack, or bring it to what is wanted; answer whether anything changed, and its outputs.

        `template`: the TemplateBody, or the TemplateURL.
        """
        declared = frozenset(json.loads(wanted.body).get("Parameters", {}))
        arguments = {
            "StackName": wanted.name,
            **template,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in sorted(wanted.parameters.items())
                if key in declared
            ],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            # CloudFormation hands it on, and by it the guardrails know keys and rules of ours.
            "Tags": [{"Key": OWNER_TAG, "Value": "true"}],
            # Else what is to outlive its stack stays when its making is taken back, and is in the way of the next try.
            "RetainExceptOnCreate": True,
        }
        changed = self._create_or_update(wanted.name, arguments, declared)
        # One whose update was taken back is as it was before, which may be what is wanted.
        good = _GOOD if changed else _GOOD | {"UPDATE_ROLLBACK_COMPLETE"}
        return changed, _outputs(self._wait(wanted.name, good))

    def _create_or_update(self, name: str, arguments: Mapping[str, Any], declared: frozenset[str]) -> bool:
        stack = self._made(name)
        if stack is None:
            self._client.create_stack(**arguments)
            return True
        # What is left out of an update gets the template's default again, and not the value it has.
        given = {each["ParameterKey"] for each in arguments["Parameters"]}
        kept = sorted({each["ParameterKey"] for each in stack.get("Parameters", [])} & declared - given)
        previous = [{"ParameterKey": key, "UsePreviousValue": True} for key in kept]
        try:
            self._client.update_stack(**{**arguments, "Parameters": [*arguments["Parameters"], *previous]})
        except ClientError as error:
            if error.response["Error"]["Message"] == _NO_UPDATE:
                return False
            raise
        return True

    def _wait(self, name: str, good: frozenset[str]) -> Mapping[str, Any]:
        for _ in range(_MOST_POLLS):
            stack = self._describe(name)
            status = str(stack["StackStatus"]) if stack is not None else "gone"
            if stack is not None and status in good:
                return stack
            if stack is None:
                raise OrgctlError(f"stack {name}", "was deleted by somebody while it was made", "run again")
            if not status.endswith("_IN_PROGRESS"):
                raise OrgctlError(f"stack {name}", f"ended as {status}: {self._reason(stack)}", _todo(name, status))
            self._sleep(_POLL_SECONDS)
        raise OrgctlError(f"stack {name}", "is still in progress", "run again later")

    def _reason(self, stack: Mapping[str, Any]) -> str:
        """Answer what the first resource that failed says: the others were cancelled because of it.

        Events come with the newest first, those of all earlier operations at the end.
        """
        reason = str(stack.get("StackStatusReason") or "CloudFormation gives no reason")
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack["StackName"])
        for event in (event for page in pages for event in page["StackEvents"]):
            status = event["ResourceStatus"]
            if event["LogicalResourceId"] == stack["StackName"] and status in _BEGINS:
                break
            if status.endswith("_FAILED"):
                reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason')}"
        return reason

    def _made(self, name: str) -> Mapping[str, Any] | None:
        """Answer the stack, if there is one; OrgctlError for one that can only be deleted."""
        stack = self._describe(name)
        status = "" if stack is None else str(stack["StackStatus"])
        if status in _NEVER_MADE:
            raise OrgctlError(f"stack {name}", f"is {status}: it could not be made", _todo(name, status))
        return stack

    def _describe(self, name: str) -> Mapping[str, Any] | None:
        try:
            (stack,) = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == _NOT_THERE:
                return None
            raise
        found: Mapping[str, Any] = stack
        return found


def _todo(name: str, status: str) -> str:
    if status in _NEVER_MADE:
        first = "take the deletion protection off what is left of it, " if status == _KEPT_CLUSTER else ""
        command = f"aws cloudformation delete-stack --stack-name {name}"
        return f"mend what failed, {first}{command} in its account, and run again"
    return "mend what it names, and run again"


def _outputs(stack: Mapping[str, Any]) -> Mapping[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def _plain(value: object) -> str:
    return json.dumps(value, sort_keys=True)
