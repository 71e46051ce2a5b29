"""What moto serves is what was judged: a request that can be read in two ways reaches it in one.

By itself moto takes the account from whatever looks like a key in the signature, the Region from the host or the user
agent, the operation from wherever the word `Action` stands (in a text in a JSON body, too), and parameters from the URL
before the body. Whoever writes a request by hand could have one call judged and another one served. And moto judges
some policies of buckets once more, and not as AWS does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from moto.core import responses
from moto.core.model import OperationModel
from moto.core.responses import BaseResponse
from moto.iam.access_control import PermissionResult
from moto.s3 import responses as s3_responses
from moto.s3.models import FakeBucket

from org.sandbox.authorization.principals import current_operation
from org.sandbox.authorization.requests import FORMS, ReadRequest, Signature, read_signature

_ANY_DAY = "20260101"

_find_region = BaseResponse.get_region_from_url
_find_action = BaseResponse._get_action
_set_up = BaseResponse.setup_class


def plain_headers(signature: Signature, account: str) -> Mapping[str, str]:
    """Answer the headers that tell moto whose key signed the request, for what, and which account serves it."""
    scope = f"{signature.access_key}/{_ANY_DAY}/{signature.region}/{signature.service}/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=judged"
    return {"Authorization": signed, "x-moto-account-id": account}


def plain_query(read: ReadRequest, query: str) -> str:
    """Answer what of the URL's query counts: nothing beside a body, and in REST what the operation knows."""
    if read.protocol in FORMS:
        return "" if read.http.form else query
    if read.protocol == "json":
        return ""
    known = _arguments(read.operation)
    if known is None:
        return query
    return "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]) in known)


def _arguments(operation: OperationModel) -> frozenset[str] | None:
    """Answer the names that the operation takes in the URL; None where it takes any."""
    names = set(operation.http_trait.query_args)
    for name, member in (getattr(operation.input_shape, "members", None) or {}).items():
        if member.serialization.get("location") == "querystring":
            if member.type_name == "map":
                return None
            names.add(str(member.serialization.get("name", name)))
    return frozenset(names)


def _region_signed_for(response: BaseResponse, request: Any, full_url: str) -> str:
    signature = read_signature(request.headers.get("Authorization", ""), {})
    return signature.region or str(_find_region(response, request, full_url))


def _action_judged(response: BaseResponse) -> str | None:
    """Answer the operation that was judged, or moto's own finding in what was not, as an administrator's call.

    Within this process moto chooses the service by the host: [H] what AWS answers where that is not the one signed for.
    """
    found = _find_action(response)  # it also reads the parameters that stand in the path
    judged = current_operation()
    if judged is None:
        return found
    service, operation = judged
    if response.boto3_service_name != service:
        raise NotImplementedError(f"a request that is signed for {service} at the host of {response.service_name}")
    return operation


def _set_up_without_guessing(response: BaseResponse, request: Any, *more: Any, **named: Any) -> None:
    """Leave no parameters but those of a form or of the URL: moto reads any body, and the headers, as a query."""
    _set_up(response, request, *more, **named)
    if not request.form and not request.files:
        url = urlsplit(response.uri)
        response.querystring = response.data = parse_qs(url.query, keep_blank_values=True)


_INSTEAD: tuple[tuple[Any, str, Any], ...] = (
    (responses, "parse_qsl", lambda *_, **__: []),
    (s3_responses, "parse_region_from_url", lambda *_, **__: None),
    (FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL),  # it overlooks conditions and principals
    (BaseResponse, "get_region_from_url", _region_signed_for),
    (BaseResponse, "_get_action", _action_judged),
    (BaseResponse, "setup_class", _set_up_without_guessing),
)


def install() -> None:
    for place, name, ours in _INSTEAD:
        setattr(place, name, ours)
