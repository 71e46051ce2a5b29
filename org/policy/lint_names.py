"""Lint rules on names: services, actions, condition keys and resources that do not exist, or not together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from org.policy.catalog import SESSION_KEYS
from org.policy.lint_model import Fault, Linted, PlacedStatement, Rule, Severity, is_of_one_service, some
from org.policy.model import PolicyKind
from org.policy.parse_values import without_variables
from org.policy.patterns import is_pattern, overlaps
from org.policy.request_keys import takes_key
from org.source.findings import Place, suggest

_REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/"
_ACTIONS = _REFERENCE + "reference_policies_actions-resources-contextkeys.html"
_KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"
_RCPS = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"
_ARN_PARTS = 6
_VARIABLE = re.compile(r"\$\{[^{}]*\}")


def _named_actions(linted: Linted) -> Iterator[tuple[PlacedStatement, str, Place]]:
    for statement, places in linted.statements:
        for action, place in zip(statement.actions, places.actions, strict=True):
            if is_of_one_service(action):
                yield (statement, places), action, place


def _find_unknown_services(linted: Linted) -> Iterator[Fault]:
    for (statement, _), action, place in _named_actions(linted):
        service = action.partition(":")[0]
        if not statement.not_actions and not linted.catalog.has_service(service):
            todo = suggest(service, linted.catalog.services(), "correct the service's prefix")
            yield place, f"unknown service {service!r} in the action {action!r}", todo


def _find_unknown_actions(linted: Linted) -> Iterator[Fault]:
    for (statement, _), action, place in _named_actions(linted):
        service, _, name = action.partition(":")
        known = linted.catalog.has_service(service)
        if known and not statement.not_actions and not is_pattern(name) and not linted.catalog.find_action(action):
            valid = [each.partition(":")[2] for each in linted.catalog.actions_matching(f"{service}:*")]
            todo = suggest(name, valid, "see the service's list of actions", prefix=f"{service.lower()}:")
            yield place, f"unknown action {action!r}", todo


def _find_empty_patterns(linted: Linted) -> Iterator[Fault]:
    for (statement, _), action, place in _named_actions(linted):
        service, _, name = action.partition(":")
        known = linted.catalog.has_service(service)
        if known and not statement.not_actions and is_pattern(name) and not linted.catalog.actions_matching(action):
            yield place, f"the pattern {action!r} matches no action", "correct or remove it"


def _find_unknown_exemptions(linted: Linted) -> Iterator[Fault]:
    for (statement, _), action, place in _named_actions(linted):
        if statement.not_actions and not linted.catalog.actions_matching(action):
            yield place, f"NotAction names {action!r}, which is no action", "remove it, unless AWS's data is behind"


def _find_unknown_keys(linted: Linted) -> Iterator[Fault]:
    for statement, places in linted.statements:
        for condition, at in zip(statement.conditions, places.conditions, strict=True):
            if "${" not in condition.key and not linted.catalog.key_known(condition.key):
                yield at.key, f"unknown condition key {condition.key!r}", _suggest_key(linted, condition.key)


def _suggest_key(linted: Linted, key: str) -> str:
    prefix, colon, _ = key.partition(":")
    if not colon:
        return suggest(key, GLOBAL_NAMES, "write its service before it, as in aws:PrincipalArn")
    if prefix.lower() == "aws":
        return suggest(key, GLOBAL_NAMES, "see AWS's page of global condition keys")
    if not linted.catalog.has_service(prefix):
        return suggest(prefix, [*linted.catalog.services(), "aws"], "correct the service's prefix")
    valid = {name for action in linted.catalog.actions_matching(f"{prefix}:*") for name in _keys_of(linted, action)}
    return suggest(key, valid, "see the service's list of condition keys")


def _keys_of(linted: Linted, action: str) -> tuple[str, ...]:
    entry = linted.catalog.find_action(action)
    return entry.keys if entry else ()


def _service_keys(linted: Linted) -> Iterator[tuple[str, Place, list[str], list[str]]]:
    """Yield each key of a service with the statement's actions that take it, and those that do not."""
    for statement, places in linted.statements:
        entries = linted.actions_of(statement)
        for condition, at in zip(statement.conditions, places.conditions, strict=True):
            prefix = condition.key.lower().partition(":")[0]
            of_service = linted.catalog.has_service(prefix) and linted.catalog.find_key(prefix, condition.key)
            if entries and of_service and condition.key.lower() not in SESSION_KEYS:
                takes = [entry.full_name for entry in entries if takes_key(entry, condition.key)]
                yield condition.key, at.key, takes, sorted({entry.full_name for entry in entries} - set(takes))


