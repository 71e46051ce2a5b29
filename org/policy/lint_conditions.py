"""Lint rules on conditions: operators, types, values and variables that do not do what they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from org.policy.grammar import NEGATED, OPERATORS, Family
from org.policy.lint_model import Fault, Linted, Rule, Severity
from org.policy.model import Statement
from org.policy.operators import read_network
from org.policy.parse_values import find_arn_fault, has_variable

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
OPERATORS_PAGE = _GUIDE + "reference_policies_elements_condition_operators.html"
SETS_PAGE = _GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html"
_CHECKS = _GUIDE + "access-analyzer-reference-policy-checks.html"
_PRIVATE_V4 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_PRIVATE_V6 = IPv6Network("fc00::/7")
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_EXACT = frozenset({"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"})
_FAMILIES = {  # a key that holds text may hold an ARN, as kms:EncryptionContext:… does
    "String": (Family.STRING, Family.ARN),
    "ARN": (Family.ARN, Family.STRING),
    "Bool": (Family.BOOL,),
    "Numeric": (Family.NUMERIC,),
    "Date": (Family.DATE, Family.NUMERIC),
    "IPAddress": (Family.IP,),
}
_GLOBAL_TYPES = {
    "aws:assumedroot": "Bool", "aws:calledvia": "ArrayOfString", "aws:currenttime": "Date", "aws:epochtime": "Date",
    "aws:multifactorauthage": "Numeric", "aws:multifactorauthpresent": "Bool", "aws:principalarn": "ARN",
    "aws:principalisawsservice": "Bool", "aws:principalorgpaths": "ArrayOfString",
    "aws:principalservicenameslist": "ArrayOfString", "aws:resourceorgpaths": "ArrayOfString",
    "aws:securetransport": "Bool", "aws:sourcearn": "ARN", "aws:sourceip": "IPAddress",
    "aws:sourceorgpaths": "ArrayOfString", "aws:tagkeys": "ArrayOfString", "aws:tokenissuetime": "Date",
    "aws:viaawsservice": "Bool", "aws:vpcsourceip": "IPAddress", "aws:vpceorgpaths": "ArrayOfString",
    "aws:principalaccount": "String", "aws:principalorgid": "String", "aws:principaltype": "String",
    "aws:requestedregion": "String", "aws:resourceaccount": "String", "aws:resourceorgid": "String",
    "aws:sourceaccount": "String", "aws:sourceorgid": "String", "aws:sourcevpc": "String", "aws:sourcevpce": "String",
    "aws:useragent": "String", "aws:userid": "String", "aws:username": "String",
}  # fmt: skip


def _type_of(linted: Linted, statement: Statement, key: str) -> str:
    """Answer the type of a key's values as AWS publishes it; empty where it is not known or services differ."""
    lower = key.lower()
    if lower.startswith("aws:"):
        return _GLOBAL_TYPES.get(lower, "")
    services = {lower.partition(":")[0]} | {entry.service for entry in linted.actions_of(statement) or ()}
    found = (linted.catalog.find_key(service, lower) for service in services)
    types = {entry.type for entry in found if entry is not None}
    return types.pop() if len(types) == 1 else ""


def _find_wrong_families(linted: Linted) -> Iterator[Fault]:
    for statement, condition, at in linted.conditions:
        type = _type_of(linted, statement, condition.key).removeprefix("ArrayOf")
        family = OPERATORS[condition.operator]
        allowed = _FAMILIES.get(type)
        if allowed and family not in {*allowed, Family.NULL}:
            what = f"{condition.operator} compares {_A_FAMILY[family]}, and {condition.key} holds {_A_TYPE[type]}"
            yield at.operator, what, f"use an operator for {_A_TYPE[type]}"


_A_TYPE = {
    "String": "text",
    "ARN": "an ARN",
    "Bool": "a boolean",
    "Numeric": "a number",
    "Date": "a date",
    "IPAddress": "an IP address",
}


_A_FAMILY = {
    Family.STRING: "text",
    Family.NUMERIC: "numbers",
    Family.DATE: "dates",
    Family.BOOL: "booleans",
    Family.BINARY: "binary values",
    Family.IP: "IP addresses",
    Family.ARN: "ARNs",
}


