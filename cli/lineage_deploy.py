"""Brings the lineage ingest to the lineage account: the functions' code, and the stack of `lineage-ingest`.

Makes AWS calls in that account, which it enters by its access role: S3 and CloudFormation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from org.errors import OrgctlError
from org.gateway.connection import Connection
from org.gateway.errors import aws_errors
from org.model import AccountId, Region
from stacksets.bundle import Bundle, build_bundle
from stacksets.catalog import template_body, templates
from stacksets.templates.names import ACCESS_ROLE

if TYPE_CHECKING:
    import boto3

STACK = "orgctl-lineage-ingest"
_TEMPLATE = "lineage-ingest"
_POLL_SECONDS = 5.0
_MOST_POLLS = 360
_NO_UPDATE = "No updates are to be performed."
_PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@dataclass(frozen=True, slots=True)
class Deployed:
    archive: str
    """The bucket with every event as it came."""
    code_key: str
    made: bool
    """Whether the stack is new."""
    changed: bool
    """Whether it is new or was updated."""


def enter(connection: Connection, account: AccountId, region: Region, role: str = ACCESS_ROLE) -> Connection:
    """Answer a connection to another account, as the management account's people have it."""
    arn = f"arn:aws:iam::{account}:role/{role}"
    with aws_errors(f"account {account}"):
        given = connection.client("sts").assume_role(RoleArn=arn, RoleSessionName="orgctl")["Credentials"]
    return Connection(_session(connection, region, given), connection.endpoint_url, connection.busy_delay)


def _session(connection: Connection, region: Region, given: Mapping[str, str]) -> boto3.Session:
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    if connection.endpoint_url:
        from org.sandbox.session import Credentials, session_for

        return session_for(connection.endpoint_url, region, Credentials(key, secret, token))
    import boto3

    return boto3.Session(
        aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token, region_name=region
    )


def has_ingest(connection: Connection, account: AccountId, region: Region) -> bool:
    """Say whether the stack is there."""
    return _describe(enter(connection, account, region).client("cloudformation", region)) is not None


def deploy_ingest(
    connection: Connection,
    account: AccountId,
    region: Region,
    graph_url: str,
    *,
    sleep: Callable[[float], None],
    parameters: Mapping[str, str] | None = None,
) -> Deployed:
    """Make the stack, or bring it to what is asked; done again, it changes nothing.

    `account` is the lineage account and `region` its home Region, `graph_url` what `handlers.lineage.open` takes, and
    `parameters` are further ones of the template. Raises OrgctlError where the stack does not come to a good end, with
    CloudFormation's reason.
    """
    there, bundle = enter(connection, account, region), build_bundle()
    bucket = f"orgctl-code-{account}-{region}"
    with aws_errors(f"s3 bucket {bucket}"):
        _upload(there.client("s3", region), bucket, region, bundle)
    given = {**(parameters or {}), "CodeBucket": bucket, "CodeKey": bundle.key, "GraphUrl": graph_url}
    with aws_errors(f"stack {STACK} in {account} {region}"):
        cloudformation = there.client("cloudformation", region)
        made = _describe(cloudformation) is None
        changed = _put_stack(cloudformation, given, made=made)
        stack = _wait(cloudformation, sleep)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    return Deployed(outputs["ArchiveBucket"], bundle.key, made, changed)


def _upload(s3: Any, bucket: str, region: Region, bundle: Bundle) -> None:  # noqa: ANN401 - boto3 makes its clients up
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    if bucket not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket, **place)
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_PRIVATE)
    known = s3.list_objects_v2(Bucket=bucket, Prefix=bundle.key).get("Contents", [])
    if not known:
        s3.put_object(Bucket=bucket, Key=bundle.key, Body=bundle.content)


def _put_stack(cloudformation: Any, parameters: Mapping[str, str], *, made: bool) -> bool:  # noqa: ANN401 - as above
    entry = templates()[_TEMPLATE]
    arguments = {
        "StackName": STACK,
        "TemplateBody": template_body(entry.render()),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())],
        "Capabilities": list(entry.capabilities),
    }
    if made:
        cloudformation.create_stack(**arguments)
        return True
    try:
        cloudformation.update_stack(**arguments)
    except ClientError as error:
        if error.response["Error"]["Message"] == _NO_UPDATE:
            return False
        raise
    return True


def _wait(cloudformation: Any, sleep: Callable[[float], None]) -> Mapping[str, Any]:  # noqa: ANN401 - as above
    for _ in range(_MOST_POLLS):
        stack = _describe(cloudformation)
        status = str(stack["StackStatus"]) if stack is not None else "gone"
        if stack is not None and status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return stack
        if not status.endswith("_IN_PROGRESS"):
            raise OrgctlError(
                f"stack {STACK}", f"ended as {status}: {_reason(cloudformation)}", "see its events in AWS"
            )
        sleep(_POLL_SECONDS)
    raise OrgctlError(f"stack {STACK}", "is still in progress", "run again later")


def _reason(cloudformation: Any) -> str:  # noqa: ANN401 - as above
    """Answer what the first resource that failed says: the others were cancelled because of it."""
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in events if each["ResourceStatus"].endswith("_FAILED")]
    return reasons[-1] if reasons else "CloudFormation gives no reason"


def _describe(cloudformation: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - as above
    try:
        (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation's word for a stack that is not there
            return None
        raise
    found: Mapping[str, Any] = stack
    return found
