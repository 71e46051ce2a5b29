"""The request validator: required parameters and the body's model.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError

from org.sandbox.gateway.refusals import Refused
from org.sandbox.gateway.requests import ApiRequest
from org.sandbox.gateway.routes import Route


def validate(request: ApiRequest, route: Route) -> None:
    """Raise Refused where the request is not what the method's validator wants.

    A required parameter must not be blank. A body whose content type has no model is not looked at. API Gateway leaves
    some keywords out (`minItems`, `maxItems`, `oneOf`, …): here the whole schema counts, as draft 4 has it.
    """
    method = route.method
    if method.validates_parameters:
        given: Mapping[str, Mapping[str, str]] = {
            "querystring": dict(request.query),
            "header": request.headers,
            "path": route.path_parameters,
        }
        missing = [name for place, name in method.required if not _value(given[place], place, name)]
        if missing:
            message = f"Missing required request parameters: [{', '.join(missing)}]"
            raise Refused("BAD_REQUEST_PARAMETERS", message)
    if method.validates_body:
        content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        schema = method.models.get(content_type, method.models.get("$default"))
        if schema is not None and not _fits(request.body, schema):
            raise Refused("BAD_REQUEST_BODY", "Invalid request body")


def _value(given: Mapping[str, str], place: str, name: str) -> str:
    return given.get(name.lower() if place == "header" else name, "")


def _fits(body: bytes, schema: Mapping[str, Any]) -> bool:
    try:
        Draft4Validator(schema).validate(json.loads(body))
    except (ValidationError, ValueError):
        return False
    return True
