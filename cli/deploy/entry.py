"""How an account of the organization is entered from the management account. Calls sts:AssumeRole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from org.gateway.connection import Connection
from org.gateway.errors import aws_errors
from org.model import AccountId, Region
from stacksets.templates.names import ACCESS_ROLE

if TYPE_CHECKING:
    import boto3


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
