"""What a call asks for: each test is a way around a policy that names one resource or action, and is closed."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.sandbox import assume, create_policy, written

T = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}


def guard(session: boto3.Session, account: str, action: str | list[str], resource: str, **more: Any) -> None:
    organizations = session.client("organizations")
    statement = {"Effect": "Deny", "Action": action, "Resource": resource, **more}
    organizations.attach_policy(PolicyId=create_policy(organizations, "Guard", written(statement)), TargetId=account)


def code_of(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}


def test_a_users_path_is_seen_where_a_key_is_made_for_it(session: boto3.Session, audit: str) -> None:
    iam = assume(session, audit).client("iam")
    iam.create_user(UserName="root-like", Path="/break-glass/")
    guard(session, audit, ["iam:CreateAccessKey", "iam:CreateLoginProfile"], "arn:aws:iam::*:user/break-glass/*")
    assert code_of(iam.create_access_key, UserName="root-like") in DENIED
    assert code_of(iam.create_login_profile, UserName="root-like", Password="aB3!aB3!aB3!") in DENIED


@pytest.mark.parametrize("name", ["/secret/key:1", "/secret/key:label", "/secret/key"])
def test_a_version_does_not_hide_a_parameter(session: boto3.Session, audit: str, name: str) -> None:
    ssm = assume(session, audit).client("ssm")
    ssm.put_parameter(Name="/secret/key", Value="x", Type="String")
    guard(session, audit, "ssm:GetParameter", "arn:aws:ssm:*:*:parameter/secret/key")
    assert code_of(ssm.get_parameter, Name=name) in DENIED


def test_an_alias_and_its_keys_are_judged_each_for_itself(session: boto3.Session, audit: str) -> None:
    kms = assume(session, audit).client("kms")
    key, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName="alias/orgctl", TargetKeyId=key["KeyId"])
    guard(session, audit, ["kms:UpdateAlias", "kms:DeleteAlias"], key["Arn"])
    assert code_of(kms.update_alias, AliasName="alias/orgctl", TargetKeyId=other["KeyId"]) in DENIED
    assert code_of(kms.delete_alias, AliasName="alias/orgctl") in DENIED


def test_an_alias_is_guarded_by_its_name(session: boto3.Session, audit: str) -> None:
    kms = assume(session, audit).client("kms")
    kms.create_alias(AliasName="alias/orgctl", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    guard(session, audit, "kms:DeleteAlias", "arn:aws:kms:*:*:alias/orgctl")
    assert code_of(kms.delete_alias, AliasName="alias/orgctl") in DENIED


def test_what_is_decrypted_says_with_which_key(session: boto3.Session, audit: str) -> None:
    kms = assume(session, audit).client("kms")
    key, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other["KeyId"])
    guard(session, audit, ["kms:Decrypt", "kms:ReEncryptFrom"], key["Arn"])
    assert code_of(kms.decrypt, CiphertextBlob=blob) in DENIED
    assert code_of(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=other["KeyId"]) in DENIED


@pytest.mark.parametrize(
    "bus", [{}, {"EventBusName": "default"}, {"EventBusName": "arn:aws:events:us-east-1:{}:event-bus/default"}]
)
def test_a_rule_of_the_default_bus_has_one_arn(session: boto3.Session, audit: str, bus: dict[str, str]) -> None:
    events = assume(session, audit).client("events")
    events.put_rule(Name="orgctl", ScheduleExpression="rate(1 day)")
    guard(session, audit, "events:DisableRule", "arn:aws:events:*:*:rule/orgctl")
    assert (
        code_of(events.disable_rule, Name="orgctl", **{name: value.format(audit) for name, value in bus.items()})
        in DENIED
    )


def test_log_groups_are_written_as_aws_writes_them(session: boto3.Session, audit: str) -> None:
    logs = assume(session, audit).client("logs")
    logs.create_log_group(logGroupName="/orgctl/a")
    guard(session, audit, ["logs:DeleteLogGroup", "logs:StartQuery"], "arn:aws:logs:*:*:log-group:/orgctl/*:*")
    assert code_of(logs.delete_log_group, logGroupName="/orgctl/a") in DENIED
    assert code_of(logs.start_query, logGroupNames=["/orgctl/a"], startTime=0, endTime=1, queryString="x") in DENIED


def test_a_destination_does_not_stand_for_the_log_group(session: boto3.Session, audit: str) -> None:
    logs = assume(session, audit).client("logs")
    guard(session, audit, "logs:PutSubscriptionFilter", "arn:aws:logs:*:*:log-group:/orgctl/*")
    destination = f"arn:aws:logs:us-east-1:{audit}:destination:mine"
    filter = {"filterName": "x", "filterPattern": "", "destinationArn": destination}
    assert code_of(logs.put_subscription_filter, logGroupName="/orgctl/a", **filter) in DENIED


def test_versions_of_objects_have_actions_of_their_own(session: boto3.Session, audit: str) -> None:
    s3 = assume(session, audit).client("s3")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="versioned", Key="a", Body=b"x")["VersionId"]
    guard(session, audit, ["s3:DeleteObjectVersion", "s3:GetObjectVersion"], "*")
    named = {"Bucket": "versioned", "Key": "a", "VersionId": version}
    assert (
        code_of(s3.delete_objects, Bucket="versioned", Delete={"Objects": [{"Key": "a", "VersionId": version}]})
        in DENIED
    )
    assert code_of(s3.copy_object, Bucket="versioned", Key="b", CopySource=named) in DENIED
    s3.copy_object(Bucket="versioned", Key="b", CopySource={"Bucket": "versioned", "Key": "a"})
    s3.delete_objects(Bucket="versioned", Delete={"Objects": [{"Key": "b"}]})


def test_a_grant_is_an_acl(session: boto3.Session, audit: str) -> None:
    s3 = assume(session, audit).client("s3")
    s3.create_bucket(Bucket="granted")
    guard(session, audit, "s3:PutObjectAcl", "*")
    grant = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
    assert code_of(s3.put_object, Bucket="granted", Key="a", GrantRead=grant) in DENIED
    s3.put_object(Bucket="granted", Key="a")


def test_a_role_is_passed_to_s3_too(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    role = member.client("iam").create_role(RoleName="copies", AssumeRolePolicyDocument=json.dumps(T))["Role"]["Arn"]
    s3 = member.client("s3")
    s3.create_bucket(Bucket="copied")
    guard(session, audit, "iam:PassRole", "*")
    rule = {"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::elsewhere"}}
    replication = {"Role": role, "Rules": [rule]}
    assert code_of(s3.put_bucket_replication, Bucket="copied", ReplicationConfiguration=replication) in DENIED


def test_a_profile_passes_its_role_to_an_instance_that_runs(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    iam, ec2 = member.client("iam"), member.client("ec2")
    iam.create_role(RoleName="strong", AssumeRolePolicyDocument=json.dumps(T))
    iam.create_instance_profile(InstanceProfileName="strong")
    iam.add_role_to_instance_profile(InstanceProfileName="strong", RoleName="strong")
    guard(session, audit, "iam:PassRole", "arn:aws:iam::*:role/strong")
    asked = {"IamInstanceProfile": {"Name": "strong"}, "InstanceId": "i-1234567890abcdef0"}
    assert code_of(ec2.associate_iam_instance_profile, **asked) in DENIED


@pytest.mark.parametrize("operation", ["transact_write_items", "batch_write_item"])
def test_batches_name_their_tables(session: boto3.Session, audit: str, operation: str) -> None:
    table = assume(session, audit).client("dynamodb")
    guard(session, audit, ["dynamodb:PutItem", "dynamodb:BatchWriteItem"], "arn:aws:dynamodb:*:*:table/Locks")
    item = {"Item": {"Id": {"S": "x"}}}
    batch = {"RequestItems": {"Locks": [{"PutRequest": item}]}}
    transaction = {"TransactItems": [{"Put": {"TableName": "Locks", **item}}]}
    assert code_of(getattr(table, operation), **(batch if operation.startswith("batch") else transaction)) in DENIED


def test_secrets_are_not_read_in_a_batch_either(session: boto3.Session, audit: str) -> None:
    secrets = assume(session, audit).client("secretsmanager")
    secrets.create_secret(Name="root/password", SecretString="x")
    guard(session, audit, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:root/*")
    assert code_of(secrets.batch_get_secret_value, SecretIdList=["root/password"]) in DENIED


def test_tags_are_not_written_behind_a_services_back(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    topic = member.client("sns").create_topic(Name="t")["TopicArn"]
    guard(session, audit, ["sns:TagResource", "ec2:CreateTags"], "*")
    tagging = member.client("resourcegroupstaggingapi")
    assert code_of(tagging.tag_resources, ResourceARNList=[topic], Tags={"approved": "yes"}) in DENIED
    subnet = member.client("ec2").describe_subnets()["Subnets"][0]["SubnetArn"]
    assert code_of(tagging.tag_resources, ResourceARNList=[subnet], Tags={"approved": "yes"}) in DENIED


def test_a_version_of_a_function_is_a_resource_where_it_is_called(session: boto3.Session, audit: str) -> None:
    functions = assume(session, audit).client("lambda")
    guard(session, audit, "lambda:InvokeFunction", "arn:aws:lambda:*:*:function:f:live")
    assert code_of(functions.invoke, FunctionName="f", Qualifier="live") in DENIED
    assert code_of(functions.invoke, FunctionName="f:live") in DENIED


def test_a_stack_is_known_by_its_name(session: boto3.Session, audit: str) -> None:
    stacks = assume(session, audit).client("cloudformation")
    body = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    id = stacks.create_stack(StackName="kept", TemplateBody=body)["StackId"]
    guard(session, audit, "cloudformation:DeleteStack", id)
    assert code_of(stacks.delete_stack, StackName="kept") in DENIED


def test_a_subscription_belongs_to_its_topic(session: boto3.Session, audit: str) -> None:
    sns = assume(session, audit).client("sns")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    given = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@b.example", "ReturnSubscriptionArn": True}
    subscription = sns.subscribe(**given)["SubscriptionArn"]
    guard(session, audit, "sns:Unsubscribe", topic)
    assert code_of(sns.unsubscribe, SubscriptionArn=subscription) == "AuthorizationError"


def test_a_config_rule_is_known_by_its_name(session: boto3.Session, audit: str) -> None:
    config = assume(session, audit).client("config")
    role = f"arn:aws:iam::{audit}:role/OrganizationAccountAccessRole"
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    source = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_LOGGING_ENABLED"}
    config.put_config_rule(ConfigRule={"ConfigRuleName": "kept", "Source": source})
    arn = config.describe_config_rules()["ConfigRules"][0]["ConfigRuleArn"]
    guard(session, audit, "config:DeleteConfigRule", arn)
    assert code_of(config.delete_config_rule, ConfigRuleName="kept") in DENIED


def test_several_alarms_are_judged_each(session: boto3.Session, audit: str) -> None:
    alarms = assume(session, audit).client("cloudwatch")
    guard(session, audit, "cloudwatch:DeleteAlarms", "arn:aws:cloudwatch:*:*:alarm:orgctl-*")
    assert code_of(alarms.delete_alarms, AlarmNames=["mine", "orgctl-a"]) in DENIED
    alarms.delete_alarms(AlarmNames=["mine"])


# --- keys that are good no longer


def test_an_inactive_key_is_none(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    iam = member.client("iam")
    iam.create_user(UserName="u")
    iam.attach_user_policy(UserName="u", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    user.client("sqs").list_queues()
    iam.update_access_key(UserName="u", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    calls = {"iam": "list_roles", "logs": "describe_log_groups", "ec2": "describe_instances", "s3": "list_buckets"}
    clients: dict[str, Any] = {service: user.client(service) for service in calls}  # type: ignore[call-overload]
    codes = {service: code_of(getattr(clients[service], call)) for service, call in calls.items()}
    assert codes == {
        "iam": "InvalidClientTokenId",
        "logs": "UnrecognizedClientException",
        "ec2": "AuthFailure",
        "s3": "InvalidAccessKeyId",
    }


def test_a_session_ends_with_its_role_though_another_takes_the_name(session: boto3.Session, audit: str) -> None:
    iam = assume(session, audit).client("iam")
    admin = {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess", "RoleName": "r"}
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(T))
    iam.attach_role_policy(**admin)
    session_of_r = assume(session, audit, "r").client("iam")
    session_of_r.list_roles()
    iam.detach_role_policy(**admin)
    iam.delete_role(RoleName="r")
    assert code_of(session_of_r.list_roles) == "InvalidClientTokenId"
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(T))
    iam.attach_role_policy(**admin)
    assert code_of(session_of_r.list_roles) == "InvalidClientTokenId"


def test_sessions_end_with_their_account(session: boto3.Session, audit: str) -> None:
    iam = assume(session, audit).client("iam")
    session.client("organizations").close_account(AccountId=audit)
    assert code_of(iam.list_roles) == "InvalidClientTokenId"


# --- declarative policies


def test_a_declared_attribute_is_not_the_accounts_to_set(session: boto3.Session, audit: str) -> None:
    organizations = session.client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="DECLARATIVE_POLICY_EC2")
    content = {
        "ec2_attributes": {
            "exception_message": {"@@assign": "Ask the platform team."},
            "image_block_public_access": {"state": {"@@assign": "block_new_sharing"}},
        }
    }
    policy = organizations.create_policy(
        Name="Declared", Description="", Type="DECLARATIVE_POLICY_EC2", Content=json.dumps(content)
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=audit)
    ec2 = assume(session, audit).client("ec2")
    with pytest.raises(ClientError, match=r"Ask the platform team\."):
        ec2.disable_image_block_public_access()
    assert ec2.get_image_block_public_access_state()["ManagedBy"] == "declarative-policy"
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    organizations.detach_policy(PolicyId=policy, TargetId=audit)
    ec2.disable_image_block_public_access()
