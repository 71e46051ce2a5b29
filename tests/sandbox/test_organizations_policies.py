"""What AWS Organizations asks of policies and their attachments."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from org.policy_types import load_policy_types
from org.quotas import load_quotas
from org.sandbox.policy_rules import check_document
from org.sandbox.settings import Settings, sandbox_quotas
from tests.support.sandbox import (
    DENY_LEAVING,
    create_account,
    create_policy,
    create_unit,
    organization,
    refused,
    root_of,
)

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
MALFORMED = "MalformedPolicyDocumentException"

DENY = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
CONTENT = {
    "SERVICE_CONTROL_POLICY": {"Version": "2012-10-17", "Statement": [DENY]},
    "RESOURCE_CONTROL_POLICY": {"Version": "2012-10-17", "Statement": [{**DENY, "Principal": "*"}]},
    "TAG_POLICY": {"tags": {"Team": {"tag_key": {"@@assign": "Team"}}}},
    "BACKUP_POLICY": {"plans": {}},
    "AISERVICES_OPT_OUT_POLICY": {"services": {"default": {"opt_out_policy": {"@@assign": "optOut"}}}},
    "CHATBOT_POLICY": {"chatbot": {}},
    "DECLARATIVE_POLICY_EC2": {"ec2_attributes": {"image_block_public_access": {}}},
    "SECURITYHUB_POLICY": {"securityhub": {}},
    "INSPECTOR_POLICY": {"inspector": {}},
    "NETWORK_SECURITY_DIRECTOR_POLICY": {"network_security_director": {}},
    "UPGRADE_ROLLOUT_POLICY": {"upgrade_rollout": {}},
    "BEDROCK_POLICY": {"bedrock": {}},
    "S3_POLICY": {"s3_attributes": {}},
}


def enable(organizations: Any, policy_type: str) -> None:
    organizations.enable_policy_type(RootId=root_of(organizations), PolicyType=policy_type)


def attached(organizations: Any, target: str, policy_type: str = SCP) -> list[str]:
    policies = organizations.list_policies_for_target(TargetId=target, Filter=policy_type)["Policies"]
    return [policy["Name"] for policy in policies]


def scp(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{**DENY, **statement}]})


# --- types


def test_service_control_policies_are_enabled_in_a_new_organization(organizations: Any) -> None:
    root = organizations.list_roots()["Roots"][0]
    assert root["PolicyTypes"] == [{"Type": SCP, "Status": "ENABLED"}]
    assert attached(organizations, root["Id"]) == ["FullAWSAccess"]
    assert attached(organizations, "123456789012") == ["FullAWSAccess"]


@pytest.mark.parametrize("policy_type", load_policy_types())
def test_a_policy_of_every_type_is_created_attached_and_read_back(organizations: Any, policy_type: str) -> None:
    root = root_of(organizations)
    if policy_type != SCP:
        enable(organizations, policy_type)
    content = json.dumps(CONTENT.get(policy_type, {"anything": {}}))
    policy = create_policy(organizations, "Mine", content, policy_type, Description="why")
    organizations.attach_policy(PolicyId=policy, TargetId=root)

    answer = organizations.describe_policy(PolicyId=policy)["Policy"]
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    assert answer == {
        "PolicySummary": {
            "Id": policy,
            "Arn": f"arn:aws:organizations::123456789012:policy/{organization_id}/{policy_type.lower()}/{policy}",
            "Name": "Mine",
            "Description": "why",
            "Type": policy_type,
            "AwsManaged": False,
        },
        "Content": content,
    }
    assert "Mine" in attached(organizations, root, policy_type)
    targets = organizations.list_targets_for_policy(PolicyId=policy)["Targets"]
    assert [(each["TargetId"], each["Name"], each["Type"]) for each in targets] == [(root, "Root", "ROOT")]


def test_the_policies_of_aws_have_its_arns(organizations: Any) -> None:
    summary = organizations.describe_policy(PolicyId="p-FullAWSAccess")["Policy"]["PolicySummary"]
    assert summary["Arn"] == "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"
    assert summary["AwsManaged"] is True


def test_a_type_that_aws_does_not_know_is_refused(organizations: Any) -> None:
    message = "You specified an invalid policy type: 'FIREWALL_POLICY'."
    with refused("InvalidInputException", message, "INVALID_ENUM_POLICY_TYPE"):
        enable(organizations, "FIREWALL_POLICY")


def test_a_type_is_enabled_once(organizations: Any) -> None:
    with refused("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled."):
        enable(organizations, SCP)


def test_a_type_is_enabled_in_the_root_that_there_is(organizations: Any) -> None:
    with refused("RootNotFoundException", "You specified a root that doesn't exist."):
        organizations.enable_policy_type(RootId="r-none", PolicyType="TAG_POLICY")


def test_policy_types_need_all_features() -> None:
    message = "You can't use the policy type with the feature set currently enabled for this organization."
    with organization(feature_set="CONSOLIDATED_BILLING") as session:
        billing = session.client("organizations")
        with refused("PolicyTypeNotAvailableForOrganizationException", message):
            enable(billing, "TAG_POLICY")
        with refused("PolicyTypeNotAvailableForOrganizationException", message):
            create_policy(billing, "Mine")


def test_a_policy_is_made_before_its_type_is_enabled_but_not_attached(organizations: Any) -> None:
    policy = create_policy(organizations, "Tags", json.dumps(CONTENT["TAG_POLICY"]), "TAG_POLICY")
    message = "This operation can be performed only for enabled policy types."
    with refused("PolicyTypeNotEnabledException", message):
        organizations.attach_policy(PolicyId=policy, TargetId=root_of(organizations))
    with refused("PolicyTypeNotEnabledException", message):
        organizations.disable_policy_type(RootId=root_of(organizations), PolicyType="TAG_POLICY")


def test_enabling_rcps_attaches_the_full_access_policy_everywhere_and_it_stays(organizations: Any) -> None:
    root, unit, account = root_of(organizations), create_unit(organizations, "A"), create_account(organizations, "X")
    assert attached(organizations, unit, RCP) == []
    enable(organizations, RCP)
    later = create_unit(organizations, "B")
    for target in (root, unit, account, later):
        assert attached(organizations, target, RCP) == ["RCPFullAWSAccess"]
    with refused("InvalidInputException", "You can't detach this AWS Managed Policy.", "NON_DETACHABLE_POLICY"):
        organizations.detach_policy(PolicyId="p-RCPFullAWSAccess", TargetId=unit)


def test_disabling_a_type_detaches_its_policies_and_enabling_it_again_begins_anew(organizations: Any) -> None:
    root, unit = root_of(organizations), create_unit(organizations, "A")
    policy = create_policy(organizations, "Mine")
    organizations.attach_policy(PolicyId=policy, TargetId=unit)
    organizations.disable_policy_type(RootId=root, PolicyType=SCP)
    assert attached(organizations, unit) == []
    assert organizations.list_targets_for_policy(PolicyId=policy)["Targets"] == []
    enable(organizations, SCP)
    assert attached(organizations, unit) == ["FullAWSAccess"]


# --- attachments


def test_new_units_and_accounts_have_full_access_attached(organizations: Any) -> None:
    assert attached(organizations, create_unit(organizations, "A")) == ["FullAWSAccess"]
    assert attached(organizations, create_account(organizations, "X")) == ["FullAWSAccess"]


def test_the_last_scp_of_a_target_cannot_be_detached(organizations: Any) -> None:
    unit = create_unit(organizations, "A")
    message = "Every root, OU and account must have at least one SCP attached."
    with refused("ConstraintViolationException", message, "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)
    organizations.attach_policy(PolicyId=create_policy(organizations, "Mine"), TargetId=unit)
    organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)
    assert attached(organizations, unit) == ["Mine"]


def test_a_target_has_room_for_ten_scps_the_full_access_policy_included(organizations: Any) -> None:
    unit = create_unit(organizations, "A")
    for number in range(9):
        organizations.attach_policy(PolicyId=create_policy(organizations, f"P{number}"), TargetId=unit)
    message = f"You have attained the maximum number of policies of type {SCP} attached: 10."
    with refused("ConstraintViolationException", message, "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        organizations.attach_policy(PolicyId=create_policy(organizations, "P9"), TargetId=unit)


def test_a_policy_is_attached_once_and_detached_once(organizations: Any) -> None:
    unit, policy = create_unit(organizations, "A"), create_policy(organizations, "Mine")
    organizations.attach_policy(PolicyId=policy, TargetId=unit)
    message = "A policy with the specified name and type is already attached to the target."
    with refused("DuplicatePolicyAttachmentException", message):
        organizations.attach_policy(PolicyId=policy, TargetId=unit)
    organizations.detach_policy(PolicyId=policy, TargetId=unit)
    message = "The policy isn't attached to the specified target in the specified root."
    with refused("PolicyNotAttachedException", message):
        organizations.detach_policy(PolicyId=policy, TargetId=unit)


@pytest.mark.parametrize("target", ["r-none", "ou-none-12345678", "999999999999"])
def test_a_target_that_does_not_exist_is_refused(organizations: Any, target: str) -> None:
    policy = create_policy(organizations, "Mine")
    with refused("TargetNotFoundException", "You specified a target that doesn't exist."):
        organizations.attach_policy(PolicyId=policy, TargetId=target)
    with refused("TargetNotFoundException", "You specified a target that doesn't exist."):
        organizations.list_policies_for_target(TargetId=target, Filter=SCP)


def test_a_target_that_is_no_id_is_refused(organizations: Any) -> None:
    message = "You specified a policy target ID that doesn't match the required pattern."
    with refused("InvalidInputException", message, "INVALID_PATTERN_TARGET_ID"):
        organizations.attach_policy(PolicyId="p-FullAWSAccess", TargetId="Workloads")


def test_a_policy_that_does_not_exist_is_refused(organizations: Any) -> None:
    with refused("PolicyNotFoundException", "You specified a policy that doesn't exist."):
        organizations.describe_policy(PolicyId="p-12345678")
    with refused("InvalidInputException", "You specified an invalid policy ID.", "INVALID_SYNTAX_POLICY_ID"):
        organizations.describe_policy(PolicyId="mine")


# --- policies


def test_two_policies_cannot_have_one_name(organizations: Any) -> None:
    create_policy(organizations, "Mine")
    other = create_policy(organizations, "Other")
    with refused("DuplicatePolicyException", "A policy with the same name already exists."):
        create_policy(organizations, "Mine")
    with refused("DuplicatePolicyException", "A policy with the same name already exists."):
        organizations.update_policy(PolicyId=other, Name="Mine")
    organizations.update_policy(PolicyId=other, Name="Other", Description="the same name again")


def test_a_policy_that_is_attached_cannot_be_deleted(organizations: Any) -> None:
    policy, unit = create_policy(organizations, "Mine"), create_unit(organizations, "A")
    organizations.attach_policy(PolicyId=policy, TargetId=unit)
    message = "The policy is attached to one or more entities. You must detach it from all of them first."
    with refused("PolicyInUseException", message):
        organizations.delete_policy(PolicyId=policy)
    organizations.detach_policy(PolicyId=policy, TargetId=unit)
    organizations.delete_policy(PolicyId=policy)
    assert [each["Name"] for each in organizations.list_policies(Filter=SCP)["Policies"]] == ["FullAWSAccess"]


def test_a_policy_of_aws_cannot_be_changed_or_deleted(organizations: Any) -> None:
    message = "You specified a policy that is managed by AWS and can't be modified."
    with refused("InvalidInputException", message, "IMMUTABLE_POLICY"):
        organizations.update_policy(PolicyId="p-FullAWSAccess", Content=DENY_LEAVING)
    with refused("InvalidInputException", message, "IMMUTABLE_POLICY"):
        organizations.delete_policy(PolicyId="p-FullAWSAccess")


def test_a_description_has_at_most_512_characters_and_a_name_128(organizations: Any) -> None:
    with refused("InvalidInputException", "The description is longer than 512 characters.", "MAX_LENGTH_EXCEEDED"):
        create_policy(organizations, "Mine", Description="x" * 513)
    with refused("InvalidInputException", "The name is longer than 128 characters.", "MAX_LENGTH_EXCEEDED"):
        create_policy(organizations, "x" * 129)


def test_the_tags_of_a_new_policy_are_kept(organizations: Any) -> None:
    policy = create_policy(organizations, "Mine", Tags=[{"Key": "Team", "Value": "platform"}])
    assert organizations.list_tags_for_resource(ResourceId=policy)["Tags"] == [{"Key": "Team", "Value": "platform"}]


@pytest.mark.parametrize("policy_type", CONTENT)
def test_a_policy_is_as_large_as_its_type_allows_and_no_larger(organizations: Any, policy_type: str) -> None:
    most = load_quotas().policy(policy_type).max_bytes
    content = json.dumps(CONTENT[policy_type])
    policy = create_policy(organizations, "Fits", content.ljust(most), policy_type)
    message = f"You have exceeded the maximum policy size of {most}: this policy has {most + 1}."
    with refused("ConstraintViolationException", message, "POLICY_CONTENT_LIMIT_EXCEEDED"):
        create_policy(organizations, "Large", content.ljust(most + 1), policy_type)
    with refused("ConstraintViolationException", message, "POLICY_CONTENT_LIMIT_EXCEEDED"):
        organizations.update_policy(PolicyId=policy, Content=content.ljust(most + 1))


# --- documents

REFUSED = "The provided policy document does not meet the requirements of the specified policy type."


def told(column: int, what: str) -> str:
    """AWS's sentence, and what the reader of policies says."""
    return f"{REFUSED} (line 1, column {column}: {what})"


