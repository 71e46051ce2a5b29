"""A REST API's OpenAPI document, read into what its front needs to know of each method.

What of it API Gateway would act upon and the sandbox does not is refused; what API Gateway ignores is ignored.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from org.sandbox.gateway.refusals import DEFAULTS

Json = Mapping[str, Any]

IAM = "AWS_IAM"
NONE = "NONE"
COGNITO = "COGNITO_USER_POOLS"
MOST_SECONDS = 29.0
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""

_VERBS = {
    **{verb: verb.upper() for verb in ("get", "put", "post", "delete", "options", "head", "patch")},
    "x-amazon-apigateway-any-method": "ANY",
}
_PLACES = {"query": "querystring", "header": "header", "path": "path"}
_FUNCTION = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(?P<arn>.+)/invocations")
_SEGMENT = re.compile(r"[A-Za-z0-9._~:$-]+|\{[A-Za-z0-9._-]+\+?\}")
_INTEGRATION = frozenset({"httpMethod", "passthroughBehavior", "timeoutInMillis", "type", "uri"})
_ROOT = frozenset(
    {
        "x-amazon-apigateway-api-key-source",
        "x-amazon-apigateway-binary-media-types",
        "x-amazon-apigateway-endpoint-configuration",
        "x-amazon-apigateway-gateway-responses",
        "x-amazon-apigateway-minimum-compression-size",
        "x-amazon-apigateway-policy",
        "x-amazon-apigateway-request-validator",
        "x-amazon-apigateway-request-validators",
    }
)
_OPERATION = frozenset(
    {"x-amazon-apigateway-auth", "x-amazon-apigateway-integration", "x-amazon-apigateway-request-validator"}
)


class Unusable(ValueError):
    """Why a document cannot be imported."""


@dataclass(frozen=True, slots=True)
class Method:
    resource: str
    """`/images/{ami_id}`."""
    verb: str
    """`GET`, …, or `ANY`."""
    function: str
    """The ARN of the function behind it."""
    seconds: float = MOST_SECONDS
    """How long the function is waited for."""
    authorization: str = NONE
    """`NONE`, `AWS_IAM` or `COGNITO_USER_POOLS`."""
    needs_key: bool = False
    validates_body: bool = False
    validates_parameters: bool = False
    required: tuple[tuple[str, str], ...] = ()
    """Places and names: `("querystring", "depth")`."""
    parameters: Mapping[str, bool] = field(default_factory=dict)
    """As API Gateway shows them: `{"method.request.querystring.depth": True}`."""
    models: Mapping[str, Json] = field(default_factory=dict)
    """JSON schemas by content type."""


@dataclass(frozen=True, slots=True)
class Document:
    methods: tuple[Method, ...]
    schemas: Mapping[str, Json]
    policy: Json | None
    gateway_responses: Mapping[str, Json]
    binary_types: tuple[str, ...]
    endpoint: Json
    key_source: str
    compression: int | None


def read_document(body: Json) -> Document:
    """Read an OpenAPI 3.0 document; raises Unusable."""
    if not str(body.get("openapi", "")).startswith("3.0"):
        raise Unusable("the orgctl sandbox reads a Body of OpenAPI 3.0 alone")
    _only(body, _ROOT, "the document")
    responses = body.get("x-amazon-apigateway-gateway-responses") or {}
    unknown = sorted(set(responses) - set(DEFAULTS) - {"DEFAULT_4XX", "DEFAULT_5XX"})
    if unknown:
        raise Unusable(f"there is no gateway response type {', '.join(unknown)}")
    methods = tuple(_methods(body))
    taken = [(re.sub(r"\{[^}]+\}", "{}", each.resource), each.verb) for each in methods]
    for place in {place for place in taken if taken.count(place) > 1}:
        raise Unusable(f"A sibling of the path {place[0]} already has a variable path part -- only one is allowed")
    return Document(
        methods,
        body.get("components", {}).get("schemas", {}),
        body.get("x-amazon-apigateway-policy"),
        responses,
        tuple(body.get("x-amazon-apigateway-binary-media-types", ())),
        body.get("x-amazon-apigateway-endpoint-configuration", {}),
        str(body.get("x-amazon-apigateway-api-key-source", "HEADER")),
        body.get("x-amazon-apigateway-minimum-compression-size"),
    )


def _methods(body: Json) -> Iterator[Method]:
    for path, item in body.get("paths", {}).items():
        segments = [each for each in path.split("/")[1:] if each]
        if not path.startswith("/") or not all(_SEGMENT.fullmatch(each) for each in segments):
            raise Unusable(f"Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable: {path}")
        for name, operation in item.items():
            if name in _VERBS:
                yield _method(body, path, _VERBS[name], item, operation)


def _method(body: Json, path: str, verb: str, item: Json, operation: Json) -> Method:
    where = f"{verb} {path}"
    _only(operation, _OPERATION, where)
    function, seconds = _integration(operation.get("x-amazon-apigateway-integration"), where)
    validator = _validator(body, operation, where)
    parameters = _parameters(body, (*item.get("parameters", ()), *operation.get("parameters", ())))
    authorization, needs_key = _authorization(body, operation, where)
    return Method(
        path,
        verb,
        function,
        seconds,
        authorization,
        needs_key,
        bool(validator.get("validateRequestBody")),
        bool(validator.get("validateRequestParameters")),
        tuple((place, name) for (place, name), needed in parameters.items() if needed),
        {f"method.request.{place}.{name}": needed for (place, name), needed in parameters.items()},
        dict(_models(body, operation)),
    )


def _integration(integration: Json | None, where: str) -> tuple[str, float]:
    if integration is None:
        raise Unusable(f"No integration defined for method {where}")
    if str(integration.get("type", "")).upper() != "AWS_PROXY":
        raise Unusable(f"the orgctl sandbox does not emulate the integration type {integration.get('type')} ({where})")
    unknown = sorted(set(integration) - _INTEGRATION)
    if unknown:
        raise Unusable(f"the orgctl sandbox does not emulate {', '.join(unknown)} of an integration ({where})")
    found = _FUNCTION.fullmatch(str(integration.get("uri", "")))
    if found is None:
        raise Unusable(f"the orgctl sandbox takes the uri of a Lambda function alone ({where})")
    if str(integration.get("httpMethod", "")).upper() != "POST":
        raise Unusable(f"Integrations of type AWS_PROXY must use httpMethod POST for Lambda functions ({where})")
    millis = int(integration.get("timeoutInMillis", MOST_SECONDS * 1000))
    if not 50 <= millis <= MOST_SECONDS * 1000:
        raise Unusable(f"Timeout should be between 50 ms and 29000 ms ({where})")
    return found["arn"], millis / 1000


def _validator(body: Json, operation: Json, where: str) -> Json:
    key = "x-amazon-apigateway-request-validator"
    name = operation.get(key, body.get(key))
    if name is None:
        return {}
    validators: Json = body.get("x-amazon-apigateway-request-validators") or {}
    if name not in validators:
        raise Unusable(f"Invalid request validator {name} specified for method {where}")
    found: Json = validators[name]
    return found


def _parameters(body: Json, listed: tuple[Json, ...]) -> dict[tuple[str, str], bool]:
    """Answer whether each is required; of an operation over those of its path."""
    found: dict[tuple[str, str], bool] = {}
    for each in listed:
        parameter = _resolve(body, each)
        place = _PLACES.get(parameter["in"])
        if place is not None:  # API Gateway knows no parameters in cookies
            found[place, parameter["name"]] = bool(parameter.get("required"))
    return found


def _models(body: Json, operation: Json) -> Iterator[tuple[str, Json]]:
    """Answer the schemas with all that they refer to, for a validator that looks within the schema itself."""
    content = _resolve(body, operation.get("requestBody") or {}).get("content") or {}
    components = {"components": {"schemas": body.get("components", {}).get("schemas", {})}}
    for content_type, media in content.items():
        if "schema" in media:
            yield str(content_type).lower(), {"allOf": [media["schema"]], **components}


def _authorization(body: Json, operation: Json, where: str) -> tuple[str, bool]:
    """Answer who is let in, and whether an API key is asked for.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html
    """
    declared = operation.get("x-amazon-apigateway-auth", {}).get("type")
    if "security" not in operation and body.get("security"):
        # [H]: API Gateway reads the operations' own alone; whoever relies on the document's must not stand open.
        raise Unusable(f"{where} has no security of its own, and the document's is not API Gateway's; give it there")
    found, needs_key = declared or NONE, False
    for requirement in operation.get("security") or ():
        for name in requirement:
            scheme = body.get("components", {}).get("securitySchemes", {}).get(name)
            if scheme is None:
                raise Unusable(f"there is no security scheme {name} ({where})")
            kind = _scheme(scheme, name)
            needs_key = needs_key or kind == "key"
            found = found if kind == "key" else kind
    if found not in {NONE, IAM, COGNITO}:
        raise Unusable(f"the orgctl sandbox does not emulate the authorization {found} ({where})")
    return found, needs_key


def _scheme(scheme: Json, name: str) -> str:
    kind = str(scheme.get("x-amazon-apigateway-authtype", "")).lower()
    if kind == "awssigv4":
        return IAM
    if kind == "cognito_user_pools":
        return COGNITO
    if not kind and scheme.get("type") == "apiKey" and str(scheme.get("name", "")).lower() == "x-api-key":
        return "key"
    raise Unusable(f"the orgctl sandbox does not emulate the security scheme {name}")


def _resolve(body: Json, part: Json) -> Json:
    """Follow a reference within the document."""
    reference = part.get("$ref")
    if reference is None:
        return part
    found: Any = body
    for name in str(reference).removeprefix("#/").split("/"):
        if not isinstance(found, Mapping) or name not in found:
            raise Unusable(f"Unable to resolve {reference}")
        found = found[name]
    resolved: Json = found
    return resolved


def _only(part: Json, known: frozenset[str], where: str) -> None:
    unknown = sorted(name for name in part if name.startswith("x-amazon-apigateway-") and name not in known)
    if unknown:
        raise Unusable(f"the orgctl sandbox does not emulate {', '.join(unknown)} of {where}")
