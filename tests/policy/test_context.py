"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""

from __future__ import annotations

import pytest

from org.errors import OrgctlError
from org.policy.context import OWNER_KEYS, make_context, principal_of
from org.policy.request import Principal, PrincipalKind
from tests.support.policies import ACCOUNT, BUCKET, OTHER, ROLE, ROOT, SESSION, USER

FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/ada"


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (ROLE, Principal(ROLE, ACCOUNT, PrincipalKind.ROLE)),
        (SESSION, Principal(ROLE, ACCOUNT, PrincipalKind.ROLE, SESSION)),
        (USER, Principal(USER, ACCOUNT, PrincipalKind.USER)),
        (ROOT, Principal(ROOT, ACCOUNT, PrincipalKind.ROOT)),
        ("s3.amazonaws.com", Principal("s3.amazonaws.com", "", PrincipalKind.SERVICE)),
        ("*", Principal("*", "", PrincipalKind.ANONYMOUS)),
        ("alexa-appkit.amazon.com", Principal("alexa-appkit.amazon.com", "", PrincipalKind.SERVICE)),
        ("www.amazon.com", Principal("www.amazon.com", "", PrincipalKind.FEDERATED)),
        ("accounts.google.com", Principal("accounts.google.com", "", PrincipalKind.FEDERATED)),
        ("cognito-identity.amazonaws.com", Principal("cognito-identity.amazonaws.com", "", PrincipalKind.FEDERATED)),
        (FEDERATED, Principal(FEDERATED, ACCOUNT, PrincipalKind.USER)),
        (
            f"arn:aws:iam::{ACCOUNT}:saml-provider/corp",
            Principal(f"arn:aws:iam::{ACCOUNT}:saml-provider/corp", ACCOUNT, PrincipalKind.FEDERATED),
        ),
        ("arn:aws-us-gov:iam::*:role/a/b", Principal("arn:aws-us-gov:iam::*:role/a/b", "*", PrincipalKind.ROLE)),
    ],
)
def test_a_principal_is_read_from_its_arn(arn, principal):
    assert principal_of(arn) == principal


