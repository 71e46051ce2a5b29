"""Rules of an organization, in AWS Config: where they are made, who may make them, and that their function runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from handlers.lineage.compliance.evaluate import rules_named
from handlers.lineage.compliance.invocation import read_invocation
from org.sandbox.functions.invocations import waiting
from org.sandbox.server import Sandbox
from stacksets.templates import lineage_compliance
from tests.sandbox.test_config_rules import Account
from tests.support.cloud import HOME, Cloud, refusal
from tests.support.functions import allow, deploy, failure, functions, put_code, role, seen, session_in, zipped
from tests.support.sandbox import create_account

ADMINISTRATION = "config-multiaccountsetup.amazonaws.com"
NAME = "orgctl-lineage"


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    waiting.clear()
    yield
    waiting.clear()


class Lineage(Account):
    """The account that administers the rules, with a function that the whole organization's Config may invoke."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud, cloud.make_account())
        self.record()
        cloud.organizations.enable_aws_service_access(ServicePrincipal=ADMINISTRATION)
        cloud.organizations.register_delegated_administrator(AccountId=self.id, ServicePrincipal=ADMINISTRATION)

    def put(self, *excluded: str, name: str = NAME, **more: Any) -> str:
        metadata = {
            "LambdaFunctionArn": self.function,
            "OrganizationConfigRuleTriggerTypes": ["ScheduledNotification"],
            "MaximumExecutionFrequency": "TwentyFour_Hours",
            **more,
        }
        answer = self.config.put_organization_config_rule(
            OrganizationConfigRuleName=name, OrganizationCustomRuleMetadata=metadata, ExcludedAccounts=list(excluded)
        )
        return str(answer["OrganizationConfigRuleArn"])

    def states(self) -> dict[str, tuple[str, str]]:
        """Answer state and error of each account."""
        answer = self.config.get_organization_config_rule_detailed_status(OrganizationConfigRuleName=NAME)
        return {
            each["AccountId"]: (each["MemberAccountRuleStatus"], each.get("ErrorCode", ""))
            for each in answer["OrganizationConfigRuleDetailedStatus"]
        }

    def status(self) -> dict[str, Any]:
        answer = self.config.describe_organization_config_rule_statuses(OrganizationConfigRuleNames=[NAME])
        (status,) = answer["OrganizationConfigRuleStatuses"]
        return dict(status)


@pytest.fixture
def lineage(cloud: Cloud) -> Lineage:
    lineage = Lineage(cloud)
    lineage.make_function()
    return lineage


def test_a_rule_is_made_in_every_account_but_the_excluded(cloud: Cloud, lineage: Lineage) -> None:
    member = Account(cloud, cloud.make_account())
    member.record()
    arn = lineage.put(cloud.management)
    assert arn.startswith(f"arn:aws:config:{HOME}:{lineage.id}:organization-config-rule/{NAME}-")
    assert lineage.states() == dict.fromkeys((lineage.id, member.id), ("CREATE_SUCCESSFUL", ""))
    assert lineage.status()["OrganizationRuleStatus"] == "CREATE_SUCCESSFUL"
    (rule,) = member.config.describe_config_rules()["ConfigRules"]
    assert rule["ConfigRuleName"] == f"OrgConfigRule-{arn.rpartition('/')[2]}"
    assert rule["CreatedBy"] == ADMINISTRATION
    assert rule["Source"] == {
        "Owner": "CUSTOM_LAMBDA",
        "SourceIdentifier": lineage.function,
        "SourceDetails": [
            {
                "EventSource": "aws.config",
                "MessageType": "ScheduledNotification",
                "MaximumExecutionFrequency": "TwentyFour_Hours",
            }
        ],
    }
    events = {each["accountId"]: each for each in member.taken()}
    assert set(events) == {lineage.id, member.id}
    assert events[member.id]["executionRoleArn"] == member.role
    assert events[member.id]["configRuleArn"] == rule["ConfigRuleArn"]


def test_an_account_without_a_recorder_fails_and_the_rule_with_it(cloud: Cloud, lineage: Lineage) -> None:
    bare = cloud.make_account()
    lineage.put(cloud.management)
    assert lineage.states()[bare] == ("CREATE_FAILED", "NoAvailableConfigurationRecorder")
    assert lineage.status()["OrganizationRuleStatus"] == "CREATE_FAILED"
    assert bare in lineage.status()["ErrorMessage"]
    Account(cloud, bare).record()
    assert lineage.states()[bare][0] == "CREATE_FAILED"
    lineage.put(cloud.management)
    assert lineage.states()[bare] == ("UPDATE_SUCCESSFUL", "")


