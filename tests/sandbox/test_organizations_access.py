"""Who may call AWS Organizations, how its lists are paged, tags, trusted access and delegated administrators."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.support.sandbox import (
    assume,
    create_account,
    create_policy,
    create_unit,
    organization,
    refused,
    root_of,
    sandbox_session,
)

DENIED = "You don't have permissions to access this resource."
SECURITY_HUB = "securityhub.amazonaws.com"


# --- callers


def test_without_an_organization_there_is_nothing_to_describe() -> None:
    with sandbox_session() as session:
        organizations = session.client("organizations")
        message = "Your account is not a member of an organization."
        for call in (organizations.describe_organization, organizations.list_roots, organizations.list_accounts):
            with refused("AWSOrganizationsNotInUseException", message):
                call()


def test_an_organization_is_created_once_and_not_by_its_members(session: boto3.Session, organizations: Any) -> None:
    member = assume(session, create_account(organizations, "Audit")).client("organizations")
    for caller in (organizations, member):
        message = "The provided account is already a member of an organization."
        with refused("AlreadyInOrganizationException", message):
            caller.create_organization()


def test_an_organization_with_members_cannot_be_deleted(organizations: Any) -> None:
    create_account(organizations, "Audit")
    message = "To delete an organization you must first remove all member accounts (except the master)."
    with refused("OrganizationNotEmptyException", message):
        organizations.delete_organization()


def test_an_empty_organization_is_deleted_and_made_anew(organizations: Any) -> None:
    before = organizations.describe_organization()["Organization"]["Id"]
    organizations.delete_organization()
    assert organizations.create_organization()["Organization"]["Id"] != before


def test_a_member_may_describe_the_organization_and_no_more(session: boto3.Session, organizations: Any) -> None:
    member = assume(session, create_account(organizations, "Audit")).client("organizations")
    assert member.describe_organization()["Organization"]["MasterAccountId"] == "123456789012"
    for call in (member.list_accounts, member.list_roots):
        with refused("AccessDeniedException", DENIED):
            call()
    with refused("AccessDeniedException", DENIED):
        member.create_account(AccountName="X", Email="x@example.com")


def test_a_delegated_administrator_may_read_and_not_write(session: boto3.Session, organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    member = assume(session, account).client("organizations")
    delegate(organizations, account)
    assert len(member.list_accounts()["Accounts"]) == 2
    with refused("AccessDeniedException", DENIED):
        member.create_organizational_unit(ParentId=root_of(member), Name="A")


def test_what_is_not_emulated_is_an_error_that_names_it(organizations: Any) -> None:
    message = "the orgctl sandbox does not emulate organizations:DescribeEffectivePolicy"
    with refused("NotImplementedException", message):
        organizations.describe_effective_policy(PolicyType="TAG_POLICY")


# --- pages


def test_every_list_comes_in_pages_of_at_most_twenty(session: boto3.Session, organizations: Any) -> None:
    root, unit = root_of(organizations), create_unit(organizations, "Parent")
    policies = [create_policy(organizations, f"P{number}") for number in range(20)]
    for number in range(21):
        create_unit(organizations, f"U{number}", unit)
        create_account(organizations, f"A{number}")
    for service in sorted(SERVICES):
        organizations.enable_aws_service_access(ServicePrincipal=service)
    organizations.tag_resource(ResourceId=root, Tags=[{"Key": f"K{number}", "Value": ""} for number in range(21)])
    for policy in policies[:9]:
        organizations.attach_policy(PolicyId=policy, TargetId=unit)

    asked: list[tuple[str, str, dict[str, str], int]] = [
        ("list_accounts", "Accounts", {}, 22),
        ("list_accounts_for_parent", "Accounts", {"ParentId": root}, 22),
        ("list_organizational_units_for_parent", "OrganizationalUnits", {"ParentId": unit}, 21),
        ("list_children", "Children", {"ParentId": root, "ChildType": "ACCOUNT"}, 22),
        ("list_policies", "Policies", {"Filter": "SERVICE_CONTROL_POLICY"}, 21),
        ("list_targets_for_policy", "Targets", {"PolicyId": "p-FullAWSAccess"}, 45),
        ("list_create_account_status", "CreateAccountStatuses", {}, 21),
        ("list_aws_service_access_for_organization", "EnabledServicePrincipals", {}, 21),
        ("list_tags_for_resource", "Tags", {"ResourceId": root}, 21),
    ]
    for operation, key, parameters, count in asked:
        first = getattr(organizations, operation)(**parameters)
        assert len(first[key]) == 20, operation
        pages = organizations.get_paginator(operation).paginate(**parameters)
        listed = [str(item) for page in pages for item in page[key]]
        assert (len(listed), len(set(listed))) == (count, count), operation
        if operation != "list_tags_for_resource":
            message = "MaxResults must not be greater than 20."
            with refused("InvalidInputException", message, "MAX_VALUE_EXCEEDED"):
                getattr(organizations, operation)(**parameters, MaxResults=21)


SERVICES = {
    f"{name}.amazonaws.com"
    for name in (
        "account",
        "auditmanager",
        "backup",
        "cloudtrail",
        "compute-optimizer",
        "config",
        "detective",
        "devops-guru",
        "fms",
        "guardduty",
        "health",
        "iam",
        "inspector2",
        "ipam",
        "macie",
        "malware-protection.guardduty",
        "ram",
        "resource-explorer-2",
        "securityhub",
        "sso",
        "ssm",
    )
}


def test_the_services_of_an_administrator_and_the_administrators_come_in_pages(organizations: Any) -> None:
    accounts = [create_account(organizations, f"A{number}") for number in range(3)]
    for account in accounts:
        delegate(organizations, account, "config.amazonaws.com")
    for service in ("fms.amazonaws.com", "health.amazonaws.com"):
        delegate(organizations, accounts[0], service)
    page = organizations.list_delegated_administrators(MaxResults=2)
    rest = organizations.list_delegated_administrators(MaxResults=2, NextToken=page["NextToken"])
    assert [each["Id"] for each in page["DelegatedAdministrators"] + rest["DelegatedAdministrators"]] == accounts
    assert "NextToken" not in rest
    page = organizations.list_delegated_services_for_account(AccountId=accounts[0], MaxResults=2)
    assert len(page["DelegatedServices"]) == 2
    assert page["NextToken"]


TOKEN = "Get the value for the NextToken parameter from the response to a previous call of the operation."


def test_a_token_is_good_for_the_list_that_gave_it_only(organizations: Any) -> None:
    root = root_of(organizations)
    for number in range(3):
        create_unit(organizations, f"U{number}")
        create_account(organizations, f"A{number}")
    token = organizations.list_accounts(MaxResults=1)["NextToken"]
    assert not token.isdigit(), "a client must not be able to make one"
    organizations.list_accounts(MaxResults=2, NextToken=token)
    for given in (token, "made up", "MQ=="):
        with refused("InvalidInputException", TOKEN, "INVALID_NEXT_TOKEN"):
            organizations.list_children(ParentId=root, ChildType="ACCOUNT", NextToken=given)


def test_nothing_gets_done_between_two_pages_of_one_list(organizations: Any) -> None:
    create_account(organizations, "A")
    organizations.create_account(AccountName="B", Email="b@example.com")
    page = organizations.list_accounts(MaxResults=1)
    rest = organizations.list_accounts(MaxResults=1, NextToken=page["NextToken"])
    assert "NextToken" not in rest


# --- tags


def tags_of(organizations: Any, resource: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in organizations.list_tags_for_resource(ResourceId=resource)["Tags"]}


def test_root_units_accounts_and_policies_have_tags(organizations: Any) -> None:
    resources = [
        root_of(organizations),
        create_unit(organizations, "A"),
        create_account(organizations, "X"),
        create_policy(organizations, "P"),
    ]
    for resource in resources:
        organizations.tag_resource(ResourceId=resource, Tags=[{"Key": "Team", "Value": "a"}])
        organizations.tag_resource(
            ResourceId=resource, Tags=[{"Key": "Team", "Value": "b"}, {"Key": "Größe", "Value": ""}]
        )
        assert tags_of(organizations, resource) == {"Team": "b", "Größe": ""}
        organizations.untag_resource(ResourceId=resource, TagKeys=["Team", "Absent"])
        assert tags_of(organizations, resource) == {"Größe": ""}


PATTERN = "You provided a value that does not match the required pattern."
BAD_TAGS = [
    (
        [{"Key": "AWS:made", "Value": ""}],
        "You specified a tag key that is a system tag. System tags are reserved for AWS use.",
        "INVALID_SYSTEM_TAGS_PARAMETER",
    ),
    ([{"Key": "a!", "Value": ""}], PATTERN, "INVALID_PATTERN"),
    ([{"Key": "a", "Value": "<script>"}], PATTERN, "INVALID_PATTERN"),
    (
        [{"Key": "k" * 129, "Value": ""}],
        f"The tag key {'k' * 129!r} is longer than 128 characters.",
        "MAX_LENGTH_EXCEEDED",
    ),
    (
        [{"Key": "a", "Value": "v" * 257}],
        "The value of the tag 'a' is longer than 256 characters.",
        "MAX_LENGTH_EXCEEDED",
    ),
    (
        [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
        "Tag keys must be unique among the tags attached to the same entity.",
        "DUPLICATE_TAG_KEY",
    ),
]


@pytest.mark.parametrize(("tags", "message", "reason"), BAD_TAGS)
def test_a_tag_that_aws_would_not_take_is_refused(
    organizations: Any, tags: list[dict[str, str]], message: str, reason: str
) -> None:
    root = root_of(organizations)
    with refused("InvalidInputException", message, reason):
        organizations.tag_resource(ResourceId=root, Tags=tags)
    with refused("InvalidInputException", message, reason):
        organizations.create_organizational_unit(ParentId=root, Name="A", Tags=tags)
    assert tags_of(organizations, root) == {}


def test_a_resource_has_at_most_fifty_tags(organizations: Any) -> None:
    root = root_of(organizations)
    organizations.tag_resource(ResourceId=root, Tags=[{"Key": f"K{number}", "Value": ""} for number in range(50)])
    organizations.tag_resource(ResourceId=root, Tags=[{"Key": "K0", "Value": "new"}])
    message = "You have exceeded the number of tags allowed: 50."
    with refused("ConstraintViolationException", message, "MAX_TAG_LIMIT_EXCEEDED"):
        organizations.tag_resource(ResourceId=root, Tags=[{"Key": "K50", "Value": ""}])


def test_the_tags_of_what_does_not_exist_are_not_found(organizations: Any) -> None:
    for resource in ("999999999999", "p-12345678", "ou-none-12345678"):
        with refused("TargetNotFoundException", "You specified a target that doesn't exist."):
            organizations.list_tags_for_resource(ResourceId=resource)


# --- trusted access and delegated administrators


def delegate(organizations: Any, account: str, service: str = SECURITY_HUB) -> None:
    organizations.enable_aws_service_access(ServicePrincipal=service)
    organizations.register_delegated_administrator(AccountId=account, ServicePrincipal=service)


def trusted(organizations: Any) -> list[str]:
    answer = organizations.list_aws_service_access_for_organization()
    return [each["ServicePrincipal"] for each in answer["EnabledServicePrincipals"]]


@pytest.mark.parametrize("service", ["iam", "resource-explorer-2", "malware-protection.guardduty", "securityhub"])
def test_services_that_moto_does_not_know_are_trusted(organizations: Any, service: str) -> None:
    principal = f"{service}.amazonaws.com"
    for _ in range(2):
        organizations.enable_aws_service_access(ServicePrincipal=principal)
    assert trusted(organizations) == [principal]
    organizations.disable_aws_service_access(ServicePrincipal=principal)
    assert trusted(organizations) == []


def test_a_principal_that_is_no_service_is_refused(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    message = "You specified an unrecognized service principal: secrets.example.com."
    reason = "UNRECOGNIZED_SERVICE_PRINCIPAL"
    with refused("InvalidInputException", message, reason):
        organizations.enable_aws_service_access(ServicePrincipal="secrets.example.com")
    with refused("InvalidInputException", message, reason):
        organizations.disable_aws_service_access(ServicePrincipal="secrets.example.com")
    with refused("InvalidInputException", message, reason):
        organizations.register_delegated_administrator(AccountId=account, ServicePrincipal="secrets.example.com")


@pytest.mark.parametrize(
    "service",
    [
        "access-analyzer", "account", "backup", "cloudtrail", "config", "config-multiaccountsetup", "detective", "fms",
        "guardduty", "inspector2", "macie", "member.org.stacksets.cloudformation", "securityhub", "sso", "ssm",
    ],
)  # fmt: skip
def test_the_services_that_aws_delegates_have_an_administrator(organizations: Any, service: str) -> None:
    account = create_account(organizations, "Audit")
    delegate(organizations, account, f"{service}.amazonaws.com")
    answer = organizations.list_delegated_administrators(ServicePrincipal=f"{service}.amazonaws.com")
    assert [each["Id"] for each in answer["DelegatedAdministrators"]] == [account]
    services = organizations.list_delegated_services_for_account(AccountId=account)["DelegatedServices"]
    assert [each["ServicePrincipal"] for each in services] == [f"{service}.amazonaws.com"]


def test_an_administrator_is_registered_after_trusted_access_is_enabled(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    message = "You attempted to register a delegated administrator before you enabled service access."
    with refused("ConstraintViolationException", message, "SERVICE_ACCESS_NOT_ENABLED"):
        organizations.register_delegated_administrator(AccountId=account, ServicePrincipal=SECURITY_HUB)


def test_a_service_that_is_not_delegated_has_no_administrator(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    organizations.enable_aws_service_access(ServicePrincipal="controltower.amazonaws.com")
    message = "You specified an unrecognized service principal: controltower.amazonaws.com."
    with refused("InvalidInputException", message, "UNRECOGNIZED_SERVICE_PRINCIPAL"):
        organizations.register_delegated_administrator(AccountId=account, ServicePrincipal="controltower.amazonaws.com")


def test_a_service_has_as_many_administrators_as_it_allows(organizations: Any) -> None:
    accounts = [create_account(organizations, f"A{number}") for number in range(4)]
    delegate(organizations, accounts[0])
    message = f"{SECURITY_HUB} already has a delegated administrator. Deregister it first."
    with refused("ConstraintViolationException", message, "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"):
        delegate(organizations, accounts[1])
    organizations.deregister_delegated_administrator(AccountId=accounts[0], ServicePrincipal=SECURITY_HUB)
    delegate(organizations, accounts[1])
    for account in accounts[:3]:
        delegate(organizations, account, "cloudtrail.amazonaws.com")
    message = "You attempted to register more delegated administrators than allowed for cloudtrail.amazonaws.com: 3."
    with refused("ConstraintViolationException", message, "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"):
        delegate(organizations, accounts[3], "cloudtrail.amazonaws.com")


def test_an_administrator_is_a_member_in_use_and_registered_once(organizations: Any) -> None:
    account, closed = create_account(organizations, "Audit"), create_account(organizations, "Closed")
    organizations.close_account(AccountId=closed)
    delegate(organizations, account)
    message = "The provided account is already a delegated administrator for your organization."
    with refused("AccountAlreadyRegisteredException", message):
        delegate(organizations, account)
    message = "You cannot register the management account as a delegated administrator."
    with refused("ConstraintViolationException", message, "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"):
        delegate(organizations, "123456789012")
    message = "You cannot register a suspended account as a delegated administrator."
    with refused(
        "ConstraintViolationException", message, "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"
    ):
        delegate(organizations, closed)
    with refused("AccountNotFoundException", "You specified an account that doesn't exist."):
        delegate(organizations, "999999999999")


def test_who_is_not_registered_cannot_be_deregistered(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    message = "The provided account is not a registered delegated administrator for your organization."
    with refused("AccountNotRegisteredException", message):
        organizations.deregister_delegated_administrator(AccountId=account, ServicePrincipal=SECURITY_HUB)
    with refused("AccountNotRegisteredException", message):
        organizations.list_delegated_services_for_account(AccountId=account)


def test_trusted_access_stays_while_the_service_has_an_administrator(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    delegate(organizations, account)
    message = "You must first deregister all delegated administrators for this service."
    with refused("ConstraintViolationException", message, "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"):
        organizations.disable_aws_service_access(ServicePrincipal=SECURITY_HUB)
    assert trusted(organizations) == [SECURITY_HUB]
    organizations.deregister_delegated_administrator(AccountId=account, ServicePrincipal=SECURITY_HUB)
    organizations.disable_aws_service_access(ServicePrincipal=SECURITY_HUB)
    assert trusted(organizations) == []


def test_a_delegated_administrator_cannot_leave_the_organization(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    delegate(organizations, account)
    message = "You attempted to remove an account that is registered as a delegated administrator."
    with refused("ConstraintViolationException", message, "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"):
        organizations.remove_account_from_organization(AccountId=account)


def test_trusted_access_needs_all_features() -> None:
    with organization(feature_set="CONSOLIDATED_BILLING") as session:
        message = "This operation requires the organization to be configured to support all features."
        with refused("ConstraintViolationException", message, "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"):
            session.client("organizations").enable_aws_service_access(ServicePrincipal=SECURITY_HUB)
