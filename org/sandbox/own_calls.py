"""Calls of AWS that the sandbox itself makes, as CloudFormation's resource handlers do, on the services it emulates.

Nobody judges them here: who asked for the stack is judged where the stack is made (`org.sandbox.stack_permissions`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import prepare_request_dict
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.core.exceptions import ServiceException
from moto.core.utils import get_service_model
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Response

from org.sandbox.authorization.one_reading import plain_headers
from org.sandbox.authorization.principals import caller_of, current_caller, serving
from org.sandbox.authorization.requests import Signature
from org.sandbox.dispatch import make_application

_HOST = "http://127.0.0.1"
_NAMELESS = "sandbox"
"""A key that nobody made; the account is told beside it."""


class CallRefused(ServiceException):
    """What a service answered to a call of the sandbox's own; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def make_call(account: str, region: str, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
    """Make a call in an account and Region and answer what boto3 would.

    Numbers and truth values may be texts, as CloudFormation has them, and JSON may be an object. Raises CallRefused
    where the service refuses or is not emulated, and for parameters that the operation does not have.
    """
    model = get_service_model(service)
    described = model.operation_model(operation)
    prepared = _serializer(service).serialize_to_request(_fit(parameters, described.input_shape), described)
    prepare_request_dict(prepared, _HOST)
    signature = Signature(_NAMELESS, region, str(model.signing_name))
    url, body = urlsplit(prepared["url"]), prepared["body"]
    environ = EnvironBuilder(
        path=url.path,
        base_url=_HOST,
        method=prepared["method"],
        query_string=url.query,
        data=body if isinstance(body, bytes | str | Mapping) else body.read(),
        headers=dict(prepared["headers"]) | dict(plain_headers(signature, account)),
    ).get_environ()
    with serving(current_caller() or caller_of("", region)):
        try:
            response = Client(_application(), Response).open(environ)
        except NotImplementedError as error:
            what = f"the orgctl sandbox does not emulate {service}:{operation} as asked: {error}"
            raise CallRefused("NotImplemented", what) from error
    return _read(model, described, response)


def _read(model: ServiceModel, operation: OperationModel, response: Any) -> Any:
    raw = {"status_code": response.status_code, "headers": dict(response.headers), "body": response.get_data()}
    answer = create_parser(model.resolved_protocol).parse(raw, operation.output_shape)  # type: ignore[arg-type]  # some have no answer
    if response.status_code >= 300:
        error = answer.get("Error", {})
        raise CallRefused(str(error.get("Code", response.status_code)), str(error.get("Message", "")))
    return answer


@cache
def _application() -> Any:
    return make_application()


@cache
def _serializer(service: str) -> Any:
    return create_serializer(get_service_model(service).resolved_protocol)


def _fit(value: Any, shape: Shape | None) -> Any:
    """Answer the value in the form of the shape, without what is None."""
    if isinstance(shape, StructureShape):
        _expect(isinstance(value, Mapping), value, "an object")
        for name in value:
            _expect(name in shape.members, name, f"a member of {shape.name}")
        return {name: _fit(each, shape.members[name]) for name, each in value.items() if each is not None}
    if isinstance(shape, ListShape):
        _expect(isinstance(value, list | tuple), value, "a list")
        return [_fit(each, shape.member) for each in value]
    kind = shape.type_name if shape is not None else ""
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value)
    if kind == "boolean" and isinstance(value, str):
        _expect(value in ("true", "false"), value, "true or false")
        return value == "true"
    if kind in ("integer", "long", "float", "double"):
        try:
            return int(value) if kind in ("integer", "long") else float(value)
        except (TypeError, ValueError):
            _expect(False, value, "a number")
    return value


def _expect(holds: bool, value: object, what: str) -> None:  # it is what is expected
    if not holds:
        raise CallRefused("ValidationError", f"Properties validation failed: {value!r} is not {what}")
