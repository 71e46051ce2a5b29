"""What EC2 declarative policies take from an account: the calls that set an attribute, and what it then is.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ec2.html
They bind whoever calls, the management account too. [H]: an attribute is declared by the lowest level that assigns it
(operators of inheritance are not looked at); the error's code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moto.ec2.exceptions import EC2ClientError

from org.model import PolicyType
from org.proof.declarative import denied_calls
from org.sandbox.organizations import find_organization_of

DEFAULT_MESSAGE = "This action is denied due to an organizational policy in effect."
_TYPE = PolicyType("DECLARATIVE_POLICY_EC2")
_CODE = "DeclarativePolicyViolation"


def refuse_declared(account: str, partition: str, action: str) -> None:
    """Refuse a call that would set what a policy declares, with the policy's own message."""
    for content in _contents(account, partition):
        policy = denied_calls(content)
        if policy is not None and any(f"ec2:{action}" in each.actions for each in policy.statements):
            message = _assigned(_attributes(content).get("exception_message")) or DEFAULT_MESSAGE
            raise EC2ClientError(_CODE, message)


def declared_state(account: str, partition: str, attribute: str) -> str:
    """Answer the state that a policy gives the attribute, as EC2 writes it; empty where none does."""
    for content in _contents(account, partition):
        state = _assigned(_attributes(content).get(attribute, {}).get("state"))
        if state:
            return state.replace("_", "-")
    return ""


def _contents(account: str, partition: str) -> Iterator[str]:
    """Answer the policies around the account, the nearest first."""
    organization = find_organization_of(account, partition)
    if organization is None or not organization.has_account(account):
        return
    if not organization.is_enabled(_TYPE):
        return
    member = organization.get_account_by_id(account)
    targets = [organization.get_target(id) for id in organization.chain_of(member.parent_id)]
    for target in (member, *reversed(targets)):
        for policy in target.attached_policies:
            if policy.type == _TYPE:
                yield str(policy.content)


def _attributes(content: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content).get("ec2_attributes", {})
    return found


def _assigned(value: Any) -> str:
    return str(value.get("@@assign", "")) if isinstance(value, dict) else ""
