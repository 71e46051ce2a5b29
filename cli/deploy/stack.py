"""One CloudFormation stack: what is there, what would change, and the change.

Calls DescribeStacks, GetTemplate, CreateStack, UpdateStack and DescribeStackEvents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from org.errors import OrgctlError

_POLL_SECONDS = 5.0
_MOST_POLLS = 720
"""An hour: a Neptune cluster takes a quarter of it."""
_NO_UPDATE = "No updates are to be performed."
_UNDER_WAY = "_IN_PROGRESS state and can not be updated."
_LATER = "run again when it has ended"
_GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
"""States in which a stack can be changed."""
_BEGUN = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"})
_NOT_THERE = "ValidationError"
"""CloudFormation's word for a stack that does not exist."""
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
        stack = self._describe(wanted.name)
        new = json.loads(wanted.body)["Resources"]
        if stack is None:
            return Difference(is_new=True, added=tuple(new))
        self._check_state(wanted.name, str(stack["StackStatus"]))
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
        declared = json.loads(wanted.body).get("Parameters", {})
        arguments = {
            "StackName": wanted.name,
            **template,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in sorted(wanted.parameters.items())
                if key in declared
            ],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }
        if self._create_or_update(wanted.name, arguments):
            return True, _outputs(self._wait(wanted.name))
        return False, self.outputs(wanted.name) or {}

    def _create_or_update(self, name: str, arguments: Mapping[str, Any]) -> bool:
        stack = self._describe(name)
        if stack is not None:
            self._check_state(name, str(stack["StackStatus"]))
        try:
            if stack is None:
                self._client.create_stack(**arguments)
            else:
                self._client.update_stack(**arguments)
        except ClientError as error:
            said = error.response["Error"]
            if said["Message"] == _NO_UPDATE:
                return False
            if said["Code"] == "AlreadyExistsException" or said["Message"].endswith(_UNDER_WAY):
                raise OrgctlError(f"stack {name}", "something else began to change it just now", _LATER) from error
            raise
        return True

    def _check_state(self, name: str, status: str) -> None:
        """Refuse a stack that CloudFormation would not change as it is.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
        """
        if status in _GOOD:
            return
        where = f"stack {name}"
        if status.endswith("_IN_PROGRESS"):
            raise OrgctlError(where, f"is being changed by something else: {status}", _LATER)
        raise OrgctlError(where, f"is {status}: {self._reason(name)}", _todo(name, status))

    def _wait(self, name: str) -> Mapping[str, Any]:
        for _ in range(_MOST_POLLS):
            stack = self._describe(name)
            if stack is None:
                raise OrgctlError(f"stack {name}", "was deleted by somebody while it was made", "run again")
            status = str(stack["StackStatus"])
            if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
                return stack
            if not status.endswith("_IN_PROGRESS"):
                raise OrgctlError(f"stack {name}", f"ended as {status}: {self._reason(name)}", _todo(name, status))
            self._sleep(_POLL_SECONDS)
        raise OrgctlError(f"stack {name}", "is still in progress after an hour", _LATER)

    def _reason(self, name: str) -> str:
        """Answer what the first resource that failed says: the others were cancelled because of it.

        Where none failed, what the stack itself says of its rolling back.
        """
        failed = rolled_back = None
        for each in self._events(name):
            reason = each.get("ResourceStatusReason")
            is_stack = each["PhysicalResourceId"] == each["StackId"]
            if is_stack and each["ResourceStatus"] in _BEGUN:
                break  # Before that it is of an earlier operation.
            if is_stack and reason:
                rolled_back = reason
            elif not is_stack and each["ResourceStatus"].endswith("_FAILED"):
                failed = f"{each['LogicalResourceId']} ({each['ResourceType']}): {reason or 'no reason given'}"
        return (failed or rolled_back or "CloudFormation gives no reason").rstrip(". ")

    def _events(self, name: str) -> Iterator[Mapping[str, Any]]:
        """Yield events, the newest first, as CloudFormation tells them."""
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=name):
            yield from page["StackEvents"]

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
    if status in {"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"}:
        # Nothing but deletion is possible then, and nobody uses yet what its first making left.
        delete = f"aws cloudformation delete-stack --stack-name {name}"
        return f"mend what it names, then `{delete}` in its account, and run again"
    if status == "UPDATE_ROLLBACK_FAILED":
        return f"mend what it names, then `aws cloudformation continue-update-rollback --stack-name {name}`"
    return "mend what it names, and run again"


def _outputs(stack: Mapping[str, Any]) -> Mapping[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def _plain(value: object) -> str:
    return json.dumps(value, sort_keys=True)
