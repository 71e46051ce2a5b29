"""Lint rules on whole statements: exemptions that exempt nobody, statements that add nothing, sizes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from org.policy.lint_model import Fault, Linted, Rule, Severity
from org.policy.model import Effect, PolicyKind, Statement
from org.policy.patterns import covers
from org.policy.render import minify, normalise, too_long
from org.quotas import load_quotas

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_ORGANIZATIONS = "https://docs.aws.amazon.com/organizations/latest/userguide/"
_TYPES = {
    PolicyKind.SERVICE_CONTROL: "SERVICE_CONTROL_POLICY",
    PolicyKind.RESOURCE_CONTROL: "RESOURCE_CONTROL_POLICY",
}
_NEAR_QUOTA = 0.9


def _find_allow_with_not_action(linted: Linted) -> Iterator[Fault]:
    for statement, places in linted.statements:
        if statement.effect is Effect.ALLOW and statement.not_actions:
            what = "the statement allows every action but those it names, those of future services among them"
            yield places.actions[0], what, "name what it is to allow in Action"


def _find_allow_with_not_principal(linted: Linted) -> Iterator[Fault]:
    for statement, places in linted.statements:
        if statement.effect is Effect.ALLOW and statement.not_principals:
            what = "the statement allows everybody but those it names, the anonymous among them"
            yield places.effect, what, "name whom it is to allow in Principal"


def _find_covered(linted: Linted) -> Iterator[Fault]:
    normal = normalise(linted.policy).statements
    for index, (statement, (_, places)) in enumerate(zip(normal, linted.statements, strict=True)):
        for other_index, other in enumerate(normal):
            both = _says_as_much(other, statement) and _says_as_much(statement, other)
            if index != other_index and _says_as_much(other, statement) and (not both or other_index < index):
                what = f"{other.label!r} says all that this statement does"
                yield places.statement, what, "remove the statement"
                break


def _says_as_much(wide: Statement, narrow: Statement) -> bool:
    """Say whether a statement applies wherever another does, as far as can be told from their text."""
    same = (wide.effect, wide.principals, wide.not_principals) == (
        narrow.effect,
        narrow.principals,
        narrow.not_principals,
    )
    conditions = set(wide.conditions) <= set(narrow.conditions)
    return (
        same
        and conditions
        and _reaches(wide.actions, narrow.actions, wide.not_actions, narrow.not_actions, ignore_case=True)
        and _reaches(
            wide.resources or ("*",),
            narrow.resources or ("*",),
            wide.not_resources,
            narrow.not_resources,
        )
    )


def _reaches(
    wide: tuple[str, ...], narrow: tuple[str, ...], wide_not: bool, narrow_not: bool, *, ignore_case: bool = False
) -> bool:
    if wide_not != narrow_not:
        return "*" in wide and not wide_not
    wide, narrow = (narrow, wide) if wide_not else (wide, narrow)
    return all(
        each in wide
        or any("${" not in general + each and covers(general, each, ignore_case=ignore_case) for general in wide)
        for each in narrow
    )


def _find_wildcards_in_types(linted: Linted) -> Iterator[Fault]:
    """Look at services all of whose resources have a type in their ARN, among those that the actions take."""
    for statement, places in linted.statements:
        formats = {type.arn for entry in linted.actions_of(statement) or () for type in entry.resources if type.arn}
        for resource, place in zip(statement.resources, places.resources, strict=True):
            service, _, name = resource.partition("arn:")[2].partition(":")[2].partition(":")
            ends = [each.split(":", 5)[5] for each in formats if each.split(":")[2] == service]
            type = re.split("[/:]", name.split(":", 2)[-1])[0]
            partly = set(type) & set("*?") and type.strip("*") and "$" not in type
            if partly and ends and all(re.match(r"[a-z][A-Za-z0-9-]*[/:]", end) for end in ends):
                what = f"{resource!r} has a wildcard in the type of the resource, {type!r}"
                yield place, what, f"write the type out, as in {min(ends).partition('$')[0]}*"


def _find_denies_without_sid(linted: Linted) -> Iterator[Fault]:
    for statement, places in linted.statements:
        if linted.kind in _TYPES and statement.effect is Effect.DENY and not statement.sid:
            yield places.statement, "the Deny has no Sid to be named by", "add one that says what it protects"


def _find_missing_resources(linted: Linted) -> Iterator[Fault]:
    for statement, places in linted.statements:
        if linted.kind is PolicyKind.SERVICE_CONTROL and not statement.resources:
            yield places.statement, "the statement has no Resource, and AWS may refuse it", 'write "Resource": "*"'


def _find_odd_sids(linted: Linted) -> Iterator[Fault]:
    for statement, places in linted.statements:
        if linted.kind in _TYPES and not re.fullmatch(r"[A-Za-z0-9]*", statement.sid):
            yield places.sid, f"the Sid {statement.sid!r} holds other than letters and digits", "leave them out"


def _quota(linted: Linted) -> Iterable[int]:
    type = _TYPES.get(linted.kind)
    return () if type is None else (load_quotas().policy(type).max_bytes,)


def _find_over_quota(linted: Linted) -> Iterator[Fault]:
    for most in _quota(linted):
        if linted.size > most:
            yield linted.placed.place, *too_long(linted.size, most, "", len(minify(linted.policy)))


def _find_near_quota(linted: Linted) -> Iterator[Fault]:
    for most in _quota(linted):
        if most * _NEAR_QUOTA <= linted.size <= most:
            what = f"the policy has {linted.size:,} of {most:,} characters that AWS allows"
            yield linted.placed.place, what, "split it before it is full"


RULES = (
    Rule(
        "allow-not-action",
        Severity.WARNING,
        "An Allow with NotAction also allows what AWS adds later.",
        _GUIDE + "reference_policies_elements_notaction.html",
        _find_allow_with_not_action,
    ),
    Rule(
        "allow-not-principal",
        Severity.ERROR,
        "An Allow with NotPrincipal allows everybody else, the anonymous among them.",
        _GUIDE + "reference_policies_elements_notprincipal.html",
        _find_allow_with_not_principal,
    ),
    Rule(
        "covered-statement",
        Severity.WARNING,
        "Another statement of the policy says all that this one does.",
        _GUIDE + "reference_policies_evaluation-logic.html",
        _find_covered,
    ),
    Rule(
        "wildcard-in-type",
        Severity.WARNING,
        "A Resource has a wildcard in the part of its ARN that names the resource's type, where AWS allows none.",
        _GUIDE + "reference_identifiers.html",
        _find_wildcards_in_types,
    ),
    Rule(
        "deny-without-sid",
        Severity.NOTE,
        "A Deny of an organization's policy has no Sid to be named by.",
        _GUIDE + "reference_policies_elements_sid.html",
        _find_denies_without_sid,
    ),
    Rule(
        "no-resource",
        Severity.WARNING,
        "A statement of a service control policy has no Resource.",
        _ORGANIZATIONS + "orgs_manage_policies_scps_syntax.html",
        _find_missing_resources,
    ),
    Rule(
        "odd-sid",
        Severity.NOTE,
        "A Sid holds other than letters and digits.",
        _GUIDE + "reference_policies_elements_sid.html",
        _find_odd_sids,
    ),
    Rule(
        "over-quota",
        Severity.ERROR,
        "The policy is longer than AWS allows for its type.",
        _ORGANIZATIONS + "orgs_reference_limits.html",
        _find_over_quota,
    ),
    Rule(
        "near-quota",
        Severity.NOTE,
        "The policy has used nine tenths of the length that AWS allows.",
        _ORGANIZATIONS + "orgs_reference_limits.html",
        _find_near_quota,
    ),
)
