"""The sandbox as a server, and what keeps its clients off the real AWS."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from org.errors import OrgctlError
from org.sandbox import install as installer
from org.sandbox.server import Sandbox, in_process_sandbox
from org.sandbox.session import sandbox_environment, session_for
from tests.support.sandbox import create_account, create_unit, refused, root_of

ENVIRONMENT = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_STS": "https://sts.eu-west-1.amazonaws.com",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "HTTP_PROXY": "http://proxy.invalid:3128",
    "http_proxy": "http://proxy.invalid:3128",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def session(sandbox: Sandbox) -> boto3.Session:
    control(sandbox, "POST", "reset")
    session = sandbox.session()
    session.client("organizations").create_organization()
    return session


def control(sandbox: Sandbox, method: str, what: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
    connection.request(method, f"/orgctl-sandbox/{what}")
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_a_form_that_comes_in_chunks_is_read(sandbox: Sandbox, session: boto3.Session) -> None:
    key = session.get_credentials().access_key
    signed = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Authorization": signed, "Content-Type": "application/x-www-form-urlencoded"}
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
    form = iter([b"Action=GetCaller", b"Identity&Version=2011-06-15"])
    connection.request("POST", "/", form, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, b"<GetCallerIdentityResult>" in answer.read()) == (200, True)
    connection.close()


def test_an_organization_is_built_over_http(session: boto3.Session) -> None:
    organizations = session.client("organizations")
    unit, account = create_unit(organizations, "A"), create_account(organizations, "Audit")
    organizations.move_account(AccountId=account, SourceParentId=root_of(organizations), DestinationParentId=unit)
    assert [each["Id"] for each in organizations.list_accounts_for_parent(ParentId=unit)["Accounts"]] == [account]


def test_errors_carry_their_reason_over_http(session: boto3.Session) -> None:
    message = "You attempted to close the management account."
    with refused("ConstraintViolationException", message, "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"):
        session.client("organizations").close_account(AccountId="123456789012")


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "named"),
    [
        ("organizations", "describe_resource_policy", {}, "organizations:DescribeResourcePolicy"),
        ("account", "list_regions", {}, "account:POST /listRegions"),
        ("iam", "generate_service_last_accessed_details", {"Arn": "x" * 20}, "iam:GenerateServiceLastAccessedDetails"),
        ("accessanalyzer", "list_analyzers", {}, "access-analyzer:GET /analyzer"),
    ],
)  # fmt: skip
def test_what_is_not_emulated_is_an_error_that_names_it(
    session: boto3.Session, service: Any, operation: str, parameters: dict[str, Any], named: str
) -> None:
    message = f"the orgctl sandbox does not emulate {named}"
    with refused("NotImplementedException", message):
        getattr(session.client(service), operation)(**parameters)
    with in_process_sandbox() as inside, refused("NotImplementedException", message):
        getattr(inside.client(service), operation)(**parameters)


def break_down(*_: Any, **__: Any) -> None:
    raise KeyError("shelf")


@pytest.mark.parametrize(
    ("backend", "method", "service", "operation"),
    [
        ("moto.iam.models.IAMBackend", "list_roles", "iam", "list_roles"),
        ("moto.sqs.models.SQSBackend", "list_queues", "sqs", "list_queues"),
    ],
)
def test_a_bug_is_an_error_that_names_the_operation_is_not_retried_and_is_in_the_log(
    session: boto3.Session,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    backend: str,
    method: str,
    service: Any,
    operation: str,
) -> None:
    monkeypatch.setattr(f"{backend}.{method}", break_down)
    named = f"{service}:{operation.title().replace('_', '')}"
    with pytest.raises(ClientError) as caught:
        getattr(session.client(service), operation)()
    assert caught.value.response["Error"]["Code"] == "InternalFailure"
    assert caught.value.response["Error"]["Message"] == (
        f"the orgctl sandbox broke over {named}: KeyError: 'shelf'; the traceback is in its log, sandbox.log"
    )
    (record,) = (record for record in caplog.records if record.name == "org.sandbox.failures")
    assert (record.getMessage(), record.exc_info is not None) == (f"{named} broke", True)


def test_a_missing_resource_is_still_the_error_of_its_service(session: boto3.Session) -> None:
    with refused("NoSuchBucket", "The specified bucket does not exist"):
        session.client("s3").list_objects_v2(Bucket="nobody-has-this")


def test_many_threads_at_once_find_one_consistent_organization(session: boto3.Session) -> None:
    organizations = session.client("organizations")
    root = root_of(organizations)

    def create(number: int) -> None:
        organizations.create_organizational_unit(ParentId=root, Name=f"U{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(40)))
    pages = organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=root)
    assert len({unit["Id"] for page in pages for unit in page["OrganizationalUnits"]}) == 40


def test_a_reset_empties_the_sandbox_and_gives_the_same_ids_again(sandbox: Sandbox) -> None:
    ids = []
    for _ in range(2):
        control(sandbox, "POST", "reset")
        organizations = sandbox.session().client("organizations")
        ids.append((organizations.create_organization()["Organization"]["Id"], create_account(organizations, "X")))
    assert ids[0] == ids[1]


def test_a_port_that_is_taken_is_said(sandbox: Sandbox) -> None:
    with pytest.raises(OrgctlError) as caught:
        Sandbox(port=sandbox.port)
    assert str(caught.value) == (
        f"sandbox: port {sandbox.port} is taken by another program; "
        "give another one with --port, or none to have a free one chosen"
    )


def test_only_this_machine_can_connect(sandbox: Sandbox) -> None:
    assert sandbox._server.socket.getsockname() == ("127.0.0.1", sandbox.port)


# --- never the real AWS


def test_a_session_goes_to_the_sandbox_whatever_the_environment_says(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    session = session_for(sandbox.endpoint, "eu-central-1")
    client = session.client("sts", region_name="eu-west-1")
    assert client.meta.endpoint_url == sandbox.endpoint
    assert client.get_caller_identity()["Account"] == "123456789012"
    given = session.get_credentials()
    assert given is not None
    assert given.access_key == "orgctl-sandbox"
    assert session.client("s3", endpoint_url="https://s3.amazonaws.com").meta.endpoint_url == sandbox.endpoint
    assert session.resource("s3").meta.client.meta.endpoint_url == sandbox.endpoint


def test_the_sandbox_within_this_process_reads_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with in_process_sandbox() as session:
        assert session.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_a_session_is_refused_for_an_endpoint_elsewhere() -> None:
    with pytest.raises(OrgctlError) as caught:
        session_for("https://sts.amazonaws.com")
    assert str(caught.value) == "sandbox https://sts.amazonaws.com: is not on this machine; orgctl sandbox start"


def test_any_sdk_goes_to_the_sandbox_with_its_environment(sandbox: Sandbox) -> None:
    environ = {**os.environ, **ENVIRONMENT}
    for name, value in sandbox_environment(sandbox.endpoint, "eu-central-1", environ).items():
        environ.pop(name, None)
        if value is not None:
            environ[name] = value
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'], boto3.Session().region_name)"
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("123456789012 eu-central-1\n", "")


def test_the_environment_says_what_to_unset() -> None:
    variables = sandbox_environment("http://127.0.0.1:5000", "eu-central-1", {**ENVIRONMENT, "NO_PROXY": "intra"})
    assert variables == {
        "AWS_PROFILE": None,
        "AWS_SESSION_TOKEN": None,
        "AWS_ENDPOINT_URL_STS": None,
        "AWS_USE_FIPS_ENDPOINT": None,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
        "AWS_ACCESS_KEY_ID": "orgctl-sandbox",
        "AWS_SECRET_ACCESS_KEY": "orgctl-sandbox",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "intra,127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


# --- moto


def test_another_version_of_moto_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "version", lambda _: "5.3.0")
    with pytest.raises(OrgctlError) as caught:
        installer.install()
    assert str(caught.value) == (
        "sandbox: moto 5.3.0 is installed, and the sandbox is written for 5.2.5; pip install 'orgctl[sandbox]'"
    )


def test_a_missing_moto_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(installer, "version", missing)
    with pytest.raises(OrgctlError) as caught:
        installer.install()
    assert str(caught.value) == "sandbox: moto is not installed; pip install 'orgctl[sandbox]'"