def test_an_account_that_joins_gets_the_rule_when_it_has_a_recorder(cloud: Cloud, lineage: Lineage) -> None:
    lineage.put(cloud.management)
    account = Account(cloud, cloud.make_account())
    assert lineage.states()[account.id] == ("CREATE_IN_PROGRESS", "")
    account.record()
    assert lineage.states()[account.id] == ("CREATE_SUCCESSFUL", "")
    assert len(account.config.describe_config_rules()["ConfigRules"]) == 1


def test_an_account_that_is_closed_has_no_part_in_the_rule(cloud: Cloud, lineage: Lineage) -> None:
    member = Account(cloud, cloud.make_account())
    member.record()
    lineage.put(cloud.management)
    cloud.close(member.id)
    while any(each["State"] == "PENDING_CLOSURE" for each in cloud.organizations.list_accounts()["Accounts"]):
        pass
    assert set(lineage.states()) == {lineage.id}
    assert lineage.status()["OrganizationRuleStatus"] == "CREATE_SUCCESSFUL"


def test_the_rule_goes_when_it_is_deleted_or_the_account_excluded(cloud: Cloud, lineage: Lineage) -> None:
    member = Account(cloud, cloud.make_account())
    member.record()
    lineage.put(cloud.management)
    lineage.put(cloud.management, member.id)
    assert member.config.describe_config_rules()["ConfigRules"] == []
    assert set(lineage.states()) == {lineage.id}
    lineage.config.delete_organization_config_rule(OrganizationConfigRuleName=NAME)
    assert lineage.config.describe_config_rules()["ConfigRules"] == []
    with pytest.raises(lineage.config.exceptions.NoSuchOrganizationConfigRuleException):
        lineage.status()


def test_an_account_changes_nothing_of_the_organizations_rule(lineage: Lineage) -> None:
    lineage.put(lineage.cloud.management)
    (rule,) = lineage.config.describe_config_rules()["ConfigRules"]
    with pytest.raises(ClientError, match="An AWS service owns ServiceLinkedConfigRule"):
        lineage.config.delete_config_rule(ConfigRuleName=rule["ConfigRuleName"])
    with pytest.raises(ClientError, match="An AWS service owns ServiceLinkedConfigRule"):
        lineage.put_rule("ScheduledNotification", name=rule["ConfigRuleName"])


def test_only_the_management_account_and_the_administrator_may(cloud: Cloud, lineage: Lineage) -> None:
    stranger = Account(cloud, cloud.make_account())
    for call in (
        lambda: Lineage.put(stranger, name="a"),  # type: ignore[arg-type]
        stranger.config.describe_organization_config_rules,
    ):
        with pytest.raises(stranger.config.exceptions.OrganizationAccessDeniedException):
            call()
    managed = {"RuleIdentifier": "S3_BUCKET_DEFAULT_LOCK_ENABLED"}
    config = cloud.client("config")
    config.put_organization_config_rule(
        OrganizationConfigRuleName="locks", OrganizationManagedRuleMetadata=managed, ExcludedAccounts=[stranger.id]
    )
    (shown,) = config.describe_organization_config_rules()["OrganizationConfigRules"]
    assert (shown["OrganizationManagedRuleMetadata"], shown["ExcludedAccounts"]) == (managed, [stranger.id])


@pytest.mark.parametrize("given", [{"permitted": False}, {"SourceAccount": "111122223333"}])
def test_a_function_that_config_may_not_invoke_is_refused(cloud: Cloud, given: dict[str, Any]) -> None:
    lineage = Lineage(cloud)
    lineage.make_function(**given)
    with pytest.raises(lineage.config.exceptions.InsufficientPermissionsException, match="cannot be invoked"):
        lineage.put()
    assert lineage.config.describe_organization_config_rules()["OrganizationConfigRules"] == []


