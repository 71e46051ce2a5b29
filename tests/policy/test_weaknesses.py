"""The published sample's service control policies: the linter tells of mistakes, the engine what they come to."""

from __future__ import annotations

import json
from typing import Any

from org.policy.authorize import Engine, Grants
from org.policy.context import make_context, principal_of
from org.policy.decision import Verdict
from org.policy.model import Level, PolicyKind
from org.policy.parse import policy_of
from org.policy.request import Request
from tests.policy.test_lint import lint

ACCOUNT = "111111111111"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
IMAGE, INSTANCE = "arn:aws:ec2:eu-central-1::image/ami-1", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/*"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ENGINE = Engine()


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    numbered = [{"Sid": f"S{number}", **each} for number, each in enumerate(statements)]
    return {"Version": "2012-10-17", "Statement": numbered}


def denied(
    *statements: dict[str, Any],
    principal: str = USER,
    action: str = "ec2:RunInstances",
    resource: str = IMAGE,
    **context: Any,
) -> bool:
    """Judge a request under FullAWSAccess and one policy."""
    policies = (document(EVERYTHING), document(*statements))
    level = Level("Root", tuple(policy_of(each, PolicyKind.SERVICE_CONTROL, "p") for each in policies))
    asked = principal_of(principal)
    known = make_context(asked, action, resource, region="eu-central-1", organization_id="o-1", more=context)
    grants = Grants(service_control=(level,))
    verdict = ENGINE.authorizer(grants).decide(Request(asked, action, resource, context=known, complete=True)).verdict
    assert verdict in {Verdict.ALLOWED, Verdict.DENIED}
    return verdict is Verdict.DENIED


def deny(
    resource: str = "arn:aws:ec2:*::image/*", action: object = "ec2:RunInstances", **condition: Any
) -> dict[str, Any]:
    given = {name.replace("_", ":"): value for name, value in condition.items()}
    return {"Effect": "Deny", "Action": action, "Resource": resource, "Condition": given}


def test_weakness_43_a_key_that_does_not_exist_denies_every_launch_and_the_linter_tells() -> None:
    policy = deny(StringNotEquals={"ec2:ImageTag/Approval": "Approved"})
    assert denied(policy, **{"aws:ResourceTag/Approval": "Approved"})
    assert not denied(
        deny(StringNotEquals={"aws:ResourceTag/Approval": "Approved"}), **{"aws:ResourceTag/Approval": "Approved"}
    )
    assert [each.rule for each in lint(json.dumps(document(policy)))] == ["unknown-key"]


def test_weakness_44_an_allow_exempts_nobody_from_a_deny() -> None:
    unapproved = deny(StringNotEquals={"aws:ResourceTag/Approval": "Approved"})
    emergency = {**EVERYTHING, "Condition": {"StringEquals": {"aws:PrincipalTag/EmergencyAccess": "true"}}}
    who = {"aws:PrincipalTag/EmergencyAccess": "true"}
    assert denied(unapproved, emergency, **who)
    exempt = {
        "StringNotEquals": {"aws:ResourceTag/Approval": "Approved"},
        "StringNotEqualsIfExists": {"aws:PrincipalTag/EmergencyAccess": "true"},
    }
    assert not denied(deny(**exempt), **who)
    assert denied(deny(**exempt))


def test_weakness_45_a_key_that_stands_twice_is_refused_and_not_half_of_it_taken() -> None:
    condition = '{"StringNotEquals": {"ec2:Owner": "amazon"}, "StringNotEquals": {"ec2:ImageType": "machine"}}'
    text = json.dumps(document(deny(StringNotEquals=0))).replace('{"StringNotEquals": 0}', condition)
    (finding,) = lint(text)
    assert finding.rule == "grammar"
    assert "'StringNotEquals' is already at" in str(finding)


def test_weakness_46_one_of_the_tags_suffices_for_the_sample_and_does_not_where_each_is_asked_for() -> None:
    call = {"action": "ec2:CreateImage", "aws:TagKeys": ("Creator",), "aws:RequestTag/Creator": "ann"}
    sample = deny(action="ec2:CreateImage", ForAllValues_StringNotLike={"aws:TagKeys": ["Creator", "Source"]})
    assert not denied(sample, **call)
    each = [deny(action="ec2:CreateImage", Null={f"aws:RequestTag/{tag}": "true"}) for tag in ("Creator", "Source")]
    assert denied(*each, **call)
    assert not denied(*each, **{**call, "aws:TagKeys": ("Creator", "Source"), "aws:RequestTag/Source": "x"})


def test_weakness_46_a_tag_of_the_image_is_not_asked_of_the_instance_that_is_launched_with_it() -> None:
    everywhere = deny("*", Null={"aws:RequestTag/Creator": "true"})
    assert denied(everywhere, resource=INSTANCE)
    assert not denied({**everywhere, "Resource": "arn:aws:ec2:*::image/*"}, resource=INSTANCE)


def test_weakness_47_a_prefix_that_all_users_ids_have_exempts_all_of_them() -> None:
    sample = deny(StringNotLike={"aws:userid": ["AIDAI*"]})
    for id in ("AIDAIAAAAAAAAAAAAAAAA", "AIDAIZZZZZZZZZZZZZZZZ"):
        assert not denied(sample, **{"aws:userid": id})
    named = deny(ArnNotLike={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/BreakGlass"})
    assert denied(named)
    assert not denied(named, principal=f"arn:aws:iam::{ACCOUNT}:role/BreakGlass")


def test_weakness_47_a_service_linked_role_is_beyond_every_policy() -> None:
    linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    everything = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    assert denied(everything)
    assert not denied(everything, principal=linked)
