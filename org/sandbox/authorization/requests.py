"""What an HTTP request asks for, read by botocore's models of the services."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from org.sandbox.authorization.model import ApiCall
from org.sandbox.iam import find_account_of

_CREDENTIAL = re.compile(r"(?P<key>[^/=\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Signature:
    """Whose key signed a request, and for what; all empty where nobody did."""

    access_key: str = ""
    region: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    call: ApiCall
    operation: OperationModel
    protocol: str
    http: Request
    prefix: str
    """Of the service's IAM actions."""


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

    https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
    """
    found = _CREDENTIAL.search(authorization) or _CREDENTIAL.search(unquote(query.get("X-Amz-Credential", "")))
    return Signature(found["key"], found["region"], found["service"]) if found else Signature()


def read_request(request: Request, signature: Signature) -> ReadRequest | None:
    """Answer what the request asks for; None where no service that it may be for knows such an operation."""
    names = service_names()
    for service in names.signed.get(signature.service, [signature.service]):
        try:
            model = get_service_model(service)
            operation, uri = get_service_router(service).match(request)
        except (NotFound, NotImplementedError, UnknownServiceError):
            continue
        if not _is_of_version(request, model):
            continue
        protocol = determine_request_protocol(model, request.content_type)
        try:
            parameters = _parse(request, operation, protocol, uri)
        except RequestParserError:
            return None
        call = ApiCall(
            service,
            str(operation.name),
            parameters,
            signature.region,
            find_account_of(signature.access_key),
            signature.access_key,
        )
        return ReadRequest(call, operation, protocol, request, names.prefixes.get(service, signature.service))
    return None


def _is_of_version(request: Request, model: ServiceModel) -> bool:
    """Tell the two load balancing services apart, which share names of operations."""
    version = request.values.get("Version", "") if "Action" in request.values else ""
    return not version or version == model.api_version


def _parse(request: Request, operation: OperationModel, protocol: str, uri: dict[str, Any]) -> Mapping[str, Any]:
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