def _find_missing_quantifiers(linted: Linted) -> Iterator[Fault]:
    for statement, condition, at in linted.conditions:
        many = _type_of(linted, statement, condition.key).startswith("ArrayOf")
        if many and not condition.quantifier and condition.operator != "Null":
            what = f"{condition.key} can hold several values, and {condition.operator} says not which must match"
            yield at.operator, what, f"write ForAnyValue:{condition.operator} or ForAllValues:{condition.operator}"


def _find_needless_quantifiers(linted: Linted) -> Iterator[Fault]:
    """Look at global keys only: the types that services publish do not always tell one value from several."""
    for _, condition, at in linted.conditions:
        type = _GLOBAL_TYPES.get(condition.key.lower(), "")
        if condition.quantifier and type and not type.startswith("ArrayOf"):
            what = f"{condition.key} holds one value, and {condition.quantifier} is for keys with several"
            yield at.operator, what, f"write {condition.operator}"


def _find_wildcards_in_equals(linted: Linted) -> Iterator[Fault]:
    for _, condition, at in linted.conditions:
        if condition.operator in _EXACT:
            for value, place in zip(condition.values, at.values, strict=True):
                if set(_VARIABLE.sub("", value)) & set("*?"):
                    what = f"{condition.operator} takes the wildcard in {value!r} for a plain character"
                    yield place, what, f"use {'StringNotLike' if condition.operator in NEGATED else 'StringLike'}"


def _find_likes_without_wildcard(linted: Linted) -> Iterator[Fault]:
    for _, condition, at in linted.conditions:
        plain = not any(set(value) & set("*?$") for value in condition.values)
        if condition.operator in {"StringLike", "StringNotLike"} and condition.values and plain:
            exact = condition.operator.replace("Like", "Equals")
            yield at.operator, f"{condition.operator} has no wildcard in its values", f"{exact} says the same"


def _find_broken_arns(linted: Linted) -> Iterator[Fault]:
    for _, condition, at in linted.conditions:
        if OPERATORS[condition.operator] is Family.ARN:
            for value, place in zip(condition.values, at.values, strict=True):
                fault = find_arn_fault(value) if value else ("the value is empty", "write an ARN")
                if fault is not None and not has_variable(value):
                    yield place, f"{fault[0]}, so that {condition.operator} never matches it", fault[1]


def _is_private(network: IPv4Network | IPv6Network) -> bool:
    if isinstance(network, IPv4Network):
        return any(network.subnet_of(each) for each in _PRIVATE_V4)
    return network.subnet_of(_PRIVATE_V6)


def _find_private_addresses(linted: Linted) -> Iterator[Fault]:
    for _, condition, at in linted.conditions:
        if condition.key.lower() == "aws:sourceip":
            for value, place in zip(condition.values, at.values, strict=True):
                network = read_network(value)
                if network is not None and _is_private(network):
                    yield place, f"aws:SourceIp is never the private address {value}", "compare aws:VpcSourceIp with it"


RULES = (
    Rule(
        "operator-type",
        Severity.WARNING,
        "An operator compares another type than the key holds.",
        OPERATORS_PAGE,
        _find_wrong_families,
    ),
    Rule(
        "missing-quantifier",
        Severity.WARNING,
        "A key with several values is compared without ForAnyValue or ForAllValues.",
        SETS_PAGE,
        _find_missing_quantifiers,
    ),
    Rule(
        "needless-quantifier",
        Severity.WARNING,
        "ForAnyValue or ForAllValues, which also holds where the key is missing, stands before a key with one value.",
        SETS_PAGE,
        _find_needless_quantifiers,
    ),
    Rule(
        "wildcard-in-equals",
        Severity.WARNING,
        "A value with a wildcard is compared by an operator that knows none, and so never matches.",
        OPERATORS_PAGE,
        _find_wildcards_in_equals,
    ),
    Rule(
        "like-without-wildcard",
        Severity.NOTE,
        "A value without wildcards is compared by an operator for patterns.",
        OPERATORS_PAGE,
        _find_likes_without_wildcard,
    ),
    Rule(
        "not-an-arn",
        Severity.ERROR,
        "An ARN operator is given something that is no ARN, and so never matches.",
        OPERATORS_PAGE,
        _find_broken_arns,
    ),
    Rule(
        "private-address",
        Severity.ERROR,
        "A private address is compared with aws:SourceIp, which only ever holds public ones.",
        _CHECKS,
        _find_private_addresses,
    ),
)