BAD_DOCUMENTS = [
    (SCP, "not json", told(1, "the file is not JSON: expecting value; correct the line or the one before it")),
    (SCP, "[]", told(1, "the policy is not a JSON object; write it in braces")),
    (SCP, '{"Statement": []}', told(1, 'the policy has no Version; write "Version": "2012-10-17"')),
    (SCP, '{"Version": "2012-10-17"}', told(1, "the policy has no Statement; write at least one")),
    (SCP, '{"Version": "2012-10-17", "Statement": []}', told(40, "the policy has no Statement; write at least one")),
    (
        SCP,
        '{"Version": "2012-10-17", "Statement": [1]}',
        told(41, "a statement is not a JSON object; write it in braces"),
    ),
    (
        SCP,
        scp(Principal="*"),
        told(
            95,
            "a service control policy has no element 'Principal'; remove it: the policy reaches whom it is attached to",
        ),
    ),
    (SCP, scp(effect="Deny"), told(95, "a statement has no element 'effect'; did you mean 'Effect'?")),
    (
        SCP,
        scp(Effect="Refuse"),
        told(52, "the statement's Effect is 'Refuse'; a service control policy can Allow or Deny"),
    ),
    (SCP, scp(NotAction="s3:*"), told(95, "the statement has both Action and NotAction; keep one of them")),
    (SCP, scp(NotResource="*"), told(95, "the statement has both Resource and NotResource; keep one of them")),
    (SCP, scp(Action=[]), told(70, "Action is an empty list; write at least one value, or remove it")),
    (RCP, scp(), told(41, "the statement has no Principal; add Principal")),
    (
        RCP,
        scp(Principal="*", Effect="Allow"),
        told(52, "the statement's Effect is 'Allow'; a resource control policy can Deny"),
    ),
    (
        RCP,
        scp(Principal="*", Action="*"),
        told(70, "the action '*' alone is not allowed in a resource control policy; name services, such as s3:*"),
    ),
    ("TAG_POLICY", "{}", "A TAG_POLICY document must have the top-level key 'tags', an object."),
    (
        "DECLARATIVE_POLICY_EC2",
        '{"ec2_attributes": {}, "s3_attributes": {}}',
        "A DECLARATIVE_POLICY_EC2 document must not have the top-level key 's3_attributes'.",
    ),
    ("GUARDDUTY_POLICY", "[]", "The provided policy document must be a JSON object."),
]


