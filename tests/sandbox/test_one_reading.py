"""A request that can be read in two ways is served as it was judged, whoever wrote it by hand and how."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from org.sandbox.server import Sandbox
from org.sandbox.session import Credentials, isolated_session, session_for
from tests.support.sandbox import assume, create_account, create_policy, written

FORM = "application/x-www-form-urlencoded"
JSON_1_0, JSON_1_1 = "application/x-amz-json-1.0", "application/x-amz-json-1.1"
DENIED = ["iam:CreateUser", "dynamodb:DeleteTable", "ssm:PutParameter", "lambda:CreateFunction", "sqs:PurgeQueue"]


@dataclass(frozen=True)
class Member:
    """A member account whose requests are written by hand."""

    account: str
    key: str
    session: boto3.Session
    management: boto3.Session
    port: int

    def send(
        self,
        service: str,
        body: str | bytes = b"",
        method: str = "POST",
        url: str = "/",
        region: str = "us-east-1",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port)
        signed = {"Authorization": self.sign(service, region), **(headers or {})}
        connection.request(method, url, body, signed)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def open(self, url: str, method: str = "GET") -> tuple[int, str]:
        """Ask for a URL that says itself who signed it."""
        parts = urlsplit(url)
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request(method, f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def sign(self, service: str, region: str = "us-east-1") -> str:
        scope = f"{self.key}/20261126/{region}/{service}/aws4_request"
        return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    def post(self, service: str, headers: Mapping[str, str] | None = None, **form: str) -> tuple[int, str]:
        return self.send(service, urlencode(form), headers={"Content-Type": FORM, **(headers or {})})

    def ask(
        self, service: str, target: str, body: Any, url: str = "/", headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        text = body if isinstance(body, str) else json.dumps(body)
        given = {"Content-Type": JSON_1_1, "X-Amz-Target": target, **(headers or {})}
        return self.send(service, text, url=url, headers=given)


@pytest.fixture(scope="module")
def member() -> Iterator[Member]:
    sandbox = Sandbox()
    sandbox.start()
    management = sandbox.session()
    organizations = management.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    account = create_account(organizations, "Audit")
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    given = management.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    deny = {"Effect": "Deny", "Resource": "*"}
    at_home = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    policy = create_policy(
        organizations,
        "Denied",
        written(
            {**deny, "Action": DENIED}, {**deny, "Action": ["iam:ListGroups", "sqs:ListQueues"], "Condition": at_home}
        ),
    )
    organizations.attach_policy(PolicyId=policy, TargetId=account)
    session = session_for(sandbox.endpoint, "us-east-1", keys)
    yield Member(account, keys.access_key_id, session, management, urlsplit(sandbox.endpoint).port or 0)
    sandbox.stop()


def test_the_action_of_the_body_counts_and_not_that_of_the_url(member: Member) -> None:
    url = f"/?{urlencode({'Action': 'ListUsers', 'Version': '2010-05-08'})}"
    body = urlencode({"Action": "CreateUser", "UserName": "evil", "Version": "2010-05-08"})
    status, text = member.send("iam", body, url=url, headers={"Content-Type": FORM})
    assert status == 403
    assert "not authorized to perform: iam:CreateUser" in text


def test_a_parameter_of_the_url_does_not_hide_that_of_the_body(member: Member) -> None:
    body = urlencode({"Action": "CreateRole", "RoleName": "mine", "AssumeRolePolicyDocument": written()})
    assert member.send("iam", body, url="/?RoleName=other", headers={"Content-Type": FORM})[0] == 200
    names = {role["RoleName"] for role in member.session.client("iam").list_roles()["Roles"]}
    assert "mine" in names
    assert "other" not in names


@pytest.mark.parametrize("place", ["url", "header"])
def test_the_target_counts_and_not_an_action_beside_it(member: Member, place: str) -> None:
    dynamodb = member.session.client("dynamodb")
    dynamodb.create_table(
        TableName=place,
        KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    action = {"Action": "DeleteTable"}
    url, headers = ("/", action) if place == "header" else (f"/?{urlencode(action)}", {})
    body = {"TableName": place}
    status, _ = member.ask("dynamodb", "DynamoDB_20120810.DescribeTable", body, url, headers)
    assert status == 200
    assert place in dynamodb.list_tables()["TableNames"]


def test_a_text_in_a_body_is_no_parameter(member: Member) -> None:
    hidden = "&Action=PutParameter&Name=/evil&Value=1&Type=String&"
    member.ask("ssm", "AmazonSSM.DescribeParameters", {"Filters": [{"Key": "Name", "Values": [hidden]}]})
    assert member.session.client("ssm").describe_parameters()["Parameters"] == []


def test_a_value_with_an_ampersand_is_stored_as_it_is(member: Member) -> None:
    ssm = member.management.client("ssm")
    value = "https://example.com/?a=1&Name=/other&Action=DeleteParameter&Type=SecureString"
    ssm.put_parameter(Name="/link", Value=value, Type="String")
    assert ssm.get_parameter(Name="/link")["Parameter"]["Value"] == value


def test_no_header_names_the_operation_of_a_rest_service(member: Member) -> None:
    target = {"X-Amz-Target": "AWSLambda.CreateFunction"}
    status, text = member.send("lambda", method="GET", url="/2015-03-31/functions/", headers=target)
    assert (status, json.loads(text)["Functions"]) == (200, [])


def test_parameters_in_the_path_are_passed_on(member: Member) -> None:
    route53 = member.session.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    records = route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName="example.com", MaxItems="1")
    assert records["ResourceRecordSets"][0]["Name"] == "example.com."


def test_an_argument_that_the_operation_has_not_is_not_passed_on(member: Member) -> None:
    s3 = member.session.client("s3")
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="k", Body=b"text")
    assert member.send("s3", method="GET", url="/plain/k?acl2&x-id=GetObject&uploadId2=1") == (200, "text")


@pytest.mark.parametrize(
    "headers", [{"User-Agent": "x region/eu-west-1"}, {"Host": "ec2.eu-west-1.amazonaws.com"}], ids=["agent", "host"]
)
def test_the_region_is_the_one_that_the_request_is_signed_for(member: Member, headers: Mapping[str, str]) -> None:
    before = len(member.session.client("ec2", region_name="eu-west-1").describe_vpcs()["Vpcs"])
    assert member.post("ec2", headers, Action="CreateVpc", CidrBlock="10.0.0.0/16", Version="2016-11-15")[0] == 200
    assert len(member.session.client("ec2", region_name="eu-west-1").describe_vpcs()["Vpcs"]) == before


def test_a_service_with_one_endpoint_has_its_region_wherever_the_session_is(member: Member) -> None:
    with pytest.raises(ClientError, match="explicit deny in a service control policy"):
        member.session.client("iam", region_name="eu-west-1").list_groups()
    member.session.client("sqs", region_name="eu-west-1").list_queues()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Moto-Account-Id": "123456789012"},
        {"x_moto_account_id": "123456789012"},
        {"Authorization": "{}AAAA, x=AAAAAAAAAAAAAAAAAAAA/"},
    ],
    ids=["header", "underscores", "key"],
)
def test_the_account_is_the_one_whose_key_signed(member: Member, headers: Mapping[str, str]) -> None:
    given = {name: value.format(member.sign("ec2")) for name, value in headers.items()}
    status, text = member.post("ec2", given, Action="DescribeSecurityGroups", Version="2016-11-15")
    assert (status, f"<ownerId>{member.account}</ownerId>" in text) == (200, True)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_is_served_in_the_account_that_signed_it(member: Member, version: str) -> None:
    bucket = f"presigned-{version}"
    client = member.session.client("s3", config=Config(signature_version=version))
    url = client.generate_presigned_url("create_bucket", Params={"Bucket": bucket})
    assert member.open(url, "PUT")[0] == 200
    assert bucket in {each["Name"] for each in member.session.client("s3").list_buckets()["Buckets"]}
    assert bucket not in {each["Name"] for each in member.management.client("s3").list_buckets()["Buckets"]}


def test_a_bucket_may_refuse_old_signatures_and_the_older_way_to_sign(member: Member) -> None:
    s3 = member.session.client("s3")
    s3.create_bucket(Bucket="strict")
    s3.put_object(Bucket="strict", Key="k", Body=b"text")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::strict/*"}
    old = {**deny, "Condition": {"NumericGreaterThan": {"s3:signatureAge": "600000"}}}
    older = {**deny, "Condition": {"StringEquals": {"s3:signatureversion": "AWS"}}}
    s3.put_bucket_policy(Bucket="strict", Policy=written(old, older))
    urls = {
        version: member.session.client("s3", config=Config(signature_version=version)).generate_presigned_url(
            "get_object", Params={"Bucket": "strict", "Key": "k"}
        )
        for version in ("s3", "s3v4")
    }
    assert member.open(urls["s3v4"]) == (200, "text")
    assert member.open(re.sub(r"X-Amz-Date=\d{8}", "X-Amz-Date=20200101", urls["s3v4"]))[0] == 403
    assert member.open(urls["s3"])[0] == 403
    assert s3.get_object(Bucket="strict", Key="k")["Body"].read() == b"text"


@pytest.mark.parametrize("url", ["http://q/{0}/allowed?/denied", "denied", "http://q/denied"])
def test_a_queue_has_one_name_whatever_its_url(member: Member, url: str) -> None:
    target, body = "AmazonSQS.PurgeQueue", {"QueueUrl": url.format(member.account)}
    status, text = member.send("sqs", json.dumps(body), headers={"Content-Type": JSON_1_0, "X-Amz-Target": target})
    assert status == 400
    assert f"arn:aws:sqs:us-east-1:{member.account}:denied with an explicit deny" in text


def test_a_compressed_body_is_read(member: Member) -> None:
    body = gzip.compress(urlencode({"Action": "CreateUser", "UserName": "evil"}).encode())
    headers = {"Content-Type": FORM, "Content-Encoding": "gzip"}
    status, text = member.send("iam", body, url="/?Action=ListUsers&Version=2010-05-08", headers=headers)
    assert status == 403
    assert "not authorized to perform: iam:CreateUser" in text


DESCRIBE_TABLE, TRANSACT = "DynamoDB_20120810.DescribeTable", "DynamoDB_20120810.TransactWriteItems"


@pytest.mark.parametrize(
    ("target", "body", "reason"),
    [
        (
            DESCRIBE_TABLE,
            '{"TableName":',
            "cannot be read as DescribeTable: Expecting value: line 1 column 14 (char 13)",
        ),
        (TRANSACT, '{"TransactItems": ["x"]}', "cannot be read as TransactWriteItems"),
    ],
)
def test_a_broken_body_is_the_callers_error(member: Member, target: str, body: str, reason: str) -> None:
    status, text = member.ask("dynamodb", target, body)
    assert (status, json.loads(text)["__type"]) == (400, "DynamoDB_20120810#ValidationException")
    assert json.loads(text)["Message"].startswith(reason)


def test_a_parameter_that_is_missing_is_named(member: Member) -> None:
    status, text = member.post("ec2", Action="CopyImage", Name="copy", CopyImageTags="true", Version="2016-11-15")
    assert status == 400
    assert "<Code>InvalidParameterValue</Code>" in text
    assert 'Missing required parameter in input: "SourceRegion"' in text


# --- in process


def test_a_key_called_like_motos_own_interface_is_judged(session: boto3.Session, audit: str) -> None:
    organizations = session.client("organizations")
    policy = create_policy(organizations, "NoObjects", written({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}))
    organizations.attach_policy(PolicyId=policy, TargetId=audit)
    with pytest.raises(ClientError, match="explicit deny in a service control policy"):
        assume(session, audit).client("s3").put_object(Bucket="bucket", Key="a/moto-api/b", Body=b"")


def test_a_request_at_the_host_of_another_service_is_not_served(session: boto3.Session, audit: str) -> None:
    elsewhere: Any = assume(session, audit).client("elasticache", endpoint_url="https://iam.amazonaws.com")
    with pytest.raises(ClientError, match="a request that is signed for elasticache at the host of iam"):
        elsewhere.create_user(UserId="u", UserName="u", Engine="redis", AccessString="x", NoPasswordRequired=True)


def test_a_deleted_key_is_nobodys(session: boto3.Session) -> None:
    iam = session.client("iam")
    iam.create_user(UserName="leaver")
    key = iam.create_access_key(UserName="leaver")["AccessKey"]
    leaver = isolated_session("us-east-1", Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    leaver.client("sts").get_caller_identity()
    iam.delete_access_key(UserName="leaver", AccessKeyId=key["AccessKeyId"])
    with pytest.raises(ClientError) as caught:
        leaver.client("sts").get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"
