"""AWS Config: what sets a rule off, what its function is given, and what becomes of what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.lineage.compliance.invocation import read_invocation
from handlers.lineage.model import Kind, key_of
from org.model import Region
from org.sandbox.functions.invocations import waiting
from org.sandbox.session import Credentials, isolated_session
from tests.support.cloud import HOME, Cloud, refusal
from tests.support.functions import zipped
from tests.support.sandbox import written

ON_CHANGE = "ConfigurationItemChangeNotification"
SCHEDULED = "ScheduledNotification"
INSTANCES = {"ComplianceResourceTypes": ["AWS::EC2::Instance"]}
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


class Account:
    """An account with a recorder that is on, and a function `judge` that Config may invoke.

    Nothing runs functions here: `taken` answers, once, the events that wait for them.
    """

    def __init__(self, cloud: Cloud, id: str) -> None:
        self.id, self.cloud = id, cloud
        self.config: Any = cloud.client("config", id)
        self.ec2: Any = cloud.client("ec2", id)
        self.role = f"arn:aws:iam::{id}:role/recorder"
        self.function = f"arn:aws:lambda:{HOME}:{id}:function:judge"

    def record(self, **group: Any) -> None:
        self.config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": self.role, **group})
        bucket = f"config-{self.id}"
        s3 = self.cloud.client("s3", self.id)
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HOME})
        self.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
        self.config.start_configuration_recorder(ConfigurationRecorderName="default")

    def make_function(self, **permission: Any) -> None:
        iam, functions = self.cloud.client("iam", self.id), self.cloud.client("lambda", self.id)
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName="judge", AssumeRolePolicyDocument=written(trust))["Role"]["Arn"]
        code = {"ZipFile": zipped("def handler(event, context): pass")}
        functions.create_function(
            FunctionName="judge", Runtime="python3.13", Handler="app.handler", Role=role, Code=code
        )
        if permission.pop("permitted", True):
            by = {"Principal": "config.amazonaws.com", "Action": "lambda:InvokeFunction", **permission}
            functions.add_permission(FunctionName="judge", StatementId="config", **by)

    def put_rule(self, *messages: str, name: str = "images", **more: Any) -> None:
        details = [{"EventSource": "aws.config", "MessageType": each} for each in messages]
        source = {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": self.function, "SourceDetails": details}
        self.config.put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": source, **more})

    def launch(self, **tags: str) -> str:
        known = len(self.ec2.describe_images(Owners=["self"])["Images"])
        image = self.ec2.register_image(Name=f"image-{known}")
        named = [{"Key": key, "Value": value} for key, value in tags.items()]
        specifications = [{"ResourceType": "instance", "Tags": named}] if named else []
        answer = self.ec2.run_instances(
            ImageId=image["ImageId"], MinCount=1, MaxCount=1, TagSpecifications=specifications
        )
        return str(answer["Instances"][0]["InstanceId"])

    def taken(self) -> list[dict[str, Any]]:
        events = [json.loads(each.payload) for each in waiting]
        waiting.clear()
        return events

    def items(self) -> list[tuple[str, str, bool]]:
        """Answer resource, status and whether it left the scope, of the events that wait."""
        said = [(json.loads(each["invokingEvent"]), each["eventLeftScope"]) for each in self.taken()]
        items = [(each["configurationItem"], left) for each, left in said]
        return [(item["resourceId"], item["configurationItemStatus"], left) for item, left in items]

    def say(self, token: str, *evaluations: dict[str, Any], **more: Any) -> Any:
        return self.config.put_evaluations(Evaluations=list(evaluations), ResultToken=token, **more)

    def results(self, name: str = "images", **more: Any) -> dict[str, str]:
        found = self.config.get_compliance_details_by_config_rule(ConfigRuleName=name, **more)["EvaluationResults"]
        qualifiers = [each["EvaluationResultIdentifier"]["EvaluationResultQualifier"] for each in found]
        return {
            qualifier["ResourceId"]: each["ComplianceType"] for qualifier, each in zip(qualifiers, found, strict=True)
        }

    def compliance(self, name: str = "images") -> str:
        (shown,) = self.config.describe_compliance_by_config_rule(ConfigRuleNames=[name])["ComplianceByConfigRules"]
        return str(shown["Compliance"]["ComplianceType"])


def verdict(id: str, type: str = "NON_COMPLIANT", **more: Any) -> dict[str, Any]:
    named = {"ComplianceResourceType": "AWS::EC2::Image", "ComplianceResourceId": id}
    return {**named, "ComplianceType": type, "OrderingTimestamp": NOW, **more}


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    waiting.clear()
    yield
    waiting.clear()


@pytest.fixture
def account(cloud: Cloud) -> Account:
    account = Account(cloud, cloud.make_account())
    account.record()
    account.make_function()
    return account


# --- recorder and delivery channel


def test_a_bucket_that_keeps_objects_by_default_is_no_delivery_channel(cloud: Cloud) -> None:
    account = Account(cloud, cloud.make_account())
    s3, name = cloud.client("s3", account.id), "locked"
    place = {"LocationConstraint": HOME}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)
    account.config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": account.role})
    channel = {"name": "default", "s3BucketName": name}
    account.config.put_delivery_channel(DeliveryChannel=channel)
    retention = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": retention}
    )
    with pytest.raises(account.config.exceptions.InsufficientDeliveryPolicyException, match="Object Lock"):
        account.config.put_delivery_channel(DeliveryChannel=channel)
    with pytest.raises(account.config.exceptions.NoSuchBucketException):
        account.config.put_delivery_channel(DeliveryChannel={**channel, "s3BucketName": "none"})


# --- putting rules


def test_a_rule_needs_a_recorder(cloud: Cloud) -> None:
    account = Account(cloud, cloud.make_account())
    account.make_function()
    with pytest.raises(account.config.exceptions.NoAvailableConfigurationRecorderException):
        account.put_rule(SCHEDULED)


def test_a_rule_needs_a_function_that_config_may_invoke(cloud: Cloud) -> None:
    account = Account(cloud, cloud.make_account())
    account.record()
    with pytest.raises(account.config.exceptions.InsufficientPermissionsException, match="cannot be invoked"):
        account.put_rule(SCHEDULED)
    account.make_function(SourceAccount="111122223333")
    with pytest.raises(account.config.exceptions.InsufficientPermissionsException):
        account.put_rule(SCHEDULED)
    functions = cloud.client("lambda", account.id)
    functions.add_permission(
        FunctionName="judge",
        StatementId="rule",
        Principal="config.amazonaws.com",
        Action="lambda:InvokeFunction",
        SourceAccount=account.id,
        SourceArn=f"arn:aws:config:{HOME}:{account.id}:config-rule/*",
    )
    account.put_rule(SCHEDULED)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Source": {"Owner": "AWS", "SourceIdentifier": "NO_SUCH_RULE"}}, "InvalidParameterValueException"),
        ({"Source": {"Owner": "AWS", "SourceIdentifier": "APPROVED_AMIS_BY_ID"}}, "InvalidParameterValueException"),
        ({"Source": {"Owner": "CUSTOM_POLICY"}}, "InvalidParameterValueException"),
        ({"Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": "judge"}}, "InvalidParameterValueException"),
        ({"InputParameters": "not JSON"}, "InvalidParameterValueException"),
        ({"InputParameters": '{"days": 30}'}, "InvalidParameterValueException"),
        ({"MaximumExecutionFrequency": "Hourly"}, "ValidationException"),
        ({"Scope": {**INSTANCES, "TagKey": "a"}}, "InvalidParameterValueException"),
        ({"Scope": {"ComplianceResourceId": "i-1"}}, "InvalidParameterValueException"),
        ({"CreatedBy": "me"}, "InvalidParameterValueException"),
        ({"ConfigRuleId": "config-rule-abcdef"}, "InvalidParameterValueException"),
    ],
)
def test_a_rule_that_is_not_as_it_should_be_is_refused(account: Account, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        account.put_rule(SCHEDULED, **wrong)
    assert caught.value.response["Error"]["Code"] == code
    assert account.config.describe_config_rules()["ConfigRules"] == []


def test_rules_of_aws_and_of_guard_are_kept_and_not_evaluated(account: Account) -> None:
    parameters = json.dumps({"amiIds": "ami-1"})
    managed = {"Owner": "AWS", "SourceIdentifier": "APPROVED_AMIS_BY_ID"}
    account.config.put_config_rule(
        ConfigRule={"ConfigRuleName": "approved", "Source": managed, "InputParameters": parameters}
    )
    policy = {"PolicyRuntime": "guard-2.x.x", "PolicyText": "rule a { configuration.imageId == 'ami-1' }"}
    details = [{"EventSource": "aws.config", "MessageType": ON_CHANGE}]
    source = {"Owner": "CUSTOM_POLICY", "CustomPolicyDetails": policy, "SourceDetails": details}
    account.config.put_config_rule(ConfigRule={"ConfigRuleName": "guard", "Source": source})
    account.launch()
    account.config.start_config_rules_evaluation(ConfigRuleNames=["approved", "guard"])
    assert [account.compliance(each) for each in ("approved", "guard")] == ["INSUFFICIENT_DATA"] * 2
    statuses = account.config.describe_config_rule_evaluation_status()["ConfigRulesEvaluationStatus"]
    assert [each["FirstEvaluationStarted"] for each in statuses] == [False, False]
    assert account.taken() == []
    first, second = account.config.describe_config_rules()["ConfigRules"]
    assert (first["Source"], json.loads(first["InputParameters"])) == (managed, {"amiIds": "ami-1"})
    assert second["Source"] == source


# --- what sets a rule off


def test_a_scheduled_rule_runs_when_it_is_put_and_when_it_is_asked_to(account: Account) -> None:
    account.put_rule(SCHEDULED, InputParameters=json.dumps({"maximumAge": "30"}))
    (rule,) = account.config.describe_config_rules()["ConfigRules"]
    (event,) = account.taken()
    said = json.loads(event.pop("invokingEvent"))
    assert len(event.pop("resultToken")) > 100
    assert event == {
        "version": "1.0",
        "ruleParameters": '{"maximumAge":"30"}',
        "eventLeftScope": False,
        "executionRoleArn": account.role,
        "configRuleArn": rule["ConfigRuleArn"],
        "configRuleName": "images",
        "configRuleId": rule["ConfigRuleId"],
        "accountId": account.id,
    }
    assert said.pop("notificationCreationTime").endswith("Z")
    assert said == {"awsAccountId": account.id, "messageType": "ScheduledNotification", "recordVersion": "1.0"}
    account.launch()
    assert account.taken() == []
    account.config.start_config_rules_evaluation(ConfigRuleNames=["images"])
    assert len(account.taken()) == 1


def test_a_rule_on_changes_is_given_the_instance_that_changed(account: Account) -> None:
    account.put_rule(ON_CHANGE, Scope=INSTANCES)
    assert account.taken() == []
    instance = account.launch(team="shop")
    (event,) = account.taken()
    said = json.loads(event["invokingEvent"])
    item = said["configurationItem"]
    assert (said["messageType"], said["recordVersion"]) == (ON_CHANGE, "1.3")
    (shown,) = account.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert {
        name: item[name]
        for name in (
            "resourceType",
            "resourceId",
            "awsAccountId",
            "awsRegion",
            "configurationItemStatus",
            "tags",
            "ARN",
        )
    } == {
        "resourceType": "AWS::EC2::Instance",
        "resourceId": instance,
        "awsAccountId": account.id,
        "awsRegion": HOME,
        "configurationItemStatus": "ResourceDiscovered",
        "tags": {"team": "shop"},
        "ARN": f"arn:aws:ec2:{HOME}:{account.id}:instance/{instance}",
    }
    assert item["configuration"]["imageId"] == shown["ImageId"]
    assert item["configuration"]["state"] == {"code": 16, "name": "running"}
    assert item["availabilityZone"] == shown["Placement"]["AvailabilityZone"]
    volume = shown["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    assert item["configuration"]["blockDeviceMappings"][0]["ebs"]["volumeId"] == volume


def test_each_change_is_told_once(account: Account) -> None:
    account.put_rule(ON_CHANGE, Scope=INSTANCES)
    instance = account.launch()
    assert account.items() == [(instance, "ResourceDiscovered", False)]
    account.ec2.create_tags(Resources=[instance], Tags=[{"Key": "team", "Value": "shop"}])
    assert account.items() == [(instance, "OK", False)]
    account.ec2.create_tags(Resources=[instance], Tags=[{"Key": "team", "Value": "shop"}])
    assert account.items() == []
    account.ec2.stop_instances(InstanceIds=[instance])
    assert account.items() == [(instance, "OK", False)]
    account.ec2.terminate_instances(InstanceIds=[instance])
    (event,) = account.taken()
    item = json.loads(event["invokingEvent"])["configurationItem"]
    assert (item["configurationItemStatus"], item["configuration"]) == ("ResourceDeleted", None)


def test_a_new_version_of_a_launch_template_is_a_change(account: Account) -> None:
    account.put_rule(ON_CHANGE, Scope={"ComplianceResourceTypes": ["AWS::EC2::LaunchTemplate"]})
    data = {"ImageId": "ami-00000000000000001"}
    made = account.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)["LaunchTemplate"]
    account.ec2.create_launch_template_version(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-00000000000000002"}
    )
    items = [json.loads(each["invokingEvent"])["configurationItem"] for each in account.taken()]
    assert [(each["resourceId"], each["resourceName"]) for each in items] == [(made["LaunchTemplateId"], "web")] * 2
    images = [each["configuration"]["LaunchTemplateData"]["ImageId"] for each in items]
    assert images == ["ami-00000000000000001", "ami-00000000000000002"]


def test_a_rule_with_a_tag_in_its_scope_is_told_when_a_resource_leaves_it(account: Account) -> None:
    account.put_rule(ON_CHANGE, Scope={"TagKey": "team", "TagValue": "shop"})
    account.launch(team="search")
    instance = account.launch(team="shop")
    assert account.items() == [(instance, "ResourceDiscovered", False)]
    account.ec2.create_tags(Resources=[instance], Tags=[{"Key": "team", "Value": "search"}])
    assert account.items() == [(instance, "OK", True)]


def test_only_what_is_recorded_is_a_change(cloud: Cloud) -> None:
    account = Account(cloud, cloud.make_account())
    account.record(recordingGroup={"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]})
    account.make_function()
    account.put_rule(ON_CHANGE)
    account.launch()
    assert account.taken() == []


def test_a_rule_that_is_put_later_judges_what_is_there(account: Account) -> None:
    instances = {account.launch(), account.launch()}
    account.put_rule(ON_CHANGE, Scope=INSTANCES)
    assert {id for id, *_ in account.items()} == instances
    account.config.start_config_rules_evaluation(ConfigRuleNames=["images"])
    assert {id for id, *_ in account.items()} == instances


def test_a_function_that_forbids_it_later_is_a_failed_invocation(account: Account) -> None:
    account.put_rule(SCHEDULED)
    account.taken()
    account.cloud.client("lambda", account.id).remove_permission(FunctionName="judge", StatementId="config")
    account.config.start_config_rules_evaluation(ConfigRuleNames=["images"])
    assert account.taken() == []
    (status,) = account.config.describe_config_rule_evaluation_status()["ConfigRulesEvaluationStatus"]
    assert status["LastErrorCode"] == "AccessDeniedException"
    assert status["LastFailedInvocationTime"] >= status["LastSuccessfulInvocationTime"]


# --- what functions say


def test_what_a_function_says_is_kept_and_counted(account: Account) -> None:
    account.put_rule(SCHEDULED)
    assert account.compliance() == "INSUFFICIENT_DATA"
    (event,) = account.taken()
    answer = account.say(
        event["resultToken"],
        verdict("ami-1", Annotation="nobody knows where it comes from"),
        verdict("ami-2", "COMPLIANT"),
        verdict("ami-3", "NOT_APPLICABLE"),
    )
    assert answer["FailedEvaluations"] == []
    assert account.results() == {"ami-1": "NON_COMPLIANT", "ami-2": "COMPLIANT", "ami-3": "NOT_APPLICABLE"}
    assert account.results(ComplianceTypes=["NON_COMPLIANT"]) == {"ami-1": "NON_COMPLIANT"}
    assert account.compliance() == "NON_COMPLIANT"
    (found,) = account.config.get_compliance_details_by_config_rule(
        ConfigRuleName="images", ComplianceTypes=["NON_COMPLIANT"]
    )["EvaluationResults"]
    assert found["Annotation"] == "nobody knows where it comes from"
    assert found["EvaluationResultIdentifier"]["OrderingTimestamp"] == NOW
    account.say(event["resultToken"], verdict("ami-1", "COMPLIANT", OrderingTimestamp=NOW + timedelta(hours=1)))
    assert account.compliance() == "COMPLIANT"
    account.say(event["resultToken"], verdict("ami-1", OrderingTimestamp=NOW))
    assert account.results()["ami-1"] == "COMPLIANT"
    account.config.delete_evaluation_results(ConfigRuleName="images")
    assert account.compliance() == "INSUFFICIENT_DATA"


def test_results_come_in_pages(account: Account) -> None:
    account.put_rule(SCHEDULED)
    (event,) = account.taken()
    account.say(event["resultToken"], *(verdict(f"ami-{number}") for number in range(5)))
    asked = {"ConfigRuleName": "images", "Limit": 2}
    pages = account.config.get_paginator("get_compliance_details_by_config_rule").paginate(
        ConfigRuleName="images", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["EvaluationResults"]) for page in pages] == [2, 2, 1]
    with pytest.raises(account.config.exceptions.InvalidNextTokenException):
        account.config.get_compliance_details_by_config_rule(**asked, NextToken="made-up")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ([verdict("ami-1", "INSUFFICIENT_DATA")], "InvalidParameterValueException"),
        ([verdict("ami-1", "BAD")], "InvalidParameterValueException"),
        ([verdict("ami-1", Annotation="a" * 257)], "ValidationException"),
        ([verdict("i" * 769)], "ValidationException"),
        ([verdict(str(number)) for number in range(101)], "ValidationException"),
        ([], "InvalidParameterValueException"),
    ],
)
def test_evaluations_that_are_not_as_they_should_be_are_refused(
    account: Account, wrong: list[dict[str, Any]], code: str
) -> None:
    account.put_rule(SCHEDULED)
    (event,) = account.taken()
    for token, more in ((event["resultToken"], {}), ("TESTMODE", {"TestMode": True})):
        with pytest.raises(ClientError) as caught:
            account.say(token, *wrong, **more)
        assert caught.value.response["Error"]["Code"] == code
    assert account.results() == {}


def test_a_token_is_good_for_its_own_rule_and_account_alone(cloud: Cloud, account: Account) -> None:
    account.put_rule(SCHEDULED)
    account.put_rule(SCHEDULED, name="other")
    first, second = account.taken()
    account.say(first["resultToken"], verdict("ami-1"))
    assert (account.results(), account.results("other")) == ({"ami-1": "NON_COMPLIANT"}, {})
    elsewhere = Account(cloud, cloud.make_account())
    for teller, token in ((elsewhere, second["resultToken"]), (account, "made-up"), (account, "TESTMODE")):
        with pytest.raises(teller.config.exceptions.InvalidResultTokenException):
            teller.say(token, verdict("ami-1"))
    account.config.delete_config_rule(ConfigRuleName="other")
    account.put_rule(SCHEDULED, name="other")
    with pytest.raises(account.config.exceptions.NoSuchConfigRuleException):
        account.say(second["resultToken"], verdict("ami-1"))


def test_in_test_mode_nothing_is_kept(account: Account) -> None:
    account.put_rule(SCHEDULED)
    (event,) = account.taken()
    for token in ("TESTMODE", event["resultToken"]):
        assert account.say(token, verdict("ami-1"), TestMode=True)["FailedEvaluations"] == []
    assert account.results() == {}


def test_a_role_says_it_with_permission_alone(cloud: Cloud, account: Account) -> None:
    account.put_rule(SCHEDULED)
    (event,) = account.taken()
    iam = cloud.client("iam", account.id)
    trust = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="Evaluations", AssumeRolePolicyDocument=written(trust))["Role"]["Arn"]
    given = cloud.client("sts", account.id).assume_role(RoleArn=role, RoleSessionName="work")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    config: Any = isolated_session(HOME, keys).client("config")
    with pytest.raises(ClientError) as caught:
        config.put_evaluations(Evaluations=[verdict("ami-1")], ResultToken=event["resultToken"])
    assert "is not authorized to perform: config:PutEvaluations" in refusal(caught)
    may = {"Effect": "Allow", "Action": "config:PutEvaluations", "Resource": "*"}
    iam.put_role_policy(RoleName="Evaluations", PolicyName="p", PolicyDocument=written(may))
    config.put_evaluations(Evaluations=[verdict("ami-1")], ResultToken=event["resultToken"])
    assert account.results() == {"ami-1": "NON_COMPLIANT"}


def test_our_own_function_reads_what_it_is_given(account: Account) -> None:
    account.put_rule(SCHEDULED, InputParameters=json.dumps({"rules": "approval"}))
    account.put_rule(ON_CHANGE, name="instances", Scope=INSTANCES)
    instance = account.launch()
    account.ec2.terminate_instances(InstanceIds=[instance])
    scheduled, discovered, deleted = map(read_invocation, account.taken())
    assert (scheduled.account, scheduled.region, scheduled.changed) == (account.id, HOME, None)
    key = key_of(Kind.INSTANCE, instance, Region(HOME))
    assert [(each.changed, each.gone) for each in (discovered, deleted)] == [(key, False), (key, True)]


# --- stacks

RECORDER: dict[str, Any] = {
    "Type": "AWS::Config::ConfigurationRecorder",
    "Properties": {
        "Name": "all",
        "RoleARN": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/recorder"},
        "RecordingGroup": {"AllSupported": "true", "IncludeGlobalResourceTypes": True},
    },
}
CHANNEL: dict[str, Any] = {
    "Type": "AWS::Config::DeliveryChannel",
    "DependsOn": "Recorder",
    "Properties": {
        "S3BucketName": {"Ref": "Bucket"},
        "ConfigSnapshotDeliveryProperties": {"DeliveryFrequency": "Six_Hours"},
    },
}
RULE: dict[str, Any] = {
    "Type": "AWS::Config::ConfigRule",
    "DependsOn": "Recorder",
    "Properties": {
        "InputParameters": {"amiIds": "ami-1"},
        "Source": {"Owner": "AWS", "SourceIdentifier": "APPROVED_AMIS_BY_ID"},
    },
}
BUCKET: dict[str, Any] = {"Type": "AWS::S3::Bucket"}


def _stack(cloud: Cloud, id: str, resources: dict[str, Any], **outputs: Any) -> dict[str, Any]:
    stacks = cloud.client("cloudformation", id)
    known = [each["StackName"] for each in stacks.describe_stacks()["Stacks"]]
    body = json.dumps({"Resources": resources, "Outputs": {name: {"Value": value} for name, value in outputs.items()}})
    (stacks.update_stack if "config" in known else stacks.create_stack)(StackName="config", TemplateBody=body)
    (stack,) = stacks.describe_stacks(StackName="config")["Stacks"]
    return dict(stack)


def test_a_stack_makes_a_recorder_that_is_on_a_channel_and_a_rule(cloud: Cloud) -> None:
    account = Account(cloud, cloud.make_account())
    resources = {"Bucket": BUCKET, "Recorder": RECORDER, "Channel": CHANNEL, "Rule": RULE}
    attributes = {"Arn": "Arn", "Id": "ConfigRuleId", "Compliance": "Compliance.Type"}
    asked = {name: {"Fn::GetAtt": ["Rule", attribute]} for name, attribute in attributes.items()}
    stack = _stack(cloud, account.id, resources, Name={"Ref": "Rule"}, **asked)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    (status,) = account.config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    assert (status["name"], status["recording"]) == ("all", True)
    (channel,) = account.config.describe_delivery_channels()["DeliveryChannels"]
    assert channel["configSnapshotDeliveryProperties"] == {"deliveryFrequency": "Six_Hours"}
    (rule,) = account.config.describe_config_rules()["ConfigRules"]
    assert {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]} == {
        "Arn": rule["ConfigRuleArn"],
        "Compliance": "INSUFFICIENT_DATA",
        "Id": rule["ConfigRuleId"],
        "Name": rule["ConfigRuleName"],
    }
    other = {**RULE, "Properties": {**RULE["Properties"], "InputParameters": {"amiIds": "ami-2"}}}
    _stack(cloud, account.id, {**resources, "Rule": other})
    (changed,) = account.config.describe_config_rules()["ConfigRules"]
    assert (changed["ConfigRuleId"], changed["InputParameters"]) == (rule["ConfigRuleId"], '{"amiIds":"ami-2"}')
    cloud.client("cloudformation", account.id).delete_stack(StackName="config")
    assert account.config.describe_config_rules()["ConfigRules"] == []
    assert account.config.describe_configuration_recorders()["ConfigurationRecorders"] == []
    assert account.config.describe_delivery_channels()["DeliveryChannels"] == []


def test_a_stack_whose_channel_is_a_bucket_with_default_retention_fails(cloud: Cloud) -> None:
    account = Account(cloud, cloud.make_account())
    retention = {"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}, "ObjectLockEnabled": "Enabled"}
    locked = {**BUCKET, "Properties": {"ObjectLockEnabled": True, "ObjectLockConfiguration": retention}}
    stack = _stack(cloud, account.id, {"Bucket": locked, "Recorder": RECORDER, "Channel": CHANNEL})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Object Lock with default retention is not supported" in stack["StackStatusReason"]


def test_a_stack_whose_channel_comes_before_its_recorder_fails(cloud: Cloud) -> None:
    account = Account(cloud, cloud.make_account())
    stack = _stack(cloud, account.id, {"Bucket": BUCKET, "Channel": {**CHANNEL, "DependsOn": "Bucket"}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


# --- who may


def test_a_rule_is_put_by_whom_its_resource_is_allowed(cloud: Cloud, account: Account) -> None:
    iam = cloud.client("iam", account.id)
    trust = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="Rules", AssumeRolePolicyDocument=written(trust))["Role"]["Arn"]
    given = cloud.client("sts", account.id).assume_role(RoleArn=role, RoleSessionName="work")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    config: Any = isolated_session(HOME, keys).client("config")
    source = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}
    with pytest.raises(ClientError) as caught:
        config.put_config_rule(ConfigRule={"ConfigRuleName": "versioning", "Source": source})
    arn = f"arn:aws:config:{HOME}:{account.id}:config-rule/"
    assert f"not authorized to perform: config:PutConfigRule on resource: {arn}*" in refusal(caught)
    may = {"Effect": "Allow", "Action": "config:PutConfigRule", "Resource": f"{arn}*"}
    iam.put_role_policy(RoleName="Rules", PolicyName="p", PolicyDocument=written(may))
    config.put_config_rule(ConfigRule={"ConfigRuleName": "versioning", "Source": source})
    (rule,) = account.config.describe_config_rules()["ConfigRules"]
    only = {"Effect": "Allow", "Action": "config:StartConfigRulesEvaluation", "Resource": f"{arn}config-rule-other"}
    iam.put_role_policy(RoleName="Rules", PolicyName="p", PolicyDocument=written(only))
    with pytest.raises(ClientError) as caught:
        config.start_config_rules_evaluation(ConfigRuleNames=["versioning"])
    assert f"on resource: {rule['ConfigRuleArn']}" in refusal(caught)