@pytest.mark.parametrize(("policy_type", "content", "message"), BAD_DOCUMENTS)
def test_a_document_that_its_type_does_not_allow_is_refused(
    organizations: Any, policy_type: str, content: str, message: str
) -> None:
    with refused(MALFORMED, message):
        create_policy(organizations, "Bad", content, policy_type)


def test_a_statement_without_an_effect_is_refused(organizations: Any) -> None:
    content = json.dumps({"Version": "2012-10-17", "Statement": {"Action": "s3:*", "Resource": "*"}})
    message = told(40, "the statement has no Effect; a service control policy can Allow or Deny")
    with refused(MALFORMED, message):
        create_policy(organizations, "Bad", content)


def test_an_rcp_without_a_resource_is_refused(organizations: Any) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
    content = json.dumps({"Version": "2012-10-17", "Statement": statement})
    message = told(40, "the statement has no Resource; add Resource or NotResource")
    with refused(MALFORMED, message):
        create_policy(organizations, "Bad", content, RCP)


def test_inheritance_operators_may_stand_at_the_top_of_a_management_policy() -> None:
    content = '{"tags": {}, "@@operators_allowed_for_child_policies": ["@@none"]}'
    check_document("TAG_POLICY", content, load_quotas().policy("TAG_POLICY"))


def test_an_organization_has_no_more_policies_of_a_type_than_its_quota() -> None:
    quotas = sandbox_quotas()
    one = replace(quotas.policy("TAG_POLICY"), per_organization=1)
    with organization(Settings(quotas=replace(quotas, policies={"TAG_POLICY": one}))) as session:
        organizations = session.client("organizations")
        create_policy(organizations, "First", '{"tags": {}}', "TAG_POLICY")
        message = "You have exceeded the number of policies of the type TAG_POLICY."
        with refused("ConstraintViolationException", message, "POLICY_NUMBER_LIMIT_EXCEEDED"):
            create_policy(organizations, "Second", '{"tags": {}}', "TAG_POLICY")
