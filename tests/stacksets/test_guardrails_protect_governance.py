"""What protect-governance takes from an account's administrator, and from whom it takes nothing."""

from __future__ import annotations

import pytest

from tests.support.guardrails import (
    ACCESS,
    ACCOUNT,
    ADMIN,
    BREAK_GLASS,
    LINEAGE,
    NEAR_MISSES,
    SPARED,
    STACKSETS,
    content,
    denying,
)

NAME = "protect-governance"
IDENTITIES = "DenyChangingOrImitatingSparedPrincipals"
SYSTEM = "DenyChangingTheGovernanceSystem"
DATA = "DenyWritingGovernanceData"
EVENTS = "DenyPuttingEventsOnGovernanceBuses"
TAGGED = "DenyChangingKeysAndRulesOfOrgctl"
FEEDING = "DenyFeedingFunctionsOfOrgctl"
RECORDER = "DenyStoppingTheConfigRecorder"
TAGS, TAGS_IN_ANY_CASE = "DenyWritingTagsOfOrgctl", "DenyWritingTagsOfOrgctlInAnyCase"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1a2b"
RULE = f"arn:aws:config:eu-central-1:{ACCOUNT}:config-rule/config-rule-abc123"
RECORDER_ARN = f"arn:aws:config:eu-central-1:{ACCOUNT}:configuration-recorder/default/1a"
OURS = {"aws:ResourceTag/orgctl:managed": "true"}

FUNCTION = f"arn:aws:lambda:eu-central-1:{LINEAGE}:function:orgctl-lineage-ingest"
MAPPING = f"arn:aws:lambda:eu-central-1:{LINEAGE}:event-source-mapping:1a2b"
TOPIC = f"arn:aws:sns:eu-central-1:{LINEAGE}:orgctl-ami-security-alerts"
GRAPH = f"arn:aws:neptune-db:eu-central-1:{LINEAGE}:cluster-1A2B/*"

