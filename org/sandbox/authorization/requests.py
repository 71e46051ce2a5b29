"""What an HTTP request asks for, read by botocore's models of the services."""

from __future__ import annotations

import gzip
import io
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import UnknownServiceError
from botocore.validate import ParamValidator
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from org.sandbox.authorization.model import ApiCall
from org.sandbox.iam import find_account_of

FORMS = frozenset({"query", "ec2"})
"""The protocols whose parameters are those of a form."""

_CREDENTIAL = re.compile(r"(?P<key>[^/=\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+", re.DOTALL)
_SHORTEST_ARN = 20
_LENGTH = "have length greater than or equal to"
_OLDER = re.compile(r"AWS (?P<key>[^:\s]+):")


@dataclass(frozen=True, slots=True)
class Signature:
    """Whose key signed a request, and for what; all empty where nobody did."""

    access_key: str = ""
    region: str = ""
    service: str = ""
    is_older: bool = False
    """Of version 2, which only S3 takes."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    call: ApiCall
    operation: OperationModel
    protocol: str
    http: Request
    prefix: str
    """Of the service's IAM actions."""
    signature: Signature = Signature()


class MalformedRequest(Exception):
    """A request whose operation is known and whose body cannot be read as that operation's."""

    def __init__(self, read: ReadRequest, why: str) -> None:
        super().__init__(why)
        self.read = read


@dataclass(frozen=True, slots=True)
class ServiceNames:
    signed: Mapping[str, list[str]]
    prefixes: Mapping[str, str]
    codes: Mapping[str, str]
    passed_to: Mapping[str, str]
    shown: Mapping[str, str]


@cache
def service_names() -> ServiceNames:
    data = tomllib.loads(Path(__file__).with_name("services.toml").read_text(encoding="utf-8"))
    return ServiceNames(data["signed"], data["prefixes"], data["codes"], data["passed_to"], data["shown"])


def read_signature(authorization: str, query: Mapping[str, str]) -> Signature:
    """Read the header or, of a presigned URL, the query.

    SDKs still presign for S3 in the older way, which names no Region: [H] it is the first one.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
    """
    found = _CREDENTIAL.search(authorization) or _CREDENTIAL.search(unquote(query.get("X-Amz-Credential", "")))
    if found:
        return Signature(found["key"], found["region"], found["service"])
    older = _OLDER.match(authorization)
    key = older["key"] if older else query.get("AWSAccessKeyId", "")
    return Signature(key, "us-east-1", "s3", is_older=True) if key else Signature()


def read_request(request: Request, signature: Signature) -> ReadRequest | None:
    """Answer what the request asks for; None where no service that it may be for knows such an operation."""
    names = service_names()
    if signature.service != "s3":
        request = _unpack(request)
    for service in names.signed.get(signature.service, [signature.service]):
        try:
            model = get_service_model(service)
            protocol = determine_request_protocol(model, request.content_type)
            if protocol in FORMS:
                request = _without_query(request)
            operation, uri = get_service_router(service).match(request)
        except (NotFound, NotImplementedError, UnknownServiceError):
            continue
        if not _is_of_version(request, model):
            continue
        account = find_account_of(signature.access_key)
        call = ApiCall(service, str(operation.name), {}, signature.region, account, signature.access_key)
        read = ReadRequest(
            call, operation, protocol, request, names.prefixes.get(service, signature.service), signature
        )
        try:
            parameters = _parse(request, operation, protocol, uri)
        except Exception as error:  # whatever a parser breaks over, it is the caller's body that it cannot read
            raise MalformedRequest(read, f"cannot be read as {operation.name}: {error}") from error
        if operation.name == "AssumeRole" and (fault := _fault_of_role(parameters.get("RoleArn"))):
            raise MalformedRequest(read, fault)
        return replace(read, call=replace(call, parameters=parameters))
    return None


def problems_of(read: ReadRequest) -> str:
    """Answer what of the parameters is not as the operation's model has it; empty where all is."""
    shape = read.operation.input_shape
    return str(ParamValidator().validate(read.call.parameters, shape).generate_report()) if shape is not None else ""


def _fault_of_role(arn: object) -> str:
    """Say in AWS's words what is wrong with the ARN of a role that is to be assumed, before anybody is asked.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html; [H]: what is said of a long one.
    """
    if isinstance(arn, str) and _ROLE.fullmatch(arn):
        return ""
    if isinstance(arn, str) and len(arn) >= _SHORTEST_ARN:
        return f"{arn} is invalid"
    shown, must = ("null", "not be null") if arn is None else (f"'{arn}'", f"{_LENGTH} {_SHORTEST_ARN}")
    return f"1 validation error detected: Value {shown} at 'roleArn' failed to satisfy constraint: Member must {must}"


def _unpack(request: Request) -> Request:
    if request.content_encoding != "gzip":
        return request
    return _change(request, gzip.decompress(request.get_data()), HTTP_CONTENT_ENCODING="")


def _without_query(request: Request) -> Request:
    """Leave the parameters of the body, where it has any."""
    body = request.get_data()
    return _change(request, body, QUERY_STRING="") if request.form and request.query_string else request


def _change(request: Request, body: bytes, **environment: str) -> Request:
    changed = {**request.environ, **environment, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    changed.pop("werkzeug.request", None)
    return Request(changed)


def _is_of_version(request: Request, model: ServiceModel) -> bool:
    """Tell the two load balancing services apart, which share names of operations."""
    version = request.values.get("Version", "") if "Action" in request.values else ""
    return not version or version == model.api_version


def _parse(request: Request, operation: OperationModel, protocol: str, uri: dict[str, Any]) -> Mapping[str, Any]:
    if protocol == "json":
        json.loads(request.data or b"{}")  # the parser takes what is no JSON for empty
    parser = PROTOCOL_PARSERS[protocol](operation)
    parsed: Mapping[str, Any] = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": uri,
        }
    )
    return {**uri, **(parsed or {})}
