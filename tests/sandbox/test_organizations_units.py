"""What AWS Organizations asks of units and of moving accounts between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from org.sandbox.settings import Settings, sandbox_quotas
from tests.support.sandbox import create_account, create_unit, organization, refused, root_of


def test_two_units_of_one_parent_cannot_have_one_name(organizations: Any) -> None:
    prod = create_unit(organizations, "Prod")
    with refused("DuplicateOrganizationalUnitException", "An OU with the same name already exists."):
        create_unit(organizations, "Prod")
    assert create_unit(organizations, "Prod", prod), "the same name under another parent"


def test_a_unit_cannot_be_renamed_to_the_name_of_its_sibling(organizations: Any) -> None:
    create_unit(organizations, "Prod")
    dev = create_unit(organizations, "Dev")
    with refused("DuplicateOrganizationalUnitException", "An OU with the same name already exists."):
        organizations.update_organizational_unit(OrganizationalUnitId=dev, Name="Prod")
    organizations.update_organizational_unit(OrganizationalUnitId=dev, Name="Dev")
    answer = organizations.update_organizational_unit(OrganizationalUnitId=dev, Name="Test")
    assert answer["OrganizationalUnit"]["Name"] == "Test"


def test_a_unit_can_take_the_name_of_a_unit_elsewhere(organizations: Any) -> None:
    prod, other = create_unit(organizations, "Prod"), create_unit(organizations, "Other")
    inner = create_unit(organizations, "Inner", other)
    organizations.update_organizational_unit(OrganizationalUnitId=inner, Name="Prod")
    assert organizations.list_parents(ChildId=inner)["Parents"] == [{"Id": other, "Type": "ORGANIZATIONAL_UNIT"}]
    assert prod != inner


def test_units_are_at_most_five_levels_deep(organizations: Any) -> None:
    unit = ""
    for level in range(5):
        unit = create_unit(organizations, f"L{level}", unit)
    message = "You attempted to create an organizational unit that is too many levels deep."
    with refused("ConstraintViolationException", message, "OU_DEPTH_LIMIT_EXCEEDED"):
        create_unit(organizations, "L5", unit)


def test_a_unit_says_its_path(organizations: Any) -> None:
    outer = create_unit(organizations, "Outer")
    inner = create_unit(organizations, "Inner", outer)
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    unit = organizations.describe_organizational_unit(OrganizationalUnitId=inner)["OrganizationalUnit"]
    assert unit["Path"] == f"{organization_id}/{root_of(organizations)}/{outer}/{inner}/"


def test_a_unit_that_holds_an_account_or_a_unit_cannot_be_deleted(organizations: Any) -> None:
    root, outer = root_of(organizations), create_unit(organizations, "Outer")
    inner, account = create_unit(organizations, "Inner", outer), create_account(organizations, "X")
    organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=inner)
    for unit in (outer, inner):
        with refused(
            "OrganizationalUnitNotEmptyException",
            "You attempted to delete an organizational unit that is not empty.",
        ):
            organizations.delete_organizational_unit(OrganizationalUnitId=unit)
    organizations.move_account(AccountId=account, SourceParentId=inner, DestinationParentId=root)
    organizations.delete_organizational_unit(OrganizationalUnitId=inner)
    organizations.delete_organizational_unit(OrganizationalUnitId=outer)
    assert organizations.list_children(ParentId=root, ChildType="ORGANIZATIONAL_UNIT")["Children"] == []


def test_a_deleted_unit_is_no_target_of_its_policies_any_more(organizations: Any) -> None:
    unit = create_unit(organizations, "A")
    organizations.delete_organizational_unit(OrganizationalUnitId=unit)
    targets = organizations.list_targets_for_policy(PolicyId="p-FullAWSAccess")["Targets"]
    assert unit not in [target["TargetId"] for target in targets]


def test_an_account_is_moved_from_where_it_is(organizations: Any) -> None:
    root, prod, dev = root_of(organizations), create_unit(organizations, "Prod"), create_unit(organizations, "Dev")
    account = create_account(organizations, "X")
    with refused("SourceParentNotFoundException", "You specified a source parent that doesn't exist."):
        organizations.move_account(AccountId=account, SourceParentId=dev, DestinationParentId=prod)
    with refused("DestinationParentNotFoundException", "You specified a destination parent that doesn't exist."):
        organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId="ou-none-12345678")
    with refused("DuplicateAccountException", "The account is already in the specified destination."):
        organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=root)
    with refused("AccountNotFoundException", "You specified an account that doesn't exist."):
        organizations.move_account(AccountId="999999999999", SourceParentId=root, DestinationParentId=prod)
    organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=prod)
    assert organizations.list_parents(ChildId=account)["Parents"] == [{"Id": prod, "Type": "ORGANIZATIONAL_UNIT"}]


def test_what_does_not_exist_has_no_parent_and_no_children(organizations: Any) -> None:
    message = "You specified an organizational unit or account that we can't find."
    for child in ("999999999999", "ou-none-12345678"):
        with refused("ChildNotFoundException", message):
            organizations.list_parents(ChildId=child)
    with refused("ParentNotFoundException", "You specified parent that doesn't exist."):
        organizations.list_children(ParentId="ou-none-12345678", ChildType="ACCOUNT")
    with refused("ParentNotFoundException", "You specified parent that doesn't exist."):
        create_unit(organizations, "A", "ou-none-12345678")


def test_the_name_of_a_unit_has_at_most_128_characters(organizations: Any) -> None:
    with refused("InvalidInputException", "The name is longer than 128 characters.", "MAX_LENGTH_EXCEEDED"):
        create_unit(organizations, "x" * 129)


def test_the_root_is_no_unit_to_rename(organizations: Any) -> None:
    message = "You provided a value that does not match the required pattern."
    with refused("InvalidInputException", message, "INVALID_PATTERN"):
        organizations.update_organizational_unit(OrganizationalUnitId=root_of(organizations), Name="Top")


def test_an_organization_has_no_more_units_than_its_quota() -> None:
    quotas = sandbox_quotas()
    few = Settings(quotas=replace(quotas, organization=replace(quotas.organization, units=1)))
    with organization(few) as session:
        organizations = session.client("organizations")
        create_unit(organizations, "A")
        message = "You have exceeded the number of organizational units."
        with refused("ConstraintViolationException", message, "OU_NUMBER_LIMIT_EXCEEDED"):
            create_unit(organizations, "B")
