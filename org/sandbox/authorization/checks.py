"""All that must be allowed for a call to be served."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from org.policy.catalog import ActionEntry
from org.sandbox.authorization import ec2, scaling, tagging
from org.sandbox.authorization.actions import Needed, actions_of
from org.sandbox.authorization.grants import engine
from org.sandbox.authorization.keys import keys_of
from org.sandbox.authorization.model import Check
from org.sandbox.authorization.requests import ReadRequest, service_names
from org.sandbox.authorization.resource_policies import find_guarded
from org.sandbox.authorization.resources import targets_of

_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+")
_TAKES_NO_ROLE = frozenset({"iam", "sts", "kms", "organizations"})
"""Services that no role is passed to by its ARN: in their calls it stands for a principal."""

_BY_METHOD = "apigateway"

RESOURCE = "resource"
"""In `Check.unknown`: a part of the resource is not known."""


def checks_of(read: ReadRequest) -> tuple[Check, ...]:
    """Answer the checks; none for a call that needs no permission.

    Raises NotImplementedError for an operation whose action nobody knows.
    """
    if read.call.service == "ec2":
        found = ec2.checks_of(read.call)
        if found is not None:
            return found
    return tuple(_checks(read))


def _checks(read: ReadRequest) -> Iterator[Check]:
    call = read.call
    for needed in actions_of(call.service, read.prefix, call.operation, call.parameters):
        catalog = engine().catalog
        if catalog.is_free(needed.action):
            continue
        entry = catalog.find_action(needed.action)
        if entry is None and read.prefix == _BY_METHOD:
            yield _check_by_method(read)
            continue
        if entry is None:
            raise NotImplementedError(f"which permission it needs: there is no action {needed.action}")
        yield from _checks_of_action(read, entry, needed)
    if call.service not in _TAKES_NO_ROLE:
        yield from _checks_of_passing(read)
    if call.service == "autoscaling" and call.operation in scaling.OPERATIONS:
        yield from scaling.checks_of_launches(call)
    if call.operation in tagging.OPERATIONS:
        yield from _checks_of_tagging(read)


def _checks_of_tagging(read: ReadRequest) -> Iterator[Check]:
    for action, arn in tagging.resources_tagged(read.call):
        entry = engine().catalog.find_action(action)
        if entry is None:
            raise NotImplementedError(f"which permission it needs: there is no action {action}")
        owner = find_guarded(action, arn, read.call.account).account
        context, unknown = keys_of(replace(read, prefix=entry.service), entry, arn, owner)
        yield Check(entry.full_name, arn, owner, context, unknown)
    call = tagging.call_of_ec2(read.call)
    if call is not None:
        yield from ec2.checks_of(call) or ()


def _check_by_method(read: ReadRequest) -> Check:
    """Ask for the HTTP method on the path, which is how API Gateway does it.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
    """
    action = f"{_BY_METHOD}:{read.http.method}"
    entry = engine().catalog.find_action(action)
    unknown = frozenset(key.lower() for key in entry.keys) if entry is not None else frozenset()
    arn = f"arn:{get_partition(read.call.region)}:{_BY_METHOD}:{read.call.region}::{read.http.raw_path}"
    return Check(action, arn, read.call.account, unknown=unknown)


def _checks_of_action(read: ReadRequest, entry: ActionEntry, needed: Needed) -> Iterator[Check]:
    for target in targets_of(read.call, entry, needed.resource, needed.type):
        owner = find_guarded(entry.full_name, target.arn, read.call.account).account
        context, unknown = keys_of(read, entry, target.arn, owner)
        if not target.certain and "*" in target.arn:
            unknown |= {RESOURCE}
        yield Check(entry.full_name, target.arn, owner, context, unknown)


def _checks_of_passing(read: ReadRequest) -> Iterator[Check]:
    """Ask for `iam:PassRole` on every role that the call gives to the service.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    call = read.call
    to = service_names().passed_to.get(call.service)
    roles = iam_backends[call.account][get_partition(call.region)].roles.values()
    named = {str(role.name): str(role.arn) for role in roles}
    for arn in dict.fromkeys(_roles_in(call.parameters, "", named)):
        if to is None:
            unknown = frozenset({"iam:passedtoservice", "iam:associatedresourcearn"})
            yield Check("iam:PassRole", arn, unknown=unknown)
        else:
            unknown = frozenset({"iam:associatedresourcearn"})
            yield Check("iam:PassRole", arn, context={"iam:passedtoservice": to}, unknown=unknown)


def _roles_in(value: Any, name: str, named: Mapping[str, str]) -> Iterator[str]:
    """Find the roles, in parameters that are called so, by ARN or name: a policy's text names principals."""
    if isinstance(value, str):
        if "role" in name.lower():
            found = value if _ROLE.fullmatch(value) else named.get(value.rpartition("/")[2])
            if found:
                yield found
    elif isinstance(value, dict):
        # SNS sets attributes one by one: the name stands beside the value.
        pair = str(value.get("AttributeName", ""))
        for key, each in value.items():
            yield from _roles_in(each, pair if key == "AttributeValue" else str(key), named)
    elif isinstance(value, list):
        for each in value:
            yield from _roles_in(each, name, named)