def test_a_policy_for_one_account_lets_only_its_rule_be_made(cloud: Cloud) -> None:
    member, lineage = Account(cloud, cloud.make_account()), Lineage(cloud)
    member.record()
    lineage.make_function(SourceAccount=lineage.id)
    lineage.put(cloud.management)
    assert lineage.states() == {
        lineage.id: ("CREATE_SUCCESSFUL", ""),
        member.id: ("CREATE_FAILED", "InsufficientPermissionsException"),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"OrganizationConfigRuleName": "a name"},
        {"OrganizationConfigRuleName": "n" * 65},
        {"OrganizationCustomRuleMetadata": None},
        {"OrganizationManagedRuleMetadata": {"RuleIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}},
        {"ExcludedAccounts": ["all"]},
    ],
)
def test_a_rule_of_the_wrong_form_is_refused(lineage: Lineage, wrong: dict[str, Any]) -> None:
    metadata = {
        "LambdaFunctionArn": lineage.function,
        "OrganizationConfigRuleTriggerTypes": ["ScheduledNotification"],
    }
    asked = {"OrganizationConfigRuleName": NAME, "OrganizationCustomRuleMetadata": metadata, **wrong}
    with pytest.raises(ClientError) as caught:
        lineage.config.put_organization_config_rule(
            **{name: value for name, value in asked.items() if value is not None}
        )
    assert refusal(caught).partition(":")[0] in ("InvalidParameterValueException", "ValidationException")


# --- by stack, with a function that runs

JUDGE = """
import json
import boto3

def handler(event, context):
    said = json.loads(event["invokingEvent"])
    role = f"arn:aws:iam::{event['accountId']}:role/Evaluations"
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="judge")["Credentials"]
    config = boto3.client("config", aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    item = said.get("configurationItem")
    about = ("AWS::EC2::Instance", item["resourceId"]) if item else ("AWS::::Account", event["accountId"])
    parameters = json.loads(event["ruleParameters"])
    bad = item is not None and item["configuration"] and item["configuration"]["imageId"] != parameters["image"]
    config.put_evaluations(ResultToken=event["resultToken"], Evaluations=[{
        "ComplianceResourceType": about[0], "ComplianceResourceId": about[1],
        "ComplianceType": "NON_COMPLIANT" if bad else "COMPLIANT",
        "OrderingTimestamp": item["configurationItemCaptureTime"] if item else said["notificationCreationTime"],
    }])
"""
RECORDER: dict[str, Any] = {
    "Bucket": {"Type": "AWS::S3::Bucket"},
    "RecorderRole": role("config.amazonaws.com", allow("ec2:Describe*")),
    "Recorder": {
        "Type": "AWS::Config::ConfigurationRecorder",
        "Properties": {
            "RoleARN": {"Fn::GetAtt": ["RecorderRole", "Arn"]},
            "RecordingGroup": {"ResourceTypes": ["AWS::EC2::Instance"]},
        },
    },
    "Channel": {
        "Type": "AWS::Config::DeliveryChannel",
        "DependsOn": "Recorder",
        "Properties": {"S3BucketName": {"Ref": "Bucket"}},
    },
}


@pytest.fixture
def server() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


def _rule(image: str, excluded: list[str]) -> dict[str, Any]:
    metadata = {
        "LambdaFunctionArn": {"Fn::GetAtt": ["Function", "Arn"]},
        "OrganizationConfigRuleTriggerTypes": ["ScheduledNotification", "ConfigurationItemChangeNotification"],
        "ResourceTypesScope": ["AWS::EC2::Instance"],
        "InputParameters": json.dumps({"image": image}),
    }
    properties = {
        "OrganizationConfigRuleName": NAME,
        "OrganizationCustomRuleMetadata": metadata,
        "ExcludedAccounts": excluded,
    }
    return {"Type": "AWS::Config::OrganizationConfigRule", "DependsOn": "Permission", "Properties": properties}


def _organization(server: Sandbox) -> tuple[dict[str, Any], boto3.Session, boto3.Session]:
    """Make an organization; answer it, and sessions in a member account and in the one that administers rules."""
    management: boto3.Session = server.session(HOME)
    organizations: Any = management.client("organizations")
    own = organizations.create_organization(FeatureSet="ALL")["Organization"]
    member, lineage = (create_account(organizations, name) for name in ("Shop", "Lineage"))
    organizations.enable_aws_service_access(ServicePrincipal=ADMINISTRATION)
    organizations.register_delegated_administrator(AccountId=lineage, ServicePrincipal=ADMINISTRATION)
    return own, session_in(management, member), session_in(management, lineage)


