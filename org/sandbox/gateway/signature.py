"""Whose a request is: its Signature Version 4 is made again with the caller's secret, and compared.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Key
from botocore.utils import normalize_url_path
from moto.sts.models import sts_backends

from org.sandbox.authorization.principals import Caller, UnusableKey, caller_of
from org.sandbox.gateway.refusals import Refused
from org.sandbox.gateway.requests import ApiRequest
from org.sandbox.iam import find_key, was_deleted
from org.sandbox.session import Credentials

SERVICE = "execute-api"
_SKEW_SECONDS = 5 * 60
_ALGORITHM = "AWS4-HMAC-SHA256"
_PART = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_FORMAT = "%Y%m%dT%H%M%SZ"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
"""AWS goes on with the canonical request and the text to sign, which here would help nobody but a forger."""


def verify(request: ApiRequest, region: str, now: float) -> Caller:
    """Answer who signed the request, for an API in the Region.

    Raises Refused in AWS's words. Signatures in the query (presigned URLs) are not read: such a request is unsigned.
    """
    authorization = request.headers.get("authorization", "")
    if not authorization:
        raise Refused("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    credential, signed, signature = _parts(authorization, request.headers)
    access_key, *scope = credential.split("/")
    if len(scope) != 4 or scope[3] != "aws4_request":
        form = "exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
        raise _incomplete(f"Credential must have {form}, got '{credential}'")
    stamp = request.headers["x-amz-date"]
    _check_scope(scope, stamp, region)
    _check_date(stamp, now)
    secret, token, expiration = _secret_of(access_key)
    if token and request.headers.get("x-amz-security-token") != token:
        raise _unknown()
    if expiration is not None and now > expiration:
        raise Refused("EXPIRED_TOKEN", "The security token included in the request is expired")
    if {"host"} - set(signed) or (token and "x-amz-security-token" not in signed):
        raise Refused("INVALID_SIGNATURE", _MISMATCH)
    if not hmac.compare_digest(signature, _sign(request, signed, Key(access_key, secret), scope, stamp)):
        raise Refused("INVALID_SIGNATURE", _MISMATCH)
    try:
        return caller_of(access_key, region)
    except UnusableKey as error:
        raise _unknown() from error


def _parts(authorization: str, headers: Mapping[str, str]) -> tuple[str, tuple[str, ...], str]:
    found = dict(_PART.findall(authorization)) if authorization.startswith(_ALGORITHM) else {}
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if name not in found
    ]
    if "x-amz-date" not in headers:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        raise _incomplete(" ".join(missing))
    return found["Credential"], tuple(found["SignedHeaders"].lower().split(";")), found["Signature"]


def _incomplete(message: str) -> Refused:
    return Refused("INVALID_SIGNATURE", message, error_type="IncompleteSignatureException")


def _unknown() -> Refused:
    message = "The security token included in the request is invalid."
    return Refused("INVALID_SIGNATURE", message, error_type="UnrecognizedClientException")


def _check_scope(scope: list[str], stamp: str, region: str) -> None:
    date, signed_region, service, _ = scope
    wrong = ""
    if service != SERVICE:
        wrong = f"Credential should be scoped to correct service: '{SERVICE}'."
    elif signed_region != region:
        wrong = f"Credential should be scoped to a valid region, not '{signed_region}'."
    elif not stamp.startswith(date):
        wrong = f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}'"
    if wrong:
        raise Refused("INVALID_SIGNATURE", wrong)


def _check_date(stamp: str, now: float) -> None:
    try:
        then = datetime.strptime(stamp, _FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{stamp}'.") from error
    if abs(now - then) <= _SKEW_SECONDS:
        return
    shown = _show(now)
    if then < now:
        edge = _show(now - _SKEW_SECONDS)
        message = f"Signature expired: {stamp} is now earlier than {edge} ({shown} - 5 min.)"
    else:
        edge = _show(now + _SKEW_SECONDS)
        message = f"Signature not yet current: {stamp} is still later than {edge} ({shown} + 5 min.)"
    raise Refused("INVALID_SIGNATURE", message)


def _show(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime(_FORMAT)


def _secret_of(access_key: str) -> tuple[str, str, float | None]:
    """Answer the key's secret, and the token and the end of its session; raises Refused for a key that nobody made.

    The one key that is known without having been made is that of the sandbox's own sessions.
    """
    own = Credentials()
    found = find_key(access_key)
    if found is None:
        if access_key != own.access_key_id or was_deleted(access_key):
            raise _unknown()
        return own.secret_access_key, "", None
    account, key = found
    if not key.role_arn:
        return str(key.secret_access_key), "", None
    partition = key.role_arn.split(":")[1]
    sessions = sts_backends[account][partition].assumed_roles
    session = next((each for each in sessions if each.access_key_id == access_key), None)
    if session is None:
        raise _unknown()
    ends = session.expiration.replace(tzinfo=UTC).timestamp()
    return str(session.secret_access_key), str(session.session_token), ends


def _canonical_path(path: str) -> str:
    """Answer the path, its segments encoded once more."""
    return quote(normalize_url_path(path), safe="/~")


def _sign(request: ApiRequest, signed: tuple[str, ...], key: Key, scope: list[str], stamp: str) -> str:
    """Answer what the signature should have been; only what the caller signed takes part, and the whole body."""
    digest = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", digest) != digest:
        raise Refused("INVALID_SIGNATURE", _MISMATCH)
    url = f"http://{request.headers.get('host', '')}{request.target}"
    again = AWSRequest(request.verb, url)
    again.context["timestamp"] = stamp
    auth = SigV4Auth(key, SERVICE, scope[1])
    # Not botocore's canonical request, which leaves out headers that others sign.
    canonical = [request.verb, _canonical_path(request.target.partition("?")[0])]
    canonical += [auth.canonical_query_string(again)]
    canonical += [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in sorted(signed)]
    text = auth.string_to_sign(again, "\n".join([*canonical, "", ";".join(sorted(signed)), digest]))
    return str(auth.signature(text, again))