def test_the_role_of_a_permission_set_is_known_by_its_path_but_for_the_region():
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html"""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada@example.com"
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_0123456789abcdef"
    assert principal_of(session) == Principal(role, ACCOUNT, PrincipalKind.ROLE, session)


@pytest.mark.parametrize(
    "arn", ["", "ada", "arn:aws:s3:::x", f"arn:aws:iam::{ACCOUNT}:role/", f"arn:aws:iam::{ACCOUNT}:group/x"]
)
def test_what_is_no_principal_is_refused(arn):
    with pytest.raises(OrgctlError, match="this is no principal"):
        principal_of(arn)


@pytest.mark.parametrize(
    ("path", "linked"),
    [("aws-service-role/x.amazonaws.com/", True), ("aws-reserved/sso.amazonaws.com/", False), ("", False)],
)
def test_service_linked_roles_are_told_by_their_path(path, linked):
    assert principal_of(f"arn:aws:iam::{ACCOUNT}:role/{path}x").is_service_linked is linked


def test_what_follows_for_a_role():
    context = make_context(
        principal_of(SESSION), "s3:GetObject", BUCKET, region="eu-central-1", organization_id="o-1",
        organization_path="o-1/r-1/ou-1/", resource_account=ACCOUNT, more={"AWS:SourceIp": "10.0.0.1"},
    )  # fmt: skip
    assert context == {
        "aws:principalaccount": ACCOUNT,
        "aws:principalarn": ROLE,
        "aws:principalisawsservice": "false",
        "aws:principalorgid": "o-1",
        "aws:principalorgpaths": ("o-1/r-1/ou-1/",),
        "aws:principalservicename": None,
        "aws:principalservicenameslist": None,
        "aws:principaltype": "AssumedRole",
        "aws:requestedregion": "eu-central-1",
        "aws:resourceaccount": ACCOUNT,
        "aws:resourceorgid": "o-1",
        "aws:resourceorgpaths": ("o-1/r-1/ou-1/",),
        "aws:securetransport": "true",
        "aws:sourceaccount": None,
        "aws:sourcearn": None,
        "aws:sourceip": "10.0.0.1",
        "aws:sourceorgid": None,
        "aws:sourceorgpaths": None,
        "aws:username": None,
    }


@pytest.mark.parametrize(
    ("resource", "is_open"),
    [
        (BUCKET, True), ("arn:aws-cn:s3:::name/key", True), ("arn:aws:s3:::*", False), ("arn:aws:s3:::*/key", False),
        ("arn:aws:ec2:eu-central-1::image/ami-1", True), ("arn:aws:ec2:*::image/*", True),
        ("arn:aws:ec2:eu-central-1::snapshot/snap-1", True),
        (f"arn:aws:ec2:eu-central-1:{ACCOUNT}:subnet/s-1", False), ("arn:aws:route53:::hostedzone/Z1", False),
        ("*", False),
    ],
)  # fmt: skip
def test_whose_a_resource_is_stays_open_where_its_arn_does_not_tell_and_others_may_own_it(resource, is_open):
    given = {"organization_id": "o-1", "organization_path": "o-1/r-1/"}
    context = make_context(principal_of(SESSION), "ec2:RunInstances", resource, **given)
    assert not set(OWNER_KEYS) & set(context) if is_open else set(OWNER_KEYS) <= set(context)
    told = make_context(principal_of(SESSION), "ec2:RunInstances", resource, resource_account=ACCOUNT, **given)
    assert set(OWNER_KEYS) <= set(told)


def test_what_follows_for_others():
    user = make_context(principal_of(f"arn:aws:iam::{ACCOUNT}:user/team/ada"), "s3:GetObject", BUCKET)
    assert (user["aws:username"], user["aws:principaltype"]) == ("ada", "User")
    assert "aws:principalorgid" not in user
    service = make_context(principal_of("s3.amazonaws.com"), "sns:Publish", f"arn:aws:sns:eu-central-1:{OTHER}:t")
    assert (service["aws:principalisawsservice"], service["aws:principalservicename"]) == ("true", "s3.amazonaws.com")
    assert (service["aws:principalarn"], service["aws:resourceaccount"]) == (None, OTHER)
    assert "aws:sourceaccount" not in service


def test_who_does_not_sign_is_no_service_and_of_no_account():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    nobody = make_context(principal_of("*"), "s3:GetObject", BUCKET, organization_id="o-1")
    assert (nobody["aws:principalaccount"], nobody["aws:principaltype"]) == ("anonymous", "Anonymous")
    absent = ("aws:principalarn", "aws:principalisawsservice", "aws:principalorgid", "aws:username")
    assert [nobody[key] for key in absent] == [None] * 4
    assert not {"aws:resourceaccount", "aws:resourceorgid"} & set(nobody)
    provider = make_context(principal_of("accounts.google.com"), "sts:AssumeRoleWithWebIdentity", ROLE)
    assert (provider["aws:principalisawsservice"], provider["aws:resourceaccount"]) == (None, ACCOUNT)
    assert not {"aws:principalaccount", "aws:principaltype"} & set(provider)


def test_what_aws_says_is_in_every_request_is_not_taken_to_be_absent_from_those_of_services():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalaccount"""
    service = make_context(principal_of("s3.amazonaws.com"), "sns:Publish", f"arn:aws:sns:eu-central-1:{OTHER}:t")
    assert not {"aws:principalaccount", "aws:principaltype", "aws:principalservicenameslist"} & set(service)


def test_a_federated_user_is_of_its_own_type_and_has_no_name():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable"""
    context = make_context(principal_of(FEDERATED), "s3:GetObject", BUCKET)
    assert (context["aws:principaltype"], context["aws:username"]) == ("FederatedUser", None)
    assert context["aws:principalarn"] == FEDERATED


def test_what_is_not_known_of_the_principal_is_not_made_up():
    context = make_context(principal_of("arn:aws:iam::*:role/BreakGlass"), "s3:GetObject", BUCKET)
    assert context["aws:principalarn"] == "arn:aws:iam::*:role/BreakGlass"
    assert not {"aws:principalaccount", "aws:resourceaccount"} & set(context)
    assert "aws:username" not in make_context(principal_of("arn:aws:iam::1:user/*"), "s3:GetObject", BUCKET)


def test_a_service_is_in_no_organization():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    context = make_context(principal_of("s3.amazonaws.com"), "s3:PutObject", "arn:aws:s3:::b/a", organization_id="o-a")
    assert {key for key, value in context.items() if value is None} == {
        "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:username",
    }  # fmt: skip
