"""The planner, with values alone: what is wanted and what is there in, steps out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from org.errors import OrgctlError
from org.model import (
    Contact,
    ContactType,
    DelegatedAdministrator,
    DesiredOrganization,
    ObservedOrganization,
    PendingAccount,
    PolicyType,
    UnitPath,
    Unread,
)
from org.plan.build import plan_changes
from org.plan.model import Plan
from org.quotas import load_quotas
from tests.support.organizations import (
    MANAGEMENT_ID,
    ROOT_ID,
    SCP,
    TAG_POLICY,
    account,
    desired,
    live_account,
    live_policy,
    live_unit,
    observed,
    on_account,
    on_root,
    on_unit,
    policy,
    unit,
)


def plan(wanted: DesiredOrganization, there: ObservedOrganization) -> Plan:
    return plan_changes(wanted, there, load_quotas())


def says(found: Plan) -> list[str]:
    return [step.change.describe() for step in found.steps]


def test_an_organization_that_is_as_wanted_needs_nothing() -> None:
    wanted = desired([unit("Prod")], [account("Shop", "Prod")], [policy("Guard", on_root())])
    there = observed([live_unit("Prod")], [live_account("Shop", 2, "Prod")], [live_policy("Guard", ROOT_ID)])
    assert says(plan(wanted, there)) == []


def test_nothing_yet_gives_the_organization_first() -> None:
    found = plan(desired([unit("Prod")]), ObservedOrganization(caller_account=MANAGEMENT_ID))
    assert says(found) == ["create the organization, with all features", "create unit Prod"]
    assert found.steps[1].needs == ("create-organization",)


def test_account_missing_from_aws_is_created_and_moved_once_its_unit_is_there_and_guarded() -> None:
    wanted = desired([unit("Prod")], [account("Shop", "Prod")], [policy("Guard", on_unit("Prod"))])
    found = plan(wanted, observed())
    assert says(found) == [
        "create unit Prod",
        "create account Shop <shop@example.com>",
        "create SERVICE_CONTROL_POLICY Guard (16 characters)",
        "attach SERVICE_CONTROL_POLICY Guard to unit Prod",
        "move account Shop: Root → Prod",
    ]
    move = found.steps[-1]
    assert move.needs == ("create-unit:Prod", "create-account:Shop")
    assert move.after == ("attach-policy:SERVICE_CONTROL_POLICY/Guard@Prod",)


def test_account_whose_creation_is_under_way_is_waited_for_and_not_asked_for_twice() -> None:
    there = observed(pending_accounts=(PendingAccount("car-1", account("Shop").name),))
    found = plan(desired(accounts=[account("Shop")]), there)
    assert says(found) == ["wait for account Shop <shop@example.com>, whose creation is under way"]


def test_account_that_left_the_manifest_is_listed_and_never_closed() -> None:
    found = plan(desired(), observed(accounts=[live_account("Old", 9)]))
    assert says(found) == []
    assert "account Old (000000000009, active) in Root" in found.unmanaged


def test_account_is_closed_by_its_wanted_state_alone() -> None:
    there = observed(accounts=[live_account("Old", 9)])
    found = plan(desired(accounts=[account("Old", state="closed")]), there)
    assert says(found) == ["close account Old"]
    assert [step.id for step in found.destructive] == ["close-account:Old"]


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE", "CLOSED"])
def test_closed_account_needs_nothing_more(state: str) -> None:
    there = observed([live_unit("Prod")], [live_account("Old", 9, state=state)])
    found = plan(desired([unit("Prod")], [account("Old", "Prod", state="closed", tags={"a": "b"})]), there)
    assert (says(found), found.notes) == ([], ())


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_ACTIVATION", "PENDING_CLOSURE"])
def test_account_that_cannot_be_worked_on_is_noted_and_no_error(state: str) -> None:
    there = observed([live_unit("Prod")], [live_account("Shop", 9, state=state)])
    found = plan(desired([unit("Prod")], [account("Shop", "Prod")]), there)
    assert says(found) == []
    assert found.notes == (f"account Shop is {state.lower().replace('_', ' ')}: nothing is done to it",)


def test_account_moves_only_under_policies_that_are_as_they_are_to_be() -> None:
    above, beside = policy("Above", on_unit("Prod"), content="{}"), policy("Beside", on_unit("Test"), content="{}")
    live = [live_policy("Above", "ou-prod"), live_policy("Beside", "ou-test")]
    there = observed([live_unit("Prod"), live_unit("Prod/Web"), live_unit("Test")], [live_account("Shop", 2)], live)
    units = [unit("Prod"), unit("Prod/Web"), unit("Test")]
    found = plan(desired(units, [account("Shop", "Prod/Web")], [above, beside]), there)
    (move,) = (step for step in found.steps if step.id == "move-account:Shop")
    assert move.needs == ("update-policy:SERVICE_CONTROL_POLICY/Above",)


def test_quarantined_account_moves_to_the_quarantine_unit_whatever_its_own() -> None:
    wanted = desired(
        [unit("Prod"), unit("Quarantine")],
        [account("Shop", "Prod", state="quarantined")],
        quarantine_unit=UnitPath("Quarantine"),
    )
    there = observed([live_unit("Prod"), live_unit("Quarantine")], [live_account("Shop", 2, "Prod")])
    assert says(plan(wanted, there)) == ["quarantine account Shop: Prod → Quarantine"]


def test_account_id_that_is_not_in_the_organization_is_refused() -> None:
    with pytest.raises(OrgctlError) as caught:
        plan(desired(accounts=[account("Shop", id="999999999999")]), observed())
    assert str(caught.value) == (
        "account Shop: no account 999999999999 in organization o-example; "
        "invite it first, or leave the id out to have an account created"
    )


def test_account_of_the_same_name_and_another_email_is_refused_rather_than_created_twice() -> None:
    there = observed(accounts=[live_account("Shop", 2, email="old@example.com")])
    with pytest.raises(OrgctlError) as caught:
        plan(desired(accounts=[account("Shop")]), there)
    assert str(caught.value) == (
        "account Shop: account 000000000002 has that name but the email old@example.com, not shop@example.com; "
        'if it is meant, write id: "000000000002"; if not, choose another name'
    )


def test_account_found_by_its_email_is_renamed() -> None:
    there = observed(
        accounts=[live_account("shop-account", 2, email="SHOP@example.com")], trusted_access=("account.amazonaws.com",)
    )
    wanted = desired(accounts=[account("Shop")], trusted_access=("account.amazonaws.com",))
    assert "rename account shop-account to Shop" in says(plan(wanted, there))


def test_account_is_not_renamed_while_account_management_may_not_act_in_the_organization() -> None:
    there = observed(accounts=[live_account("shop-account", 2, email="shop@example.com")])
    found = plan(desired(accounts=[account("Shop")]), there)
    assert says(found) == []
    (note,) = found.notes
    assert note == (
        "account Shop is not renamed, it stays shop-account (000000000002): "
        "that takes account.amazonaws.com among trusted_access"
    )


def test_contacts_are_set_and_removed_where_the_manifest_names_them() -> None:
    contact = Contact("Ada", "CISO", "ada@example.com", "+49 30 1")
    wanted = account("Shop", contacts={ContactType.SECURITY: contact, ContactType.BILLING: None})
    there = live_account("Shop", 2, contacts={ContactType.BILLING: contact, ContactType.OPERATIONS: contact})
    assert says(plan(desired(accounts=[wanted]), observed(accounts=[there]))) == [
        "set the security contact of account Shop to ada@example.com",
        "remove the billing contact of account Shop",
    ]


def test_tags_not_named_are_left_alone_and_tags_with_null_are_removed() -> None:
    wanted = account("Shop", tags={"Team": "shop", "Old": None, "Gone": None})
    there = live_account("Shop", 2, tags={"Team": "web", "Old": "1", "Other": "kept"})
    assert says(plan(desired(accounts=[wanted]), observed(accounts=[there]))) == [
        "tag account Shop: Team=shop, without Old"
    ]


# units


def test_unit_with_another_name_under_the_same_parent_is_renamed_with_all_below_it() -> None:
    wanted = desired([unit("Work", formerly="Apps"), unit("Work/Prod")], [account("Shop", "Work/Prod")])
    there = observed([live_unit("Apps"), live_unit("Apps/Prod")], [live_account("Shop", 2, "Apps/Prod")])
    assert says(plan(wanted, there)) == ["rename unit Apps to Work in Root"]


def test_unit_under_another_parent_is_made_anew_its_accounts_moved_and_the_old_one_deleted() -> None:
    wanted = desired([unit("Work"), unit("Work/Prod", formerly="Prod")], [account("Shop", "Work/Prod")])
    there = observed([live_unit("Prod"), live_unit("Work")], [live_account("Shop", 2, "Prod")])
    assert says(plan(wanted, there)) == [
        "create unit Work/Prod",
        "move account Shop: Prod → Work/Prod",
        "delete unit Prod, which moved to Work/Prod",
    ]


def test_owned_unit_that_left_the_manifest_is_deleted_deepest_first() -> None:
    found = plan(desired(), observed([live_unit("Old"), live_unit("Old/Deep")]))
    assert says(found) == ["delete unit Old/Deep", "delete unit Old"]
    assert len(found.destructive) == 2


def test_unit_that_nobody_named_is_left_alone() -> None:
    found = plan(desired(), observed([live_unit("Console", owned=False)]))
    assert says(found) == []
    assert "unit Console" in found.unmanaged


def test_unit_that_was_there_before_is_adopted_by_naming_it() -> None:
    found = plan(desired([unit("Console")]), observed([live_unit("Console", owned=False)]))
    assert says(found) == ["adopt unit Console"]


def test_unit_that_still_holds_something_is_kept_and_said_so() -> None:
    there = observed([live_unit("Old"), live_unit("Old/Theirs", owned=False)], [live_account("Shop", 2, "Old")])
    found = plan(desired(), there)
    assert says(found) == []
    assert found.notes == (
        "unit Old is not deleted, because it still holds account Shop (000000000002, active), unit Old/Theirs",
    )


def test_two_units_that_swap_names_are_refused_by_naming_the_circle() -> None:
    wanted = desired([unit("A", formerly="B"), unit("B", formerly="A")])
    found = plan(wanted, observed([live_unit("A"), live_unit("B")]))
    # Both names are taken, so neither is looked for under its old one.
    assert says(found) == []


# policies


def test_policy_that_differs_is_updated_and_attached_only_where_it_is_named() -> None:
    wanted = desired([unit("Prod")], policies=[policy("Guard", on_unit("Prod"), content='{"Statement":[1]}')])
    there = observed([live_unit("Prod")], policies=[live_policy("Guard", ROOT_ID)])
    assert says(plan(wanted, there)) == [
        "update SERVICE_CONTROL_POLICY Guard (16 → 17 characters)",
        "attach SERVICE_CONTROL_POLICY Guard to unit Prod",
        "detach SERVICE_CONTROL_POLICY Guard from the root",
    ]


def test_on_one_target_the_new_policy_is_attached_before_the_old_one_is_detached() -> None:
    wanted = desired(policies=[policy("New", on_root()), policy("Old")])
    there = observed(policies=[live_policy("Old", ROOT_ID)])
    assert says(plan(wanted, there))[-2:] == [
        "attach SERVICE_CONTROL_POLICY New to the root",
        "detach SERVICE_CONTROL_POLICY Old from the root",
    ]


def test_where_the_quota_of_a_target_is_full_the_old_policy_goes_first() -> None:
    limit = load_quotas().policy(SCP).max_per_target
    kept = [policy(f"P{n}", on_root()) for n in range(limit - 1)]
    live = [live_policy(f"P{n}", ROOT_ID) for n in range(limit - 1)] + [live_policy("Old", ROOT_ID)]
    found = plan(desired(policies=[*kept, policy("Old"), policy("New", on_root())]), observed(policies=live))
    assert says(found)[-1] == "attach SERVICE_CONTROL_POLICY New to the root"
    assert "detach-policy:SERVICE_CONTROL_POLICY/Old@Root" in found.steps[-1].needs


def test_owned_policy_that_left_the_manifest_is_detached_and_deleted() -> None:
    found = plan(desired(), observed(policies=[live_policy("Old", ROOT_ID)]))
    assert says(found) == [
        "detach SERVICE_CONTROL_POLICY Old from the root",
        "delete SERVICE_CONTROL_POLICY Old",
    ]
    assert [step.id for step in found.destructive] == ["delete-policy:SERVICE_CONTROL_POLICY/Old"]


def test_policies_of_aws_and_of_others_are_left_alone() -> None:
    there = observed(
        policies=[
            live_policy("FullAWSAccess", ROOT_ID, owned=False, aws_managed=True),
            live_policy("Console", ROOT_ID, owned=False),
        ]
    )
    found = plan(desired(), there)
    assert (says(found), found.unmanaged) == (
        [],
        ("SERVICE_CONTROL_POLICY Console", "policy type SERVICE_CONTROL_POLICY, enabled"),
    )


def test_policy_of_aws_is_attached_and_detached_once_the_manifest_names_it() -> None:
    full = live_policy("FullAWSAccess", ROOT_ID, "ou-prod", owned=False, aws_managed=True)
    wanted = desired([unit("Prod")], policies=[policy("FullAWSAccess", on_root(), content="", aws_managed=True)])
    assert says(plan(wanted, observed([live_unit("Prod")], policies=[full]))) == [
        "detach SERVICE_CONTROL_POLICY FullAWSAccess from unit Prod"
    ]


def test_policy_of_aws_that_does_not_exist_is_refused() -> None:
    wanted = desired(policies=[policy("FullAccess", on_root(), content="", aws_managed=True)])
    with pytest.raises(OrgctlError) as caught:
        plan(wanted, observed())
    assert str(caught.value) == (
        "policy FullAccess: AWS manages no SERVICE_CONTROL_POLICY of that name; check its name and type"
    )


def test_policy_that_names_an_account_still_to_be_created_waits_for_its_id() -> None:
    content = '{"Statement":"${orgctl:account-id:Shop}"}'
    found = plan(desired(accounts=[account("Shop")], policies=[policy("Guard", content=content)]), observed())
    assert found.steps[-1].needs == ("create-account:Shop",)


def test_policy_type_is_enabled_with_the_first_policy_of_it_and_disabled_with_the_last_if_we_enabled_it() -> None:
    found = plan(desired(policies=[policy("Tags", on_root(), type=TAG_POLICY)]), observed())
    assert says(found)[0] == "enable policy type TAG_POLICY"
    there = observed(policy_types=(TAG_POLICY,), root_tags={"orgctl:policy-type/TAG_POLICY": "true"})
    assert says(plan(desired(), there)) == ["disable policy type TAG_POLICY, which detaches every policy of it"]


def test_policy_is_not_attached_to_an_account_that_is_being_closed() -> None:
    wanted = desired(accounts=[account("Old", state="closed")], policies=[policy("Guard", on_account("Old"))])
    there = observed(accounts=[live_account("Old", 2)], policies=[live_policy("Guard")])
    assert says(plan(wanted, there)) == ["close account Old"]


# services


def test_trusted_access_comes_with_the_manifest_and_goes_with_it_only_if_it_is_ours() -> None:
    service = "config.amazonaws.com"
    assert says(plan(desired(trusted_access=(service,)), observed())) == [f"enable trusted access for {service}"]
    theirs = plan(desired(), observed(trusted_access=(service,)))
    assert (says(theirs), theirs.unmanaged) == (
        [],
        ("policy type SERVICE_CONTROL_POLICY, enabled", f"trusted access for {service}"),
    )
    ours = observed(trusted_access=(service,), root_tags={f"orgctl:trusted-access/{service}": "true"})
    assert says(plan(desired(), ours)) == [f"disable trusted access for {service}"]


def test_trusted_access_that_was_there_is_adopted_by_naming_it() -> None:
    there = observed(trusted_access=("config.amazonaws.com",))
    found = plan(desired(trusted_access=("config.amazonaws.com",)), there)
    assert says(found) == ["adopt trusted access for config.amazonaws.com"]


def test_delegated_administrator_is_registered_after_trusted_access_and_its_account() -> None:
    admin = DelegatedAdministrator("config.amazonaws.com", account("Audit").name)
    wanted = desired(
        accounts=[account("Audit")], trusted_access=("config.amazonaws.com",), delegated_administrators=(admin,)
    )
    found = plan(wanted, observed())
    assert found.steps[-1].change.describe() == "make account Audit delegated administrator for config.amazonaws.com"
    assert found.steps[-1].needs == ("enable-trusted-access:config.amazonaws.com", "create-account:Audit")


def test_delegated_administrator_of_ours_is_replaced_by_the_one_that_the_manifest_names() -> None:
    service = "config.amazonaws.com"
    tags = {f"orgctl:delegated-administrator/{service}": "true"}
    there = observed(
        accounts=[live_account("Audit", 2, tags=tags), live_account("Ops", 3)],
        trusted_access=(service,),
        root_tags={f"orgctl:trusted-access/{service}": "true"},
        delegated_administrators=((service, live_account("Audit", 2).id),),
    )
    wanted = desired(
        accounts=[account("Audit"), account("Ops")],
        trusted_access=(service,),
        delegated_administrators=(DelegatedAdministrator(service, account("Ops").name),),
    )
    assert says(plan(wanted, there)) == [
        f"account Audit is no longer delegated administrator for {service}",
        f"make account Ops delegated administrator for {service}",
    ]


# what could not be read


def test_incomplete_observation_never_leads_to_a_deletion() -> None:
    there = observed(
        [live_unit("Old")],
        policies=[live_policy("Old", ROOT_ID)],
        unread=(Unread("tags", "ou-x", "access denied"),),
    )
    found = plan(desired([unit("New")]), there)
    assert says(found) == ["create unit New"]
    assert found.notes == (
        "not planned, because not everything could be read: delete unit Old",
        "not planned, because not everything could be read: detach SERVICE_CONTROL_POLICY Old from the root",
        "not planned, because not everything could be read: delete SERVICE_CONTROL_POLICY Old",
    )


def test_policy_that_could_not_be_read_is_not_created_a_second_time() -> None:
    there = observed(unread=(Unread("policies", "SERVICE_CONTROL_POLICY/Guard", "access denied"),))
    assert says(plan(desired(policies=[policy("Guard", on_root())]), there)) == []


def test_tags_that_could_not_be_read_are_not_written_over() -> None:
    there = observed([live_unit("Prod", owned=False)], unread=(Unread("tags", "ou-prod", "access denied"),))
    assert says(plan(desired([unit("Prod", Team="shop")]), there)) == []


def test_plan_counts_quotas_after_it_is_applied() -> None:
    found = plan(desired([unit("Prod")], policies=[policy("Guard", on_unit("Prod"))]), observed())
    rooms = {room.what: (room.used, room.limit) for room in found.headroom}
    assert rooms["units"] == (1, 2000)
    assert rooms["SERVICE_CONTROL_POLICY on unit Prod"] == (1, 10)
    assert rooms["characters of SERVICE_CONTROL_POLICY Guard"] == (16, 10240)


def test_policy_is_as_long_as_with_the_ids_that_it_is_still_to_have() -> None:
    content = json.dumps({"Accounts": ["${orgctl:account-id:Shop}"], "Unit": "${orgctl:unit-id:Prod}"})
    guard = replace(policy("Guard", on_root()), content=content)
    found = plan(desired([unit("Prod")], [account("Shop")], policies=[guard]), observed())
    length = len(json.dumps({"Accounts": ["111122223333"], "Unit": "ou-a1b2-c3d4e5f6"}))
    assert {room.what: room.used for room in found.headroom}["characters of SERVICE_CONTROL_POLICY Guard"] == length
    assert f"create SERVICE_CONTROL_POLICY Guard ({length} characters)" in says(found)


def test_what_needs_a_withheld_step_is_withheld_with_it() -> None:
    """Two administrators of one service at a time are more than most services take."""
    service = "config.amazonaws.com"
    there = observed(
        accounts=[
            live_account("Audit", 2, tags={f"orgctl:delegated-administrator/{service}": "true"}),
            live_account("Ops", 3),
        ],
        trusted_access=(service,),
        root_tags={f"orgctl:trusted-access/{service}": "true"},
        delegated_administrators=((service, live_account("Audit", 2).id),),
        unread=(Unread("tags", "ou-x", "access denied"),),
    )
    wanted = desired(
        accounts=[account("Audit"), account("Ops")],
        trusted_access=(service,),
        delegated_administrators=(DelegatedAdministrator(service, account("Ops").name),),
    )
    found = plan(wanted, there)
    assert says(found) == []
    assert [note.partition(" be read: ")[2] for note in found.notes] == [
        f"account Audit is no longer delegated administrator for {service}",
        f"make account Ops delegated administrator for {service}",
    ]


def test_services_of_one_administrator_that_could_not_be_read_leave_all_administrators_alone() -> None:
    there = observed(
        accounts=[live_account("Ops", 3)], unread=(Unread("delegated administrators", "000000000002", "access denied"),)
    )
    wanted = desired(
        accounts=[account("Ops")],
        delegated_administrators=(DelegatedAdministrator("config.amazonaws.com", account("Ops").name),),
    )
    assert says(plan(wanted, there)) == []


# what a run that was cut short, or AWS, leaves behind


def test_our_tag_on_what_is_off_is_removed() -> None:
    service, other = "config.amazonaws.com", "guardduty.amazonaws.com"
    there = observed(
        accounts=[live_account("Audit", 2, tags={f"orgctl:delegated-administrator/{service}": "true"})],
        root_tags={
            f"orgctl:trusted-access/{service}": "true",
            f"orgctl:trusted-access/{other}": "true",
            "orgctl:policy-type/TAG_POLICY": "true",
            "theirs": "true",
        },
    )
    assert says(plan(desired(accounts=[account("Audit")], trusted_access=(other,)), there)) == [
        f"enable trusted access for {other}",
        f"tag account Audit: without orgctl:delegated-administrator/{service}",
        f"tag the root: without orgctl:policy-type/TAG_POLICY, without orgctl:trusted-access/{service}",
    ]


def test_closed_account_keeps_its_unit_from_being_deleted() -> None:
    there = observed([live_unit("Old")], [live_account("Shop", 2, "Old", state="SUSPENDED")])
    found = plan(desired(accounts=[account("Shop", state="closed")]), there)
    assert says(found) == []
    assert found.notes == ("unit Old is not deleted, because it still holds account Shop (suspended)",)


@pytest.mark.parametrize("state", ["active", "closed"])
def test_policies_on_an_account_that_is_closing_or_closed_are_left_as_they_are(state: str) -> None:
    live = live_account("Shop", 2, state="ACTIVE" if state == "closed" else "SUSPENDED")
    there = observed(accounts=[live], policies=[live_policy("Guard", live.id), live_policy("Other")])
    wanted = desired(
        accounts=[account("Shop", state=state)], policies=[policy("Guard"), policy("Other", on_account("Shop"))]
    )
    assert [step for step in says(plan(wanted, there)) if "close" not in step] == []


def test_account_that_is_to_be_closed_is_closed_and_nothing_else() -> None:
    contact = Contact("Ada", "CISO", "ada@example.com", "+49 30 1")
    wanted = account("Shop", "Prod", state="closed", tags={"a": "b"}, contacts={ContactType.SECURITY: contact})
    there = observed([live_unit("Prod")], [live_account("shop", 2, "Prod", email="shop@example.com")])
    assert says(plan(desired([unit("Prod")], [wanted]), there)) == ["close account Shop"]


def test_suspended_account_is_not_made_delegated_administrator() -> None:
    there = observed(accounts=[live_account("Ops", 3, state="SUSPENDED")], trusted_access=("config.amazonaws.com",))
    wanted = desired(
        accounts=[account("Ops")],
        delegated_administrators=(DelegatedAdministrator("config.amazonaws.com", account("Ops").name),),
    )
    found = plan(wanted, there)
    assert not any("administrator" in step for step in says(found))
    assert (
        "account Ops is not made delegated administrator for config.amazonaws.com, because it is not active"
        in found.notes
    )


def test_policy_that_aws_wrote_down_in_another_way_is_the_same_policy() -> None:
    there = observed(policies=[live_policy("Guard", ROOT_ID, content='{\n  "Statement": []\n}')])
    assert says(plan(desired(policies=[policy("Guard", on_root())]), there)) == []


STATEMENTS = (
    {"Sid": "A", "Effect": "Deny", "Action": ["s3:*", "ec2:*"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::a"],
     "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}},
    {"Sid": "B", "Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*"},
)  # fmt: skip


def statement_document(*statements: object, **more: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements} | more)


@pytest.mark.parametrize(
    "other",
    [
        statement_document(*STATEMENTS[::-1]),
        statement_document({**STATEMENTS[0], "Action": ["ec2:*", "s3:*"]}, STATEMENTS[1], Id="x"),
        statement_document({**STATEMENTS[0], "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}, STATEMENTS[1]),
        statement_document(
            {**STATEMENTS[0], "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}},
            {**STATEMENTS[1], "NotAction": ["sts:*", "iam:*"], "Resource": ["*"]},
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("type", [SCP, "RESOURCE_CONTROL_POLICY"])
def test_policy_whose_lists_are_in_another_order_is_the_same_policy(type: str, other: str) -> None:
    mine = statement_document(*STATEMENTS)
    if type != SCP:
        mine, other = (
            text.replace('"Deny"', '"Deny", "Principal": "*"').replace("NotAction", "Action") for text in (mine, other)
        )
    there = observed(policies=[live_policy("Guard", ROOT_ID, content=mine, type=PolicyType(type))])
    wanted = policy("Guard", on_root(), content=other, type=PolicyType(type))
    assert "update" not in " ".join(says(plan(desired(policies=[wanted]), there)))


@pytest.mark.parametrize(
    "other",
    [
        statement_document(STATEMENTS[0]),
        statement_document(*STATEMENTS, Version="2008-10-17"),
        statement_document({**STATEMENTS[0], "Sid": "C"}, STATEMENTS[1]),
        statement_document({**STATEMENTS[0], "Action": ["s3:*"]}, STATEMENTS[1]),
        statement_document({**STATEMENTS[0], "Effect": "Allow"}, STATEMENTS[1]),
        statement_document({**STATEMENTS[0], "Resource": "arn:aws:s3:::A"}, STATEMENTS[1]),
        statement_document(STATEMENTS[0], {**STATEMENTS[1], "Bad": "x"}),
    ],
)
def test_policy_that_means_something_else_is_updated(other: str) -> None:
    there = observed(policies=[live_policy("Guard", ROOT_ID, content=statement_document(*STATEMENTS))])
    (step,) = says(plan(desired(policies=[policy("Guard", on_root(), content=other)]), there))
    assert step.startswith(f"update {SCP} Guard")


def test_lists_of_what_has_no_statements_keep_their_order() -> None:
    type = PolicyType("TAG_POLICY")
    one, other = (json.dumps({"tags": {"a": {"tag_value": {"@@assign": v}}}}) for v in (["x", "y"], ["y", "x"]))
    there = observed(policies=[live_policy("Tags", ROOT_ID, content=one, type=type)])
    wanted = policy("Tags", on_root(), content=other, type=type)
    assert any(step.startswith(f"update {type} Tags") for step in says(plan(desired(policies=[wanted]), there)))


def test_contacts_of_members_count_as_unknown_until_aws_may_be_asked_for_them() -> None:
    contacts = {ContactType.SECURITY: Contact("Ada", "CISO", "ada@example.com", "+49 30 1"), ContactType.BILLING: None}
    wanted = desired(accounts=[account("Shop", contacts=contacts)], trusted_access=("account.amazonaws.com",))
    assert says(plan(wanted, observed(accounts=[live_account("Shop", 2)]))) == [
        "enable trusted access for account.amazonaws.com",
        "set the security contact of account Shop to ada@example.com",
        "remove the billing contact of account Shop",
    ]


def test_unit_keeps_its_policies_until_the_accounts_that_leave_it_have_left() -> None:
    wanted = desired([unit("Prod"), unit("Dev")], [account("Shop", "Dev")], [policy("Guard", on_unit("Dev"))])
    there = observed(
        [live_unit("Prod"), live_unit("Dev")], [live_account("Shop", 2, "Prod")], [live_policy("Guard", "ou-prod")]
    )
    assert says(plan(wanted, there)) == [
        "attach SERVICE_CONTROL_POLICY Guard to unit Dev",
        "move account Shop: Prod → Dev",
        "detach SERVICE_CONTROL_POLICY Guard from unit Prod",
    ]


def test_two_full_targets_can_swap_policies() -> None:
    limit = load_quotas().policy(SCP).max_per_target
    units = [live_unit("A"), live_unit("B")]
    common = [live_policy(f"P{n}", "ou-a", "ou-b") for n in range(limit - 1)]
    there = observed(units, policies=[*common, live_policy("X", "ou-a"), live_policy("Y", "ou-b")])
    wanted = desired(
        [unit("A"), unit("B")],
        policies=[
            *(policy(f"P{n}", on_unit("A"), on_unit("B")) for n in range(limit - 1)),
            policy("X", on_unit("B")),
            policy("Y", on_unit("A")),
        ],
    )
    assert sorted(says(plan(wanted, there))) == [
        "attach SERVICE_CONTROL_POLICY X to unit B",
        "attach SERVICE_CONTROL_POLICY Y to unit A",
        "detach SERVICE_CONTROL_POLICY X from unit A",
        "detach SERVICE_CONTROL_POLICY Y from unit B",
    ]


def test_policy_that_aws_attaches_everywhere_is_not_detached() -> None:
    type = PolicyType("RESOURCE_CONTROL_POLICY")
    full = live_policy("RCPFullAWSAccess", ROOT_ID, "ou-prod", owned=False, aws_managed=True, type=type)
    wanted = policy("RCPFullAWSAccess", on_root(), type=type, content="", aws_managed=True)
    found = plan(
        desired([unit("Prod")], policies=[wanted]), observed([live_unit("Prod")], policies=[full], policy_types=(type,))
    )
    assert says(found) == []
    assert found.notes == (
        "RESOURCE_CONTROL_POLICY RCPFullAWSAccess stays attached everywhere: AWS does not let it be detached",
    )


def test_same_inputs_give_the_same_plan() -> None:
    wanted = desired([unit("B"), unit("A")], [account("Y", "A"), account("X", "B")], [policy("P", on_unit("A"))])
    there = observed()
    assert plan(wanted, there) == plan(wanted, replace(there))
