"""Judges single requests under one built-in guardrail, by the policy engine."""

from __future__ import annotations

from functools import cache

from org.policy.authorize import Engine, Grants
from org.policy.context import make_context, principal_of
from org.policy.decision import Decision, Verdict
from org.policy.model import Level, Policy, PolicyKind
from org.policy.parse import policy_of
from org.policy.request import Request
from org.references import resolve
from stacksets.guardrails.catalog import guardrails
from stacksets.guardrails.surroundings import Surroundings

ACCOUNT, IMAGES, LINEAGE = "111111111111", "222222222222", "333333333333"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/Admin"
BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/BreakGlass"
STACKSETS = f"arn:aws:iam::{ACCOUNT}:role/stacksets-exec-1a2b3c"
ACCESS = f"arn:aws:iam::{ACCOUNT}:role/OrganizationAccountAccessRole"
SPARED = (BREAK_GLASS, STACKSETS, ACCESS)
SERVICE_LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
NEAR_MISSES = (
    f"arn:aws:iam::{ACCOUNT}:role/breakglass",
    f"arn:aws:iam::{ACCOUNT}:role/team/BreakGlass",
    f"arn:aws:iam::{ACCOUNT}:role/BreakGlass2",
    f"arn:aws:iam::{ACCOUNT}:user/BreakGlass",
    f"arn:aws:iam::{ACCOUNT}:role/StackSets-exec-1a2b3c",
    f"arn:aws:iam::{ACCOUNT}:role/my-stacksets-exec-1a2b3c",
    f"arn:aws:iam::{ACCOUNT}:root",
    f"arn:aws:sts::{ACCOUNT}:federated-user/BreakGlass",
)
"""Who looks like the spared and is not."""

SURROUNDINGS = Surroundings(
    governed_regions=("eu-central-1", "us-east-1"),
    partition="aws",
    protected=("arn:aws:iam::*:role/BreakGlass",),
    accounts=("Image Factory", "AMI Lineage"),
    lineage_account="AMI Lineage",
    spared=("arn:aws:iam::${orgctl:account-id:AMI Lineage}:role/Responder",),
    trusted_image_owners=("amazon", "aws-marketplace"),
)
PARAMETERS: dict[str, dict[str, object]] = {"approved-images": {"image_accounts": ("Image Factory",)}}
"""What those guardrails are given that have no default for everything."""
_IDS = {"account-id:Image Factory": IMAGES, "account-id:AMI Lineage": LINEAGE}
_FULL = policy_of(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    PolicyKind.SERVICE_CONTROL,
    "FullAWSAccess",
)
_ENGINE = Engine()


def content(name: str, **parameters: object) -> dict:
    guardrail = guardrails()[name]
    given = guardrail.parameters.model_validate({**PARAMETERS.get(name, {}), **parameters}, context=SURROUNDINGS)
    return guardrail.render(given, SURROUNDINGS)


@cache
def policy(name: str, **parameters: object) -> Policy:
    return policy_of(_resolved(content(name, **parameters)), PolicyKind.SERVICE_CONTROL, name)


def _resolved(value):
    if isinstance(value, str):
        return resolve(value, _IDS)
    if isinstance(value, list | tuple):
        return [_resolved(item) for item in value]
    return {key: _resolved(item) for key, item in value.items()} if isinstance(value, dict) else value


def decide(
    name: str,
    principal: str,
    action: str,
    resource: str = "*",
    context: dict | None = None,
    *,
    region: str = "eu-central-1",
    parameters: dict | None = None,
) -> Decision:
    """Judge one request under FullAWSAccess and the guardrail, with nothing in its context but what is given."""
    asked = principal_of(principal)
    level = Level("Root", (_FULL, policy(name, **(parameters or {}))))
    known = make_context(asked, action, resource, region=region, organization_id="o-1", more=context or {})
    request = Request(asked, action, resource, context=known, complete=True)
    return _ENGINE.authorizer(Grants(service_control=(level,))).decide(request)


def denying(name: str, principal: str, action: str, resource: str = "*", context: dict | None = None, **more) -> set:
    """Answer the Sids of the statements that deny the request; empty where it is allowed."""
    decision = decide(name, principal, action, resource, context, **more)
    assert decision.verdict in {Verdict.ALLOWED, Verdict.DENIED}, decision
    return {each.sid for each in decision.deciding} if decision.verdict is Verdict.DENIED else set()
