"""AssumeRole, which AWS refuses where the role does not exist or does not trust the caller; moto hands out sessions.

What the caller's own policies and the service control policies say is not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from moto.core.exceptions import AccessDeniedError
from moto.core.responses import ActionResult
from moto.iam.models import Role, iam_backends
from moto.sts import urls
from moto.sts.responses import TokenResponse

from org.sandbox.organizations import find_organization_of


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks to assume a role, in the words of the condition keys."""

    account: str
    arn: str
    """Of the IAM identity: the role, not the session of it."""
    keys: Mapping[str, str]


def trusts(document: Mapping[str, Any], caller: Caller) -> bool:
    """Say whether a role's trust policy lets the caller assume it.

    Raises NotImplementedError for a condition that is not evaluated here, rather than guess.
    """
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    effects = {each["Effect"] for each in statements if _applies(each, caller)}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], caller: Caller) -> bool:
    actions = [action.lower() for action in _as_list(statement.get("Action", []))]
    if not any(fnmatchcase("sts:assumerole", action) for action in actions):
        return False
    principal = statement.get("Principal", {})
    named = ["*"] if principal == "*" else _as_list(principal.get("AWS", []))
    account_root = f"arn:aws:iam::{caller.account}:root"
    if not any(each in {"*", caller.account, account_root, caller.arn} for each in named):
        return False
    return all(
        _holds(operator, key, _as_list(wanted), caller)
        for operator, block in statement.get("Condition", {}).items()
        for key, wanted in block.items()
    )


def _holds(operator: str, key: str, wanted: list[str], caller: Caller) -> bool:
    kind, optional = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    negated = kind in {"StringNotEquals", "StringNotLike", "ArnNotLike", "ArnNotEquals"}
    if kind.replace("Not", "") not in {"StringEquals", "StringLike", "ArnLike", "ArnEquals"} or key not in _KEYS:
        raise NotImplementedError(f"the condition {operator} {key} in a role's trust policy")
    value = caller.keys.get(key, "")
    if not value:
        return optional or negated
    exact = kind in {"StringEquals", "StringNotEquals"}
    found = any(value == each if exact else fnmatchcase(value, each) for each in wanted)
    return found != negated


_KEYS = {"sts:ExternalId", "aws:PrincipalOrgID", "aws:PrincipalAccount", "aws:PrincipalArn"}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class SandboxTokenResponse(TokenResponse):
    """STS, with AssumeRole refused as AWS refuses it."""

    def assume_role(self) -> ActionResult:
        role_arn = self._get_param("RoleArn")
        caller = self._describe_caller()
        role = self._find_role(role_arn)
        if role is None or not trusts(json.loads(role.assume_role_policy_document), caller):
            raise AccessDeniedError(caller.arn, f"sts:AssumeRole on resource: {role_arn}")
        return super().assume_role()

    def _find_role(self, role_arn: str) -> Role | None:
        """Answer the role; None also where its account is closed."""
        account_id = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
        # Looking a backend up makes it: an account that nobody knows must not come to be by asking.
        if account_id not in iam_backends:
            return None
        organization = find_organization_of(account_id, self.partition)
        if organization is not None and not organization.is_active(account_id):
            return None
        roles = iam_backends[account_id][self.partition].get_roles()
        return next((role for role in roles if role.arn == role_arn), None)

    def _describe_caller(self) -> Caller:
        account = self.current_account
        key = self.get_access_key()
        session = self.backend.get_assumed_role_from_access_key(key)
        arn = session.role_arn if session else self.backend.get_caller_identity(key, self.region)[1]
        organization = find_organization_of(account, self.partition)
        return Caller(
            account,
            arn,
            {
                "sts:ExternalId": self._get_param("ExternalId") or "",
                "aws:PrincipalOrgID": organization.organization.id if organization else "",
                "aws:PrincipalAccount": account,
                "aws:PrincipalArn": arn,
            },
        )


def install() -> None:
    urls.url_paths = {"{0}/$": SandboxTokenResponse.dispatch}