def _find_keys_of_no_action(linted: Linted) -> Iterator[Fault]:
    for key, place, takes, without in _service_keys(linted):
        if not takes:
            what = f"no action of the statement takes the key {key!r} ({some(without)})"
            yield place, what, "move the condition to a statement whose actions do"


def _find_keys_of_some_actions(linted: Linted) -> Iterator[Fault]:
    for key, place, takes, without in _service_keys(linted):
        if takes and without:
            what = f"the key {key!r} is never in requests for {some(without)}"
            yield place, what, "give them a statement of their own, if the condition is meant for them"


def _find_resources_of_no_action(linted: Linted) -> Iterator[Fault]:
    for statement, places in linted.statements:
        entries = linted.actions_of(statement)
        if not entries or linted.kind in {PolicyKind.KEY, PolicyKind.TRUST}:
            continue
        formats = {type.arn for entry in entries for type in entry.resources}
        if "" in formats:
            continue
        for resource, place in zip(statement.resources, places.resources, strict=True):
            if resource.strip("*") and not any(_may_be(resource, each) for each in formats):
                yield (
                    place,
                    f"no action of the statement takes the resource {resource!r}",
                    "correct it, or name actions that take it",
                )


def _may_be(resource: str, format: str) -> bool:
    """Say whether a resource can be of a type; a service that is plainly named is compared by itself.

    Else the `*` that stands for the partition in the format would reach over the colon behind it.
    """
    parts = without_variables(resource).split(":")
    named = len(parts) >= _ARN_PARTS and not set(parts[1] + parts[2]) & set("*?") and parts[2] != "x"
    service = format.split(":")[2]
    if named and parts[2] != service and "$" not in service:
        return False
    return overlaps(_VARIABLE.sub("*", resource), _VARIABLE.sub("*", format))


def _find_unreached_services(linted: Linted) -> Iterator[Fault]:
    if linted.kind is not PolicyKind.RESOURCE_CONTROL:
        return
    for _, action, place in _named_actions(linted):
        service = action.partition(":")[0]
        reached = any(map(linted.catalog.supports_resource_control, linted.catalog.actions_matching(action)))
        if linted.catalog.has_service(service) and not reached:
            yield place, f"resource control policies do not reach {action!r}", "remove it, or use an SCP"


GLOBAL_NAMES = (
    "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:CurrentTime", "aws:EpochTime",
    "aws:FederatedProvider", "aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent", "aws:PrincipalAccount",
    "aws:PrincipalArn", "aws:PrincipalIsAWSService", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:PrincipalTag/", "aws:PrincipalType",
    "aws:RequestTag/", "aws:RequestedRegion", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths",
    "aws:ResourceTag/", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity",
    "aws:SourceIp", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceVpc", "aws:SourceVpce", "aws:TagKeys",
    "aws:TokenIssueTime", "aws:UserAgent", "aws:ViaAWSService", "aws:VpcSourceIp", "aws:userid", "aws:username",
)  # fmt: skip
"""As AWS spells them, to suggest; `org.policy.catalog` knows which exist."""

RULES = (
    Rule(
        "unknown-service",
        Severity.ERROR,
        "An action names a service that AWS does not have.",
        _ACTIONS,
        _find_unknown_services,
    ),
    Rule(
        "unknown-action",
        Severity.ERROR,
        "An action does not exist, so that the statement says nothing of what was meant.",
        _ACTIONS,
        _find_unknown_actions,
    ),
    Rule(
        "action-matches-nothing",
        Severity.ERROR,
        "A pattern in Action matches none of the service's actions.",
        _ACTIONS,
        _find_empty_patterns,
    ),
    Rule(
        "unknown-not-action",
        Severity.NOTE,
        "NotAction names something that is no action, which costs characters and exempts nothing.",
        _ACTIONS,
        _find_unknown_exemptions,
    ),
    Rule(
        "unknown-key",
        Severity.ERROR,
        "A condition key does not exist, so that it is never in a request.",
        _KEYS,
        _find_unknown_keys,
    ),
    Rule(
        "key-of-no-action",
        Severity.WARNING,
        "A condition key is in no request for any action of the statement.",
        _ACTIONS,
        _find_keys_of_no_action,
    ),
    Rule(
        "key-of-some-actions",
        Severity.NOTE,
        "A condition key is in requests for some actions of the statement only; for the others it counts as missing.",
        _ACTIONS,
        _find_keys_of_some_actions,
    ),
    Rule(
        "resource-of-no-action",
        Severity.WARNING,
        "No action of the statement is ever asked for on that resource.",
        _ACTIONS,
        _find_resources_of_no_action,
    ),
    Rule(
        "rcp-unreached",
        Severity.WARNING,
        "A resource control policy names an action of a service that such policies do not reach.",
        _RCPS,
        _find_unreached_services,
    ),
)
