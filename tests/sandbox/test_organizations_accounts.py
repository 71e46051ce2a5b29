"""The life of an account as AWS Organizations has it: creation, its failures, closing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from org.sandbox.membership import MembershipChange, _listeners, subscribe
from org.sandbox.settings import Settings, sandbox_quotas
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


def settings_with(**quotas: int) -> Settings:
    given = sandbox_quotas()
    return Settings(quotas=replace(given, organization=replace(given.organization, **quotas)))


def request(organizations: Any, name: str, email: str = "") -> str:
    answer = organizations.create_account(AccountName=name, Email=email or f"{name}@example.com")
    assert answer["CreateAccountStatus"]["State"] == "IN_PROGRESS"
    return str(answer["CreateAccountStatus"]["Id"])


def status_of(organizations: Any, request_id: str) -> dict[str, Any]:
    return dict(organizations.describe_create_account_status(CreateAccountRequestId=request_id)["CreateAccountStatus"])


def names(organizations: Any) -> list[str]:
    return [account["Name"] for account in organizations.list_accounts()["Accounts"]]


# --- creation


def test_an_account_is_not_there_before_its_creation_has_succeeded(organizations: Any) -> None:
    request_id = request(organizations, "Audit")
    assert status_of(organizations, request_id)["State"] == "IN_PROGRESS"
    status = status_of(organizations, request_id)
    assert status["State"] == "SUCCEEDED"
    assert status["CompletedTimestamp"] >= status["RequestedTimestamp"]
    assert organizations.describe_account(AccountId=status["AccountId"])["Account"]["Name"] == "Audit"


def test_listing_accounts_lets_time_pass_too(organizations: Any) -> None:
    request(organizations, "Audit")
    assert names(organizations) == ["Management"]
    assert names(organizations) == ["Management", "Audit"]


def test_the_requests_are_listed_by_state(organizations: Any) -> None:
    create_account(organizations, "Audit")
    request(organizations, "Again", "AUDIT@example.com")
    listed = organizations.list_create_account_status
    assert [each["AccountName"] for each in listed(States=["IN_PROGRESS"])["CreateAccountStatuses"]] == ["Again"]
    assert [each["AccountName"] for each in listed(States=["FAILED"])["CreateAccountStatuses"]] == ["Again"]
    assert [each["AccountName"] for each in listed(States=["SUCCEEDED"])["CreateAccountStatuses"]] == ["Audit"]
    assert len(listed()["CreateAccountStatuses"]) == 2


def test_an_email_that_is_taken_fails_the_creation_whatever_its_case(organizations: Any) -> None:
    create_account(organizations, "Audit")
    request_id = request(organizations, "Other", "Audit@Example.com")
    assert "FailureReason" not in status_of(organizations, request_id)
    status = status_of(organizations, request_id)
    assert (status["State"], status["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS")
    assert "AccountId" not in status
    assert names(organizations) == ["Management", "Audit"]


def test_the_email_of_the_management_account_is_taken(organizations: Any) -> None:
    request_id = request(organizations, "Other", "management@example.com")
    status_of(organizations, request_id)
    assert status_of(organizations, request_id)["FailureReason"] == "EMAIL_ALREADY_EXISTS"


def test_the_same_request_twice_at_once_fails_the_second(organizations: Any) -> None:
    first, second = request(organizations, "Audit"), request(organizations, "Audit")
    for _ in range(2):
        statuses = [status_of(organizations, each) for each in (first, second)]
    assert [each["State"] for each in statuses] == ["SUCCEEDED", "FAILED"]
    assert statuses[1]["FailureReason"] == "CONCURRENT_ACCOUNT_MODIFICATION"


def test_an_email_that_is_no_address_fails_the_creation(organizations: Any) -> None:
    request_id = request(organizations, "Audit", "audit@-example-.com")
    status_of(organizations, request_id)
    assert status_of(organizations, request_id)["FailureReason"] == "INVALID_EMAIL"


def test_two_accounts_may_have_one_name(organizations: Any) -> None:
    assert create_account(organizations, "Same", "a@example.com") != create_account(
        organizations, "Same", "b@example.com"
    )


EMAIL = "You specified an email address that does not match the required pattern: 6 to 64 characters, one @."
NAME = "You specified an account name that does not match the required pattern: 1 to 50 ASCII characters."
BAD_REQUESTS = [
    ({"Email": "audit.example.com"}, EMAIL, "INVALID_PATTERN"),
    ({"Email": "a@b@c.com"}, EMAIL, "INVALID_PATTERN"),
    ({"Email": "x" * 60 + "@example.com"}, EMAIL, "INVALID_PATTERN"),
    ({"AccountName": "Prüfung"}, NAME, "INVALID_PATTERN"),
    ({"AccountName": "x" * 51}, NAME, "INVALID_PATTERN"),
    ({"RoleName": "AWSServiceRoleForMe"}, "You provided a role name that isn't valid.", "INVALID_ROLE_NAME"),
]


@pytest.mark.parametrize(("wrong", "message", "reason"), BAD_REQUESTS)
def test_a_request_that_aws_would_not_take_is_refused(
    organizations: Any, wrong: dict[str, str], message: str, reason: str
) -> None:
    with refused("InvalidInputException", message, reason):
        organizations.create_account(**{"AccountName": "Audit", "Email": "audit@example.com", **wrong})


def test_at_most_five_accounts_are_created_at_once(organizations: Any) -> None:
    for number in range(5):
        request(organizations, f"A{number}")
    message = "You attempted to exceed the number of accounts that can be in progress at a time."
    for _ in range(2):
        with refused("ConstraintViolationException", message, "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"):
            request(organizations, "A5")
    request(organizations, "A5")


def test_an_organization_has_no_more_accounts_than_its_quota() -> None:
    with organization(settings_with(accounts=2)) as session:
        organizations = session.client("organizations")
        create_account(organizations, "Audit")
        message = "You have exceeded the allowed number of AWS accounts."
        with refused("ConstraintViolationException", message, "ACCOUNT_NUMBER_LIMIT_EXCEEDED"):
            request(organizations, "Other")


def test_a_request_that_nobody_made_has_no_status(organizations: Any) -> None:
    message = "We can't find a create account request with the CreateAccountRequestId that you specified."
    with refused("CreateAccountStatusNotFoundException", message):
        status_of(organizations, "car-12345678")


def test_the_role_of_a_new_account_is_an_administrator_that_trusts_the_management_account(
    session: boto3.Session, organizations: Any
) -> None:
    account = create_account(organizations, "Audit", RoleName="Admin", Tags=[{"Key": "Team", "Value": "x"}])
    member = assume(session, account, "Admin")
    assert member.client("sts").get_caller_identity()["Account"] == account
    iam = member.client("iam")
    assert iam.list_attached_role_policies(RoleName="Admin")["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName="Admin")["PolicyNames"] == ["AdministratorAccess"]
    document = iam.get_role_policy(RoleName="Admin", PolicyName="AdministratorAccess")["PolicyDocument"]
    assert document["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    statement = iam.get_role(RoleName="Admin")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert organizations.list_tags_for_resource(ResourceId=account)["Tags"] == [{"Key": "Team", "Value": "x"}]


def test_an_account_says_its_state_and_its_path(organizations: Any) -> None:
    root, unit, account = root_of(organizations), create_unit(organizations, "A"), create_account(organizations, "X")
    organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    path = f"{organization_id}/{root}/{unit}/{account}/"
    listed = organizations.list_accounts()["Accounts"][1]
    of_parent = organizations.list_accounts_for_parent(ParentId=unit)["Accounts"][0]
    described = organizations.describe_account(AccountId=account)["Account"]
    for shown in (listed, of_parent, described):
        assert (shown["State"], shown["Status"], shown["Paths"]) == ("ACTIVE", "ACTIVE", [path])
        assert (shown["Name"], shown["Email"], shown["JoinedMethod"]) == ("X", "x@example.com", "CREATED")


def test_the_management_account_is_named_as_the_sandbox_was_told() -> None:
    with organization(Settings(management_name="Acme Root", management_email="aws@acme.example")) as session:
        organizations = session.client("organizations")
        account = organizations.list_accounts()["Accounts"][0]
        assert (account["Name"], account["Email"], account["JoinedMethod"]) == (
            "Acme Root",
            "aws@acme.example",
            "INVITED",
        )
        assert organizations.describe_organization()["Organization"]["MasterAccountEmail"] == "aws@acme.example"


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        with sandbox_session(seed) as session:
            organizations = session.client("organizations")
            organizations.create_organization()
            return [create_account(organizations, "Audit"), create_unit(organizations, "A")]

    assert ids(1) == ids(1) != ids(2)


def test_ids_do_not_depend_on_the_order_of_the_calls() -> None:
    def ids(names: list[str]) -> dict[str, tuple[str, str, str]]:
        with organization() as session:
            client = session.client("organizations")
            return {
                name: (create_account(client, name), create_unit(client, name), create_policy(client, name))
                for name in names
            }

    assert ids(["A", "B"]) == ids(["B", "A"])


def test_what_is_made_anew_has_another_id(organizations: Any) -> None:
    first = create_unit(organizations, "A")
    organizations.delete_organizational_unit(OrganizationalUnitId=first)
    assert create_unit(organizations, "A") != first
    before = organizations.describe_organization()["Organization"]["Id"]
    organizations.delete_organization()
    assert organizations.create_organization()["Organization"]["Id"] != before


# --- closing


def state_of(organizations: Any, account: str) -> tuple[str, str]:
    shown = organizations.describe_account(AccountId=account)["Account"]
    return shown["State"], shown["Status"]


def test_an_account_is_closed_after_a_while(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    organizations.close_account(AccountId=account)
    assert state_of(organizations, account) == ("PENDING_CLOSURE", "PENDING_CLOSURE")
    assert state_of(organizations, account) == ("CLOSED", "SUSPENDED")
    with refused("AccountAlreadyClosedException", "The provided account is already closed."):
        organizations.close_account(AccountId=account)


def test_an_account_that_is_being_closed_cannot_be_closed(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    organizations.close_account(AccountId=account)
    with refused("ConflictException", "The provided account is already being closed."):
        organizations.close_account(AccountId=account)


def test_a_closed_account_keeps_its_email_and_its_place(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    organizations.close_account(AccountId=account)
    assert names(organizations) == ["Management", "Audit"]
    request_id = request(organizations, "Again", "audit@example.com")
    status_of(organizations, request_id)
    assert status_of(organizations, request_id)["FailureReason"] == "EMAIL_ALREADY_EXISTS"


def test_the_management_account_cannot_be_closed(organizations: Any) -> None:
    message = "You attempted to close the management account."
    with refused("ConstraintViolationException", message, "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"):
        organizations.close_account(AccountId="123456789012")


def test_an_account_outside_the_organization_cannot_be_closed(organizations: Any) -> None:
    with refused("AccountNotFoundException", "You specified an account that doesn't exist."):
        organizations.close_account(AccountId="999999999999")


def test_at_most_three_accounts_are_closed_at_once(organizations: Any) -> None:
    accounts = [create_account(organizations, f"A{number}") for number in range(4)]
    for account in accounts[:3]:
        organizations.close_account(AccountId=account)
    message = "You attempted to exceed the number of accounts that you can close at a time."
    for _ in range(2):
        with refused("ConstraintViolationException", message, "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"):
            organizations.close_account(AccountId=accounts[3])
    organizations.close_account(AccountId=accounts[3])


def test_the_closures_of_thirty_days_are_limited() -> None:
    with organization(settings_with(closures_floor=1)) as session:
        organizations = session.client("organizations")
        accounts = [create_account(organizations, f"A{number}") for number in range(2)]
        organizations.close_account(AccountId=accounts[0])
        message = "You have exceeded close account quota for the past 30 days."
        with refused("ConstraintViolationException", message, "CLOSE_ACCOUNT_QUOTA_EXCEEDED"):
            organizations.close_account(AccountId=accounts[1])


def test_closing_needs_all_features() -> None:
    with organization(feature_set="CONSOLIDATED_BILLING") as session:
        organizations = session.client("organizations")
        account = create_account(organizations, "Audit")
        message = "This operation requires the organization to be configured to support all features."
        with refused("ConstraintViolationException", message, "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"):
            organizations.close_account(AccountId=account)


def test_a_new_account_cannot_be_removed_yet_and_the_management_account_never(organizations: Any) -> None:
    account = create_account(organizations, "Audit")
    message = "You must wait until at least 4 days after the account was created."
    with refused("ConstraintViolationException", message, "WAIT_PERIOD_ACTIVE"):
        organizations.remove_account_from_organization(AccountId=account)
    message = "You can't remove a management account from an organization."
    with refused("MasterCannotLeaveOrganizationException", message):
        organizations.remove_account_from_organization(AccountId="123456789012")


def test_an_old_account_is_removed_and_is_outside_from_then_on() -> None:
    with organization(settings_with(accounts_removable_after_days=0)) as session:
        organizations = session.client("organizations")
        account = create_account(organizations, "Audit")
        member = assume(session, account).client("organizations")
        organizations.remove_account_from_organization(AccountId=account)
        assert names(organizations) == ["Management"]
        with refused("AWSOrganizationsNotInUseException", "Your account is not a member of an organization."):
            member.describe_organization()


# --- what others hear of it


def test_others_hear_when_an_account_joins_moves_and_is_closed(organizations: Any) -> None:
    heard: list[MembershipChange] = []
    subscribe(heard.append)
    try:
        root, unit = root_of(organizations), create_unit(organizations, "A")
        account = create_account(organizations, "X")
        organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
        organizations.close_account(AccountId=account)
    finally:
        _listeners.remove(heard.append)
    assert [(change.account, change.source, change.destination) for change in heard] == [
        (account, "", root),
        (account, root, unit),
        (account, unit, ""),
    ]
