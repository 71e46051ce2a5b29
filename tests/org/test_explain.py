"""Access-denied messages read, and traced to their cause, on values alone.

The messages are of the forms that AWS documents:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns/
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from org.errors import OrgctlError
from org.explain.decoded import read_refusal
from org.explain.elsewhere import explain_elsewhere, is_of_organization
from org.explain.explanation import Explanation, Step, explain
from org.explain.message import MAX_CHARACTERS, Refusal, parse_message
from org.model import (
    ROOT,
    AccountId,
    AccountName,
    LiveState,
    ObservedAccount,
    ObservedOrganization,
    ObservedPolicy,
    ObservedUnit,
    PolicyType,
    UnitPath,
)
from org.policy.authorize import Engine
from org.policy.model import PolicyKind
from org.policy.request import ContextValue
from org.proof.chains import live_chains

JOHN = "arn:aws:iam::777788889999:user/John"
BECAUSE = f"User: {JOHN} is not authorized to perform: "
SECRETS = "arn:aws:secretsmanager:us-east-1:777788889999:secret:*"
SCP, RCP = PolicyType("SERVICE_CONTROL_POLICY"), PolicyType("RESOURCE_CONTROL_POLICY")
ARNS = "arn:aws:organizations::123456789012:policy/o-exampleorg"


def refusal(action: str, resource: str = "", kind: PolicyKind | None = None, explicit: bool | None = None) -> Refusal:
    return Refusal(JOHN, action, resource, kind, explicit)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "sqs:ListQueues because no service control policy allows the sqs:ListQueues action",
            refusal("sqs:ListQueues", "", PolicyKind.SERVICE_CONTROL, False),
        ),
        (
            "codecommit:ListRepositories with an explicit deny in a service control policy",
            refusal("codecommit:ListRepositories", "", PolicyKind.SERVICE_CONTROL, True),
        ),
        (
            f"secretsmanager:GetSecretValue on resource: {SECRETS} with an explicit deny in a resource control policy",
            refusal("secretsmanager:GetSecretValue", SECRETS, PolicyKind.RESOURCE_CONTROL, True),
        ),
        (
            "codecommit:ListRepositories because no VPC endpoint policy allows the codecommit:ListRepositories action",
            refusal("codecommit:ListRepositories", "", PolicyKind.ENDPOINT, False),
        ),
        (
            f"secretsmanager:GetSecretValue on resource: {SECRETS} with an explicit deny in a VPC endpoint policy",
            refusal("secretsmanager:GetSecretValue", SECRETS, PolicyKind.ENDPOINT, True),
        ),
        (
            (f"secretsmanager:GetSecretValue on resource: {SECRETS} "
            "because no permissions boundary allows the secretsmanager:GetSecretValue action"),
            refusal("secretsmanager:GetSecretValue", SECRETS, PolicyKind.BOUNDARY, False),
        ),
        (
            "sagemaker:ListModels with an explicit deny in a permissions boundary",
            refusal("sagemaker:ListModels", "", PolicyKind.BOUNDARY, True),
        ),
        (
            "codecommit:ListRepositories because no session policy allows the codecommit:ListRepositories action",
            refusal("codecommit:ListRepositories", "", PolicyKind.SESSION, False),
        ),
        (
            f"secretsmanager:GetSecretValue on resource: {SECRETS} with an explicit deny in a sessions policy",
            refusal("secretsmanager:GetSecretValue", SECRETS, PolicyKind.SESSION, True),
        ),
        (
            ("secretsmanager:GetSecretValue because no resource-based policy allows the "
            "secretsmanager:GetSecretValue action"),
            refusal("secretsmanager:GetSecretValue", "", PolicyKind.RESOURCE, False),
        ),
        (
            f"secretsmanager:GetSecretValue on resource: {SECRETS} with an explicit deny in a resource-based policy",
            refusal("secretsmanager:GetSecretValue", SECRETS, PolicyKind.RESOURCE, True),
        ),
        (
            "sts:AssumeRole because no role trust policy allows the sts:AssumeRole action",
            refusal("sts:AssumeRole", "", PolicyKind.TRUST, False),
        ),
        (
            "sts:AssumeRole with an explicit deny in the role trust policy",
            refusal("sts:AssumeRole", "", PolicyKind.TRUST, True),
        ),
        (
            "sqs:ListQueues because no identity-based policy allows the sqs:ListQueues action",
            refusal("sqs:ListQueues", "", PolicyKind.IDENTITY, False),
        ),
        (
            f"secretsmanager:GetSecretValue on resource: {SECRETS} with an explicit deny in an identity-based policy",
            refusal("secretsmanager:GetSecretValue", SECRETS, PolicyKind.IDENTITY, True),
        ),
        (
            ("SNS:Publish on resource: arn:aws:sns:us-east-1:444455556666:t with an explicit deny in a VPC endpoint "
            "policy transitively through a service control policy"),
            refusal("SNS:Publish", "arn:aws:sns:us-east-1:444455556666:t", PolicyKind.SERVICE_CONTROL, True),
        ),
        # Older forms and other services' own.
        ("ec2:RunInstances on resource: role TestReadOnly with an explicit deny",
         refusal("ec2:RunInstances", "role TestReadOnly", None, True)),
        ("sts:AssumeRole on resource: arn:aws:iam::1:role/R", refusal("sts:AssumeRole", "arn:aws:iam::1:role/R")),
        ("sts:AssumeRole on resource: arn:aws:iam::1:role/R status code: 403, request id: 1-2",
         refusal("sts:AssumeRole", "arn:aws:iam::1:role/R")),
        ("account:PutContactInformation (Your organization must first enable trusted access)",
         refusal("account:PutContactInformation")),
        (('s3:GetObject on resource: "arn:aws:s3:::bucket/with an explicit deny in a session policy" '
         "because no identity-based policy allows the s3:GetObject action"),
         refusal("s3:GetObject", "arn:aws:s3:::bucket/with an explicit deny in a session policy",
                 PolicyKind.IDENTITY, False)),
    ],
)  # fmt: skip
def test_every_form_of_message_is_read(said: str, expected: Refusal) -> None:
    assert parse_message(BECAUSE + said) == expected
    assert parse_message("error:\n  " + (BECAUSE + said).replace(" ", "\n  ")) in (
        expected,
        replace(expected, resource=" ".join(expected.resource.split())),
    )


@pytest.mark.parametrize(
    ("type", "arn", "kind"),
    [
        ("a service control policy", f"{ARNS}/service_control_policy/p-abcd1234", PolicyKind.SERVICE_CONTROL),
        ("a resource control policy", f"{ARNS}/resource_control_policy/p-abcd1234", PolicyKind.RESOURCE_CONTROL),
        ("a permissions boundary", "arn:aws:iam::777788889999:policy/Boundary", PolicyKind.BOUNDARY),
        ("a session policy", "arn:aws:iam::777788889999:policy/Session", PolicyKind.SESSION),
        ("an identity-based policy", "arn:aws:iam::777788889999:policy/path/Mine", PolicyKind.IDENTITY),
    ],
)
def test_arn_of_the_policy_is_read(type: str, arn: str, kind: PolicyKind) -> None:
    message = f"{BECAUSE}iam:ListRoles on resource: arn:aws:iam::777788889999:role/* with an explicit deny in {type}: "
    expected = Refusal(JOHN, "iam:ListRoles", "arn:aws:iam::777788889999:role/*", kind, True, arn)
    assert parse_message(message + arn) == expected
    assert parse_message(message + arn + ".") == expected
    assert parse_message(message + arn + " (Service: Iam, Status Code: 403)") == expected


def test_frame_of_botocore_and_the_encoded_part_of_ec2_are_read() -> None:
    resource = "arn:aws:ec2:us-east-1:777788889999:instance/*"
    arn = f"{ARNS}/service_control_policy/p-abcd1234"
    assert parse_message(
        "An error occurred (UnauthorizedOperation) when calling the RunInstances operation: You are not authorized to "
        "perform this operation. User: arn:aws:sts::777788889999:assumed-role/Builder/ci@example.com is not "
        f"authorized to perform: ec2:RunInstances on resource: {resource} with an explicit deny in a service control "
        f"policy: {arn}. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abc_def"
    ) == Refusal(
        "arn:aws:sts::777788889999:assumed-role/Builder/ci@example.com",
        "ec2:RunInstances",
        resource,
        PolicyKind.SERVICE_CONTROL,
        True,
        arn,
        "UnauthorizedOperation",
        "RunInstances",
        "4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abc_def",
    )


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::777788889999:root",
        "arn:aws:iam::777788889999:role/team/HR",
        "arn:aws:sts::777788889999:federated-user/Jane",
        "arn:aws-us-gov:sts::777788889999:assumed-role/R/s",
        "anonymous",
    ],
)
def test_every_kind_of_principal_is_read(arn: str) -> None:
    assert parse_message(f"User: {arn} is not authorized to perform: s3:ListBucket").principal == arn


def test_of_several_messages_the_first_is_read_and_the_others_are_counted() -> None:
    first = f"{BECAUSE}sqs:SendMessage"
    said = parse_message(f"{first}\n{BECAUSE}s3:ListBucket with an explicit deny in a session policy")
    assert said == replace(refusal("sqs:SendMessage"), more=1)
    note = "the text holds 2 messages; only the first is explained"
    assert told(f"{first}\n{BECAUSE}s3:ListBucket").notes[-1] == note
    elsewhere = f"{first} with an explicit deny in a session policy\n{BECAUSE}s3:ListBucket"
    assert explain_elsewhere(parse_message(elsewhere)).notes[-1] == note


def test_one_who_is_no_principal_is_told() -> None:
    with pytest.raises(OrgctlError) as raised:
        told("User: nobody is not authorized to perform: s3:ListBucket")
    assert str(raised.value) == (
        "message: the one who was refused, 'nobody', is no principal of AWS; "
        "give the whole message, from 'User: arn:…' on"
    )


def test_only_statement_that_is_left_is_the_cause_though_it_hangs_on_keys() -> None:
    policies = scp("Regions", REGIONS, on=("ou-w",)), scp("Tags", TAGGED, on=("r-1",))
    everywhere = SCP_SAYS.replace(f" on resource: arn:aws:sqs:us-east-1:{SHOP}:q", " on resource: *")
    named = told(f"{everywhere}: {ARNS}/service_control_policy/p-regions", *policies)
    assert [(each.policy, each.by_message, each.is_certain) for each in named.causes] == [("Regions", True, False)]
    assert [each.policy for each in named.exemptions] == ["Regions"]
    assert named.notes == ()


def test_where_it_hangs_on_keys_which_policy_denied_no_exemption_is_offered_until_they_are_told() -> None:
    policies = scp("Regions", REGIONS, on=("ou-w",)), scp("Tags", TAGGED, on=("r-1",))
    everywhere = SCP_SAYS.replace(f" on resource: arn:aws:sqs:us-east-1:{SHOP}:q", "")
    found = told(everywhere, *policies)
    assert ({each.policy for each in found.causes}, found.exemptions) == ({"Regions", "Tags"}, ())
    assert found.notes == (
        (
            "which of these it was hangs on aws:RequestedRegion, aws:ResourceTag/frozen: "
            "tell them with --context KEY=VALUE for a proved exemption"
        ),
    )
    keys = {"aws__requestedregion": "us-west-2", "aws__resourcetag/frozen": None}
    assert [each.policy for each in told(everywhere, *policies, **keys).exemptions] == ["Regions"]


def test_condition_key_that_there_is_not_is_told() -> None:
    found = told(SCP_SAYS, scp("Queues", NO_QUEUES, on=("r-1",)), aws__requestregion="us-east-1")
    assert found.notes == ("aws:requestregion is no condition key that is known: is it written rightly?",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "message: '' is not an access-denied message that names an action; give the whole message: "),
        ("Access Denied", "message: 'Access Denied' is not an access-denied message that names an action; "),
        (
            f"{BECAUSE}everything",
            "message: 'User: arn:aws:iam::777788889999:user/John is not authorized …' is not ",
        ),
        (
            f"{BECAUSE}s3:ListBucket with an explicit deny in a lunar policy",
            "message: 'with an explicit deny in a lunar policy' names no kind of policy that is known; known are: ",
        ),
        (
            "You are not authorized to perform this operation. Encoded authorization failure message: abc-DEF_1",
            (
                "message: who was refused what stands in its encoded part alone; "
                "run: aws sts decode-authorization-message --encoded-message abc-DEF_1, "
                "and give orgctl guardrails explain what it prints"
            ),
        ),
        ("x" * (MAX_CHARACTERS + 1), "message: it has more than 100,000 characters; give the message alone"),
        ("{", "message: it begins like JSON and is none: "),
        ("{}", "message: the JSON is no decoded message: it has no context with principal and action; "),
    ],
)
def test_what_is_not_understood_is_told(text: str, told: str) -> None:
    with pytest.raises(OrgctlError) as raised:
        read_refusal(text)
    assert str(raised.value).startswith(told)


def test_decoded_message_brings_the_condition_keys() -> None:
    decoded = {
        "allowed": False,
        "explicitDeny": True,
        "context": {
            "principal": {"id": "AIDAEXAMPLE", "name": "John", "arn": JOHN},
            "action": "ec2:RunInstances",
            "resource": "arn:aws:ec2:us-east-1:777788889999:instance/*",
            "conditions": {
                "items": [
                    {"key": "ec2:Region", "values": {"items": [{"value": "us-east-1"}]}},
                    {"key": "aws:TagKeys", "values": {"items": [{"value": "a"}, {"value": "b"}]}},
                    {"key": "ec2:Nothing", "values": {"items": []}},
                ]
            },
        },
    }
    expected = replace(
        refusal("ec2:RunInstances", "arn:aws:ec2:us-east-1:777788889999:instance/*", None, True),
        context={"ec2:region": "us-east-1", "aws:tagkeys": ("a", "b")},
    )
    assert read_refusal(json.dumps(decoded)) == expected
    assert read_refusal(json.dumps({"DecodedMessage": json.dumps(decoded)})) == expected


# --- to the cause


SHOP, LOGS, MANAGEMENT = "777788889999", "444455556666", "123456789012"


def scp(name: str, *statements: dict[str, object], on: tuple[str, ...], type: PolicyType = SCP) -> ObservedPolicy:
    content = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return ObservedPolicy(f"p-{name.lower()}", type, name, "", content, False, on)


REGIONS = {
    "Sid": "Outside",
    "Effect": "Deny",
    "NotAction": ["iam:*", "sts:*"],
    "Resource": "*",
    "Condition": {
        "StringNotEquals": {"aws:RequestedRegion": "eu-central-1"},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deployer"},
    },
}
NO_QUEUES = {"Sid": "NoQueues", "Effect": "Deny", "Action": "sqs:*", "Resource": "*"}
TAGGED = {
    "Sid": "Tagged",
    "Effect": "Deny",
    "Action": "sqs:*",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:ResourceTag/frozen": "yes"}},
}
OUR_OWN = {
    "Sid": "OurOwn",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-elsewhere"}},
}
FULL = ObservedPolicy("p-FullAWSAccess", SCP, "FullAWSAccess", "", "", True, ("r-1", "ou-w", SHOP, LOGS, MANAGEMENT))


def organization(*policies: ObservedPolicy, full: ObservedPolicy = FULL) -> ObservedOrganization:
    def account(id: str, name: str, unit: str) -> ObservedAccount:
        return ObservedAccount(AccountId(id), AccountName(name), f"{id}@x", UnitPath(unit), LiveState.ACTIVE)

    return ObservedOrganization(
        caller_account=AccountId(MANAGEMENT),
        id="o-exampleorg",
        root_id="r-1",
        management_account_id=AccountId(MANAGEMENT),
        policy_types=(SCP, RCP),
        units=(ObservedUnit("ou-w", UnitPath("Workloads")),),
        accounts=(
            account(MANAGEMENT, "Management", ROOT),
            account(SHOP, "Shop", "Workloads"),
            account(LOGS, "L", ROOT),
        ),
        policies=(full, *policies),
    )


@cache
def engine() -> Engine:
    return Engine()


def told(
    message: str, *policies: ObservedPolicy, full: ObservedPolicy = FULL, account: str = "", **known: ContextValue
) -> Explanation:
    keys = {key.replace("__", ":"): value for key, value in known.items()}
    return explain(read_refusal(message), live_chains(organization(*policies, full=full)), engine(), keys, account)


def causes(explanation: Explanation) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    return [(each.policy, each.sid, each.levels, each.unknown) for each in explanation.causes]


def others(explanation: Explanation) -> list[tuple[str, str]]:
    return [(each.policy, each.sid) for each in explanation.others]


SEND = f"{BECAUSE}sqs:SendMessage on resource: arn:aws:sqs:us-east-1:{SHOP}:q with an explicit deny in a "
SCP_SAYS = SEND + "service control policy"


def test_statement_that_denies_for_certain_is_the_cause_and_its_exemption_is_proved() -> None:
    found = told(SCP_SAYS, scp("Regions", REGIONS, on=("ou-w",)))
    assert causes(found) == [("Regions", "Outside", ("Workloads",), ())]
    assert found.path == (Step("Root", False), Step("Workloads", True), Step("account Shop", False))
    (exemption,) = found.exemptions
    assert json.loads(exemption.statement) == {
        **REGIONS,
        "Condition": {
            "StringNotEquals": {"aws:RequestedRegion": "eu-central-1"},
            "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/deployer", JOHN]},
        },
    }
    assert (found.account, found.account_name, found.others, found.notes) == (SHOP, "Shop", (), ())
    mended = told(SCP_SAYS, scp("Regions", json.loads(exemption.statement), on=("ou-w",)))
    assert (mended.causes, mended.notes) == ((), ("no policy of the organization denies it as it stands now",))


def test_without_the_region_the_cause_hangs_on_it_until_it_is_told() -> None:
    message = f"{BECAUSE}s3:ListBucket on resource: arn:aws:s3:::b with an explicit deny in a service control policy"
    policy = scp("Regions", REGIONS, on=("ou-w",))
    assert causes(told(message, policy)) == [("Regions", "Outside", ("Workloads",), ("aws:RequestedRegion",))]
    assert causes(told(message, policy, aws__requestedregion="us-east-1")) == [
        ("Regions", "Outside", ("Workloads",), ())
    ]
    assert told(message, policy, aws__requestedregion="eu-central-1").causes == ()


def test_certain_statement_goes_before_one_that_may() -> None:
    found = told(SCP_SAYS, scp("Tags", TAGGED, on=("r-1",)), scp("Queues", NO_QUEUES, on=("ou-w", SHOP)))
    assert causes(found) == [("Queues", "NoQueues", ("Workloads", "account Shop"), ())]
    assert others(found) == [("Tags", "Tagged")]
    assert [json.loads(each.statement)["Sid"] for each in found.exemptions] == ["NoQueues"]


def test_named_policy_is_believed_and_what_denies_beside_it_is_told_with_it() -> None:
    policies = scp("Tags", TAGGED, on=("r-1",)), scp("Queues", NO_QUEUES, on=("ou-w",))
    found = told(f"{SCP_SAYS}: {ARNS}/service_control_policy/p-tags", *policies)
    assert causes(found) == [
        ("Tags", "Tagged", ("Root",), ("aws:ResourceTag/frozen",)),
        ("Queues", "NoQueues", ("Workloads",), ()),
    ]
    assert sorted(json.loads(each.statement)["Sid"] for each in found.exemptions) == ["NoQueues", "Tagged"]


def test_named_policy_that_is_gone_or_no_longer_denies_is_told() -> None:
    policy = scp("Regions", {**REGIONS, "NotAction": "sqs:*"}, on=("ou-w",))
    gone = told(f"{SCP_SAYS}: {ARNS}/service_control_policy/p-gone", policy)
    assert gone.notes == (
        f"there is no policy {ARNS}/service_control_policy/p-gone in organization o-exampleorg (any more)",
    )
    changed = told(f"{SCP_SAYS}: {ARNS}/service_control_policy/p-regions", policy)
    assert changed.notes == (
        "no statement of Regions (attached to Workloads) denies it as it stands now: has it changed since?",
    )
    assert (gone.causes, changed.causes) == ((), ())


def test_level_that_allows_nothing_is_the_cause_of_an_implicit_denial() -> None:
    message = f"{BECAUSE}sqs:SendMessage because no service control policy allows the sqs:SendMessage action"
    full = replace(FULL, target_ids=("r-1", SHOP, LOGS, MANAGEMENT))
    some = scp("Some", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, on=("ou-w",))
    found = told(message, some, scp("Tags", TAGGED, on=("r-1",)), full=full)
    assert causes(found) == [("", "", ("Workloads",), ())]
    assert found.path == (Step("Root", False), Step("Workloads", True), Step("account Shop", False))
    (exemption,) = found.exemptions
    assert (exemption.policy, exemption.level, json.loads(exemption.statement)["Action"]) == (
        "Some",
        "Workloads",
        "sqs:SendMessage",
    )


def test_resource_control_policy_is_sought_above_the_account_of_the_resource() -> None:
    message = f"{BECAUSE}s3:GetObject on resource: arn:aws:s3:::b/k with an explicit deny in a resource control policy"
    policy = scp("Perimeter", OUR_OWN, on=(LOGS,), type=RCP)
    found = told(message, policy, account=LOGS)
    assert causes(found) == [("Perimeter", "OurOwn", ("account L",), ())]
    assert (found.account, [step.level for step in found.path]) == (LOGS, ["Root", "account L"])
    assert told(message, policy).causes == ()


def test_without_a_kind_in_the_message_all_of_the_organization_is_looked_at() -> None:
    message = f"{BECAUSE}sqs:SendMessage on resource: arn:aws:sqs:us-east-1:{SHOP}:q"
    assert causes(told(message, scp("Queues", NO_QUEUES, on=("r-1",)))) == [("Queues", "NoQueues", ("Root",), ())]
    assert told(message).notes == (
        "no policy of the organization denies it as it stands now",
        "so it is a policy in the account; the message does not tell which",
    )


def test_role_of_a_permission_set_is_known_by_its_path_but_for_the_region() -> None:
    session = f"arn:aws:sts::{SHOP}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/jane@example.com"
    found = told(SCP_SAYS.replace(JOHN, session), scp("Queues", NO_QUEUES, on=("r-1",)))
    arn = f"arn:aws:iam::{SHOP}:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_0123456789abcdef"
    assert (found.principal, found.notes) == (arn, ())
    spared = {**NO_QUEUES, "Condition": {"ArnNotLike": {"aws:PrincipalArn": arn}}}
    assert [json.loads(each.statement) for each in found.exemptions] == [spared]


def test_path_of_a_role_can_be_told_and_exemptions_that_nearly_hold_are_pointed_out() -> None:
    session = f"arn:aws:sts::{SHOP}:assumed-role/Deployer/ci"
    message, policy = SCP_SAYS.replace(JOHN, session), scp("Regions", REGIONS, on=("ou-w",))
    found = told(message, policy)
    assert found.notes == (
        (
            f"a session's ARN does not tell the path of its role: taken to be arn:aws:iam::{SHOP}:role/Deployer; "
            "--context aws:PrincipalArn=ARN tells another"
        ),
    )
    assert found.causes[0].hints == (
        (
            "Outside spares arn:aws:iam::*:role/deployer, which differs from "
            f"arn:aws:iam::{SHOP}:role/Deployer only by upper and lower case"
        ),
    )
    pathed = f"arn:aws:iam::{SHOP}:role/team/Deployer"
    again = told(message, policy, aws__principalarn=pathed)
    assert (again.principal, again.notes) == (pathed, ())
    with pytest.raises(OrgctlError, match="is not in account 777788889999"):
        told(message, policy, aws__principalarn="arn:aws:iam::1:role/team/Deployer")


@pytest.mark.parametrize(
    ("arn", "note"),
    [
        (f"arn:aws:iam::{MANAGEMENT}:user/U",
         f"account {MANAGEMENT} is the management account, which no service control policy reaches"),
        ("arn:aws:iam::999988887777:user/U", "account 999988887777 is no active account of organization o-exampleorg"),
        (f"arn:aws:iam::{SHOP}:role/aws-service-role/x.amazonaws.com/R",
         "a service-linked role is beyond the organization's policies"),
    ],
)  # fmt: skip
def test_principals_beyond_the_policies_are_told(arn: str, note: str) -> None:
    found = told(SCP_SAYS.replace(JOHN, arn), scp("Queues", NO_QUEUES, on=("r-1",)))
    assert (found.causes, note in found.notes) == ((), True)


def test_action_that_is_not_in_the_catalog_is_denied_by_what_is_certain_only() -> None:
    message = SCP_SAYS.replace("sqs:SendMessage", "sqs:SendMesage")
    found = told(message, scp("Queues", NO_QUEUES, {**NO_QUEUES, "Sid": "Other", "Action": "s3:*"}, on=("r-1",)))
    assert [cause.sid for cause in found.causes] == ["NoQueues"]
    assert found.notes[0].startswith("sqs:SendMesage is not in the catalog of actions")


def test_action_that_is_not_in_the_catalog_is_allowed_where_everything_is() -> None:
    message = SCP_SAYS.replace("sqs:SendMessage", "sqs:SendMesage").partition(" with an explicit")[0]

    def levels(full: ObservedPolicy, *policies: ObservedPolicy) -> list[tuple[str, ...]]:
        found = told(message, *policies, full=full)
        return [each.levels for each in (*found.causes, *found.others) if not each.policy]

    assert levels(FULL, scp("Tags", TAGGED, on=("r-1",))) == []
    below = replace(FULL, target_ids=("ou-w", SHOP))
    other = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    narrow = {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:q"}
    assert levels(below, scp("Some", other, on=("r-1",))) == [("Root",)]
    assert levels(below, scp("Some", narrow, on=("r-1",))) == [("Root",)]
    assert levels(below, scp("Some", {**narrow, "Resource": "*"}, on=("r-1",))) == []


def test_context_that_is_no_principal_is_told_by_its_option() -> None:
    with pytest.raises(OrgctlError) as raised:
        told(SCP_SAYS, scp("Queues", NO_QUEUES, on=("r-1",)), aws__principalarn="foo")
    assert str(raised.value).startswith("--context aws:PrincipalArn: 'foo' is no principal; give the ARN of a role")


def test_nobody_told_of_tls_or_of_whose_a_bucket_is() -> None:
    tls = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy = scp("Tls", {**tls, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, on=("r-1",), type=RCP)
    message = f"{BECAUSE}s3:GetObject on resource: arn:aws:s3:::b/k with an explicit deny in a resource control policy"
    assert causes(told(message, policy)) == [("Tls", "Tls", ("Root",), ("aws:SecureTransport",))]
    ours = {"Sid": "Ours", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    ours["Condition"] = {"StringNotEquals": {"aws:ResourceAccount": SHOP}}
    message = message.replace("resource control", "service control")
    assert causes(told(message, scp("Ours", ours, on=("r-1",)))) == [
        ("Ours", "Ours", ("Root",), ("aws:ResourceAccount",))
    ]
    assert causes(told(message, scp("Ours", ours, on=("r-1",)), account=LOGS)) == [("Ours", "Ours", ("Root",), ())]
    assert causes(told(message, scp("Ours", ours, on=("r-1",)), account=SHOP)) == []


@pytest.mark.parametrize("resource", ["arn:aws:s3:::b/k", "arn:aws:ec2:eu-central-1::image/ami-1"])
def test_perimeter_may_deny_what_others_may_own(resource: str) -> None:
    away = {"Sid": "Away", "Effect": "Deny", "Action": "*", "Resource": "*"}
    away["Condition"] = {"StringNotEquals": {"aws:ResourceOrgID": "o-exampleorg"}}
    action = "s3:GetObject" if ":s3:" in resource else "ec2:RunInstances"
    message = f"{BECAUSE}{action} on resource: {resource} with an explicit deny in a service control policy"
    policy = scp("Perimeter", away, on=("r-1",))
    assert causes(told(message, policy)) == [("Perimeter", "Away", ("Root",), ("aws:ResourceOrgID",))]
    assert causes(told(message, policy, account=LOGS)) == []


def test_nobody_in_particular_is_spared() -> None:
    message = (
        "User: anonymous is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k with an explicit "
    )
    policy = scp("Perimeter", OUR_OWN, on=(LOGS,), type=RCP)
    found = told(message + "deny in a resource control policy", policy, account=LOGS)
    assert (found.principal, found.exemptions) == ("*", ())
    assert told(message + "deny in a resource control policy", policy).causes == ()


@given(st.text(), st.sampled_from(["", BECAUSE, f"{BECAUSE}s3:ListBucket on resource: ", "{", SCP_SAYS]), st.text())
def test_whatever_is_given_is_read_or_told(before: str, middle: str, after: str) -> None:
    with suppress(OrgctlError):
        assert read_refusal(before + middle + after).action


def test_what_orgctl_does_not_manage_is_said_with_where_it_is() -> None:
    arn = "arn:aws:iam::777788889999:policy/Boundary"
    said = parse_message(f"{BECAUSE}s3:ListBucket with an explicit deny in a permissions boundary: {arn}")
    assert not is_of_organization(said)
    assert explain_elsewhere(said).notes == (
        f"the permissions boundary {arn} denies it with a statement of its own",
        "it is set on the user or role as its permissions boundary; orgctl does not manage it",
    )


@pytest.mark.parametrize("kind", [kind for kind in PolicyKind if "control" not in kind])
def test_every_other_kind_has_a_place(kind: PolicyKind) -> None:
    assert "orgctl does not manage it" in explain_elsewhere(refusal("s3:ListBucket", "", kind, False)).notes[1]
