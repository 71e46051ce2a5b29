"""The Account Management API as the management account uses it on members."""

from __future__ import annotations

from typing import Any

import boto3

from tests.support.sandbox import assume, create_account, refused

CONTACT = {"Name": "Sec", "Title": "CISO", "EmailAddress": "sec@example.com", "PhoneNumber": "+1 555"}
CALLER = "User: arn:aws:iam::123456789012:root is not authorized to perform: account:GetAlternateContact"


def trust(session: boto3.Session) -> None:
    session.client("organizations").enable_aws_service_access(ServicePrincipal="account.amazonaws.com")


def contact_of(session: boto3.Session, **account: str) -> dict[str, Any]:
    answer = session.client("account").get_alternate_contact(AlternateContactType="SECURITY", **account)
    return dict(answer["AlternateContact"])


def test_the_contacts_of_a_member_are_written_read_and_deleted(session: boto3.Session, audit: str) -> None:
    trust(session)
    account: Any = session.client("account")
    account.put_alternate_contact(AccountId=audit, AlternateContactType="SECURITY", **CONTACT)
    assert contact_of(session, AccountId=audit) == {**CONTACT, "AlternateContactType": "SECURITY"}
    account.delete_alternate_contact(AccountId=audit, AlternateContactType="SECURITY")
    message = "No contact of the inputted alternate contact type found."
    with refused("ResourceNotFoundException", message):
        contact_of(session, AccountId=audit)
    with refused("ResourceNotFoundException", message):
        account.delete_alternate_contact(AccountId=audit, AlternateContactType="SECURITY")


def test_the_contacts_of_a_member_need_trusted_access(session: boto3.Session, audit: str) -> None:
    why = "Your organization must first enable trusted access with AWS Account Management."
    with refused("AccessDeniedException", f"{CALLER} ({why})"):
        contact_of(session, AccountId=audit)


def test_the_management_account_names_only_its_members(session: boto3.Session) -> None:
    trust(session)
    with refused("AccessDeniedException", f"{CALLER} (The account is not a member of your organization.)"):
        contact_of(session, AccountId="999999999999")
    why = "The management account can only be managed using the standalone context."
    with refused("AccessDeniedException", f"{CALLER} ({why})"):
        contact_of(session, AccountId="123456789012")


def test_ones_own_contacts_need_no_trusted_access(session: boto3.Session, audit: str) -> None:
    for own in (session, assume(session, audit)):
        own.client("account").put_alternate_contact(AlternateContactType="SECURITY", **CONTACT)  # type: ignore[arg-type]
        assert contact_of(own)["Name"] == "Sec"


def test_a_member_does_not_read_the_contacts_of_another(session: boto3.Session, audit: str) -> None:
    trust(session)
    other = create_account(session.client("organizations"), "Other")
    caller = CALLER.replace("123456789012", audit)
    why = "The caller is neither the management account nor a delegated administrator."
    with refused("AccessDeniedException", f"{caller} ({why})"):
        contact_of(assume(session, audit), AccountId=other)


def test_a_delegated_administrator_reads_the_contacts_of_another(session: boto3.Session, audit: str) -> None:
    trust(session)
    organizations = session.client("organizations")
    other = create_account(organizations, "Other")
    organizations.register_delegated_administrator(AccountId=audit, ServicePrincipal="account.amazonaws.com")
    session.client("account").put_alternate_contact(AccountId=other, AlternateContactType="SECURITY", **CONTACT)  # type: ignore[arg-type]
    assert contact_of(assume(session, audit), AccountId=other)["Name"] == "Sec"


def test_a_new_name_shows_in_the_organization(session: boto3.Session, audit: str) -> None:
    trust(session)
    account = session.client("account")
    account.put_account_name(AccountId=audit, AccountName="Security Audit")
    shown = account.get_account_information(AccountId=audit)
    assert (shown["AccountId"], shown["AccountName"], shown["AccountState"]) == (audit, "Security Audit", "ACTIVE")
    listed = session.client("organizations").list_accounts()["Accounts"]
    assert [each["Name"] for each in listed] == ["Management", "Security Audit"]


def test_a_name_with_other_than_ascii_is_refused(session: boto3.Session, audit: str) -> None:
    trust(session)
    with refused("ValidationException", "The account name does not match the required pattern."):
        session.client("account").put_account_name(AccountId=audit, AccountName="Prüfung")


def test_what_is_not_emulated_is_an_error_that_names_it(session: boto3.Session) -> None:
    message = "the orgctl sandbox does not emulate account:POST /listRegions"
    with refused("NotImplementedException", message):
        session.client("account").list_regions()
