"""The steps of the evaluation, one after the other.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from org.policy.authorize import Authorizer, Engine, Grants
from org.policy.decision import Deciding, Verdict
from org.policy.model import Level, PolicyKind
from org.policy.request import PrincipalKind
from tests.support.policies import (
    ACCOUNT,
    BUCKET,
    ENGINE,
    FULL,
    MANAGEMENT,
    OTHER,
    ROLE,
    ROOT,
    SESSION,
    USER,
    allow,
    decide,
    deny,
    identity,
    level,
    policy,
    rcp,
    request,
    resource,
    scp,
)  # fmt: skip

ALLOWED, DENIED, UNKNOWN, NOT_EVALUATED = Verdict
KEY_ARN = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/target"
NOTHING = identity()
READ = identity(allow("s3:GetObject"))
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/x"
SSO = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123"


def verdict(asked=None, **grants) -> Verdict:
    return decide(Grants(**grants), asked or request()).verdict


# --- one policy: elements -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "result"),
    [
        (allow("s3:GetObject"), ALLOWED),
        (allow("S3:GETOBJECT"), ALLOWED),
        (allow("s3:get*"), ALLOWED),
        (allow("*:GetObject"), ALLOWED),
        (allow("s3:PutObject"), DENIED),
        (allow("s3:PutObject", not_actions=True), ALLOWED),
        (allow("s3:Get*", not_actions=True), DENIED),
        (allow(["ec2:*", "s3:GetObject"]), ALLOWED),
        (allow(resources=BUCKET), ALLOWED),
        (allow(resources=BUCKET.upper()), DENIED),
        (allow(resources="arn:aws:s3:::Reports/*"), DENIED),
        (allow(resources="arn:aws:s3:::*/2026.csv"), ALLOWED),
        (allow(resources="arn:aws:s3:::reports/????.csv"), ALLOWED),
        (allow(resources=BUCKET, not_resources=True), DENIED),
        (allow(resources="arn:aws:s3:::other/*", not_resources=True), ALLOWED),
        (allow(when={"StringEquals": {"AWS:principaltype": "AssumedRole"}}), ALLOWED),
        (allow(when={"StringEquals": {"aws:PrincipalType": ["User", "AssumedRole"]},
        "Bool": {"aws:SecureTransport": "true"}}), ALLOWED),
        (allow(when={"StringEquals": {"aws:PrincipalType": "AssumedRole", "aws:PrincipalAccount": OTHER}}), DENIED),
        (allow(resources="arn:aws:s3:::${aws:PrincipalType}/*"), DENIED),
        (allow(resources="arn:aws:s3:::reports/${aws:PrincipalTag/none, '2026'}.csv"), ALLOWED),
        (allow(resources="arn:aws:s3:::${aws:username}/*", not_resources=True), ALLOWED),
        (allow(resources="arn:aws:s3:::reports/${*}"), DENIED),
    ],
)  # fmt: skip
def test_elements(statement, result):
    """Actions and keys in any case, resources as they are.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    assert verdict(identity=identity(statement)) is result


@pytest.mark.parametrize(
    ("pattern", "result"), [("Q1.CSV", ALLOWED), ("Q1.*", ALLOWED), ("q1.csv", DENIED), ("q*", DENIED)]
)
def test_a_resources_name_counts_in_its_case(pattern, result):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    own = identity(allow("s3:GetObject", f"arn:aws:s3:::reports/{pattern}"))
    assert verdict(request(on="arn:aws:s3:::reports/Q1.CSV"), identity=own) is result


