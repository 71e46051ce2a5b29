"""A small REST API in the sandbox: one function, that says what it was given, behind a handful of methods."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.credentials import Credentials

from org.sandbox.server import Sandbox
from tests.support.api import ApiAnswer, Clock, api_request, credentials_of
from tests.support.sandbox import assume, create_account, written

REGION = "eu-central-1"
CODE = """
import json, os, time
import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
import urllib.request

def handler(event, context):
    if "call" in event:
        request = AWSRequest("GET", event["call"])
        SigV4Auth(boto3.Session().get_credentials(), "execute-api", os.environ["AWS_REGION"]).add_auth(request)
        asked = urllib.request.Request(event["call"], headers=dict(request.headers.items()))
        return urllib.request.urlopen(asked).status
    how = (event["queryStringParameters"] or {}).get("how")
    if how == "raise":
        raise RuntimeError("asked to")
    if how == "sleep":
        time.sleep(5)
    if how == "who":
        return {"statusCode": 200, "body": boto3.client("sts").get_caller_identity()["Arn"]}
    if how == "large":
        return {"statusCode": 200, "body": "x" * 5000}
    if how == "binary":
        return {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": "AP8=", "isBase64Encoded": True}
    if how == "unsayable":
        return {"statusCode": 200, "headers": {"X-One": "a\\r\\nX-Two: b"}}
    if how == "malformed":
        return {"status": 200}
    if how == "bare":
        return {"statusCode": 204}
    if how == "headers":
        return {"statusCode": 418, "headers": {"X-One": "1"}, "multiValueHeaders": {"X-Two": ["a", "b"]}, "body": "tea"}
    return {"statusCode": 200, "body": json.dumps(event)}
"""
FORMAT = (
    '{"id":"$context.requestId","ip":"$context.identity.sourceIp","who":"$context.identity.userArn",'
    '"method":"$context.httpMethod","path":"$context.resourcePath","status":"$context.status",'
    '"error":"$context.error.responseType","length":"$context.responseLength","nothing":"$context.nothing"}'
)
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}


def operation(*security: str, **more: Any) -> dict[str, Any]:
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
    integration = {"type": "AWS_PROXY", "httpMethod": "POST", "uri": {"Fn::Sub": uri}, "timeoutInMillis": 2000}
    return {
        "security": [{name: [] for name in security}] if security else [],
        "responses": {"200": {"description": "what was given"}},
        "x-amazon-apigateway-integration": integration,
        **more,
    }


def document(paths: Mapping[str, Any] | None = None) -> dict[str, Any]:
    ami = {"name": "ami_id", "in": "path", "required": True, "schema": {"type": "string"}}
    depth = {"name": "depth", "in": "query", "required": True, "schema": {"type": "integer"}}
    model = {"$ref": "#/components/schemas/Query"}
    return {
        "openapi": "3.0.3",
        "info": {"title": "small", "version": "1"},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": "all",
        "components": {
            "securitySchemes": {
                "iam": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
                "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
                "pool": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "x-amazon-apigateway-authtype": "cognito_user_pools",
                    "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": ["arn:x"]},
                },
            },
            "schemas": {
                "Id": {"type": "string", "pattern": "^ami-[0-9a-f]+$"},
                "Query": {
                    "type": "object",
                    "required": ["ids"],
                    "additionalProperties": False,
                    "properties": {"ids": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}}},
                },
            },
        },
        "paths": paths
        or {
            "/images/{ami_id}": {"parameters": [ami], "get": operation("iam"), "delete": operation("iam")},
            "/images/latest": {"get": operation("iam")},
            "/deep": {"get": operation("iam", parameters=[depth])},
            "/query": {"post": operation("iam", requestBody={"content": {"application/json": {"schema": model}}})},
            "/open": {"get": operation()},
            "/keyed": {"get": operation("key")},
            "/pool": {"get": operation("pool")},
            "/any/{rest+}": {"x-amazon-apigateway-any-method": operation("iam")},
        },
    }


def zipped(code: str) -> bytes:
    text = io.BytesIO()
    with zipfile.ZipFile(text, "w") as archive:
        archive.writestr("app.py", code)
    return text.getvalue()


def role(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    policies = [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": policies if statements else [],
        },
    }


def template(*, api: Mapping[str, Any] | None = None, stage: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """Write the template; `more` are further resources, and a deployment is made anew where its name changes."""
    deployment = more.pop("deployment", "Deployment")
    resources: dict[str, Any] = {
        "Role": role("lambda.amazonaws.com", {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "small",
                "Handler": "app.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Timeout": 10,
                "Code": {"S3Bucket": "code-of-small", "S3Key": "code.zip"},
            },
        },
        "LogRole": role("apigateway.amazonaws.com"),
        "Account": {
            "Type": "AWS::ApiGateway::Account",
            "Properties": {"CloudWatchRoleArn": {"Fn::GetAtt": ["LogRole", "Arn"]}},
        },
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "access"}},
        "Api": {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {
                "Name": "small",
                "Body": document(),
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "BinaryMediaTypes": ["image/png"],
                "MinimumCompressionSize": 1000,
                **(api or {}),
            },
        },
        deployment: {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}},
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "DependsOn": ["Account"],
            "Properties": {
                "StageName": "live",
                "RestApiId": {"Ref": "Api"},
                "DeploymentId": {"Ref": deployment},
                "AccessLogSetting": {"DestinationArn": {"Fn::GetAtt": ["Log", "Arn"]}, "Format": FORMAT},
                "Variables": {"colour": "blue"},
                "TracingEnabled": True,
                **(stage or {}),
            },
        },
        **more,
    }
    return {"Resources": resources, "Outputs": {"Api": {"Value": {"Ref": "Api"}}}}


@dataclass(slots=True)
class Small:
    """The account that has the API, a reader's and a stranger's sessions, and the API itself once it is deployed."""

    sandbox: Sandbox
    clock: Clock
    management: boto3.Session
    account: str
    owner: boto3.Session
    reader: Credentials
    nobody: Credentials
    api_id: str = ""
    function: str = ""
    stacks: list[str] = field(default_factory=list)
    """The templates so far."""

    def deploy(self, body: Any, *, permit: bool = True) -> None:
        """Create the stack, or update it, and let API Gateway invoke the function."""
        cloudformation = self.owner.client("cloudformation")
        text = json.dumps(body)
        if self.stacks and self.stacks[-1] == text:
            return
        if self.stacks:
            cloudformation.update_stack(StackName="small", TemplateBody=text, Capabilities=["CAPABILITY_IAM"])
        else:
            cloudformation.create_stack(StackName="small", TemplateBody=text, Capabilities=["CAPABILITY_IAM"])
        self.stacks.append(text)
        (stack,) = cloudformation.describe_stacks(StackName="small")["Stacks"]
        assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, self.reasons()
        self.api_id = stack["Outputs"][0]["OutputValue"]
        self.function = f"arn:aws:lambda:{REGION}:{self.account}:function:small"
        if permit and len(self.stacks) == 1:
            self.permit(f"arn:aws:execute-api:{REGION}:{self.account}:{self.api_id}/*")

    def permit(self, source: str) -> None:
        self.owner.client("lambda").add_permission(
            FunctionName="small",
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=source,
        )

    def reasons(self) -> list[str]:
        events = self.owner.client("cloudformation").describe_stack_events(StackName="small")["StackEvents"]
        return [each["ResourceStatusReason"] for each in events if each.get("ResourceStatusReason")]

    def ask(self, path: str, credentials: Credentials | None = None, method: str = "GET", **more: Any) -> ApiAnswer:
        """Send a request at the clock's time, as the reader unless other credentials are given."""
        more = {"at": self.clock(), **more}
        return api_request(self.sandbox, self.api_id, "live", method, path, credentials or self.reader, **more)

    def ask_unsigned(self, path: str, method: str = "GET", **more: Any) -> ApiAnswer:
        return api_request(self.sandbox, self.api_id, "live", method, path, None, **more)

    def lines(self) -> list[Any]:
        """Answer the access log, the oldest line first."""
        logs = self.owner.client("logs")
        streams = logs.describe_log_streams(logGroupName="access")["logStreams"]
        found = [
            event
            for stream in streams
            for event in logs.get_log_events(
                logGroupName="access", logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]
        return [json.loads(event["message"]) for event in found]


def small(sandbox: Sandbox, clock: Clock) -> Small:
    """Make the organization, the account and its roles, in a new sandbox."""
    management = sandbox.session(REGION)
    organizations = management.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    account = create_account(organizations, "Lineage")
    owner = member(sandbox, management, account)
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="code-of-small", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="code-of-small", Key="code.zip", Body=zipped(CODE))
    may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    reader, nobody = make_role(sandbox, owner, account, "Reader", may), make_role(sandbox, owner, account, "Nobody")
    return Small(sandbox, clock, management, account, owner, reader, nobody)


def member(sandbox: Sandbox, session: boto3.Session, account: str) -> boto3.Session:
    """Answer a session of the account's own administrator."""
    from org.sandbox.session import session_for

    found = credentials_of(assume(session, account))
    return session_for(sandbox.endpoint, REGION, _as_given(found))


def make_role(
    sandbox: Sandbox, owner: boto3.Session, account: str, name: str, *statements: dict[str, Any]
) -> Credentials:
    """Make a role of the account's, and answer the credentials of a session of it."""
    iam = owner.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=written(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=written(*statements))
    return credentials_of(assume(owner, account, name))


def make_user(owner: boto3.Session, name: str, *statements: dict[str, Any]) -> Credentials:
    """Make a user of the account's, and answer a key of it, which lasts however far the clock is turned."""
    iam = owner.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=written(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _as_given(found: Credentials) -> Any:
    from org.sandbox.session import Credentials as Given

    return Given(found.access_key, found.secret_key, found.token)