def _config_may_invoke(organization: str) -> dict[str, Any]:
    function = {"Fn::GetAtt": ["Function", "Arn"]}
    statement = {
        **allow("lambda:InvokeFunction", function),
        "Principal": {"Service": "config.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceOrgID": organization}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::Lambda::ResourcePolicy", "Properties": {"ResourceArn": function, "PolicyDocument": document}}


def test_a_central_function_judges_the_instances_of_a_member_account(server: Sandbox) -> None:
    own, member, lineage = _organization(server)
    member_id, lineage_id = (each.client("sts").get_caller_identity()["Account"] for each in (member, lineage))
    trust = {"Effect": "Allow", "Principal": {"AWS": lineage_id}, "Action": "sts:AssumeRole"}
    evaluations = role("config.amazonaws.com", allow("config:PutEvaluations"))
    evaluations["Properties"] |= {
        "RoleName": "Evaluations",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
    }
    deploy(member, {**RECORDER, "Evaluations": evaluations}, "baseline")
    ec2: Any = member.client("ec2")
    good, bad = (ec2.register_image(Name=name)["ImageId"] for name in ("good", "bad"))
    put_code(lineage)
    lineage.client("s3").put_object(Bucket="code", Key="code.zip", Body=zipped(JUDGE))
    compliance = {
        **functions(allow("sts:AssumeRole")),
        "Permission": _config_may_invoke(own["Id"]),
        "Rule": _rule(good, []),
    }
    why = failure(lineage, compliance)
    assert "CREATE_FAILED: NoAvailableConfigurationRecorder: 2 accounts" in why
    compliance["Rule"] = _rule(good, [lineage_id, own["MasterAccountId"]])
    deploy(lineage, compliance, "compliance")
    config: Any = member.client("config")
    (rule,) = config.describe_config_rules()["ConfigRules"]
    assert _verdicts(config, rule["ConfigRuleName"]) == {member_id: "COMPLIANT"}
    launched = {
        image: ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        for image in (good, bad)
    }
    assert _verdicts(config, rule["ConfigRuleName"]) == {
        member_id: "COMPLIANT",
        launched[good]: "COMPLIANT",
        launched[bad]: "NON_COMPLIANT",
    }
    (status,) = config.describe_config_rule_evaluation_status()["ConfigRulesEvaluationStatus"]
    assert status["LastSuccessfulEvaluationTime"] >= status["LastSuccessfulInvocationTime"]
    lineage.client("cloudformation").delete_stack(StackName="compliance")
    assert config.describe_config_rules()["ConfigRules"] == []


def test_the_rules_of_our_own_template_are_made_and_ask_for_what_the_function_knows(server: Sandbox) -> None:
    own, member, lineage = _organization(server)
    for session in (member, lineage):
        deploy(session, RECORDER, "recorder")
    put_code(lineage)
    written = json.dumps(lineage_compliance.render().to_dict()["Resources"]).replace("ConfigRules", "Function")
    rules = {
        title: {name: value for name, value in resource.items() if name != "Condition"}
        for title, resource in json.loads(written).items()
        if resource["Type"] == "AWS::Config::OrganizationConfigRule"
    }
    for rule in rules.values():
        rule["Properties"]["ExcludedAccounts"] = [own["MasterAccountId"]]
    deploy(lineage, {**functions(), "ConfigMayCall": _config_may_invoke(own["Id"]), **rules})
    config: Any = member.client("config")
    assert len(config.describe_config_rules()["ConfigRules"]) == len(rules)
    asked = [read_invocation(event) for event in seen(lineage)]
    wanted = {rules_named([name])[0] for name in (*lineage_compliance.PERIODIC.values(), "instance-image")}
    for session in (member, lineage):
        account = session.client("sts").get_caller_identity()["Account"]
        assert {each.rules for each in asked if each.account == account} == {(rule,) for rule in wanted}


def _verdicts(config: Any, rule: str) -> dict[str, str]:
    found = config.get_compliance_details_by_config_rule(ConfigRuleName=rule)["EvaluationResults"]
    return {
        each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]: each["ComplianceType"]
        for each in found
    }
