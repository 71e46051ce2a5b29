"""Policies of resources, and whose they are: buckets, queues, topics, keys, functions, buses, secrets, APIs, logs.

Other resources have policies at AWS, too (repositories, tables, file systems, …): of these nothing is known here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from org.policy.model import PolicyKind
from org.sandbox.authorization.principals import Written
from org.sandbox.authorization.resources import account_of
from org.sandbox.gateway.deployed import find_policy
from org.sandbox.organizations import find_organization_of


@dataclass(frozen=True, slots=True)
class Guarded:
    """A resource's owner and its policy."""

    account: str
    policy: Written | None = None
    kind: PolicyKind = PolicyKind.RESOURCE


@dataclass(frozen=True, slots=True)
class _Arn:
    whole: str
    partition: str
    service: str
    region: str
    account: str
    name: str


def find_guarded(action: str, arn: str, own_account: str) -> Guarded:
    """Answer whose the resource is (the caller's own, where its ARN does not say) and which policy it has."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return Guarded(own_account)
    read = _Arn(arn, parts[1], parts[2], parts[3], account_of(arn), parts[5])
    if read.service == "s3":
        return _bucket(read, own_account)
    # What the organization has is the management account's, and delegation is no resource-based policy here.
    account = own_account if read.service == "organizations" else read.account or own_account
    if read.service == "iam":
        return _role(read, account) if action.lower().startswith("sts:") else Guarded(account)
    find = _POLICIES.get(read.service)
    text = find(read) if find is not None and read.account else None
    kind = PolicyKind.KEY if read.service == "kms" else PolicyKind.RESOURCE
    return Guarded(account, Written(read.name, text) if text else None, kind)


def _bucket(arn: _Arn, own_account: str) -> Guarded:
    name = arn.name.partition("/")[0]
    partition, account = s3_backends.bucket_accounts.get(name, (arn.partition, own_account))
    if name not in s3_backends.bucket_accounts:
        return Guarded(own_account)
    bucket = s3_backends[account][partition].buckets.get(name)
    policy = bucket.policy.decode() if bucket is not None and bucket.policy else ""
    return Guarded(account, Written(name, policy) if policy else None)


def _role(arn: _Arn, account: str) -> Guarded:
    # Looking a backend up makes it: an account that nobody knows must not come to be by asking.
    known = account in iam_backends and not _is_closed(account, arn.partition)
    roles = iam_backends[account][arn.partition].roles.values() if known else ()
    role = next((each for each in roles if each.arn == arn.whole), None)
    trust = Written(role.name, str(role.assume_role_policy_document)) if role is not None else None
    return Guarded(account, trust, PolicyKind.TRUST)


def _is_closed(account: str, partition: str) -> bool:
    organization = find_organization_of(account, partition)
    return organization is not None and not organization.is_active(account)


def _queue(arn: _Arn) -> str | None:
    queue = sqs_backends[arn.account][arn.region].queues.get(arn.name)
    policy = queue.policy if queue is not None else None
    return policy if isinstance(policy, str) or policy is None else json.dumps(policy)


def _topic(arn: _Arn) -> str | None:
    topic = sns_backends[arn.account][arn.region].topics.get(arn.whole)
    return str(topic.policy) if topic is not None else None


def _key(arn: _Arn) -> str | None:
    key = kms_backends[arn.account][arn.region].keys.get(arn.name.removeprefix("key/"))
    return str(key.policy) if key is not None else None


def _function(arn: _Arn) -> str | None:
    function = lambda_backends[arn.account][arn.region].get_function_by_arn(arn.whole)
    statements = function.policy.statements if function is not None else ()
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


def _event_bus(arn: _Arn) -> str | None:
    buses = events_backends[arn.account][arn.region].event_buses
    bus = buses.get(arn.name.removeprefix("event-bus/")) if arn.name.startswith("event-bus/") else None
    return bus.policy if bus is not None else None


def _log_group(arn: _Arn) -> str | None:
    """Answer all policies of CloudWatch Logs in the Region as one: they are about log groups by their ARNs.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    policies = logs_backends[arn.account][arn.region].resource_policies.values()
    found: list[Any] = []
    for policy in policies:
        statements = json.loads(policy.policy_document)["Statement"]
        found += statements if isinstance(statements, list) else [statements]
    return json.dumps({"Version": "2012-10-17", "Statement": found}) if found else None


def _secret(arn: _Arn) -> str | None:
    secret = secretsmanager_backends[arn.account][arn.region].secrets.get(arn.whole)
    return getattr(secret, "policy", None)


def _stage(arn: _Arn) -> str | None:
    api, _, rest = arn.name.partition("/")
    return find_policy(api, rest.partition("/")[0]) or None


_POLICIES: Mapping[str, Callable[[_Arn], Any]] = {
    "events": _event_bus,
    "execute-api": _stage,
    "kms": _key,
    "lambda": _function,
    "logs": _log_group,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
