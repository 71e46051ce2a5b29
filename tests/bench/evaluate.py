"""RunInstances under four levels of service control policies: our evaluator and iam-simulate on the same requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Any

from org.policy.authorize import Engine, Grants
from org.policy.context import make_context, principal_of
from org.policy.decision import Verdict
from org.policy.model import Level, PolicyKind
from org.policy.parse import policy_of
from org.policy.request import Request

ACCOUNT, IMAGES, ORGANIZATION = "111122223333", "444455556666", "o-example123"
EXEMPT = ["arn:aws:iam::*:role/stacksets-exec-*", "arn:aws:iam::*:role/OrganizationAccountAccessRole",
          "arn:aws:iam::*:role/BreakGlass"]  # fmt: skip
Document = dict[str, Any]


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _deny(sid: str, action: Any, resource: Any = "*", key: str = "Action", **conditions: Any) -> Document:
    conditions["ArnNotLike"] = {"aws:PrincipalArn": EXEMPT}
    return {"Sid": sid, "Effect": "Deny", key: action, "Resource": resource, "Condition": conditions}


FULL = _document({"Effect": "Allow", "Action": "*", "Resource": "*"})
REGIONS = _document(
    _deny(
        "DenyCallsOutsideTheGovernedRegions",
        ["acm:*", "budgets:*", "ce:*", "cloudfront:*", "health:*", "iam:*", "kms:*", "organizations:*", "route53:*",
         "s3:GetAccountPublic*", "s3:ListAllMyBuckets", "shield:*", "sts:*", "support:*", "waf:*", "wafv2:*"],
        key="NotAction",
        StringNotEquals={"aws:RequestedRegion": ["eu-central-1", "us-east-1"]},
    )
)  # fmt: skip
LEAVING = _document(_deny("DenyLeavingTheOrganization", "organizations:LeaveOrganization"))
GOVERNANCE = _document(
    _deny("ProtectRoles", ["iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Put*", "iam:Update*"],
          ["arn:aws:iam::*:role/orgctl-*", "arn:aws:iam::*:role/stacksets-exec-*"]),
    _deny("ProtectBuses", ["events:Delete*", "events:Put*", "events:Remove*"], "arn:aws:events:*:*:*/orgctl-*"),
    _deny("ProtectTrail", ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail"]),
    _deny("ProtectRecorder", ["config:Delete*", "config:Stop*"]),
)  # fmt: skip
VOLUMES = _document(
    _deny("DenyUnencryptedVolumes", ["ec2:CreateVolume", "ec2:RunInstances"], "arn:aws:ec2:*:*:volume/*",
          Bool={"ec2:Encrypted": "false"}),
    _deny("DenyTurningEncryptionOff", "ec2:DisableEbsEncryptionByDefault"),
)  # fmt: skip
LAUNCH = ["ec2:RunInstances", "ec2:CreateFleet", "ec2:RequestSpotInstances", "ec2:RequestSpotFleet"]
IMAGE = "arn:aws:ec2:*::image/*"
APPROVED = _document(
    _deny("DenyUntrustedOwners", LAUNCH, IMAGE, StringNotEquals={"ec2:Owner": [IMAGES, "amazon"]}),
    _deny("DenyUnapproved", LAUNCH, IMAGE, StringEquals={"ec2:Owner": IMAGES},
          StringNotEquals={"aws:ResourceTag/ec2:SharedTag/status": "approved"}),
    _deny("DenyTampering", ["ec2:CreateTags", "ec2:DeleteTags"], IMAGE,
          **{"ForAnyValue:StringLike": {"aws:TagKeys": ["ec2:SharedTag/*", "ami-gov:*"]}}),
    _deny("DenyUngoverned", ["ec2:RegisterImage", "ec2:ImportImage", "ec2:CopyImage"], IMAGE),
)  # fmt: skip
TYPES = _document(
    _deny("DenyLargeInstances", "ec2:RunInstances", "arn:aws:ec2:*:*:instance/*",
          StringNotLike={"ec2:InstanceType": ["t3.*", "t4g.*", "m5.*large"]}),
    _deny("DenyMetadataV1", "ec2:RunInstances", "arn:aws:ec2:*:*:instance/*",
          StringNotEquals={"ec2:MetadataHttpTokens": "required"}),
)  # fmt: skip
LEVELS = (
    ("Root", [FULL, LEAVING, GOVERNANCE]),
    ("Workloads", [FULL, REGIONS, APPROVED]),
    ("Workloads/Production", [FULL, VOLUMES]),
    ("account Shop", [FULL, TYPES]),
)
IDENTITY = _document(
    {"Effect": "Allow", "Action": ["ec2:*", "s3:Get*", "logs:*"], "Resource": "*"},
    {"Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
)


def grants() -> Grants:
    return Grants(
        identity=(policy_of(IDENTITY, PolicyKind.IDENTITY, "ec2"),),
        service_control=tuple(
            Level(name, tuple(policy_of(d, PolicyKind.SERVICE_CONTROL, f"{name} {n}") for n, d in enumerate(documents)))
            for name, documents in LEVELS
        ),
        management_account="999988887777",
    )


def requests(count: int = 2_000, seed: int = 7) -> list[Request]:
    """Differ in principal, resource and context: some approved, some not, in and out of the Regions, some exempt."""
    random = Random(seed)
    return [_request(random, number) for number in range(count)]


def _request(random: Random, number: int) -> Request:
    region = random.choice(["eu-central-1", "us-east-1", "us-west-2"])
    role = random.choice([f"app-{number % 97}", f"team-{number % 31}", "BreakGlass"])
    principal = principal_of(f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session-{number}")
    more: dict[str, Any] = {}
    if number % 2:
        resource = f"arn:aws:ec2:{region}::image/ami-{number:017x}"
        more = {"ec2:owner": random.choice([IMAGES, "amazon", "123456789012"]), "ec2:public": "false"}
        more["ec2:imageid"] = f"ami-{number:017x}"
        more["aws:resourcetag/ec2:sharedtag/status"] = random.choice(["approved", "revoked"])
    else:
        resource = f"arn:aws:ec2:{region}:{ACCOUNT}:instance/*"
        more = {"ec2:instancetype": random.choice(["t3.micro", "m5.xlarge", "p5.48xlarge"])}
        more["ec2:metadatahttptokens"] = random.choice(["required", "optional"])
        more["aws:requesttag/team"] = random.choice(["red", "blue"])
    context = make_context(
        principal, "ec2:RunInstances", resource, region=region, organization_id=ORGANIZATION,
        resource_account=ACCOUNT, more=more,
    )  # fmt: skip
    return Request(principal, "ec2:RunInstances", resource, ACCOUNT, context, complete=True)


def simulations(asked: list[Request]) -> Iterator[Document]:
    """Answer the same for iam-simulate."""
    spelled = {"ec2:owner": "ec2:Owner", "ec2:public": "ec2:Public", "ec2:imageid": "ec2:ImageID",
               "ec2:instancetype": "ec2:InstanceType", "ec2:metadatahttptokens": "ec2:MetadataHttpTokens",
               "aws:resourcetag/ec2:sharedtag/status": "aws:ResourceTag/ec2:SharedTag/status",
               "aws:requesttag/team": "aws:RequestTag/team"}  # fmt: skip
    scps = [
        {"orgIdentifier": name, "policies": [{"name": f"{name} {n}", "policy": d} for n, d in enumerate(documents)]}
        for name, documents in LEVELS
    ]
    for request in asked:
        context = {spelled.get(k, k): list(v) if isinstance(v, tuple) else v for k, v in request.context.items() if v}
        yield {
            "request": {
                "principal": request.principal.session_arn,
                "action": request.action,
                "resource": {"resource": request.resource, "accountId": ACCOUNT},
                "contextVariables": context,
            },
            "identityPolicies": [{"name": "ec2", "policy": IDENTITY}],
            "serviceControlPolicies": scps,
            "resourceControlPolicies": [],
        }


def our_rate(asked: list[Request], seconds: float = 3) -> tuple[float, dict[str, int]]:
    """Answer how many decisions a second in this one thread, and how often each verdict came out."""
    authorizer = Engine().authorizer(grants())
    verdicts = {verdict.value: 0 for verdict in Verdict}
    for request in asked:
        verdicts[authorizer.decide(request).verdict.value] += 1
    decide, done, begun = authorizer.decide, 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        for request in asked:
            decide(request)
        done += len(asked)
    return done / spent, {name: count for name, count in verdicts.items() if count}
