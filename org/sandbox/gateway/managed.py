"""A rough likeness of two of AWS's managed rule groups: the published limits, and a few of the plainest patterns.

AWS does not publish what its rules look for. What passes here may well be blocked by AWS, and the other way round.
Rules and groups that are not listed match nothing.
https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote_to_bytes

from org.sandbox.gateway.inspection import Inspected

_Rule = Callable[[Inspected], bool]


def matching(group: str, inspected: Inspected) -> Iterator[tuple[str, str]]:
    """Answer the rules of the group that match, in their order, each with the label that it puts on."""
    namespace = _NAMESPACES.get(group, "")
    for name, rule in _GROUPS.get(group, {}).items():
        if rule(inspected):
            yield name, f"awswaf:managed:aws:{namespace}:{name}"


def _longer(part: Callable[[Inspected], bytes], most: int) -> _Rule:
    return lambda inspected: len(part(inspected)) > most


def _like(part: Callable[[Inspected], bytes], pattern: bytes) -> _Rule:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda inspected: compiled.search(unquote_to_bytes(part(inspected))) is not None


def _query(inspected: Inspected) -> bytes:
    return inspected.request.query_string.encode()


def _header(name: str) -> Callable[[Inspected], bytes]:
    return lambda inspected: inspected.request.headers.get(name, "").encode()


def _path(inspected: Inspected) -> bytes:
    return inspected.path


def _body(inspected: Inspected) -> bytes:
    return inspected.body


_INCLUSION = rb"\.\./|/etc/passwd"
_METADATA = rb"169\.254\.169\.254"
_SCRIPT = rb"<script\b"
_JNDI = rb"\$\{\s*jndi:"
_NAMESPACES = {
    "AWSManagedRulesCommonRuleSet": "core-rule-set",
    "AWSManagedRulesKnownBadInputsRuleSet": "known-bad-inputs",
}
_GROUPS: Mapping[str, Mapping[str, _Rule]] = {
    "AWSManagedRulesCommonRuleSet": {
        "NoUserAgent_HEADER": lambda inspected: not inspected.request.headers.get("user-agent"),
        "SizeRestrictions_QUERYSTRING": _longer(_query, 2_048),
        "SizeRestrictions_Cookie_HEADER": _longer(_header("cookie"), 10_240),
        "SizeRestrictions_BODY": _longer(_body, 8_192),
        "SizeRestrictions_URIPATH": _longer(_path, 1_024),
        "EC2MetaDataSSRF_BODY": _like(_body, _METADATA),
        "EC2MetaDataSSRF_URIPATH": _like(_path, _METADATA),
        "EC2MetaDataSSRF_QUERYARGUMENTS": _like(_query, _METADATA),
        "GenericLFI_QUERYARGUMENTS": _like(_query, _INCLUSION),
        "GenericLFI_URIPATH": _like(_path, _INCLUSION),
        "GenericLFI_BODY": _like(_body, _INCLUSION),
        "CrossSiteScripting_QUERYARGUMENTS": _like(_query, _SCRIPT),
        "CrossSiteScripting_BODY": _like(_body, _SCRIPT),
        "CrossSiteScripting_URIPATH": _like(_path, _SCRIPT),
    },
    "AWSManagedRulesKnownBadInputsRuleSet": {
        "Log4JRCE_QUERYSTRING": _like(_query, _JNDI),
        "Log4JRCE_BODY": _like(_body, _JNDI),
        "Log4JRCE_URIPATH": _like(_path, _JNDI),
        "Log4JRCE_HEADER": lambda inspected: any(
            re.search(_JNDI, value.encode(), re.IGNORECASE) for value in inspected.request.headers.values()
        ),
        "PROPFIND_METHOD": lambda inspected: inspected.request.verb == "PROPFIND",
    },
}
