"""The API's OpenAPI document, reduced to what API Gateway imports, with what it asks for besides.

Pure. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html says what it imports:
models are JSON Schema draft 4, so that what later drafts brought is said otherwise or left to the function, which
checks all of it again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]

VERBS = frozenset({"get", "put", "post", "delete", "head", "patch", "options"})
_KEPT = frozenset(
    {"type", "properties", "required", "items", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern"}
    | {"minItems", "maxItems", "uniqueItems", "format", "additionalProperties", "allOf", "anyOf", "oneOf", "not"}
)
_SCHEMAS = "#/components/schemas/"
_REFUSALS: Mapping[str, Json] = {
    # One text for all that may be wrong: templates of these answers put values in and cannot choose, and what tells
    # more (`validationErrorString`) quotes what the caller sent.
    "BAD_REQUEST_BODY": {
        "code": "INVALID_REQUEST",
        "todo": "send JSON that fits the model of this path: there must be a body, and it must parse",
    },
    "BAD_REQUEST_PARAMETERS": {"code": "INVALID_REQUEST"},
    "DEFAULT_4XX": {},
    "DEFAULT_5XX": {},
}
"""What API Gateway says besides its message. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html"""
ELSEWHERE = "/{proxy+}"
"""Every path that is none: the function says so, in the place of a 403 that sounds like a missing signature."""


def gateway_body(document: Json, *, title: str, integration: Json, security: Json, key_required: bool) -> Json:
    """Answer the document for the Body of an AWS::ApiGateway::RestApi.

    `integration` becomes that of every method, `security` the one scheme by which callers are known.
    """
    named = {
        _model_name(name): schema(each) for name, each in document.get("components", {}).get("schemas", {}).items()
    }
    schemes: dict[str, Any] = {"callers": dict(security)}
    asked: list[dict[str, list[str]]] = [{"callers": []}]
    if key_required:
        schemes["api_key"] = {"type": "apiKey", "name": "x-api-key", "in": "header"}
        asked = [{"callers": [], "api_key": []}]
    paths = {
        path: {
            verb: _method(operation, integration, asked)
            for verb, operation in sorted(operations.items())
            if verb in VERBS
        }
        for path, operations in sorted(document["paths"].items())
    }
    proxied = {"parameters": [{"name": "proxy", "in": "path"}]}
    paths[ELSEWHERE] = {"x-amazon-apigateway-any-method": _method(proxied, integration, asked)}
    return {
        "openapi": "3.0.1",
        "info": {"title": title, "version": str(document["info"]["version"])},
        "paths": paths,
        "components": {"schemas": _reachable(named, paths), "securitySchemes": schemes},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {name: _refusal(more) for name, more in _REFUSALS.items()},
    }


def _method(operation: Json, integration: Json, security: object) -> dict[str, Any]:
    method: dict[str, Any] = {
        "security": security,
        "responses": {"200": {"description": "The answer"}},
        "x-amazon-apigateway-integration": dict(integration),
    }
    if parameters := [_parameter(each) for each in operation.get("parameters", ())]:
        method["parameters"] = parameters
    if (body := operation.get("requestBody")) is not None:
        content = body["content"]["application/json"]["schema"]
        method["requestBody"] = {
            "required": bool(body.get("required", False)),
            "content": {"application/json": {"schema": schema(content)}},
        }
    return method


def _parameter(parameter: Json) -> dict[str, Any]:
    """API Gateway looks whether a parameter is there and no more; its values are the function's to check."""
    place = parameter["in"]
    return {
        "name": parameter["name"],
        "in": place,
        "required": place == "path" or bool(parameter.get("required", False)),
        "schema": {"type": "string"},
    }


def schema(given: object) -> Any:  # noqa: ANN401 - JSON
    """Say a schema in draft 4, leaving out what cannot be said there."""
    if isinstance(given, list):
        return [schema(each) for each in given]
    if not isinstance(given, Mapping):
        return given
    if "$ref" in given:
        return {"$ref": _SCHEMAS + _model_name(str(given["$ref"]).removeprefix(_SCHEMAS))}
    said: dict[str, Any] = {}
    for key, value in given.items():
        if key == "properties":
            said[key] = {name: schema(each) for name, each in value.items()}
        elif key == "const":
            said["enum"] = [value]
        elif key in _KEPT:
            said[key] = value if key in {"enum", "required"} else schema(value)
    return said


def _reachable(schemas: Mapping[str, Any], paths: object) -> dict[str, Any]:
    """Keep the models of requests: those of answers say nothing to API Gateway, and make the template large."""
    kept: dict[str, Any] = {}
    waiting = _references(paths)
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = schemas[name]
            waiting |= _references(schemas[name])
    return dict(sorted(kept.items()))


def _references(value: object) -> set[str]:
    if isinstance(value, Mapping):
        found = {str(value["$ref"]).removeprefix(_SCHEMAS)} if "$ref" in value else set()
        return found.union(*(_references(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(each) for each in value))
    return set()


def _model_name(name: str) -> str:
    """Model names are of letters and digits."""
    return re.sub(r"[^A-Za-z0-9]", "", name)


def _refusal(more: Json) -> dict[str, Any]:
    """What API Gateway itself says of a request: nothing internal, and by what to find it in the logs."""
    said = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in more.items())
    body = f'{{"error":$context.error.messageString,"correlation_id":"$context.requestId"{said}}}'
    return {"responseTemplates": {"application/json": body}}
