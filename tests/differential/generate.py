"""Requests with all policies around them, made at random from a seed: once as our values, once for iam-simulate."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from org.policy.authorize import Grants
from org.policy.context import make_context, principal_of
from org.policy.model import Level, Policy, PolicyKind
from org.policy.parse import policy_of
from org.policy.request import ContextValue, Request

HOME, OTHER, MANAGEMENT = "111122223333", "444455556666", "999988887777"
ORGANIZATION, PATH = "o-example123", "o-example123/r-ab12/ou-ab12-11111111/"

Document = dict[str, Any]

# One row for each action: resources in the account that is asked for, and keys of the request with some values.
TAGS = {"aws:ResourceTag/team": ["red", "blue"], "aws:ResourceTag/stage": ["prod", "test"]}
NEW_TAGS = {"aws:RequestTag/team": ["red", "blue"], "aws:TagKeys": [["team"], ["team", "stage"], ["Team"]]}
ACTIONS: list[tuple[str, list[str], dict[str, list[Any]]]] = [
    ("s3:GetObject", ["arn:aws:s3:::reports-{account}/2026/summary.csv", "arn:aws:s3:::shared/key?x"], {}),
    ("s3:PutObject", ["arn:aws:s3:::reports-{account}/in"], {
        "s3:x-amz-server-side-encryption": ["aws:kms", "AES256"], "s3:x-amz-acl": ["private", "public-read"]}),
    ("s3:ListBucket", ["arn:aws:s3:::reports-{account}"], {
        "s3:prefix": ["home/ada/", "home/", ""], "s3:max-keys": ["10", "1000"], "s3:delimiter": ["/"]}),
    ("s3:DeleteBucket", ["arn:aws:s3:::reports-{account}"], {}),
    ("ec2:RunInstances", ["arn:aws:ec2:eu-central-1::image/ami-0123456789abcdef0"], {
        "ec2:Owner": ["amazon", HOME, OTHER], "ec2:Public": ["true", "false"], **TAGS}),
    ("ec2:RunInstances", ["arn:aws:ec2:eu-central-1:{account}:instance/i-0fedcba9876543210"], {
        "ec2:InstanceType": ["t3.micro", "m5.24xlarge", "p5.48xlarge"],
        "ec2:MetadataHttpTokens": ["required", "optional"],
        "ec2:MetadataHttpPutResponseHopLimit": ["1", "2", "3"], **NEW_TAGS}),
    ("ec2:CreateVolume", ["arn:aws:ec2:us-east-1:{account}:volume/vol-0123456789abcdef0"], {
        "ec2:Encrypted": ["true", "false"], "ec2:VolumeSize": ["8", "500"], **NEW_TAGS}),
    ("ec2:TerminateInstances", ["arn:aws:ec2:eu-central-1:{account}:instance/i-0123456789abcdef0"], {
        "ec2:Tenancy": ["default", "host"], **TAGS}),
    ("ec2:CreateTags", ["arn:aws:ec2:eu-central-1:{account}:volume/vol-1"], {
        "ec2:CreateAction": ["CreateVolume", "RunInstances"], **NEW_TAGS}),
    ("ec2:DescribeInstances", ["*"], {}),
    ("ec2:DisableEbsEncryptionByDefault", ["*"], {}),
    ("iam:CreateRole", ["arn:aws:iam::{account}:role/app/web", "arn:aws:iam::{account}:role/orgctl-audit"], {
        "iam:PermissionsBoundary": ["arn:aws:iam::{account}:policy/boundary", "arn:aws:iam::{account}:policy/other"],
        **NEW_TAGS}),
    ("iam:AttachRolePolicy", ["arn:aws:iam::{account}:role/BreakGlass", "arn:aws:iam::{account}:role/app/web"], {
        "iam:PolicyARN": ["arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::{account}:policy/app"]}),
    ("iam:PassRole", ["arn:aws:iam::{account}:role/app/web"], {
        "iam:PassedToService": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}),
    ("iam:ListUsers", ["*"], {}),
    ("sqs:SendMessage", ["arn:aws:sqs:eu-central-1:{account}:orders"], {}),
    ("sqs:CreateQueue", ["arn:aws:sqs:eu-central-1:{account}:orders"], {**NEW_TAGS}),
    ("sns:Publish", ["arn:aws:sns:us-east-1:{account}:alarms"], {}),
    ("sns:Subscribe", ["arn:aws:sns:us-east-1:{account}:alarms"], {
        "sns:Protocol": ["https", "sqs"], "sns:Endpoint": ["https://example.com/x"]}),
    ("lambda:InvokeFunction", ["arn:aws:lambda:eu-central-1:{account}:function:resize"], {}),
    ("lambda:CreateFunction", ["arn:aws:lambda:eu-central-1:{account}:function:resize"], {
        "lambda:VpcIds": [["vpc-1"], ["vpc-1", "vpc-2"]]}),
    ("secretsmanager:GetSecretValue", ["arn:aws:secretsmanager:eu-central-1:{account}:secret:db-AbCdEf"], {
        "secretsmanager:VersionStage": ["AWSCURRENT", "AWSPREVIOUS"], **TAGS}),
    ("dynamodb:GetItem", ["arn:aws:dynamodb:eu-central-1:{account}:table/Orders"], {
        "dynamodb:LeadingKeys": [["ada"], ["ada", "bob"], []], "dynamodb:Attributes": [["id"], ["id", "total"]]}),
    ("kms:Decrypt", ["arn:aws:kms:eu-central-1:{account}:key/11111111-2222-3333-4444-555555555555"], {
        "kms:ViaService": ["s3.eu-central-1.amazonaws.com", "ec2.eu-central-1.amazonaws.com"],
        "kms:EncryptionContextKeys": [["app"], ["app", "stage"]]}),
    ("kms:CreateGrant", ["arn:aws:kms:eu-central-1:{account}:key/11111111-2222-3333-4444-555555555555"], {
        "kms:GrantIsForAWSResource": ["true", "false"]}),
    ("sts:AssumeRole", ["arn:aws:iam::{account}:role/app/web", "arn:aws:iam::{account}:role/BreakGlass"], {
        "sts:ExternalId": ["4711", "0815"], "sts:RoleSessionName": ["ada", "bob"]}),
    ("sts:GetCallerIdentity", ["*"], {}),
    ("organizations:LeaveOrganization", ["*"], {}),
    ("cloudformation:CreateStack", ["arn:aws:cloudformation:eu-central-1:{account}:stack/app/0a1b2c3d"], {
        "cloudformation:ResourceTypes": [["AWS::S3::Bucket"], ["AWS::S3::Bucket", "AWS::IAM::Role"]]}),
    ("logs:PutRetentionPolicy", ["arn:aws:logs:eu-central-1:{account}:log-group:/orgctl/governance"], {**TAGS}),
    ("events:PutEvents", ["arn:aws:events:eu-central-1:{account}:event-bus/orgctl-lineage"], {
        "events:source": [["app"], ["app", "web"]], "events:detail-type": [["Order"], ["Bill"]]}),
    ("events:PutRule", ["arn:aws:events:eu-central-1:{account}:rule/orgctl-forward-x"], {**NEW_TAGS}),
    ("config:StopConfigurationRecorder", ["*"], {}),
    ("cloudtrail:StopLogging", ["arn:aws:cloudtrail:eu-central-1:{account}:trail/org"], {}),
]  # fmt: skip

GLOBAL: dict[str, list[Any]] = {
    "aws:SourceIp": ["203.0.113.7", "10.0.0.1", "2001:db8::1"],
    "aws:MultiFactorAuthPresent": ["true", "false"],
    "aws:MultiFactorAuthAge": ["10", "4000"],
    "aws:CurrentTime": ["2026-11-24T12:00:00Z", "2020-01-01T00:00:00Z"],
    "aws:EpochTime": ["1795521600"],
    "aws:ViaAWSService": ["false", "true"],
    "aws:SourceVpce": ["vpce-1", "vpce-2"],
    "aws:UserAgent": ["aws-cli/2", "Boto3/1"],
    "aws:PrincipalTag/team": ["red", "blue", "green"],
    "aws:CalledVia": [["cloudformation.amazonaws.com"], ["athena.amazonaws.com", "s3.amazonaws.com"]],
    "aws:SecureTransport": ["true", "false"],
    "aws:SourceAccount": [HOME, OTHER],
}
LITERALS = {
    "aws:RequestedRegion": ["eu-central-1", "us-east-1", "eu-*"],
    "aws:PrincipalArn": [
        "arn:aws:iam::*:role/app/*",
        f"arn:aws:iam::{HOME}:role/BreakGlass",
        "arn:aws:iam::*:role/app*",
    ],
    "aws:PrincipalAccount": [HOME, OTHER],
    "aws:PrincipalOrgID": [ORGANIZATION, "o-else"],
    "aws:PrincipalOrgPaths": [PATH, "o-example123/*", "o-else/*"],
    "aws:PrincipalType": ["AssumedRole", "User", "Account"],
    "aws:ResourceAccount": [HOME, OTHER],
    "aws:username": ["ada", "b*"],
}
STRINGS = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
           "StringNotLike")  # fmt: skip
NUMBERS = ("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
           "NumericGreaterThanEquals")  # fmt: skip
DATES = ("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
         "DateGreaterThanEquals")  # fmt: skip
ARNS = ("ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals")
PRINCIPALS = (
    f"arn:aws:sts::{HOME}:assumed-role/web/session", f"arn:aws:sts::{HOME}:assumed-role/BreakGlass/ada",
    f"arn:aws:iam::{HOME}:user/ada", f"arn:aws:iam::{HOME}:user/team/bob", f"arn:aws:iam::{HOME}:root",
)  # fmt: skip
WITH_POLICY = {"s3", "sqs", "sns", "lambda", "secretsmanager", "events"}


@dataclass(frozen=True, slots=True)
class Case:
    seed: int
    request: Request
    grants: Grants
    simulation: Document
    """What iam-simulate is given."""


def make_case(seed: int) -> Case:
    return _Maker(seed).make()


class _Maker:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)

    def make(self) -> Case:
        r = self.random
        self.action, resources, keys = r.choice(ACTIONS)
        cross = r.random() < 0.35
        self.owner = OTHER if cross else HOME
        self.resource = r.choice(resources).format(account=self.owner)
        self.session = r.choice(PRINCIPALS)
        self.keys = {k: [_filled(v, self.owner) for v in values] for k, values in keys.items()} | GLOBAL
        principal = principal_of(self.session)
        region = self.resource.split(":")[3] if self.resource.count(":") > 3 else ""
        more: dict[str, ContextValue] = {}
        for key, values in self.keys.items():
            if r.random() < 0.6:
                value = r.choice(values)
                more[key.lower()] = tuple(value) if isinstance(value, list) else value
        context = make_context(
            principal, self.action, self.resource, region=region or "us-east-1", organization_id=ORGANIZATION,
            organization_path=PATH, resource_account=self.owner, more=more,
        )  # fmt: skip
        request = Request(principal, self.action, self.resource, self.owner, context, complete=True)
        return self._with_policies(request)

    def _with_policies(self, request: Request) -> Case:
        r = self.random
        is_root = self.session.endswith(":root")  # nothing can be attached to the root user: AWS lets it do everything
        identity = [FULL] if is_root else [self._document("identity") for _ in range(r.choice([0, 1, 1, 2]))]
        boundary = [self._document("boundary")] if r.random() < 0.25 and not is_root else []
        session = [self._document("session")] if r.random() < 0.15 and "assumed-role" in self.session else []
        resource = self._document("resource") if self._has_policy() else None
        endpoint = [self._document("endpoint")] if r.random() < 0.1 else []
        scps = [self._level("scp") for _ in range(r.choice([0, 1, 3, 4]))]
        rcps = [self._level("rcp") for _ in range(r.choice([0, 0, 1, 2]))]
        kinds = {"sts:AssumeRole": PolicyKind.TRUST, "kms": PolicyKind.KEY}
        kind = kinds.get(self.action) or kinds.get(self.action.split(":")[0], PolicyKind.RESOURCE)
        grants = Grants(
            identity=_policies(identity, PolicyKind.IDENTITY),
            boundary=_policies(boundary, PolicyKind.BOUNDARY),
            session=_policies(session, PolicyKind.SESSION),
            resource=policy_of(resource, kind, "resource") if resource else None,
            endpoint=_policies(endpoint, PolicyKind.ENDPOINT)[0] if endpoint else None,
            service_control=_levels(scps, PolicyKind.SERVICE_CONTROL),
            resource_control=_levels(rcps, PolicyKind.RESOURCE_CONTROL, also=FULL_RCP),
            management_account=MANAGEMENT,
        )
        simulation: Document = {
            "request": {
                "principal": self.session,
                "action": self.action,
                "resource": {"resource": self.resource, "accountId": self.owner},
                "contextVariables": _spelled(request, self.keys),
            },
            "identityPolicies": _named(identity),
            "serviceControlPolicies": _by_level(scps),
            "resourceControlPolicies": _by_level(rcps),
        }
        if resource:
            simulation["resourcePolicy"] = resource
        if boundary:
            simulation["permissionBoundaryPolicies"] = _named(boundary)
        if session:
            simulation["sessionPolicy"] = session[0]
        if endpoint:
            simulation["vpcEndpointPolicies"] = _named(endpoint)
        return Case(self.seed, request, grants, simulation)

    def _has_policy(self) -> bool:
        """Roles and keys always have a policy of their own; of other resources some of those that can have one."""
        if self.resource == "*":
            return False
        if self.action.startswith(("kms:", "sts:AssumeRole")):
            return True
        return self.action.split(":")[0] in WITH_POLICY and self.random.random() < 0.6

    def _level(self, kind: str) -> list[Document]:
        r = self.random
        own = [self._document(kind) for _ in range(r.choice([0, 0, 1, 1, 2]))]
        full = [FULL] if kind == "scp" and r.random() < 0.92 else []
        return full + own if full or own else [FULL] if kind == "scp" else []

    def _document(self, kind: str) -> Document:
        r = self.random
        count = r.choice([1, 1, 2, 3])
        return {"Version": "2012-10-17", "Statement": [self._statement(kind, n) for n in range(count)]}

    def _statement(self, kind: str, number: int) -> Document:
        r = self.random
        deny = {"identity": 0.1, "boundary": 0.1, "session": 0.1, "resource": 0.1, "endpoint": 0.1, "scp": 0.7}
        is_deny = kind == "rcp" or r.random() < deny[kind]
        statement: Document = {"Sid": f"S{number}", "Effect": "Deny" if is_deny else "Allow"}
        if kind in {"resource", "rcp", "endpoint"}:
            self._principals(statement, kind)
        self._actions(statement, kind, deny=is_deny)
        if not (kind == "resource" and self.action == "sts:AssumeRole"):
            self._resources(statement, kind)
        if r.random() < (0.75 if is_deny else 0.4):
            self._conditions(statement, number)
        return statement

    def _principals(self, statement: Document, kind: str) -> None:
        r = self.random
        if kind in {"rcp", "endpoint"}:
            statement["Principal"] = "*"
            return
        role = self.session.split("/")[1] if "assumed-role" in self.session else "nobody"
        choices: list[Any] = [
            "*", {"AWS": "*"}, {"AWS": f"arn:aws:iam::{HOME}:root"}, {"AWS": HOME}, {"AWS": self.session},
            {"AWS": [f"arn:aws:iam::{HOME}:role/other", f"arn:aws:iam::{HOME}:user/ada"]},
            {"AWS": f"arn:aws:iam::{HOME}:role/{role}"}, {"AWS": f"arn:aws:iam::{OTHER}:root"},
            {"Service": "ec2.amazonaws.com"}, {"AWS": f"arn:aws:iam::{HOME}:user/ada"},
        ]  # fmt: skip
        negated = statement["Effect"] == "Deny" and r.random() < 0.2
        chosen = r.choice(choices[2:] if negated else choices)
        statement["NotPrincipal" if negated else "Principal"] = chosen

    def _actions(self, statement: Document, kind: str, *, deny: bool) -> None:
        r = self.random
        service, name = self.action.split(":")
        close = [self.action, self.action.lower(), f"{service}:*", f"{service}:{name[:3]}*", f"{service}:*{name[-4:]}",
                 f"{service}:{name[:2]}?{name[3:]}", f"{service.upper()}:{name}"]  # fmt: skip
        far = [other for other, _, _ in ACTIONS]
        if kind not in {"rcp", "resource"}:
            close.append("*")
        if kind == "resource":
            far = [other for other in far if other.split(":")[0] == service]
        if kind == "rcp":
            close, far = (
                [each for each in close if each[0].islower()],
                [each for each in far if each[:2] in {"s3", "km"}],
            )
        nearness = 0.4 if deny else 0.8
        picked = [r.choice(close if r.random() < nearness else far) for _ in range(r.choice([1, 1, 2, 3]))]
        negated = kind not in {"rcp", "resource"} and r.random() < 0.15
        statement["NotAction" if negated else "Action"] = picked if len(picked) > 1 or r.random() < 0.5 else picked[0]

    def _resources(self, statement: Document, kind: str) -> None:
        r = self.random
        if self.resource == "*" or (kind == "resource" and self.action.startswith("kms:")):
            statement["Resource"] = "*"
            return
        parts = self.resource.split(":")
        name = parts[-1]  # not the type before it: AWS allows no wildcard there
        start = self.resource[: -len(name)] + name[: max(name.find("/") + 1, len(name) // 2)]
        anywhere = ":".join([*parts[:3], "*" if parts[3] else "", "*" if parts[4] else "", *parts[5:]])
        whole_service = f"arn:aws:{parts[2]}:*"
        close = ["*", self.resource, self.resource[:-3] + "*", self.resource.replace(self.owner, "*"),
                 start + "*", start + "?*", self.resource[:-1] + "?", anywhere, whole_service]  # fmt: skip
        far = [self.resource + "x", self.resource.upper().replace("ARN:AWS", "arn:aws"), "arn:aws:s3:::else/*"]
        if kind == "resource":
            far = far[:1]
        picked = [r.choice(close if r.random() < 0.8 else far) for _ in range(r.choice([1, 1, 2]))]
        negated = kind not in {"rcp", "resource"} and r.random() < 0.12
        statement["NotResource" if negated else "Resource"] = picked if len(picked) > 1 else picked[0]

    def _conditions(self, statement: Document, number: int) -> None:
        r = self.random
        block: Document = {}
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            key = r.choice([*self.keys, *LITERALS])
            operator, values = self._test(key)
            shown = key if "/" in key or number % 3 != 1 else key.lower()  # one spelling within a statement
            block.setdefault(operator, {})[shown] = values if len(values) > 1 or r.random() < 0.5 else values[0]
        statement["Condition"] = block

    def _test(self, key: str) -> tuple[str, list[str]]:
        r = self.random
        if r.random() < 0.08:
            return "Null", [r.choice(["true", "false"])]
        samples = self.keys.get(key) or LITERALS[key]
        multi = any(isinstance(sample, list) for sample in samples) or key == "aws:PrincipalOrgPaths"
        flat = [v for s in samples for v in (s if isinstance(s, list) else [s])]
        values = [r.choice(flat) for _ in range(r.choice([1, 1, 2]))]
        operators: tuple[str, ...] = STRINGS
        if key.lower().endswith(("arn",)):
            operators = ARNS if r.random() < 0.7 else ("StringLike", "StringNotLike", "StringEquals", "StringNotEquals")
            values = [v if r.random() < 0.6 else v.rpartition("/")[0] + "/*" for v in values]
        elif flat[0] in {"true", "false"}:
            operators = ("Bool",)
        elif key == "aws:SourceIp":
            operators = ("IpAddress", "NotIpAddress")
            values = [r.choice(["203.0.113.0/24", "10.0.0.0/8", "2001:db8::/32", "203.0.113.7"])]
        elif key in {"aws:CurrentTime", "aws:EpochTime"}:
            operators = DATES
            values = [r.choice(["2026-01-01T00:00:00Z", "2026-11-24T12:00:00Z"])]
        elif flat[0].isdigit() and len(flat[0]) < 12 and key != "sts:ExternalId":
            operators = NUMBERS
        elif r.random() < 0.3:
            values = [v[: len(v) // 2] + "*" for v in values]
        elif r.random() < 0.1:
            values = [v.upper() for v in values]
        elif r.random() < 0.08:
            values = [r.choice(["${aws:username}", "${aws:PrincipalTag/team}", "${aws:PrincipalTag/none, 'red'}"])]
        operator = r.choice(operators)
        if multi and r.random() < 0.9:
            operator = r.choice(["ForAllValues:", "ForAnyValue:"]) + operator
        if r.random() < 0.2:
            operator += "IfExists"
        return operator, values


FULL: Document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
FULL_RCP: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}


def _filled(value: Any, account: str) -> Any:
    return value.format(account=account) if isinstance(value, str) else value


def _named(documents: list[Document]) -> list[Document]:
    return [{"name": f"policy-{number}", "policy": document} for number, document in enumerate(documents)]


def _by_level(levels: list[list[Document]]) -> list[Document]:
    return [{"orgIdentifier": f"level-{n}", "policies": _named(level)} for n, level in enumerate(levels)]


def _policies(documents: list[Document], kind: PolicyKind) -> tuple[Policy, ...]:
    return tuple(policy_of(document, kind, f"policy-{number}") for number, document in enumerate(documents))


def _levels(levels: list[list[Document]], kind: PolicyKind, also: Document | None = None) -> tuple[Level, ...]:
    return tuple(
        Level(f"level {number}", _policies(level, kind) + (_full_rcp() if also else ()))
        for number, level in enumerate(levels)
    )


def _full_rcp() -> tuple[Policy, ...]:
    from org.policy.model import Effect, Principals, Statement

    statement = Statement(Effect.ALLOW, ("*",), resources=("*",), principals=Principals(everyone=True))
    return (Policy("RCPFullAWSAccess", PolicyKind.RESOURCE_CONTROL, (statement,)),)


def _spelled(request: Request, keys: dict[str, list[Any]]) -> Document:
    """Name the keys as AWS spells them: iam-simulate takes them so."""
    spelled = {key.lower(): key for key in [*keys, *LITERALS]}
    return {
        spelled.get(key, key): list(value) if isinstance(value, tuple) else value
        for key, value in request.context.items()
        if value is not None
    }
