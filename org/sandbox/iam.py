"""IAM with the policies that AWS manages, and with room for many accounts.

Of the AWS managed policies (`arn:aws:iam::aws:policy/…`) moto has either none or, at a cost of megabytes and seconds
for each account, all: here each is there when it is asked for. And moto finds whose an access key is by asking every
account in turn, in every request: here there is one index.
"""

from __future__ import annotations

import importlib
import json
from functools import cache
from types import ModuleType
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam import models
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AccessKey, AWSManagedPolicy, IAMBackend, ManagedPolicy, iam_backends

_owners: dict[str, tuple[str, AccessKey]] = {}
"""Each access key with its account."""
_deleted: set[str] = set()
"""Keys that are nobody's any more, and must not pass for one that nobody made."""


class _AccessKeys(dict[str, AccessKey]):
    """The access keys of one account, which stand in the index too."""

    def __init__(self, account_id: str) -> None:
        super().__init__()
        self._account_id = account_id

    def __setitem__(self, id: str, key: AccessKey) -> None:
        _owners[id] = self._account_id, key
        _deleted.discard(id)
        super().__setitem__(id, key)

    def __delitem__(self, id: str) -> None:
        _owners.pop(id, None)
        _deleted.add(id)
        super().__delitem__(id)


def find_account_of(access_key: str) -> str:
    """Answer the account of an access key; a key that nobody made is the management account's."""
    found = find_key(access_key)
    return found[0] if found else DEFAULT_ACCOUNT_ID


def find_key(access_key: str) -> tuple[str, AccessKey] | None:
    """Answer the account of an access key and the key itself; None for one that nobody made."""
    return _owners.get(access_key)


def was_deleted(access_key: str) -> bool:
    return access_key in _deleted


class SandboxIAM(IAMBackend):
    """The IAM of one account."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.access_keys = _AccessKeys(account_id)

    def reset(self) -> None:
        for id in list(self.access_keys):
            del self.access_keys[id]
        _deleted.clear()
        super().reset()

    @property
    def _url_module(self) -> ModuleType:
        return importlib.import_module("moto.iam.urls")

    def get_policy(self, policy_arn: str) -> ManagedPolicy:
        self._admit(policy_arn)
        return super().get_policy(policy_arn)

    def attach_role_policy(self, policy_arn: str, role_name: str) -> None:
        self._admit(policy_arn)
        super().attach_role_policy(policy_arn, role_name)

    def attach_user_policy(self, policy_arn: str, user_name: str) -> None:
        self._admit(policy_arn)
        super().attach_user_policy(policy_arn, user_name)

    def attach_group_policy(self, policy_arn: str, group_name: str) -> None:
        self._admit(policy_arn)
        super().attach_group_policy(policy_arn, group_name)

    def _admit(self, policy_arn: str) -> None:
        name = policy_arn.rpartition("/")[2]
        if ":iam::aws:policy/" not in policy_arn or policy_arn in self.managed_policies:
            return
        data = _load_managed_policies().get(name)
        if data is not None:
            policy = AWSManagedPolicy.from_data(name, self.account_id, self.region_name, data)
            if policy.arn == policy_arn:
                self.managed_policies[policy_arn] = policy
                self.aws_managed_policies.append(policy)


@cache
def _load_managed_policies() -> dict[str, dict[str, Any]]:
    policies: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return policies


def install() -> None:
    iam_backends.backend = SandboxIAM
    iam_backends.clear()
    models.get_account_id_from = find_account_of
