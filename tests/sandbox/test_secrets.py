"""Secrets are made by stacks, the same from the same seed, and read by whom their policies and keys let."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from org.sandbox.secrets import generate
from tests.support.functions import ACCOUNT, REGION, allow, deploy, failure, functions, policy, put_code
from tests.support.sandbox import sandbox_session

ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
KEY = {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy(ROOT)}}}


def secret(**more: Any) -> dict[str, Any]:
    return {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "cursor", **more}}}


def value(session: boto3.Session, id: str = "cursor") -> str:
    return str(session.client("secretsmanager").get_secret_value(SecretId=id)["SecretString"])


@pytest.fixture
def alone() -> Any:
    with sandbox_session(region=REGION) as session:
        yield session


def test_a_secret_has_the_text_that_it_is_given(alone: boto3.Session) -> None:
    ids = deploy(alone, secret(SecretString="s3cret", Description="d"))
    assert ids["Secret"].startswith(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:cursor-")
    assert (value(alone), value(alone, ids["Secret"])) == ("s3cret", "s3cret")
    deploy(alone, secret(SecretString="other"))
    assert value(alone) == "other"
    assert "Description" not in alone.client("secretsmanager").describe_secret(SecretId="cursor")
    alone.client("cloudformation").delete_stack(StackName="s")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        value(alone)


def generated(seed: int) -> str:
    with sandbox_session(seed, REGION) as session:
        deploy(session, secret(GenerateSecretString={"PasswordLength": 40, "ExcludePunctuation": True}))
        return value(session)


def test_what_is_generated_follows_from_the_seed() -> None:
    assert generated(1) == generated(1) != generated(2)
    assert (len(generated(1)), generated(1).isalnum()) == (40, True)


def test_what_was_generated_stays_until_it_is_asked_for_otherwise(alone: boto3.Session) -> None:
    deploy(alone, secret(GenerateSecretString={"PasswordLength": 40}))
    first = value(alone)
    deploy(alone, secret(GenerateSecretString={"PasswordLength": 40}, Description="d"))
    assert value(alone) == first
    deploy(alone, secret(GenerateSecretString={"PasswordLength": 41}, Description="d"))
    assert len(value(alone)) == 41


def test_a_template_has_the_password_under_its_key(alone: boto3.Session) -> None:
    asked = {"SecretStringTemplate": json.dumps({"user": "u"}), "GenerateStringKey": "password"}
    deploy(alone, secret(GenerateSecretString=asked))
    read = json.loads(value(alone))
    assert (read["user"], len(read["password"])) == ("u", 32)


@given(st.integers(4, 60), st.booleans(), st.booleans(), st.text("aZ9!", max_size=4))
def test_a_password_has_each_kind_of_character_and_none_that_is_excluded(
    length: int, numbers: bool, space: bool, excluded: str
) -> None:
    asked = {
        "PasswordLength": length,
        "ExcludeNumbers": not numbers,
        "ExcludePunctuation": True,
        "IncludeSpace": space,
        "ExcludeCharacters": excluded,
    }
    made = generate(asked)
    assert len(made) == length
    assert not set(made) & set(excluded)
    assert any(each.islower() for each in made)
    assert any(each.isupper() for each in made)
    assert any(each.isdigit() for each in made) == numbers
    assert (" " in made) == space


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"SecretString": "s", "GenerateSecretString": {}}, "exactly one"),
        ({"GenerateSecretString": {"PasswordLength": 3}}, "cannot be made"),
        ({"GenerateSecretString": {"Surprise": True}}, "does not emulate Surprise"),
        ({"GenerateSecretString": {"GenerateStringKey": "k"}}, "SecretStringTemplate"),
    ],
)
def test_a_secret_that_cannot_be_made_fails_its_stack(alone: boto3.Session, more: dict[str, Any], why: str) -> None:
    assert why in failure(alone, secret(**more))


def reader(session: boto3.Session, *statements: dict[str, Any]) -> Callable[[], str]:
    """Answer what a user reads who has these permissions alone."""
    iam = session.client("iam")
    name = f"u{len(iam.list_users()['Users'])}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy(*statements)))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    client = session.client(
        "secretsmanager", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    return lambda: str(client.get_secret_value(SecretId="cursor")["SecretString"])


def test_who_reads_needs_the_secret_and_its_key(alone: boto3.Session) -> None:
    ids = deploy(alone, {**KEY, **secret(SecretString="s", KmsKeyId={"Ref": "Key"})})
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{ids['Key']}"
    with pytest.raises(ClientError, match="is not authorized to perform: secretsmanager:GetSecretValue"):
        reader(alone, allow("kms:Decrypt", key))()
    read = allow("secretsmanager:GetSecretValue", ids["Secret"])
    with pytest.raises(ClientError, match=r"AccessDeniedException.*Access to KMS is not allowed"):
        reader(alone, read)()
    elsewhere = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    with pytest.raises(ClientError, match="Access to KMS is not allowed"):
        reader(alone, read, {**allow("kms:Decrypt", key), "Condition": elsewhere})()
    here = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    assert reader(alone, read, {**allow("kms:Decrypt", key), "Condition": here})() == "s"


def test_a_secrets_policy_denies_even_those_that_may(alone: boto3.Session) -> None:
    ids = deploy(alone, secret(SecretString="s"))
    read = reader(alone, allow("secretsmanager:GetSecretValue", ids["Secret"]))
    assert read() == "s"
    denied = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    given = {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": policy(denied)}
    made = {"Type": "AWS::SecretsManager::ResourcePolicy", "Properties": given}
    deploy(alone, {**secret(SecretString="s"), "Policy": made})
    with pytest.raises(ClientError, match="with an explicit deny"):
        read()
    deploy(alone, secret(SecretString="s"))
    assert read() == "s"


def test_a_function_reads_a_secret_with_its_role(served: boto3.Session) -> None:
    put_code(served)
    event = json.dumps({"do": "get", "secret": "cursor"})
    invoke = served.client("lambda").invoke
    deploy(served, {**secret(SecretString="s"), **functions()})
    assert "AccessDeniedException" in invoke(FunctionName="taker", Payload=event)["Payload"].read().decode()
    deploy(served, {**secret(SecretString="s"), **functions(allow("secretsmanager:GetSecretValue"))})
    assert json.loads(invoke(FunctionName="taker", Payload=event)["Payload"].read()) == "s"
