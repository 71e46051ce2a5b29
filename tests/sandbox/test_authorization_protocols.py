"""A denial comes in the shape of each service's protocol, through boto3 in process and over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.request import Request

from org.sandbox.authorization.actions import actions_of
from org.sandbox.authorization.gate import current_caller
from org.sandbox.authorization.requests import read_request, read_signature
from org.sandbox.server import Sandbox
from org.sandbox.session import Credentials, session_for
from tests.support.sandbox import assume, create_account, create_policy, written

DENY = {"Effect": "Deny", "Resource": "*"}

CALLS: list[tuple[str, str, dict[str, Any], str, str, str, int]] = [
    # service, operation, parameters, action, resource, code, HTTP status
    ("iam", "list_roles", {}, "iam:ListRoles", "*", "AccessDenied", 403),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:{0}:t", "Message": "m"}, "SNS:Publish",
     "arn:aws:sns:us-east-1:{0}:t", "AuthorizationError", 403),
    ("cloudformation", "describe_stacks", {"StackName": "s"}, "cloudformation:DescribeStacks",
     "arn:aws:cloudformation:us-east-1:{0}:stack/s/*", "AccessDenied", 403),
    ("organizations", "leave_organization", {}, "organizations:LeaveOrganization", "*", "AccessDeniedException", 400),
    ("kms", "describe_key", {"KeyId": "1234"}, "kms:DescribeKey", "arn:aws:kms:us-east-1:{0}:key/1234",
     "AccessDeniedException", 400),
    ("dynamodb", "describe_table", {"TableName": "t"}, "dynamodb:DescribeTable",
     "arn:aws:dynamodb:us-east-1:{0}:table/t", "AccessDeniedException", 400),
    ("events", "delete_rule", {"Name": "r"}, "events:DeleteRule", "arn:aws:events:us-east-1:{0}:rule/r",
     "AccessDeniedException", 400),
    ("events", "delete_rule", {"Name": "r", "EventBusName": "b"}, "events:DeleteRule",
     "arn:aws:events:us-east-1:{0}:rule/b/r", "AccessDeniedException", 400),
    ("logs", "delete_log_group", {"logGroupName": "g"}, "logs:DeleteLogGroup",
     "arn:aws:logs:us-east-1:{0}:log-group:g:log-stream:", "AccessDeniedException", 400),
    ("ssm", "put_parameter", {"Name": "/a/b", "Value": "v", "Type": "String"}, "ssm:PutParameter",
     "arn:aws:ssm:us-east-1:{0}:parameter/a/b", "AccessDeniedException", 400),
    ("lambda", "invoke", {"FunctionName": "f"}, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:{0}:function:f",
     "AccessDeniedException", 403),
    ("sqs", "get_queue_url", {"QueueName": "q"}, "sqs:getqueueurl", "arn:aws:sqs:us-east-1:{0}:q", "AccessDenied", 403),
    ("s3", "list_objects_v2", {"Bucket": "bucket"}, "s3:ListBucket", '"arn:aws:s3:::bucket"', "AccessDenied", 403),
    ("s3", "put_object", {"Bucket": "bucket", "Key": "a b/c", "Body": b"x"}, "s3:PutObject",
     '"arn:aws:s3:::bucket/a b/c"', "AccessDenied", 403),
    ("s3", "get_bucket_encryption", {"Bucket": "bucket"}, "s3:GetEncryptionConfiguration", '"arn:aws:s3:::bucket"',
     "AccessDenied", 403),
    ("s3", "list_buckets", {}, "s3:ListAllMyBuckets", '"*"', "AccessDenied", 403),
    ("route53", "list_hosted_zones", {}, "route53:ListHostedZones", "*", "AccessDenied", 403),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "action", "resource", "code", "status"), CALLS)
def test_a_denial_has_the_services_code_and_names_action_and_resource(
    session: boto3.Session,
    audit: str,
    service: str,
    operation: str,
    parameters: dict[str, Any],
    action: str,
    resource: str,
    code: str,
    status: int,
) -> None:
    arn = deny_all(session, audit)
    client: Any = assume(session, audit).client(service)  # type: ignore[call-overload]
    given = {name: value.format(audit) if isinstance(value, str) else value for name, value in parameters.items()}
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**given)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, denial(audit, action, resource.format(audit), arn))
    expected = 400 if service == "sqs" else status
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == expected


def test_ec2_adds_an_encoded_message(session: boto3.Session, audit: str) -> None:
    arn = deny_all(session, audit)
    with pytest.raises(ClientError) as caught:
        assume(session, audit).client("ec2").describe_images()
    error = caught.value.response["Error"]
    assert error["Code"] == "UnauthorizedOperation"
    text, _, encoded = error["Message"].partition(". Encoded authorization failure message: ")
    assert text == f"You are not authorized to perform this operation. {denial(audit, 'ec2:DescribeImages', '*', arn)}"
    assert re.fullmatch(r"[\w=-]+", encoded)


def test_a_head_request_is_answered_without_a_body(session: boto3.Session, audit: str) -> None:
    deny_all(session, audit)
    with pytest.raises(ClientError) as caught:
        assume(session, audit).client("s3").head_object(Bucket="bucket", Key="k")
    assert caught.value.response["Error"]["Code"] == "403"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


def test_the_server_denies_as_well(sandbox: Sandbox) -> None:
    session = sandbox.session()
    organizations = session.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    audit = create_account(organizations, "Audit")
    role = f"arn:aws:iam::{audit}:role/OrganizationAccountAccessRole"
    given = session.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    member = session_for(sandbox.endpoint, "us-east-1", keys)
    member.client("s3").create_bucket(Bucket="bucket")
    member.client("s3").put_object(Bucket="bucket", Key="k", Body=b"text")
    assert member.client("s3").get_object(Bucket="bucket", Key="k")["Body"].read() == b"text"
    arn = deny_all(session, audit)
    for service, operation, parameters, action, resource, code, _ in CALLS:
        given_here = {
            name: value.format(audit) if isinstance(value, str) else value for name, value in parameters.items()
        }
        with pytest.raises(ClientError) as caught:
            getattr(member.client(service), operation)(**given_here)  # type: ignore[call-overload]
        error = caught.value.response["Error"]
        assert (error["Code"], error["Message"]) == (code, denial(audit, action, resource.format(audit), arn))


def test_the_server_serves_calls_about_another_accounts_queue(sandbox: Sandbox) -> None:
    session = sandbox.session()
    organizations = session.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    audit = create_account(organizations, "Audit")
    role = f"arn:aws:iam::{audit}:role/OrganizationAccountAccessRole"
    given = session.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    owner = session_for(sandbox.endpoint, "us-east-1", keys).client("sqs")
    url = owner.create_queue(QueueName="shared")["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:{audit}:shared"
    sender = session.client("sqs")
    with pytest.raises(ClientError, match="no resource-based policy allows the sqs:sendmessage action"):
        sender.send_message(QueueUrl=url, MessageBody="x")
    allow = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sqs:*", "Resource": queue}
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": written(allow)})
    sender.send_message(QueueUrl=url, MessageBody="hello")
    assert owner.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "hello"


def test_nobody_is_being_served_between_requests(session: boto3.Session, audit: str) -> None:
    assume(session, audit).client("iam").list_roles()
    assert current_caller() is None


def test_calls_that_nobody_signed_are_an_error(sandbox: Sandbox) -> None:
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{sandbox.endpoint}/", data=b"Action=GetCallerIdentity&Version=2011-06-15")
    assert caught.value.code == 501
    caught.value.close()


# --- reading requests


def test_a_presigned_url_is_signed_too() -> None:
    credential = "AKIAIOSFODNN7EXAMPLE%2F20261124%2Feu-west-1%2Fs3%2Faws4_request"
    signature = read_signature("", {"X-Amz-Credential": credential})
    assert (signature.access_key, signature.region, signature.service) == ("AKIAIOSFODNN7EXAMPLE", "eu-west-1", "s3")


@pytest.mark.parametrize(
    ("service", "method", "url", "body", "expected"),
    [
        ("elasticloadbalancing", "POST", "/", "Action=DescribeLoadBalancers&Version=2015-12-01", "elbv2"),
        ("elasticloadbalancing", "POST", "/", "Action=DescribeLoadBalancers&Version=2012-06-01", "elb"),
        ("s3", "GET", "/bucket?list-type=2", "", "s3"),
        ("s3", "GET", "/v20180820/configuration/publicAccessBlock", "", "s3control"),
        ("es", "GET", "/2021-01-01/opensearch/versions", "", "opensearch"),
        ("states", "POST", "/", "", None),
    ],
)
def test_services_that_share_a_name_in_signatures_are_told_apart(
    service: str, method: str, url: str, body: str, expected: str | None
) -> None:
    headers = {"x-amz-account-id": "123456789012"}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    request = Request.from_primitives(method, f"https://example.amazonaws.com{url}", headers, body)
    signature = read_signature(f"AWS4-HMAC-SHA256 Credential=K/20261124/us-east-1/{service}/aws4_request", {})
    read = read_request(request, signature)
    assert (read.call.service if read else None) == expected


def test_parameters_decide_on_permissions() -> None:
    actions = {each.action for each in actions_of("s3", "s3", "GetObject", {"VersionId": "1"})}
    assert actions == {"s3:GetObjectVersion"}
    actions = {each.action for each in actions_of("s3", "s3", "PutObject", {"ACL": "private"})}
    assert actions == {"s3:PutObject", "s3:PutObjectAcl"}


def test_every_action_in_the_table_of_exceptions_exists() -> None:
    from org.sandbox.authorization.actions import exceptions
    from org.sandbox.authorization.grants import engine

    for operations in exceptions().values():
        for entries in operations.values():
            for entry in entries if isinstance(entries, list) else [entries]:
                action = entry if isinstance(entry, str) else entry["action"]
                assert engine().catalog.find_action(action), action


# --- what they share


def deny_all(session: boto3.Session, account: str) -> str:
    """Deny the account everything, and answer the ARN of the policy that does."""
    organizations = session.client("organizations")
    policy = create_policy(organizations, "Nothing", written({**DENY, "Action": "*"}))
    organizations.attach_policy(PolicyId=policy, TargetId=account)
    return str(organizations.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]["Arn"])


def denial(account: str, action: str, resource: str, arn: str) -> str:
    return (
        f"User: arn:aws:sts::{account}:assumed-role/OrganizationAccountAccessRole/test is not authorized to perform: "
        f"{action} on resource: {resource} with an explicit deny in a service control policy: {arn}"
    )