def test_a_principals_name_counts_in_its_case():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
    exempt = scp(deny(when={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/breakglass"}}))
    asked = request(by=f"arn:aws:iam::{ACCOUNT}:role/BreakGlass")
    assert verdict(asked, service_control=(level("Root", FULL, exempt),)) is DENIED


@pytest.mark.parametrize(
    ("pattern", "result"),
    [
        ("arn:aws:ec2:*:*:instance/*", ALLOWED), ("*", ALLOWED), ("arn:aws:ec2:eu-central-1:*:instance/?", ALLOWED),
        ("arn:aws:ec2:*:*:instance/${*}", ALLOWED), ("arn:aws:ec2:*:*:instance/i-*", DENIED),
        ("arn:aws:ec2:*:*:instance/${aws:PrincipalType}", DENIED),
    ],
)  # fmt: skip
def test_in_a_complete_request_a_star_in_the_resource_is_a_character(pattern, result):
    """What does not exist yet is `instance/*` to AWS, and only patterns that match this text match it [H].

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html
    """
    asked = request("ec2:RunInstances", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/*")
    assert verdict(asked, identity=identity(allow("ec2:*", pattern))) is result
    others = {ALLOWED: DENIED, DENIED: ALLOWED}
    assert verdict(asked, identity=identity(allow("ec2:*", pattern, not_resources=True))) is others[result]
    assert verdict(replace(asked, complete=False), identity=identity(allow("ec2:*", "arn:*:instance/i-*"))) is UNKNOWN


def test_a_complete_request_hangs_on_nothing_but_a_principal_known_in_part():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    own = identity(allow("ec2:*", "arn:aws:ec2:*:*:image/ami-1", when={"StringEquals": {"ec2:Owner": "amazon"}}))
    assert verdict(request("ec2:RunInstances", "*"), identity=own) is DENIED
    named = identity(allow(when={"ArnLike": {"aws:PrincipalArn": ROLE}}))
    decision = decide(Grants(identity=named), request(by=f"arn:aws:iam::{ACCOUNT}:role/*"))
    assert (decision.verdict, decision.unknown) == (UNKNOWN, ("aws:PrincipalArn",))


def test_a_resource_named_after_a_principal_that_is_known_in_part_is_not_known():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
    own = identity(allow("s3:*", "arn:aws:s3:::reports/${aws:PrincipalArn}"))
    asked = request(on=f"arn:aws:s3:::reports/{ROLE}", by=f"arn:aws:iam::{ACCOUNT}:role/*")
    decision = decide(Grants(identity=own), asked)
    assert (decision.verdict, decision.unknown) == (UNKNOWN, ("aws:PrincipalArn",))


def test_an_action_without_resources_needs_a_star():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    asked = request("iam:ListUsers", "*")
    assert verdict(asked, identity=identity(allow("iam:*"))) is ALLOWED
    assert (
        verdict(request("ec2:DescribeInstances", "*"), identity=identity(allow("ec2:*", "arn:aws:ec2:*:*:*"))) is DENIED
    )
    assert (
        verdict(
            request("ec2:DescribeInstances", "*"),
            identity=identity(allow("ec2:*", "arn:aws:s3:::b", not_resources=True)),
        )
        is ALLOWED
    )


# --- same account ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [SESSION, USER])
@pytest.mark.parametrize(
    ("own", "its", "result"),
    [
        (allow(), None, ALLOWED), (None, allow(principal="*"), ALLOWED), (None, None, DENIED),
        (deny(), allow(principal="*"), DENIED), (allow(), deny(principal="*"), DENIED),
        (None, allow(principal={"AWS": ROOT}), DENIED), (None, allow(principal={"AWS": ACCOUNT}), DENIED),
        (allow(), allow(principal={"AWS": OTHER}), ALLOWED), (None, allow(principal={"AWS": OTHER}), DENIED),
        (None, allow(principal={"AWS": [ROLE, USER]}), ALLOWED), (allow(), deny(principal={"AWS": ROOT}), DENIED),
        (None, allow("s3:PutObject", principal="*"), DENIED),
    ],
)  # fmt: skip
def test_in_one_account_either_side_grants(by, own, its, result):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html"""
    grants = {"identity": identity(own) if own else NOTHING, "resource": resource(its) if its else None}
    assert verdict(request(by=by), **grants) is result


@pytest.mark.parametrize(
    ("by", "named", "result"),
    [
        (SESSION, {"AWS": SESSION}, ALLOWED), (SESSION, {"AWS": ROLE}, DENIED), (SESSION, {"AWS": ROOT}, DENIED),
        (SESSION, "*", ALLOWED), (USER, {"AWS": USER}, ALLOWED), (USER, {"AWS": ROOT}, DENIED), (USER, "*", ALLOWED),
        (SESSION, {"AWS": SESSION.replace("ada", "bob")}, DENIED), (ROLE, {"AWS": ROLE}, DENIED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("limit", ["boundary", "session"])
def test_who_is_named_directly_is_beyond_implicit_denies(by, named, result, limit):
    """A role that is named is limited by them, its session and a user are not; nor is `*`, which names the session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    granted = resource(allow(principal=named))
    other = {limit: identity(allow("ec2:*"))}
    assert verdict(request(by=by), identity=READ, resource=granted, **other) is result
    against = {limit: identity(deny("s3:GetObject"), allow())}
    assert verdict(request(by=by), identity=READ, resource=granted, **against) is DENIED


def test_boundary_and_session_policy_only_limit():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    assert verdict(identity=READ, boundary=READ, session=READ) is ALLOWED
    assert verdict(identity=READ, boundary=identity(allow("ec2:*"))) is DENIED
    assert verdict(identity=READ, session=identity(allow("ec2:*"))) is DENIED
    assert verdict(identity=NOTHING, boundary=READ, session=READ) is DENIED
    assert verdict(identity=NOTHING, boundary=READ, resource=resource(allow(principal={"AWS": ROLE}))) is ALLOWED


def test_the_root_user_may_all_that_is_not_denied():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"""
    asked = request(by=ROOT)
    assert verdict(asked, identity=NOTHING, boundary=identity(deny())) is ALLOWED
    assert verdict(asked, identity=NOTHING, resource=resource(deny(principal={"AWS": ROOT}))) is DENIED
    assert verdict(asked, identity=NOTHING, service_control=(level("Root", FULL, scp(deny("s3:*"))),)) is DENIED
    assert verdict(asked, identity=NOTHING, service_control=(level("Root"),)) is DENIED


def test_a_root_user_by_way_of_assume_root_is_held_by_its_task():
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html"""
    asked = request(by=ROOT)
    assert verdict(asked, session=identity(allow("s3:*"))) is ALLOWED
    assert verdict(asked, session=identity(allow("iam:*"))) is DENIED
    key = resource(allow(principal={"AWS": ROOT}), kind=PolicyKind.KEY)
    assert verdict(request("kms:Decrypt", KEY_ARN, by=ROOT), session=identity(allow("s3:*")), resource=key) is DENIED


@pytest.mark.parametrize("owner", ["", OTHER])
def test_a_root_user_assumes_no_role(owner):
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    trust = resource(allow("sts:AssumeRole", principal={"AWS": ROOT}), kind=PolicyKind.TRUST)
    decision = decide(Grants(resource=trust), request("sts:AssumeRole", ROLE_ARN, by=ROOT, owner=owner))
    assert (decision.verdict, decision.deciding) == (DENIED, (Deciding(PolicyKind.TRUST, False),))


def test_a_federated_user_is_named_by_its_own_arn():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"""
    session = {"session": identity(allow("ec2:*"))}
    asked = request(by=f"arn:aws:sts::{ACCOUNT}:federated-user/ada")
    its = resource(allow(principal={"AWS": asked.principal.arn}))
    assert verdict(asked, identity=NOTHING, resource=its, **session) is ALLOWED
    assert verdict(asked, identity=READ, resource=None, **session) is DENIED
    assert verdict(asked, identity=READ, session=READ) is ALLOWED
    levels = (level("Root", FULL, scp(deny("s3:*"))),)
    assert verdict(asked, identity=READ, service_control=levels) is DENIED


def test_a_federated_user_without_a_session_policy_has_no_permissions_but_its_own_grants():
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html"""
    asked = request(by=f"arn:aws:sts::{ACCOUNT}:federated-user/ada")
    decision = decide(Grants(identity=READ), asked)
    assert (decision.verdict, decision.deciding) == (DENIED, (Deciding(PolicyKind.SESSION, False),))
    its = resource(allow(principal={"AWS": asked.principal.arn}))
    assert verdict(asked, identity=NOTHING, resource=its) is ALLOWED
    assert verdict(asked) is ALLOWED  # nothing of what it is granted is known


# --- cross account --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "its", "result"),
    [
        (allow(), None, DENIED), (None, allow(principal="*"), DENIED), (allow(), allow(principal="*"), ALLOWED),
        (allow(), allow(principal={"AWS": ROOT}), ALLOWED), (allow(), allow(principal={"AWS": ROLE}), ALLOWED),
        (allow(), allow(principal={"AWS": SESSION}), ALLOWED), (None, allow(principal={"AWS": SESSION}), DENIED),
        (allow(), allow(principal={"AWS": OTHER}), DENIED), (deny(), allow(principal="*"), DENIED),
        (allow(), deny(principal="*"), DENIED),
    ],
)  # fmt: skip
def test_across_accounts_both_sides_must_grant(own, its, result):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"""
    grants = {"identity": identity(own) if own else NOTHING, "resource": resource(its) if its else None}
    assert verdict(request(owner=OTHER), **grants) is result


def test_across_accounts_boundary_and_session_limit_even_who_is_named():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"""
    granted = resource(allow(principal={"AWS": SESSION}))
    for limit in ("boundary", "session"):
        other = {limit: identity(allow("ec2:*"))}
        assert verdict(request(owner=OTHER), identity=READ, resource=granted, **other) is DENIED


def test_the_root_user_of_another_account_needs_the_resources_policy():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"""
    asked = request(by=ROOT, owner=OTHER)
    assert verdict(asked, identity=NOTHING) is DENIED
    assert verdict(asked, identity=NOTHING, resource=resource(allow(principal={"AWS": ACCOUNT}))) is ALLOWED


def test_what_is_not_known_of_grants_counts_as_allowing():
    """The lockout proof looks at organization policies only."""
    assert verdict(request(owner=OTHER)) is ALLOWED
    assert verdict(request(by="s3.amazonaws.com")) is ALLOWED
    assert verdict(request(owner=OTHER), resource=resource()) is DENIED


# --- policies that are needed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "named", "result"),
    [
        (True, {"AWS": ROOT}, ALLOWED), (False, {"AWS": ROOT}, DENIED), (False, {"AWS": ROLE}, ALLOWED),
        (False, {"AWS": SESSION}, ALLOWED), (True, {"AWS": OTHER}, DENIED),
        (True, {"Service": "ec2.amazonaws.com"}, DENIED),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("kind", "action", "on"),
    [(PolicyKind.TRUST, "sts:AssumeRole", ROLE_ARN), (PolicyKind.KEY, "kms:Decrypt", KEY_ARN)],
)
def test_a_roles_trust_and_a_keys_policy_must_allow(kind, action, on, own, named, result):
    """The account in them leaves it to the account's own policies; without a grant in them nothing else helps.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    granted = resource(allow(principal=named), kind=kind)
    assert verdict(request(action, on), identity=identity(allow()) if own else NOTHING, resource=granted) is result


def test_across_accounts_a_key_needs_both_sides():
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html"""
    granted = resource(allow("kms:*", principal={"AWS": ROOT}), kind=PolicyKind.KEY)
    asked = request("kms:Decrypt", KEY_ARN.replace(ACCOUNT, OTHER), owner=OTHER)
    assert verdict(asked, identity=identity(allow("kms:*")), resource=granted) is ALLOWED
    assert verdict(asked, identity=NOTHING, resource=granted) is DENIED


def test_the_root_user_needs_the_keys_policy_too():
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html"""
    asked = request("kms:Decrypt", KEY_ARN, by=ROOT)
    assert verdict(asked, resource=resource(allow(principal={"AWS": ROLE}), kind=PolicyKind.KEY)) is DENIED
    assert verdict(asked, resource=resource(allow(principal={"AWS": ROOT}), kind=PolicyKind.KEY)) is ALLOWED


@pytest.mark.parametrize("by", ["ec2.amazonaws.com", f"arn:aws:iam::{ACCOUNT}:saml-provider/corp", "*"])
def test_services_providers_and_the_anonymous_need_the_resources_policy(by):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    asked = request("sts:AssumeRole", ROLE_ARN, by=by)
    others = {"Service": ["s3.amazonaws.com"], "Federated": "accounts.google.com", "AWS": ROOT}
    own = {"Service": "ec2.amazonaws.com", "Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"}
    for kind in (PolicyKind.TRUST, PolicyKind.RESOURCE):
        assert (
            verdict(asked, identity=identity(allow()), resource=resource(allow(principal=others), kind=kind)) is DENIED
        )
        assert verdict(asked, identity=NOTHING, resource=resource(allow(principal="*"), kind=kind)) is ALLOWED
        result = DENIED if by == "*" else ALLOWED
        assert verdict(asked, identity=NOTHING, resource=resource(allow(principal=own), kind=kind)) is result
    assert verdict(asked, identity=NOTHING) is DENIED


# --- NotPrincipal ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "named", "result"),
    [
        (SESSION, [ROOT, ROLE, SESSION], ALLOWED), (SESSION, [ROOT, ROLE], DENIED), (SESSION, [ROLE], DENIED),
        (USER, [ROOT, USER], ALLOWED), (USER, [USER], DENIED), (USER, [ROOT], DENIED), (ROOT, [ROOT], ALLOWED),
        (ROOT, [USER], DENIED), (SESSION, [OTHER], DENIED), (ROLE, [ROOT, ROLE, SESSION], UNKNOWN),
        ("s3.amazonaws.com", [ROOT], DENIED),
    ],
)  # fmt: skip
def test_deny_with_not_principal_spares_who_is_named_with_all_it_is(by, named, result):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    guarded = resource(allow(principal="*"), deny(not_principal={"AWS": named}))
    assert verdict(request(by=by), identity=READ, resource=guarded) is result


def test_deny_with_not_principal_hits_whoever_has_a_boundary():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    guarded = resource(allow(principal="*"), deny(not_principal={"AWS": [ROOT, USER]}))
    assert verdict(request(by=USER), identity=READ, resource=guarded, boundary=READ) is DENIED


def test_allow_with_not_principal_grants_to_everybody_else():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    open_to_others = resource(allow(not_principal={"AWS": USER}))
    assert verdict(request(by=USER), identity=NOTHING, resource=open_to_others) is DENIED
    assert verdict(request(by="*"), identity=NOTHING, resource=open_to_others) is ALLOWED


# --- organization policies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_every_level_must_allow(missing):
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html"""
    names = ("Root", "Workloads", "account Shop")
    levels = [level(name, FULL) for name in names]
    assert verdict(identity=READ, service_control=tuple(levels)) is ALLOWED
    levels[missing] = level(names[missing], scp(allow("ec2:*")))
    decision = decide(Grants(identity=READ, service_control=tuple(levels)), request())
    assert decision.verdict is DENIED
    assert decision.deciding == (Deciding(PolicyKind.SERVICE_CONTROL, False, level=names[missing]),)
    levels[missing] = Level(names[missing])
    assert verdict(identity=READ, service_control=tuple(levels)) is DENIED


def test_an_scp_grants_nothing():
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"""
    assert verdict(identity=NOTHING, service_control=(level("Root", FULL),)) is DENIED
    assert verdict(identity=READ, service_control=()) is ALLOWED


def test_an_scp_takes_the_full_language():
    """NotAction with Allow, resources, NotResource and conditions, as of September 2025.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
    """
    narrow = scp(
        allow(
            "iam:*",
            resources="arn:aws:s3:::reports/*",
            not_actions=True,
            when={"Bool": {"aws:SecureTransport": "true"}},
        )
    )
    assert verdict(identity=READ, service_control=(level("Root", narrow),)) is ALLOWED
    assert (
        verdict(request(on="arn:aws:s3:::other/x"), identity=READ, service_control=(level("Root", narrow),)) is DENIED
    )


@pytest.mark.parametrize(
    ("region", "tag", "result"), [("eu-central-1", "red", ALLOWED), ("us-east-1", "red", DENIED),
                                  ("eu-central-1", "blue", DENIED)]
)  # fmt: skip
def test_conditions_of_scps_must_hold_on_every_level(region, tag, result):
    """Each level allows by a condition or a resource of its own: what passes is what all of them allow.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
    """
    levels = (
        level(
            "Root",
            scp(allow("iam:*", not_actions=True, when={"StringEquals": {"aws:RequestedRegion": "eu-central-1"}})),
        ),
        level("Workloads", scp(allow("s3:*", "arn:aws:s3:::reports/*"), allow("ec2:*"))),
        level("account Shop", scp(allow(when={"StringEquals": {"aws:PrincipalTag/team": "red"}}))),
    )
    given = {"aws:RequestedRegion": region, "aws:PrincipalTag/team": tag}
    assert verdict(request(given=given), identity=READ, service_control=levels) is result
    part = {"aws:RequestedRegion": region}
    known = decide(Grants(identity=READ, service_control=levels), request(given=part, complete=False))
    assert known.verdict is (DENIED if region == "us-east-1" else UNKNOWN)
    assert known.unknown == (() if region == "us-east-1" else ("aws:PrincipalTag/team",))
    elsewhere = request(on="arn:aws:s3:::other/x", given=given)
    assert verdict(elsewhere, identity=READ, service_control=levels) is DENIED


@pytest.mark.parametrize(
    ("by", "result", "exempt"),
    [
        (SESSION, DENIED, ""), (USER, DENIED, ""), (ROOT, DENIED, ""), (SSO, DENIED, ""),
        (LINKED, ALLOWED, "service-linked role"),
        (SESSION.replace(ACCOUNT, MANAGEMENT), ALLOWED, "management account"),
        (ROOT.replace(ACCOUNT, MANAGEMENT), ALLOWED, "management account"),
        ("s3.amazonaws.com", ALLOWED, ""), ("*", ALLOWED, ""),
    ],
)  # fmt: skip
def test_whom_scps_reach(by, result, exempt):
    """Neither the management account nor service-linked roles; people of IAM Identity Center like everybody else.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    https://docs.aws.amazon.com/singlesignon/latest/userguide/authconcept-revoke-access.html
    """
    grants = Grants(service_control=(level("Root", FULL, scp(deny("s3:*"))),), management_account=MANAGEMENT)
    decision = decide(grants, request(by=by))
    assert (decision.verdict, decision.exempt) == (result, exempt)


def test_an_scp_reaches_a_delegated_administrator():
    """Delegation changes nothing: only the management account is beyond SCPs.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    asked = request("organizations:ListAccounts", "*", owner=MANAGEMENT)
    grants = {"service_control": (level("Root", FULL, scp(deny("organizations:*"))),), "management_account": MANAGEMENT}
    assert verdict(asked, **grants) is DENIED


def test_an_scp_is_that_of_the_caller_and_an_rcp_that_of_the_resource():
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    perimeter = rcp(deny("s3:*", principal="*", when={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}))
    grants = {"resource_control": (level("Root", perimeter),), "resource": resource(allow(principal="*"))}
    assert verdict(request(owner=OTHER, given={"aws:PrincipalOrgID": "o-1"}), identity=READ, **grants) is ALLOWED
    assert verdict(request(owner=OTHER, given={"aws:PrincipalOrgID": "o-2"}), identity=READ, **grants) is DENIED
    assert verdict(request(by="*"), identity=READ, **grants) is DENIED  # the anonymous are in none


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (request(), DENIED), (request(by="s3.amazonaws.com"), DENIED), (request(by=LINKED), ALLOWED),
        (request(owner=MANAGEMENT), ALLOWED), (request(by=SESSION.replace(ACCOUNT, MANAGEMENT), owner=ACCOUNT), DENIED),
        (request("ec2:RunInstances", "arn:aws:ec2:eu-central-1::image/ami-1"), ALLOWED),
        (request("kms:RetireGrant", KEY_ARN), ALLOWED), (request("kms:Decrypt", KEY_ARN), DENIED),
    ],
)  # fmt: skip
def test_what_rcps_reach(asked, result):
    """Not service-linked roles, not the management account's resources, and only services that support them.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    grants = Grants(resource_control=(level("Root", rcp(deny(principal="*"))),), management_account=MANAGEMENT)
    assert decide(grants, asked).verdict is result


@pytest.mark.parametrize("operator", ["Bool", "BoolIfExists"])
@pytest.mark.parametrize("by", [SESSION, LINKED, "s3.amazonaws.com", "*"])
def test_an_rcp_that_spares_services_hits_who_does_not_sign_only_if_it_says_so(operator, by):
    """A request that nobody signed does not have aws:PrincipalIsAWSService.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalisawsservice
    """
    perimeter = rcp(deny(principal="*", when={operator: {"aws:PrincipalIsAWSService": "false"}}))
    grants = {"resource_control": (level("Root", perimeter),), "resource": resource(allow(principal="*"))}
    hit = by == SESSION or (by == "*" and operator == "BoolIfExists")
    assert verdict(request(by=by), **grants) is (DENIED if hit else ALLOWED)


def test_full_access_is_attached_to_every_level_of_rcps():
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    decision = decide(Grants(resource_control=(level("Root"), level("account Shop"))), request())
    assert decision.verdict is ALLOWED
    assert [(each.policy, each.level) for each in decision.deciding] == [
        ("RCPFullAWSAccess", "Root"),
        ("RCPFullAWSAccess", "account Shop"),
    ]


def test_an_endpoints_policy_must_allow():
    """https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html"""

    def endpoint(*statements):
        return policy(*statements, kind=PolicyKind.ENDPOINT)

    assert verdict(identity=READ, endpoint=endpoint(allow(principal="*"))) is ALLOWED
    assert verdict(identity=READ, endpoint=endpoint(allow("ec2:*", principal="*"))) is DENIED
    assert verdict(identity=READ, endpoint=endpoint(allow(principal={"AWS": ROOT}))) is ALLOWED
    assert verdict(identity=READ, endpoint=endpoint(allow(principal={"AWS": OTHER}))) is DENIED
    assert verdict(identity=READ, endpoint=endpoint(allow(principal="*"), deny(principal={"AWS": ROLE}))) is DENIED
    assert verdict(identity=NOTHING, endpoint=endpoint(allow(principal="*"))) is DENIED


@pytest.mark.parametrize("action", ["sts:GetCallerIdentity", "sts:GetSessionToken"])
def test_a_call_that_needs_no_permission_cannot_be_denied(action):
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
    """
    asked = request(action, "*", by=USER)
    assert verdict(asked, identity=identity(deny()), service_control=(level("Root"),)) is ALLOWED


# --- what is not known ----------------------------------------------------------------------------------------------

OWNERS = scp(
    deny("ec2:RunInstances", "arn:aws:ec2:*::image/*", sid="TrustedOwners", when={
        "StringNotEquals": {"ec2:Owner": "amazon"},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass"}}),
)  # fmt: skip
IMAGE = "arn:aws:ec2:eu-central-1::image/ami-1"


def launch(on=IMAGE, **more):
    return request("ec2:RunInstances", on, **{"complete": False, **more})


def test_a_deny_that_hangs_on_a_key_leaves_the_verdict_unknown():
    grants = Grants(service_control=(level("Root", FULL, OWNERS),))
    decision = decide(grants, launch())
    assert decision.verdict is UNKNOWN
    assert decision.deciding == (
        Deciding(PolicyKind.SERVICE_CONTROL, True, "guardrail", "", "TrustedOwners", 0, "Root", ("ec2:Owner",)),
    )
    assert decision.unknown == ("ec2:Owner",)
    assert decide(grants, launch(given={"ec2:Owner": "amazon"})).verdict is ALLOWED
    assert decide(grants, launch(given={"ec2:Owner": OTHER})).verdict is DENIED
    assert decide(grants, launch(given={"ec2:Owner": None})).verdict is DENIED
    assert decide(grants, launch(complete=True)).verdict is DENIED
    assert decide(grants, launch(by=f"arn:aws:iam::{ACCOUNT}:role/BreakGlass")).verdict is ALLOWED
    assert decide(grants, launch(f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/*")).verdict is ALLOWED
    assert decide(grants, launch("*")).unknown == ("ec2:Owner", "resource")
    assert decide(grants, launch(by=f"arn:aws:iam::{ACCOUNT}:role/*")).unknown == ("aws:PrincipalArn", "ec2:Owner")


def test_an_allow_that_hangs_on_a_key_leaves_the_verdict_unknown():
    own = identity(allow(when={"StringEquals": {"aws:SourceVpc": "vpc-1"}}))
    decision = decide(Grants(identity=own), request(complete=False))
    assert (decision.verdict, decision.unknown) == (UNKNOWN, ("aws:SourceVpc",))
    assert verdict(request(complete=False), identity=(*own, *READ)) is ALLOWED
    for kind in (PolicyKind.RESOURCE, PolicyKind.KEY):
        its = resource(allow(principal={"AWS": ROLE}, when={"StringEquals": {"aws:SourceVpc": "vpc-1"}}), kind=kind)
        decision = decide(Grants(identity=NOTHING, resource=its), request(complete=False))
        assert (decision.verdict, decision.unknown) == (UNKNOWN, ("aws:SourceVpc",))


def test_one_condition_that_hangs_on_a_key_is_enough():
    guard = scp(deny("s3:*", "arn:aws:s3:::reports/*", when={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}))
    grants = {"service_control": (level("Root", FULL, guard),)}
    assert verdict(request(complete=False), **grants) is UNKNOWN
    assert verdict(request(on="arn:aws:s3:::*", given={"aws:SourceVpc": "vpc-2"}, complete=False), **grants) is UNKNOWN
    assert verdict(request(given={"aws:SourceVpc": "vpc-2"}, complete=False), **grants) is DENIED
    assert verdict(request(on="arn:aws:s3:::other/x", complete=False), **grants) is ALLOWED


def test_a_certain_deny_beats_what_is_unknown():
    grants = Grants(
        service_control=(level("Root", FULL, OWNERS), level("account Shop", FULL, scp(deny("ec2:*", sid="No"))))
    )
    decision = decide(grants, launch())
    assert decision.verdict is DENIED
    assert [each.sid for each in decision.deciding] == ["No"]


def test_a_key_of_another_service_is_not_waited_for():
    via = scp(deny("*", when={"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}))
    assert verdict(launch(), service_control=(level("Root", FULL, via),)) is ALLOWED
    assert (
        verdict(request("kms:Decrypt", KEY_ARN, complete=False), service_control=(level("Root", FULL, via),)) is UNKNOWN
    )


def test_a_session_that_is_not_known_may_be_the_one_that_is_named():
    named = resource(allow(principal={"AWS": SESSION}))
    decision = decide(Grants(identity=NOTHING, resource=named), request(by=ROLE))
    assert (decision.verdict, decision.unknown) == (UNKNOWN, ("principal",))
    others = resource(allow(principal={"AWS": SESSION.replace("/web/", "/app/")}))
    assert verdict(request(by=ROLE), identity=NOTHING, resource=others) is DENIED


def test_a_provider_that_is_known_in_part_may_be_the_one_that_is_named():
    trust = resource(allow(principal="*"), deny(principal={"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"}))
    asked = request("sts:AssumeRoleWithSAML", ROLE_ARN, by="arn:aws:iam::*:saml-provider/corp")
    assert verdict(asked, resource=trust) is UNKNOWN
    assert verdict(replace(asked, principal=replace(asked.principal, arn="arn:aws:iam::*:saml-provider/x")),
                   resource=trust) is ALLOWED  # fmt: skip


@pytest.mark.parametrize(
    ("type", "by"), [("Service", "ec2.amazonaws.com"), ("Federated", f"arn:aws:iam::{ACCOUNT}:saml-provider/corp")]
)
def test_a_star_for_services_or_providers_has_no_known_meaning(type, by):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    asked = request("sts:AssumeRole", ROLE_ARN, by=by)
    decision = decide(Grants(resource=resource(allow(principal={type: "*"}), kind=PolicyKind.TRUST)), asked)
    assert (decision.verdict, decision.unknown) == (UNKNOWN, ("principal",))
    guarded = resource(allow(principal={type: by}), deny(principal={type: "*"}), kind=PolicyKind.TRUST)
    assert verdict(asked, resource=guarded) is UNKNOWN
    assert verdict(request("sts:AssumeRole", ROLE_ARN), identity=READ, resource=guarded) is DENIED


def test_an_action_that_is_not_known_is_not_evaluated():
    asked = request("s3:NoSuchThing", "*")
    assert verdict(asked, service_control=(level("Root", FULL),)) is NOT_EVALUATED
    assert verdict(asked, service_control=(level("Root"),)) is NOT_EVALUATED
    assert verdict(asked, service_control=(level("Root", FULL, scp(deny("s3:*"))),)) is DENIED
    assert verdict(asked, service_control=(level("Root", FULL, scp(deny("s3:*", BUCKET))),)) is NOT_EVALUATED


# --- what is told ---------------------------------------------------------------------------------------------------


def test_all_that_denies_is_told_in_the_order_of_evaluation():
    grants = Grants(
        identity=identity(deny("s3:*", sid="Mine")),
        boundary=identity(allow("ec2:*")),
        resource=resource(deny(principal="*", sid="Its")),
        service_control=(level("Root", scp(deny("s3:*", sid="Guard"))), level("account Shop")),
        resource_control=(level("Root", rcp(deny("s3:*", principal="*"))),),
    )
    decision = decide(grants, request())
    assert [(each.kind, each.explicit, each.sid, each.level) for each in decision.deciding] == [
        (PolicyKind.RESOURCE_CONTROL, True, "statement 1", "Root"),
        (PolicyKind.SERVICE_CONTROL, True, "Guard", "Root"),
        (PolicyKind.RESOURCE, True, "Its", ""),
        (PolicyKind.IDENTITY, True, "Mine", ""),
        (PolicyKind.SERVICE_CONTROL, False, "", "Root"),
        (PolicyKind.SERVICE_CONTROL, False, "", "account Shop"),
        (PolicyKind.IDENTITY, False, "", ""),
        (PolicyKind.BOUNDARY, False, "", ""),
    ]


@pytest.mark.parametrize(
    ("kind", "named", "own", "missing"),
    [
        (PolicyKind.RESOURCE, OTHER, NOTHING, PolicyKind.IDENTITY), (PolicyKind.TRUST, OTHER, READ, PolicyKind.TRUST),
        (PolicyKind.KEY, OTHER, NOTHING, PolicyKind.KEY), (PolicyKind.KEY, ROOT, NOTHING, PolicyKind.IDENTITY),
    ],
)  # fmt: skip
def test_what_would_have_to_allow_is_told(kind, named, own, missing):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    decision = decide(Grants(identity=own, resource=resource(allow(principal={"AWS": named}), kind=kind)), request())
    assert decision.deciding == (Deciding(missing, False),)


def test_what_allows_is_told_once_for_each_kind_and_level():
    grants = Grants(
        identity=READ, boundary=READ, service_control=(level("Root", FULL), level("account Shop", scp(allow("s3:*"))))
    )
    decision = decide(grants, request())
    assert [(each.kind, each.policy, each.level) for each in decision.deciding] == [
        (PolicyKind.SERVICE_CONTROL, "FullAWSAccess", "Root"),
        (PolicyKind.SERVICE_CONTROL, "guardrail", "account Shop"),
        (PolicyKind.IDENTITY, "p", ""),
        (PolicyKind.IDENTITY, "p", ""),
    ]


# --- the engine -----------------------------------------------------------------------------------------------------


def test_equal_policies_are_compiled_once():
    engine = Engine()
    same = scp(deny("s3:*")), scp(deny("s3:*"))
    assert same[0] is not same[1]
    assert engine.compiled(same[0]) is engine.compiled(same[1])


def test_equal_conditions_are_not_shared_between_versions_of_the_language():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"""
    statement = allow(when={"StringEquals": {"aws:PrincipalTag/kind": "${aws:PrincipalType}"}})
    asked = request(given={"aws:PrincipalTag/kind": "AssumedRole"})
    engine = Engine()
    for version, result in (("2012-10-17", ALLOWED), ("2008-10-17", DENIED)) * 2:
        own = (policy(statement, version=version),)
        assert engine.authorizer(Grants(identity=own)).verdict(asked) is result


def test_what_is_kept_is_bounded():
    asked = request()
    authorizer = Authorizer(Engine(), Grants(service_control=(level("Root", FULL, scp(deny("s3:*"))),)))
    for number in range(9_000):
        authorizer.decide(replace(asked, principal=replace(asked.principal, arn=f"{ROLE}{number}")))
    assert len(authorizer._routes) <= 8_192
    assert len(authorizer._distinct) == 1


def test_one_name_may_be_that_of_two_principals():
    """Cognito is a service and an identity provider.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    trust = resource(allow(principal={"Service": "cognito-identity.amazonaws.com"}), kind=PolicyKind.TRUST)
    authorizer = ENGINE.authorizer(Grants(identity=NOTHING, resource=trust))
    asked = request("sts:AssumeRoleWithWebIdentity", ROLE_ARN, by="cognito-identity.amazonaws.com")
    service = replace(asked, principal=replace(asked.principal, kind=PrincipalKind.SERVICE))
    for each, result in ((asked, DENIED), (service, ALLOWED)) * 2:
        assert authorizer.decide(each).verdict is result
        assert authorizer.verdict(each) is result
    root, authorizer = request(by=ROOT), ENGINE.authorizer(Grants(identity=NOTHING))
    user = replace(root, principal=replace(root.principal, kind=PrincipalKind.USER))
    assert [authorizer.decide(each).verdict for each in (root, user, root)] == [ALLOWED, DENIED, ALLOWED]
    assert [authorizer.verdict(each) for each in (user, root, user)] == [DENIED, ALLOWED, DENIED]


def test_one_authorizer_serves_principals_of_every_kind():
    authorizer = ENGINE.authorizer(
        Grants(identity=NOTHING, resource=resource(allow(principal="*"), kind=PolicyKind.RESOURCE))
    )
    for by in (SESSION, USER, ROOT, "s3.amazonaws.com", "*", LINKED):
        assert authorizer.decide(request(by=by)).verdict is ALLOWED
        assert authorizer.decide(request("s3:getobject", by=by)).verdict is ALLOWED
