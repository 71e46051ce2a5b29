"""Each resource type of the sandbox: created, changed in place, deleted, and read through its own service's API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.cloud import HOME, OTHER, Cloud, refusal, tags

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
WRITE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}
AWS_POLICY = "arn:aws:iam::aws:policy/"
PUT_EVENTS = {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents"}


class Stack:
    """A stack of one resource, `It`, in one account, that outputs its Ref and the attributes asked for."""

    def __init__(self, cloud: Cloud, account: str) -> None:
        self.account = account
        self.client: Callable[[str], Any] = lambda service: cloud.client(service, account)
        self._cloudformation = self.client("cloudformation")

    def put(self, type: str, properties: Mapping[str, Any], *attributes: str, **more: Any) -> dict[str, str]:
        """Create or update the stack and answer its outputs."""
        outputs = {"Ref": {"Value": {"Ref": "It"}}}
        outputs |= {name: {"Value": {"Fn::GetAtt": ["It", name]}} for name in attributes}
        it = {"Type": type, "Properties": properties}
        body = json.dumps({"Resources": {"It": it, **more.pop("beside", {})}, "Outputs": outputs})
        arguments = {"StackName": "stack", "TemplateBody": body, "Capabilities": ["CAPABILITY_NAMED_IAM"], **more}
        exists = self._cloudformation.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])
        if exists["StackSummaries"]:
            self._cloudformation.update_stack(**arguments)
        else:
            self._cloudformation.create_stack(**arguments)
        return self.read()

    def read(self) -> dict[str, str]:
        (stack,) = self._cloudformation.describe_stacks(StackName="stack")["Stacks"]
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack["StackStatusReason"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def delete(self) -> None:
        self._cloudformation.delete_stack(StackName="stack")
        assert self._cloudformation.describe_stacks()["Stacks"] == []


@pytest.fixture
def stack(cloud: Cloud) -> Stack:
    return Stack(cloud, cloud.make_account())


# --- AWS::IAM::Role


def test_a_role_is_created_changed_and_deleted(stack: Stack) -> None:
    iam = stack.client("iam")
    first = {
        "RoleName": "audit",
        "AssumeRolePolicyDocument": TRUST,
        "Description": "first",
        "MaxSessionDuration": 3600,
        "ManagedPolicyArns": [AWS_POLICY + "SecurityAudit", AWS_POLICY + "job-function/ViewOnlyAccess"],
        "PermissionsBoundary": AWS_POLICY + "ReadOnlyAccess",
        "Policies": [
            {"PolicyName": "kept", "PolicyDocument": READ},
            {"PolicyName": "dropped", "PolicyDocument": READ},
        ],
        "Tags": tags(Team="security", Old="yes"),
    }
    outputs = stack.put("AWS::IAM::Role", first, "Arn", "RoleId")
    role = iam.get_role(RoleName="audit")["Role"]
    assert outputs == {"Ref": "audit", "Arn": role["Arn"], "RoleId": role["RoleId"]}
    assert role["Arn"] == f"arn:aws:iam::{stack.account}:role/audit"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == AWS_POLICY + "ReadOnlyAccess"

    other_trust = json.loads(json.dumps(TRUST).replace("lambda", "ec2"))
    second = {
        "RoleName": "audit",
        "AssumeRolePolicyDocument": other_trust,
        "Description": "second",
        "MaxSessionDuration": 7200,
        "ManagedPolicyArns": [AWS_POLICY + "SecurityAudit", AWS_POLICY + "AmazonS3ReadOnlyAccess"],
        "Policies": [{"PolicyName": "kept", "PolicyDocument": WRITE}, {"PolicyName": "new", "PolicyDocument": READ}],
        "Tags": tags(Team="platform"),
    }
    assert stack.put("AWS::IAM::Role", second, "RoleId")["RoleId"] == role["RoleId"], "the role was replaced"
    changed = iam.get_role(RoleName="audit")["Role"]
    assert changed["AssumeRolePolicyDocument"] == other_trust
    assert (changed["Description"], changed["MaxSessionDuration"]) == ("second", 7200)
    assert "PermissionsBoundary" not in changed
    assert changed["Tags"] == tags(Team="platform")
    assert iam.list_role_policies(RoleName="audit")["PolicyNames"] == ["kept", "new"]
    assert iam.get_role_policy(RoleName="audit", PolicyName="kept")["PolicyDocument"] == WRITE
    attached = iam.list_attached_role_policies(RoleName="audit")["AttachedPolicies"]
    assert {policy["PolicyName"] for policy in attached} == {"SecurityAudit", "AmazonS3ReadOnlyAccess"}

    stack.delete()
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="audit")


def test_a_role_without_a_name_gets_one_of_at_most_64_characters(stack: Stack) -> None:
    name = stack.put("AWS::IAM::Role", {"AssumeRolePolicyDocument": TRUST})["Ref"]
    assert name.startswith("stack-It-")
    assert len(name) <= 64


def test_a_new_role_name_replaces_the_role(stack: Stack) -> None:
    stack.put("AWS::IAM::Role", {"RoleName": "old", "AssumeRolePolicyDocument": TRUST})
    stack.put("AWS::IAM::Role", {"RoleName": "new", "AssumeRolePolicyDocument": TRUST})
    names = {role["RoleName"] for role in stack.client("iam").list_roles()["Roles"]}
    assert names == {"OrganizationAccountAccessRole", "new"}


def test_a_role_with_an_unknown_policy_leaves_nothing_behind(stack: Stack) -> None:
    properties = {
        "RoleName": "audit",
        "AssumeRolePolicyDocument": TRUST,
        "ManagedPolicyArns": [AWS_POLICY + "NoSuchPolicy"],
    }
    with pytest.raises(AssertionError, match=r"Policy .*NoSuchPolicy does not exist or is not attachable"):
        stack.put("AWS::IAM::Role", properties)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        stack.client("iam").get_role(RoleName="audit")


# --- AWS::Logs::LogGroup


def test_a_log_group_is_created_changed_and_deleted(stack: Stack) -> None:
    logs = stack.client("logs")

    def read() -> dict[str, Any]:
        (group,) = logs.describe_log_groups(logGroupNamePrefix="/orgctl")["logGroups"]
        return {key: group.get(key) for key in ("logGroupName", "retentionInDays", "kmsKeyId", "arn")}

    name, key = "/orgctl/audit", f"arn:aws:kms:{HOME}:{stack.account}:key/1"
    first = {"LogGroupName": name, "RetentionInDays": 30, "KmsKeyId": key, "Tags": tags(Team="a", Old="yes")}
    outputs = stack.put("AWS::Logs::LogGroup", first, "Arn")
    arn = f"arn:aws:logs:{HOME}:{stack.account}:log-group:{name}:*"
    assert outputs == {"Ref": name, "Arn": arn}
    assert read() == {"logGroupName": name, "retentionInDays": 30, "kmsKeyId": key, "arn": arn}
    stack.put("AWS::Logs::LogGroup", {"LogGroupName": name, "RetentionInDays": 365, "Tags": tags(Team="b")})
    assert read() == {"logGroupName": name, "retentionInDays": 365, "kmsKeyId": None, "arn": arn}
    assert logs.list_tags_log_group(logGroupName=name)["tags"] == {"Team": "b"}
    stack.put("AWS::Logs::LogGroup", {"LogGroupName": name})
    assert read()["retentionInDays"] is None
    stack.delete()
    assert logs.describe_log_groups()["logGroups"] == []


def test_a_retention_that_aws_does_not_offer_is_refused(stack: Stack) -> None:
    with pytest.raises(AssertionError, match="31 is not a valid number of days for RetentionInDays"):
        stack.put("AWS::Logs::LogGroup", {"LogGroupName": "/orgctl", "RetentionInDays": 31})
    assert stack.client("logs").describe_log_groups()["logGroups"] == []


def test_a_resource_policy_of_logs_is_created_changed_renamed_and_deleted(stack: Stack) -> None:
    logs = stack.client("logs")

    def put(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
        properties = {"PolicyName": name, "PolicyDocument": json.dumps(document)}
        assert stack.put("AWS::Logs::ResourcePolicy", properties) == {"Ref": name}
        found = logs.describe_resource_policies()["resourcePolicies"]
        return {each["policyName"]: json.loads(each["policyDocument"]) for each in found}

    assert put("events", READ) == {"events": READ}
    assert put("events", WRITE) == {"events": WRITE}
    assert put("other", WRITE) == {"other": WRITE}
    stack.delete()
    assert logs.describe_resource_policies()["resourcePolicies"] == []


def test_a_resource_policy_of_logs_that_is_no_json_or_exists_fails_the_stack(stack: Stack) -> None:
    with pytest.raises(AssertionError, match="PolicyDocument must be a string of JSON"):
        stack.put("AWS::Logs::ResourcePolicy", {"PolicyName": "events", "PolicyDocument": "nonsense"})
    stack.client("logs").put_resource_policy(policyName="events", policyDocument=json.dumps(READ))
    stack.client("cloudformation").delete_stack(StackName="stack")
    with pytest.raises(AssertionError, match="Resource policy events already exists"):
        stack.put("AWS::Logs::ResourcePolicy", {"PolicyName": "events", "PolicyDocument": json.dumps(WRITE)})


# --- AWS::Events


def test_a_rule_that_forwards_to_a_bus_of_another_account_is_created_changed_and_deleted(stack: Stack) -> None:
    events = stack.client("events")
    bus = f"arn:aws:events:{HOME}:111111111111:event-bus/lineage"
    role = f"arn:aws:iam::{stack.account}:role/forward"
    target = {"Id": "lineage", "Arn": bus, "RoleArn": role}
    first = {"Name": "ami", "EventPattern": {"source": ["aws.ec2"]}, "Targets": [target]}
    outputs = stack.put("AWS::Events::Rule", first, "Arn")
    assert outputs == {"Ref": "ami", "Arn": f"arn:aws:events:{HOME}:{stack.account}:rule/ami"}
    assert json.loads(events.describe_rule(Name="ami")["EventPattern"]) == {"source": ["aws.ec2"]}
    assert events.list_targets_by_rule(Rule="ami")["Targets"] == [target]

    other = {"Id": "other", "Arn": bus, "RoleArn": role}
    second = {"Name": "ami", "EventPattern": {"source": ["aws.ec2", "aws.s3"]}, "State": "DISABLED", "Targets": [other]}
    stack.put("AWS::Events::Rule", second)
    rule = events.describe_rule(Name="ami")
    assert (json.loads(rule["EventPattern"]), rule["State"]) == ({"source": ["aws.ec2", "aws.s3"]}, "DISABLED")
    assert events.list_targets_by_rule(Rule="ami")["Targets"] == [other]

    stack.delete()
    assert events.list_rules()["Rules"] == []


@pytest.mark.parametrize("missing", ["", "role", "trust", "bus policy", "queue policy"])
def test_a_rule_forwards_events_to_the_other_account_if_all_let_it(cloud: Cloud, missing: str) -> None:
    member, lineage = cloud.make_account(), cloud.make_account()
    bus, inbox = f"arn:aws:events:{HOME}:{lineage}:event-bus/lineage", f"arn:aws:sqs:{HOME}:{lineage}:inbox"
    rule = f"arn:aws:events:{HOME}:{lineage}:rule/lineage/all"
    queue = cloud.client("sqs", lineage).create_queue(QueueName="inbox")["QueueUrl"]
    if missing != "queue policy":
        send = allowing("sqs:SendMessage", inbox, Service="events.amazonaws.com")
        send["Statement"][0]["Condition"] = {"ArnEquals": {"aws:SourceArn": rule}}
        cloud.client("sqs", lineage).set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(send)})
    events = cloud.client("events", lineage)
    events.create_event_bus(Name="lineage")
    if missing != "bus policy":
        put = allowing("events:PutEvents", bus, AWS=member)
        put["Statement"][0]["Sid"] = "put"
        events.put_permission(EventBusName="lineage", Policy=json.dumps(put))
    events.put_rule(Name="all", EventBusName="lineage", EventPattern=json.dumps({"source": ["app"]}))
    events.put_targets(Rule="all", EventBusName="lineage", Targets=[{"Id": "inbox", "Arn": inbox}])
    iam = cloud.client("iam", member)
    trusted = "ec2.amazonaws.com" if missing == "trust" else "events.amazonaws.com"
    trust = allowing("sts:AssumeRole", "", Service=trusted)
    iam.create_role(RoleName="forward", AssumeRolePolicyDocument=json.dumps(trust))
    if missing != "role":
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}],
        }
        iam.put_role_policy(RoleName="forward", PolicyName="p", PolicyDocument=json.dumps(document))
    target = {"Id": "bus", "Arn": bus, "RoleArn": f"arn:aws:iam::{member}:role/forward"}
    Stack(cloud, member).put("AWS::Events::Rule", {"EventPattern": {"source": ["app"]}, "Targets": [target]})
    entry = {"Source": "app", "DetailType": "test", "Detail": '{"image": "ami-1"}', "Resources": ["arn:r"]}
    (answer,) = cloud.client("events", member).put_events(Entries=[entry])["Entries"]
    messages = cloud.client("sqs", lineage).receive_message(QueueUrl=queue).get("Messages", [])
    if missing:
        assert messages == []
        return
    (message,) = messages
    event = json.loads(message["Body"])
    assert {name: event[name] for name in ("account", "region", "id", "resources", "detail", "detail-type")} == {
        "account": member,
        "region": HOME,
        "id": answer["EventId"],
        "resources": ["arn:r"],
        "detail": {"image": "ami-1"},
        "detail-type": "test",
    }


def allowing(action: str, resource: str, **principal: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [{name: value for name, value in statement.items() if value}]}


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_locked_bucket_keeps_what_is_put_into_it(stack: Stack, mode: str) -> None:
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, "Days": 7}}}
    stack.put("AWS::S3::Bucket", {"BucketName": "locked", "ObjectLockEnabled": True, "ObjectLockConfiguration": lock})
    s3 = stack.client("s3")
    found = s3.get_object_lock_configuration(Bucket="locked")["ObjectLockConfiguration"]
    retention = found["Rule"]["DefaultRetention"]
    assert (found["ObjectLockEnabled"], retention["Mode"], retention["Days"]) == ("Enabled", mode, 7)
    assert s3.get_bucket_versioning(Bucket="locked")["Status"] == "Enabled"
    version = s3.put_object(Bucket="locked", Key="k", Body=b"x")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="locked", Key="k", VersionId=version)


def test_the_policies_of_buckets_and_queues_are_written_changed_and_deleted(stack: Stack) -> None:
    def deny(sid: str, action: str) -> dict[str, Any]:
        document = allowing(action, "*", AWS="*")
        document["Statement"][0] |= {"Effect": "Deny", "Sid": sid}
        return document

    def put(sid: str) -> None:
        beside = {
            "BucketPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "It"}, "PolicyDocument": deny(sid, "s3:PutBucketAcl")},
            },
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
            "QueuePolicy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": deny(sid, "sqs:PurgeQueue")},
            },
        }
        stack.put("AWS::S3::Bucket", {"BucketName": "the-bucket"}, beside=beside)

    s3, sqs = stack.client("s3"), stack.client("sqs")
    for sid in ("one", "two"):
        put(sid)
        assert json.loads(s3.get_bucket_policy(Bucket="the-bucket")["Policy"])["Statement"][0]["Sid"] == sid
        url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        assert json.loads(policy)["Statement"][0]["Sid"] == sid
    stack.put("AWS::S3::Bucket", {"BucketName": "the-bucket"})
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="the-bucket")


def test_a_bus_with_its_rule_and_policy_is_created_changed_and_deleted(stack: Stack) -> None:
    events = stack.client("events")
    arn = f"arn:aws:events:{HOME}:{stack.account}:event-bus/lineage"

    def statement(organization: str) -> dict[str, Any]:
        condition = {"StringEquals": {"aws:PrincipalOrgID": organization}}
        return {**PUT_EVENTS, "Resource": {"Fn::GetAtt": "It.Arn"}, "Condition": condition}

    def put(organization: str, description: str) -> dict[str, str]:
        beside = {
            "Policy": {
                "Type": "AWS::Events::EventBusPolicy",
                "Properties": {
                    "EventBusName": {"Ref": "It"},
                    "StatementId": "organization",
                    "Statement": statement(organization),
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {"Name": "all", "EventBusName": {"Ref": "It"}, "EventPattern": {"source": ["aws.ec2"]}},
            },
        }
        properties = {"Name": "lineage", "Description": description, "Tags": tags(Team="lineage")}
        return stack.put("AWS::Events::EventBus", properties, "Arn", "Name", beside=beside)

    def read_policy() -> list[dict[str, Any]]:
        policy: str = events.describe_event_bus(Name="lineage").get("Policy", "{}")
        statements: list[dict[str, Any]] = json.loads(policy).get("Statement", [])
        return statements

    assert put("o-one", "first") == {"Ref": "lineage", "Arn": arn, "Name": "lineage"}
    for organization in ("o-one", "o-two"):
        if organization == "o-two":
            put("o-two", "second")
            assert events.describe_event_bus(Name="lineage")["Description"] == "second"
        assert read_policy() == [{**statement(organization), "Sid": "organization", "Resource": arn}]
    assert [rule["Name"] for rule in events.list_rules(EventBusName="lineage")["Rules"]] == ["all"]
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags(Team="lineage")
    stack.delete()
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]


def test_a_policy_of_the_default_bus_leaves_other_statements_alone(stack: Stack) -> None:
    events = stack.client("events")
    events.put_permission(StatementId="by-hand", Action="events:PutEvents", Principal="111111111111")
    arn = f"arn:aws:events:{HOME}:{stack.account}:event-bus/default"
    principal = {"AWS": "arn:aws:iam::111111111111:root"}
    properties = {"StatementId": "ours", "Statement": {**PUT_EVENTS, "Principal": principal, "Resource": arn}}

    def statements() -> list[str]:
        policy = json.loads(events.describe_event_bus()["Policy"])
        return [each["Sid"] for each in policy["Statement"]]

    stack.put("AWS::Events::EventBusPolicy", properties)
    assert statements() == ["by-hand", "ours"]
    stack.delete()
    assert statements() == ["by-hand"]


def test_a_statement_that_lacks_a_part_is_refused(stack: Stack) -> None:
    properties = {"StatementId": "ours", "Statement": {"Effect": "Allow", "Principal": "*"}}
    with pytest.raises(AssertionError, match=r"Statement ours lacks Action, Resource\."):
        stack.put("AWS::Events::EventBusPolicy", properties)
    assert "Policy" not in stack.client("events").describe_event_bus()


# --- AWS::SSM, SNS, SQS, S3, EC2


def test_an_ssm_parameter_is_created_changed_and_deleted(stack: Stack) -> None:
    ssm = stack.client("ssm")
    first = {"Name": "/orgctl/version", "Type": "String", "Value": "1", "Tags": {"Team": "a", "Old": "yes"}}
    outputs = stack.put("AWS::SSM::Parameter", first, "Type", "Value")
    assert outputs == {"Ref": "/orgctl/version", "Type": "String", "Value": "1"}
    second = {"Name": "/orgctl/version", "Type": "String", "Value": "2", "Description": "new", "Tags": {"Team": "b"}}
    assert stack.put("AWS::SSM::Parameter", second, "Value")["Value"] == "2"
    (shown,) = ssm.describe_parameters()["Parameters"]
    assert (shown["Version"], shown["Description"]) == (2, "new")
    kept = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/orgctl/version")["TagList"]
    assert kept == tags(Team="b")
    stack.delete()
    assert ssm.describe_parameters()["Parameters"] == []


def test_a_topic_is_created_changed_and_deleted(stack: Stack) -> None:
    sns = stack.client("sns")
    arn = f"arn:aws:sns:{HOME}:{stack.account}:findings"
    first = {
        "TopicName": "findings",
        "DisplayName": "first",
        "Subscription": [{"Endpoint": "a@example.com", "Protocol": "email"}],
    }
    assert stack.put("AWS::SNS::Topic", first, "TopicName", "TopicArn") == {
        "Ref": arn,
        "TopicName": "findings",
        "TopicArn": arn,
    }
    second = {
        "TopicName": "findings",
        "DisplayName": "second",
        "Subscription": [{"Endpoint": "b@example.com", "Protocol": "email"}],
        "Tags": tags(Team="b"),
    }
    stack.put("AWS::SNS::Topic", second)
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "second"
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [each["Endpoint"] for each in subscriptions] == ["b@example.com"]
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags(Team="b")
    stack.delete()
    assert sns.list_topics()["Topics"] == []


def test_a_queue_is_created_changed_and_deleted(stack: Stack) -> None:
    sqs = stack.client("sqs")
    url = f"https://sqs.{HOME}.amazonaws.com/{stack.account}/events"
    arn = f"arn:aws:sqs:{HOME}:{stack.account}:events"
    dead = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
    first = {"QueueName": "events", "VisibilityTimeout": 60, "RedrivePolicy": redrive}
    outputs = stack.put("AWS::SQS::Queue", first, "Arn", "QueueName", "QueueUrl", beside={"Dead": dead})
    assert outputs == {"Ref": url, "Arn": arn, "QueueName": "events", "QueueUrl": url}

    def read(name: str) -> str | None:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        value: str | None = attributes.get(name)
        return value

    assert read("VisibilityTimeout") == "60"
    assert json.loads(read("RedrivePolicy") or "{}")["maxReceiveCount"] == 3
    send = {"Effect": "Allow", "Principal": {"AWS": stack.account}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [send]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    second = {"QueueName": "events", "MessageRetentionPeriod": 1209600, "Tags": tags(Team="b")}
    stack.put("AWS::SQS::Queue", second, beside={"Dead": dead})
    assert (read("VisibilityTimeout"), read("MessageRetentionPeriod")) == ("30", "1209600")
    assert read("Policy") is not None
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"Team": "b"}
    stack.delete()
    assert "QueueUrls" not in sqs.list_queues()


def test_a_bucket_is_created_changed_and_deleted(stack: Stack) -> None:
    s3 = stack.client("s3")
    block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    encryption = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    first = {
        "BucketName": "archive",
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": block,
        "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    }
    outputs = stack.put("AWS::S3::Bucket", first, "Arn", "RegionalDomainName")
    assert outputs == {
        "Ref": "archive",
        "Arn": "arn:aws:s3:::archive",
        "RegionalDomainName": f"archive.s3.{HOME}.amazonaws.com",
    }
    assert s3.get_bucket_versioning(Bucket="archive")["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket="archive")["PublicAccessBlockConfiguration"] == block
    rules = s3.get_bucket_encryption(Bucket="archive")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    ownership = s3.get_bucket_ownership_controls(Bucket="archive")["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    stack.put("AWS::S3::Bucket", {"BucketName": "archive", "Tags": tags(Team="b")})
    assert s3.get_bucket_versioning(Bucket="archive")["Status"] == "Suspended"
    assert s3.get_bucket_tagging(Bucket="archive")["TagSet"] == tags(Team="b")
    with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        s3.get_public_access_block(Bucket="archive")
    stack.delete()
    assert s3.list_buckets()["Buckets"] == []


def test_sharing_of_snapshots_is_blocked_in_one_region_of_one_account(cloud: Cloud) -> None:
    account = cloud.make_account()
    stack = Stack(cloud, account)

    def states() -> list[str]:
        places = [(account, HOME), (account, OTHER), (cloud.management, HOME)]
        clients = [cloud.client("ec2", *place) for place in places]
        return [client.get_snapshot_block_public_access_state()["State"] for client in clients]

    assert states() == ["unblocked"] * 3
    outputs = stack.put("AWS::EC2::SnapshotBlockPublicAccess", {"State": "block-new-sharing"}, "AccountId")
    assert outputs == {"Ref": account, "AccountId": account}
    assert states() == ["block-new-sharing", "unblocked", "unblocked"]
    stack.put("AWS::EC2::SnapshotBlockPublicAccess", {"State": "block-all-sharing"})
    assert states() == ["block-all-sharing", "unblocked", "unblocked"]
    stack.delete()
    assert states() == ["unblocked"] * 3


def test_ec2_has_no_public_images_and_keeps_those_that_are_made(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2", cloud.make_account())
    assert ec2.describe_images()["Images"] == []
    image = ec2.register_image(Name="golden", RootDeviceName="/dev/sda1")["ImageId"]
    assert [each["ImageId"] for each in ec2.describe_images(Owners=["self"])["Images"]] == [image]


def test_sharing_of_snapshots_is_blocked_and_allowed_through_ec2(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    assert ec2.enable_snapshot_block_public_access(State="block-all-sharing")["State"] == "block-all-sharing"
    assert ec2.get_snapshot_block_public_access_state()["State"] == "block-all-sharing"
    assert ec2.disable_snapshot_block_public_access()["State"] == "unblocked"
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"


# --- AWS::KMS


def key_policy(*actions: str) -> dict[str, Any]:
    statement = {"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_a_key_is_created_changed_and_scheduled_for_deletion(stack: Stack) -> None:
    kms = stack.client("kms")
    first = {
        "Description": "first",
        "EnableKeyRotation": True,
        "KeyPolicy": key_policy("kms:*"),
        "PendingWindowInDays": 7,
        "Tags": tags(Team="a", Old="yes"),
    }
    outputs = stack.put("AWS::KMS::Key", first, "Arn", "KeyId")
    id = outputs["Ref"]
    assert outputs == {"Ref": id, "KeyId": id, "Arn": f"arn:aws:kms:{HOME}:{stack.account}:key/{id}"}

    def read() -> tuple[Any, ...]:
        key = kms.describe_key(KeyId=id)["KeyMetadata"]
        policy = json.loads(kms.get_key_policy(KeyId=id, PolicyName="default")["Policy"])
        rotates = kms.get_key_rotation_status(KeyId=id)["KeyRotationEnabled"]
        labels = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=id)["Tags"]}
        return key["Description"], key["KeyState"], rotates, policy, labels

    assert read() == ("first", "Enabled", True, key_policy("kms:*"), {"Team": "a", "Old": "yes"})
    second = {
        "Description": "second",
        "Enabled": False,
        "KeyPolicy": key_policy("kms:*", "kms:Decrypt"),
        "PendingWindowInDays": 7,
        "Tags": tags(Team="b"),
    }
    assert stack.put("AWS::KMS::Key", second)["Ref"] == id, "the key was replaced"
    assert read() == ("second", "Disabled", False, key_policy("kms:*", "kms:Decrypt"), {"Team": "b"})

    stack.delete()
    gone = kms.describe_key(KeyId=id)["KeyMetadata"]
    days = (gone["DeletionDate"].replace(tzinfo=UTC) - datetime.now(UTC)) / timedelta(days=1)
    assert (gone["KeyState"], round(days)) == ("PendingDeletion", 7)


def test_a_key_without_a_policy_is_administered_by_its_account(stack: Stack) -> None:
    id = stack.put("AWS::KMS::Key", {})["Ref"]
    kms = stack.client("kms")
    (statement,) = json.loads(kms.get_key_policy(KeyId=id, PolicyName="default")["Policy"])["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{stack.account}:root"}
    stack.delete()
    assert kms.describe_key(KeyId=id)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_another_kind_of_key_replaces_the_key(stack: Stack) -> None:
    symmetric = stack.put("AWS::KMS::Key", {})["Ref"]
    signing = stack.put("AWS::KMS::Key", {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"})["Ref"]
    kms = stack.client("kms")
    assert kms.describe_key(KeyId=symmetric)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    new = kms.describe_key(KeyId=signing)["KeyMetadata"]
    assert (new["KeySpec"], new["KeyUsage"], new["KeyState"]) == ("ECC_NIST_P256", "SIGN_VERIFY", "Enabled")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"PendingWindowInDays": 3}, "Properties validation failed: PendingWindowInDays must be between 7 and 30"),
        (
            {"EnableKeyRotation": True, "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
            "You cannot set the EnableKeyRotation property to true on asymmetric keys",
        ),
    ],
)
def test_a_key_that_aws_would_not_make_fails_the_stack(stack: Stack, properties: dict[str, Any], reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        stack.put("AWS::KMS::Key", properties)


def test_an_alias_is_created_points_elsewhere_is_renamed_and_is_deleted(stack: Stack) -> None:
    kms = stack.client("kms")
    beside = {name: {"Type": "AWS::KMS::Key", "Properties": {}} for name in ("One", "Two")}

    def put(name: str, target: dict[str, Any]) -> dict[str, str]:
        stack.put("AWS::KMS::Alias", {"AliasName": name, "TargetKeyId": target}, beside=beside)
        ours = [alias for alias in kms.list_aliases()["Aliases"] if not alias["AliasName"].startswith("alias/aws/")]
        return {alias["AliasName"]: alias["TargetKeyId"] for alias in ours}

    first = put("alias/bus", {"Ref": "One"})
    assert list(first) == ["alias/bus"]
    second = put("alias/bus", {"Fn::GetAtt": ["Two", "Arn"]})
    assert list(second) == ["alias/bus"]
    assert second["alias/bus"] != first["alias/bus"]
    assert kms.describe_key(KeyId="alias/bus")["KeyMetadata"]["KeyId"] == second["alias/bus"]
    assert put("alias/new", {"Ref": "Two"}) == {"alias/new": second["alias/bus"]}
    stack.delete()
    assert [each for each in kms.list_aliases()["Aliases"] if not each["AliasName"].startswith("alias/aws/")] == []


@pytest.mark.parametrize(
    ("name", "target", "reason"),
    [
        ("bus", {"Ref": "One"}, "AliasName must begin with alias/ and not alias/aws/"),
        ("alias/aws/s3", {"Ref": "One"}, "AliasName must begin with alias/ and not alias/aws/"),
        ("alias/bus", "no-such-key", "Key 'no-such-key' does not exist"),
        ("alias/taken", {"Ref": "One"}, "An alias with the name alias/taken already exists"),
    ],
)
def test_an_alias_that_aws_would_not_make_fails_the_stack(stack: Stack, name: str, target: Any, reason: str) -> None:
    kms = stack.client("kms")
    kms.create_alias(AliasName="alias/taken", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    beside = {"One": {"Type": "AWS::KMS::Key", "Properties": {}}}
    with pytest.raises(AssertionError, match=reason):
        stack.put("AWS::KMS::Alias", {"AliasName": name, "TargetKeyId": target}, beside=beside)


# --- refusals


@pytest.mark.parametrize(
    ("type", "properties", "reason"),
    [
        (
            "AWS::Events::Rule",
            {"EventPattern": {}, "Targets": [{"Arn": "arn:aws:sqs:::q"}]},
            r"required key \[Id\] not found",
        ),
        ("AWS::SNS::Topic", {"Tags": "Team"}, "string indices must be integers, not 'str'"),
        ("AWS::Logs::LogGroup", {"RetentionInDays": "never"}, "invalid literal for int"),
    ],
)
def test_properties_of_the_wrong_form_fail_the_stack(
    stack: Stack, type: str, properties: dict[str, Any], reason: str
) -> None:
    with pytest.raises(AssertionError, match=f"Properties validation failed: {reason}"):
        stack.put(type, properties)


@pytest.mark.parametrize(
    ("type", "properties", "attribute", "message"),
    [
        (
            "AWS::GuardDuty::Detector",
            {},
            "",
            (
                "ValidationError: the orgctl sandbox does not emulate the resource type AWS::GuardDuty::Detector "
                "(resource It)"
            ),
        ),
        (
            "AWS::S3::Bucket",
            {"AccelerateConfiguration": {}},
            "",
            (
                "ValidationError: the orgctl sandbox does not emulate the property AccelerateConfiguration of "
                "AWS::S3::Bucket (resource It)"
            ),
        ),
        (
            "AWS::EC2::EIP",
            {"CidrBlock": "10.9.0.0/16"},
            "",
            "ValidationError: the orgctl sandbox does not emulate the resource type AWS::EC2::EIP (resource It)",
        ),
        (
            "AWS::KMS::Key",
            {"RotationPeriodInDays": 90},
            "",
            (
                "ValidationError: the orgctl sandbox does not emulate the property RotationPeriodInDays of "
                "AWS::KMS::Key (resource It)"
            ),
        ),
        (
            "AWS::SNS::Topic",
            {},
            "Owner",
            "ValidationError: the orgctl sandbox does not emulate Fn::GetAtt Owner of AWS::SNS::Topic (resource It)",
        ),
    ],
)
def test_what_the_sandbox_does_not_know_is_refused_before_anything_is_created(
    stack: Stack, type: str, properties: dict[str, Any], attribute: str, message: str
) -> None:
    with pytest.raises(ClientError) as error:
        stack.put(type, properties, *([attribute] if attribute else []))
    assert refusal(error) == message
    assert stack.client("cloudformation").describe_stacks()["Stacks"] == []
