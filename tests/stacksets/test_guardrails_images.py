"""Which images can be launched, made and approved, and by whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.load import load_manifest
from stacksets.guardrails.approved_images import BLIND, LAUNCHES, LOOSENING, UNGOVERNED_MAKING
from stacksets.guardrails.catalog import guardrails
from stacksets.guardrails.surroundings import surroundings_of
from tests.support.guardrails import (
    ACCOUNT,
    ADMIN,
    IMAGES,
    NEAR_MISSES,
    SERVICE_LINKED,
    SPARED,
    SURROUNDINGS,
    content,
    denying,
)

COMPANY = Path(__file__).parents[2] / "config" / "examples" / "company" / "organization.yaml"
IMAGE = "arn:aws:ec2:eu-central-1::image/ami-1"
INSTANCE = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/*"
APPROVAL = "aws:ResourceTag/ec2:SharedTag/status"
UNTRUSTED, UNAPPROVED = "DenyLaunchingImagesOfUntrustedOwners", "DenyLaunchingUnapprovedImages"
WRITING, REMOVING = "DenyWritingApprovalTags", "DenyRemovingAllTagsOfImages"
APPROVER = f"arn:aws:iam::{IMAGES}:role/ImageApprover"
WRITERS = {"parameters": {"writers": ("arn:aws:iam::${orgctl:account-id:Image Factory}:role/ImageApprover",)}}


@pytest.mark.parametrize("action", LAUNCHES)
@pytest.mark.parametrize(
    ("image", "sids"),
    [
        ({"ec2:Owner": "amazon"}, set()),
        ({"ec2:Owner": "aws-marketplace"}, set()),
        ({"ec2:Owner": IMAGES, APPROVAL: "approved"}, set()),
        # The tag's key is found in any case, which is why approval-tags guards it in every case.
        ({"ec2:Owner": IMAGES, "aws:ResourceTag/EC2:sharedtag/STATUS": "approved"}, set()),
        ({"ec2:Owner": IMAGES, APPROVAL: "Approved"}, {UNAPPROVED}),
        ({"ec2:Owner": IMAGES, APPROVAL: "revoked"}, {UNAPPROVED}),
        ({"ec2:Owner": IMAGES, "aws:ResourceTag/status": "approved"}, {UNAPPROVED}),
        ({"ec2:Owner": IMAGES}, {UNAPPROVED}),
        ({"ec2:Owner": "999999999999", APPROVAL: "approved"}, {UNTRUSTED}),
        ({"ec2:Owner": ACCOUNT, APPROVAL: "approved"}, {UNTRUSTED}),
        ({"ec2:Owner": "Amazon"}, {UNTRUSTED}),
        ({}, {UNTRUSTED}),
    ],
)  # fmt: skip
def test_images_are_launched_from_trusted_owners_or_approved(action, image, sids):
    assert denying("approved-images", ADMIN, action, IMAGE, image) == sids
    for principal in SPARED:
        assert denying("approved-images", principal, action, IMAGE, image) == set(), principal
    for principal in NEAR_MISSES:
        assert denying("approved-images", principal, action, IMAGE, image) == sids, principal


def test_other_resources_of_a_launch_have_no_owner_and_are_let_through():
    assert denying("approved-images", ADMIN, "ec2:RunInstances", INSTANCE) == set()


def test_service_linked_roles_are_beyond_it():
    assert denying("approved-images", SERVICE_LINKED, "ec2:RunInstances", IMAGE, {"ec2:Owner": "999999999999"}) == set()


@pytest.mark.parametrize("action", UNGOVERNED_MAKING)
def test_images_of_unknown_origin_are_made_by_image_makers_alone(action):
    maker = f"arn:aws:iam::{ACCOUNT}:role/ImageMaker"
    more = {"parameters": {"image_makers": ("arn:aws:iam::*:role/ImageMaker",)}}
    assert denying("approved-images", ADMIN, action, IMAGE, **more) == {"DenyMakingImagesOfUnknownOrigin"}
    assert denying("approved-images", maker, action, IMAGE, **more) == set()
    assert denying("approved-images", maker, "ec2:RunInstances", IMAGE, **more) == {UNTRUSTED}


@pytest.mark.parametrize("action", LOOSENING)
def test_the_accounts_own_switches_are_not_turned(action):
    assert denying("approved-images", ADMIN, action) == {"DenyLooseningImageSettings"}
    assert all(denying("approved-images", principal, action) == set() for principal in SPARED)


@pytest.mark.parametrize("action", BLIND)
def test_launches_on_which_no_policy_sees_the_image_are_denied_altogether(action):
    assert denying("approved-images", ADMIN, action) == {"DenyLaunchesThatHideTheImage"}
    assert all(denying("approved-images", principal, action) == set() for principal in SPARED)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("ec2:CreateTags", INSTANCE, {"ec2:CreateAction": "RunInstances", "aws:TagKeys": ("Name", "Team")}),
        ("ec2:CreateTags", IMAGE, {"aws:TagKeys": ("Name",)}),
        ("ec2:CreateTags", IMAGE, {}),
        ("ec2:DeleteTags", IMAGE, {"aws:TagKeys": ("Name",)}),
        ("ec2:DeleteTags", INSTANCE, {}),
        ("ec2:CreateImage", IMAGE, {}),
        ("ec2:CreateSnapshot", "arn:aws:ec2:eu-central-1::snapshot/*", {}),
        ("ec2:CopySnapshot", "arn:aws:ec2:eu-central-1::snapshot/*", {}),
        ("ec2:CreateLaunchTemplate", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:launch-template/*", {}),
        ("ec2:CreateFleet", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:fleet/*", {}),
        ("ec2:CreateReplaceRootVolumeTask", "arn:aws:ec2:eu-central-1::snapshot/snap-1", {"ec2:Owner": ACCOUNT}),
        ("ec2:RunInstances", "arn:aws:ec2:eu-central-1::snapshot/snap-1", {"ec2:Owner": "999999999999"}),
        ("ec2:DescribeImages", "*", {}),
        ("ec2:EnableImageBlockPublicAccess", "*", {}),
        ("autoscaling:CreateAutoScalingGroup", "*", {}),
        ("ecs:RunTask", "*", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["approved-images", "approval-tags"])
def test_ordinary_work_goes_on(name, action, resource, context):
    assert denying(name, ADMIN, action, resource, context) == set()


@pytest.mark.parametrize("principal", [ADMIN, f"arn:aws:iam::{ACCOUNT}:role/service-role/AWSBackupDefaultServiceRole"])
def test_images_of_the_accounts_own_are_neither_copied_nor_launched_by_backups_without_a_name(principal):
    more = {"parameters": {"exempt_principals": ("arn:aws:iam::*:role/service-role/AWSBackupDefaultServiceRole",)}}
    launch = ("ec2:RunInstances", IMAGE, {"ec2:Owner": ACCOUNT})
    assert denying("approved-images", principal, *launch) == {UNTRUSTED}
    assert denying("approved-images", principal, *launch, **more) == ({UNTRUSTED} if principal == ADMIN else set())


def test_owners_and_the_tag_can_be_chosen_and_self_is_whoever_asks():
    more = {
        "parameters": {
            "trusted_owners": ("self",),
            "approval_tag": "Approval",
            "approval_value": "yes",
            "exempt_principals": ("arn:aws:iam::*:role/Tester",),
        }
    }
    run = "ec2:RunInstances"
    assert denying("approved-images", ADMIN, run, IMAGE, {"ec2:Owner": ACCOUNT}, **more) == set()
    assert denying("approved-images", ADMIN, run, IMAGE, {"ec2:Owner": "amazon"}, **more) == {UNTRUSTED}
    approved = {"ec2:Owner": IMAGES, "aws:ResourceTag/Approval": "yes"}
    assert denying("approved-images", ADMIN, run, IMAGE, approved, **more) == set()
    assert denying("approved-images", ADMIN, run, IMAGE, {"ec2:Owner": IMAGES, APPROVAL: "approved"}, **more) == {
        UNAPPROVED
    }
    assert denying("approved-images", f"arn:aws:iam::{ACCOUNT}:role/Tester", run, IMAGE, **more) == set()


def test_the_image_account_has_no_default_and_must_be_an_account_of_the_manifest():
    model = guardrails()["approved-images"].parameters
    for given in ({}, {"image_accounts": ()}, {"image_accounts": ("Image Factry",)}):
        with pytest.raises(ValidationError):
            model.model_validate(given, context=SURROUNDINGS)


@pytest.mark.parametrize("action", ["CreateTags", "DeleteTags", "CreateImage", "CopyImage", "RegisterImage"])
@pytest.mark.parametrize(
    ("keys", "sids"),
    [
        (("ec2:SharedTag/status",), {WRITING}),
        (("Name", "ec2:SharedTag/status"), {WRITING}),
        (("EC2:SharedTag/Status",), {WRITING}),
        (("ec2:SharedTag/statuses",), set()),
        (("Name",), set()),
    ],
)
def test_approval_tags_are_written_and_removed_by_writers_alone(action, keys, sids):
    asked = (f"ec2:{action}", IMAGE, {"aws:TagKeys": keys})
    assert denying("approval-tags", ADMIN, *asked, **WRITERS) == sids
    for principal in (*SPARED, APPROVER):
        assert denying("approval-tags", principal, *asked, **WRITERS) == set(), principal
    for principal in (*NEAR_MISSES, f"arn:aws:iam::{ACCOUNT}:role/ImageApprover"):
        assert denying("approval-tags", principal, *asked, **WRITERS) == sids, principal


def test_tags_that_approve_images_are_guarded_whatever_they_are_called():
    company = load_manifest(COMPANY).manifest
    images = next(policy for policy in company.policies if policy.guardrail == "approved-images")
    other = images.model_copy(update={"parameters": {**images.parameters, "approval_tag": "Approval"}})
    tags = next(policy for policy in company.policies if policy.guardrail == "approval-tags")
    around = surroundings_of(company.model_copy(update={"policies": (other, tags)}))
    assert around.approval_tags == ("ec2:SharedTag/status", "Approval")
    guardrail = guardrails()["approval-tags"]
    writing, _ = guardrail.render(guardrail.parameters(tag_keys=("Scan", "Approval")), around)["Statement"]
    assert writing["Condition"]["ForAnyValue:StringEqualsIgnoreCase"] == {
        "aws:TagKeys": ["Approval", "Scan", "ec2:SharedTag/status"]
    }


def test_removing_all_tags_without_naming_them_is_denied_and_tagging_other_things_is_not():
    assert denying("approval-tags", ADMIN, "ec2:DeleteTags", IMAGE) == {REMOVING}
    assert denying("approval-tags", ADMIN, "ec2:CreateTags", IMAGE) == set()
    assert denying("approval-tags", ADMIN, "ec2:DeleteTags", INSTANCE) == set()
    assert (
        denying("approval-tags", ADMIN, "ec2:CreateTags", INSTANCE, {"aws:TagKeys": ("ec2:SharedTag/status",)}) == set()
    )


def allowed_images(**parameters):
    return content("ec2-account-settings", **parameters)["ec2_attributes"].get("allowed_images_settings")


def test_images_of_trusted_owners_are_allowed_and_others_only_marked_by_default():
    assert allowed_images() == {
        "state": {"@@assign": "audit_mode"},
        "image_criteria": {"criteria_1": {"allowed_image_providers": {"@@assign": ["amazon", "aws_marketplace"]}}},
    }


def test_images_of_image_accounts_are_allowed_within_limits_of_their_own():
    settings = allowed_images(
        allowed_images="enabled",
        trusted_owners=("self",),
        image_accounts=("Image Factory",),
        image_names=("golden-*",),
        days_since_created=90,
        days_since_deprecated=0,
    )
    assert settings == {
        "state": {"@@assign": "enabled"},
        "image_criteria": {
            "criteria_1": {
                "allowed_image_providers": {"@@assign": ["${orgctl:account-id:Image Factory}"]},
                "image_names": {"@@assign": ["golden-*"]},
                "creation_date_condition": {"maximum_days_since_created": {"@@assign": "90"}},
                "deprecation_time_condition": {"maximum_days_since_deprecated": {"@@assign": "0"}},
            }
        },
    }


def test_without_any_criterion_allowed_images_are_left_to_the_accounts():
    assert allowed_images(trusted_owners=()) is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"image_names": ("golden-*",)},
        {"days_since_created": 90},
        {"image_accounts": ("Image Factory",), "image_names": ("gold$",)},
        {"image_accounts": ("Nowhere",)},
        {"days_since_deprecated": -1},
    ],
)
def test_limits_that_make_no_sense_are_refused(parameters):
    with pytest.raises(ValidationError):
        allowed_images(**parameters)