DENIED = [
    ("lambda:InvokeFunction", FUNCTION, {}, {SYSTEM}),
    ("lambda:UpdateFunctionCode", FUNCTION, {}, {SYSTEM}),
    ("lambda:AddPermission", FUNCTION, {}, {SYSTEM}),
    ("lambda:DeleteFunctionConcurrency", FUNCTION, {}, {SYSTEM}),
    ("lambda:CreateEventSourceMapping", MAPPING, {"lambda:FunctionArn": FUNCTION}, {FEEDING}),
    ("neptune-db:WriteDataViaQuery", GRAPH, {}, {DATA}),
    ("neptune-db:DeleteDataViaQuery", GRAPH, {}, {DATA}),
    ("rds:DeleteDBCluster", f"arn:aws:rds:eu-central-1:{LINEAGE}:cluster:orgctl-lineage", {}, {SYSTEM}),
    ("rds:ModifyDBCluster", f"arn:aws:rds:eu-central-1:{LINEAGE}:cluster:orgctl-lineage", {}, {SYSTEM}),
    ("sns:Publish", TOPIC, {}, {DATA}),
    ("sns:SetTopicAttributes", TOPIC, {}, {SYSTEM}),
    ("cloudwatch:DisableAlarmActions", f"arn:aws:cloudwatch:eu-central-1:{LINEAGE}:alarm:orgctl-x", {}, {SYSTEM}),
    ("cloudformation:UpdateStack", f"arn:aws:cloudformation:eu-central-1:{LINEAGE}:stack/orgctl-x/1", {}, {SYSTEM}),
    ("iam:CreateRole", f"{ROLE}/stacksets-exec-mine", {}, {IDENTITIES}),
    ("iam:CreateRole", f"{ROLE}/stacksets-exec-x/deeper/mine", {}, {IDENTITIES}),
    ("iam:CreateRole", f"{ROLE}/OrganizationAccountAccessRole", {}, {IDENTITIES}),
    ("iam:CreateRole", f"{ROLE}/orgctl-forward-events-eu-north-1", {}, {IDENTITIES}),
    ("iam:CreateRole", f"{ROLE}/BreakGlass", {}, {IDENTITIES}),
    ("iam:UpdateAssumeRolePolicy", f"{ROLE}/orgctl-audit", {}, {IDENTITIES}),
    ("iam:AttachRolePolicy", f"{ROLE}/BreakGlass", {}, {IDENTITIES}),
    ("iam:PutRolePolicy", f"{ROLE}/orgctl-audit", {}, {IDENTITIES}),
    ("iam:DetachRolePolicy", f"{ROLE}/orgctl-audit", {}, {IDENTITIES}),
    ("iam:DeleteRole", f"{ROLE}/orgctl-audit", {}, {IDENTITIES}),
    ("iam:PutRolePermissionsBoundary", f"{ROLE}/OrganizationAccountAccessRole", {}, {IDENTITIES}),
    ("iam:DeleteRolePermissionsBoundary", f"{ROLE}/BreakGlass", {}, {IDENTITIES}),
    ("iam:PassRole", f"{ROLE}/BreakGlass", {"iam:PassedToService": "ec2.amazonaws.com"}, {IDENTITIES}),
    ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/orgctl-boundary", {}, {IDENTITIES}),
    ("cloudformation:DeleteStack", f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/StackSet-a-1/x", {}, {SYSTEM}),
    ("cloudformation:UpdateStack", f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/StackSet-a-1/x", {}, {SYSTEM}),
    ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT}:trail/orgctl-trail", {}, {SYSTEM}),
    ("events:DisableRule", f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/orgctl-forward-calls", {}, {SYSTEM}),
    ("events:RemoveTargets", f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/orgctl-forward-calls", {}, {SYSTEM}),
    ("events:PutRule", f"arn:aws:events:eu-central-1:{LINEAGE}:rule/orgctl-lineage/mine", {}, {SYSTEM}),
    ("events:DeleteEventBus", f"arn:aws:events:eu-central-1:{LINEAGE}:event-bus/orgctl-lineage", {}, {SYSTEM}),
    ("s3:PutBucketPolicy", "arn:aws:s3:::orgctl-archive", {}, {SYSTEM}),
    ("s3:PutLifecycleConfiguration", "arn:aws:s3:::orgctl-archive", {}, {SYSTEM}),
    ("sqs:PurgeQueue", f"arn:aws:sqs:eu-central-1:{LINEAGE}:orgctl-events", {}, {SYSTEM}),
    ("s3:DeleteObjectVersion", "arn:aws:s3:::orgctl-archive/2026/a.json", {}, {DATA}),
    ("s3:PutObject", "arn:aws:s3:::orgctl-archive/2026/a.json", {}, {DATA}),
    ("sqs:ReceiveMessage", f"arn:aws:sqs:eu-central-1:{LINEAGE}:orgctl-events", {}, {DATA}),
    ("logs:DeleteLogGroup", f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/orgctl/governance", {}, {DATA}),
    ("logs:DeleteLogStream", f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/orgctl/x:log-stream:y", {}, {DATA}),
    ("events:PutEvents", f"arn:aws:events:eu-central-1:{LINEAGE}:event-bus/orgctl-lineage", {}, {EVENTS}),
    ("kms:ScheduleKeyDeletion", KEY, OURS, {TAGGED}),
    ("kms:PutKeyPolicy", KEY, {"aws:ResourceTag/ORGCTL:Managed": "true"}, {TAGGED}),
    ("config:DeleteConfigRule", RULE, OURS, {TAGGED}),
    ("config:StopConfigurationRecorder", RECORDER_ARN, {}, {RECORDER}),
    ("config:DeleteDeliveryChannel", "*", {}, {RECORDER}),
    ("kms:TagResource", KEY, {"aws:TagKeys": ("Team", "orgctl:managed")}, {TAGS, TAGS_IN_ANY_CASE}),
    ("kms:TagResource", KEY, {"aws:TagKeys": ("ORGCTL:managed",)}, {TAGS_IN_ANY_CASE}),
    ("sns:CreateTopic", f"arn:aws:sns:eu-central-1:{ACCOUNT}:a", {"aws:TagKeys": ("orgctl:x",)}, {TAGS}),
]  # fmt: skip
ALLOWED = [
    ("lambda:InvokeFunction", f"arn:aws:lambda:eu-central-1:{LINEAGE}:function:shop", {}),
    ("lambda:GetFunctionConfiguration", FUNCTION, {}),
    ("lambda:CreateEventSourceMapping", MAPPING, {"lambda:FunctionArn": FUNCTION.replace("orgctl-", "shop-")}),
    ("neptune-db:ReadDataViaQuery", GRAPH, {}),
    ("neptune-db:WriteDataViaQuery", GRAPH.replace(LINEAGE, ACCOUNT), {}),
    ("rds:DeleteDBCluster", f"arn:aws:rds:eu-central-1:{LINEAGE}:cluster:shop", {}),
    ("iam:CreateRole", f"{ROLE}/Developer", {}),
    ("iam:CreateRole", f"{ROLE}/breakglass", {}),  # spared by nobody, since case counts
    ("iam:CreateRole", f"{ROLE}/team/BreakGlass", {}),  # nor is that
    ("iam:GetRole", f"{ROLE}/BreakGlass", {}),
    ("iam:PassRole", f"{ROLE}/Developer", {}),
    ("sts:AssumeRole", f"{ROLE}/BreakGlass", {}),  # for its trust to say
    ("sts:TagSession", f"{ROLE}/Developer", {"aws:TagKeys": ("orgctl:managed",)}),
    ("cloudformation:DeleteStack", f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/shop/x", {}),
    ("cloudformation:DescribeStacks", f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/StackSet-a-1/x", {}),
    ("events:DeleteRule", f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/nightly", {}),
    ("events:PutEvents", f"arn:aws:events:eu-central-1:{ACCOUNT}:event-bus/default", {}),
    ("s3:GetObject", "arn:aws:s3:::orgctl-archive/2026/a.json", {}),
    ("s3:DeleteObject", "arn:aws:s3:::shop-orgctl-archive/a.json", {}),
    ("sqs:SendMessage", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:shop", {}),
    ("logs:PutLogEvents", f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/shop:log-stream:y", {}),
    ("kms:ScheduleKeyDeletion", KEY, {}),
    ("kms:ScheduleKeyDeletion", KEY, {"aws:ResourceTag/orgctl:managed": "false"}),
    ("kms:Decrypt", KEY, OURS),
    ("config:DeleteConfigRule", RULE, {}),
    ("config:DescribeConfigurationRecorders", "*", {}),
    ("kms:TagResource", KEY, {"aws:TagKeys": ("Team",)}),
    ("kms:TagResource", KEY, {}),
]


def _shown(value):
    """Name a case alike in every process: sets have an order of their own in each."""
    return str(sorted(value) if isinstance(value, set) else value)[:60]


@pytest.mark.parametrize(("action", "resource", "context", "sids"), DENIED, ids=_shown)
def test_administrators_cannot_and_the_spared_can(action, resource, context, sids):
    assert denying(NAME, ADMIN, action, resource, context) == sids
    for principal in SPARED:
        assert denying(NAME, principal, action, resource, context) == set(), principal
    for principal in NEAR_MISSES:
        assert denying(NAME, principal, action, resource, context) == sids, principal


@pytest.mark.parametrize(("action", "resource", "context"), ALLOWED, ids=_shown)
def test_what_is_none_of_the_governance_system_stays_the_administrators(action, resource, context):
    assert denying(NAME, ADMIN, action, resource, context) == set()


def test_forwarders_put_events_on_the_governance_bus_and_change_nothing():
    forwarder = f"{ROLE}/orgctl-forward-events-eu-central-1"
    bus = f"arn:aws:events:eu-central-1:{LINEAGE}:event-bus/orgctl-lineage"
    assert denying(NAME, forwarder, "events:PutEvents", bus) == set()
    assert denying(NAME, forwarder, "events:DeleteEventBus", bus) == {SYSTEM}
    assert denying(NAME, f"{ROLE}/orgctl-audit", "events:PutEvents", bus) == {EVENTS}


def test_roles_of_orgctl_write_its_data_and_do_not_change_its_policies():
    role = f"arn:aws:iam::{LINEAGE}:role/orgctl-lineage-writer"
    assert denying(NAME, role, "s3:PutObject", "arn:aws:s3:::orgctl-archive/a") == set()
    assert denying(NAME, role, "neptune-db:WriteDataViaQuery", GRAPH) == set()
    assert denying(NAME, role, "sns:Publish", TOPIC) == set()
    assert denying(NAME, role, "lambda:InvokeFunction", FUNCTION) == {SYSTEM}
    assert denying(NAME, role, "s3:PutBucketPolicy", "arn:aws:s3:::orgctl-archive") == {SYSTEM}
    assert denying(NAME, role, "iam:PutRolePolicy", role) == {IDENTITIES}


def test_principals_that_other_guardrails_spare_cannot_be_imitated_where_they_are_spared():
    create = "iam:CreateRole"
    assert denying(NAME, f"arn:aws:iam::{LINEAGE}:role/Admin", create, f"arn:aws:iam::{LINEAGE}:role/Responder") == {
        IDENTITIES
    }
    assert denying(NAME, ADMIN, create, f"{ROLE}/Responder") == set()  # spared in the lineage account alone


def test_roles_and_users_that_policies_of_your_own_spare_can_be_named():
    more = {"parameters": {"also_protected": ("arn:aws:iam::*:role/Auditor", "arn:aws:iam::*:user/emergency")}}
    user = f"arn:aws:iam::{ACCOUNT}:user/emergency"
    assert denying(NAME, ADMIN, "iam:CreateRole", f"{ROLE}/Auditor", **more) == {IDENTITIES}
    assert denying(NAME, ADMIN, "iam:CreateAccessKey", user, **more) == {IDENTITIES}
    assert denying(NAME, user, "iam:CreateAccessKey", user, **more) == {IDENTITIES}
    assert denying(NAME, BREAK_GLASS, "iam:CreateAccessKey", user, **more) == set()
    assert denying(NAME, ADMIN, "iam:CreateAccessKey", user) == set()


def test_federated_users_that_are_spared_cannot_be_imitated():
    """Whoever calls GetFederationToken chooses the name that `aws:PrincipalArn` tells."""
    ops = f"arn:aws:sts::{ACCOUNT}:federated-user/ops"
    more = {"parameters": {"also_protected": ("arn:aws:sts::*:federated-user/ops",)}}
    user = f"arn:aws:iam::{ACCOUNT}:user/ada"
    assert denying(NAME, user, "sts:GetFederationToken", ops, **more) == {IDENTITIES}
    assert denying(NAME, user, "sts:GetFederationToken", ops.replace("ops", "dev"), **more) == set()
    assert denying(NAME, user, "sts:GetFederationToken", ops) == set()
    of_users = {"parameters": {"also_protected": ("arn:aws:iam::*:root", "arn:aws:iam::*:user/emergency")}}
    assert denying(NAME, user, "sts:GetFederationToken", ops, **of_users) == set()


def test_further_principals_can_be_exempt_and_are_then_kept_from_imitation_by_the_manifest():
    control_tower = f"{ROLE}/AWSControlTowerExecution"
    more = {"parameters": {"exempt_principals": ("arn:aws:iam::*:role/AWSControlTowerExecution",)}}
    assert denying(NAME, control_tower, "config:PutConfigurationRecorder", "*") == {RECORDER}
    assert denying(NAME, control_tower, "config:PutConfigurationRecorder", "*", **more) == set()


def test_every_statement_names_every_exemption_itself():
    for statement in content(NAME)["Statement"]:
        exempt = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
        assert {STACKSETS.replace("1a2b3c", "*"), ACCESS, BREAK_GLASS} <= {
            each.replace("*", ACCOUNT, 1) for each in exempt
        }
