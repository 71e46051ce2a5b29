"""What each condition operator compares, one value of the request with all values of the policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any

from org.policy.patterns import ARN_PARTS, UNKNOWN, both, either, escaped, literal, matcher_of, relation

Test = Callable[[str], bool]
Blurred = Callable[[str], int]
_TIME = r"[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?"
_DATE = re.compile(rf"(\d{{4}})(?:-(\d\d)(?:-(\d\d)(?:{_TIME})?)?)?", re.ASCII)
_RANGE = re.compile(r"[0-9a-f:.]+(/\d{1,3})?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operator:
    """One comparison; a negated one holds where the comparison does for none of the policy's values."""

    test: Callable[[tuple[str, ...]], Test]
    negated: bool = False
    variables: bool = False
    """Only string and ARN operators know them."""
    blurred: Callable[[tuple[str, ...]], Blurred] | None = None
    """The same for a value with parts that are not known; None: not known whatever it compares."""


def _equals(values: tuple[str, ...]) -> Test:
    return frozenset(map(literal, values)).__contains__


def _equals_ignoring_case(values: tuple[str, ...]) -> Test:
    chosen = frozenset(literal(value).lower() for value in values)
    return lambda value: value.lower() in chosen


def _blurred_equals(values: tuple[str, ...]) -> Blurred:
    patterns = tuple(escaped(value) for value in values)
    return lambda value: relation(patterns, value)


def _blurred_like(values: tuple[str, ...]) -> Blurred:
    return lambda value: relation(values, value)


def _arn_like(values: tuple[str, ...]) -> Test:
    """Compare part by part: a `*` in one of the first five parts does not reach over a colon.

    A pattern of fewer than six parts (`*`) is compared as a whole [H].
    """
    whole = tuple(value for value in values if value.count(":") < ARN_PARTS - 1)
    tests = [
        [matcher_of((part,)) for part in value.split(":", ARN_PARTS - 1)]
        for value in values
        if value.count(":") >= ARN_PARTS - 1
    ]
    matches_whole = matcher_of(whole)

    def test(value: str) -> bool:
        if whole and matches_whole(value):
            return True
        parts = value.split(":", ARN_PARTS - 1)
        if len(parts) < ARN_PARTS:
            return False
        return any(all(same(part) for same, part in zip(each, parts, strict=True)) for each in tests)

    return test


def _blurred_arn(values: tuple[str, ...]) -> Blurred:
    def test(value: str) -> int:
        parts = value.split(":", ARN_PARTS - 1)
        if len(parts) < ARN_PARTS:
            return UNKNOWN
        return either(_arn_relation(pattern, value, parts) for pattern in values)

    return test


def _arn_relation(pattern: str, value: str, parts: list[str]) -> int:
    wanted = pattern.split(":", ARN_PARTS - 1)
    if len(wanted) < ARN_PARTS:
        return relation((pattern,), value)
    return both(relation((want,), part) for want, part in zip(wanted, parts, strict=True))


def _read(reader: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Callable[[tuple[str, ...]], Test]:
    """Compare what values mean; what cannot be read equals nothing, and is neither less nor greater."""

    def build(values: tuple[str, ...]) -> Test:
        wanted = [read for read in map(reader, values) if read is not None]

        def test(value: str) -> bool:
            given = reader(value)
            return given is not None and any(compare(given, want) for want in wanted)

        return test

    return build


def read_number(text: str) -> Decimal | None:
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def read_date(text: str) -> float | None:
    """Read a date of ISO 8601 (as W3C profiles it) or seconds since 1970; without an offset it is UTC."""
    text = text.strip()
    found = _DATE.fullmatch(text)
    if not found:
        number = read_number(text)
        return None if number is None else float(number)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    zone = "+00:00" if offset in {None, "Z"} else offset
    written = f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    written += f".{(fraction or '0')[:6].ljust(6, '0')}{zone}"
    try:
        return datetime.fromisoformat(written).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _bool(text: str) -> str | None:
    folded = text.strip().lower()
    return folded if folded in {"true", "false"} else None


def read_binary(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _address(values: tuple[str, ...]) -> Test:
    networks = [network for network in map(read_network, values) if network is not None]

    def test(value: str) -> bool:
        try:
            given = ip_address(value.strip())
        except ValueError:
            return False
        return any(given in network for network in networks)

    return test


def read_network(text: str) -> IPv4Network | IPv6Network | None:
    """Read an address or a range in CIDR notation; neither masks nor scopes, which AWS does not know."""
    text = text.strip()
    try:
        return ip_network(text, strict=False) if _RANGE.fullmatch(text) else None
    except ValueError:
        return None


def _strings(test: Callable[[tuple[str, ...]], Test], blurred: Callable[[tuple[str, ...]], Blurred] | None,
             *, negated: bool = False) -> Operator:  # fmt: skip
    return Operator(test, negated, variables=True, blurred=blurred)


def _like(values: tuple[str, ...]) -> Test:
    return matcher_of(values)


OPERATORS: dict[str, Operator] = {
    "StringEquals": _strings(_equals, _blurred_equals),
    "StringNotEquals": _strings(_equals, _blurred_equals, negated=True),
    "StringEqualsIgnoreCase": _strings(_equals_ignoring_case, None),
    "StringNotEqualsIgnoreCase": _strings(_equals_ignoring_case, None, negated=True),
    "StringLike": _strings(_like, _blurred_like),
    "StringNotLike": _strings(_like, _blurred_like, negated=True),
    "ArnEquals": _strings(_arn_like, _blurred_arn),
    "ArnLike": _strings(_arn_like, _blurred_arn),
    "ArnNotEquals": _strings(_arn_like, _blurred_arn, negated=True),
    "ArnNotLike": _strings(_arn_like, _blurred_arn, negated=True),
    "Bool": Operator(_read(_bool, eq)),
    "BinaryEquals": Operator(_read(read_binary, eq)),
    "IpAddress": Operator(_address),
    "NotIpAddress": Operator(_address, negated=True),
}
for _prefix, _reader in (("Numeric", read_number), ("Date", read_date)):
    OPERATORS[f"{_prefix}Equals"] = Operator(_read(_reader, eq))
    OPERATORS[f"{_prefix}NotEquals"] = Operator(_read(_reader, eq), negated=True)
    OPERATORS[f"{_prefix}LessThan"] = Operator(_read(_reader, lt))
    OPERATORS[f"{_prefix}LessThanEquals"] = Operator(_read(_reader, le))
    OPERATORS[f"{_prefix}GreaterThan"] = Operator(_read(_reader, gt))
    OPERATORS[f"{_prefix}GreaterThanEquals"] = Operator(_read(_reader, ge))

NULL = "Null"
