"""Rules about what an image descends from."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.lineage.compliance.descents import Descended
from handlers.lineage.compliance.subject import Subject
from handlers.lineage.compliance.verdicts import Result, Rule, Verdict
from handlers.lineage.model import Evidence
from handlers.lineage.queries.things import CREATION_METHOD
from handlers.lineage.queries.verify import Result as Descent

SHOWN = 3
"""Names and evidences in a verdict: a descent may have thousands."""


def lineage(subject: Subject) -> Verdict:
    """It is known how it was made, and from there up to trusted roots. That an instance runs it tells nothing."""
    rules, rule = subject.settings.compliance.lineage, Rule.LINEAGE
    method = subject.said(CREATION_METHOD)
    if method is None and not subject.made and not subject.of_others:
        return Verdict(rule, Result.NON_COMPLIANT, "it is not known how it was made")
    if not subject.settings.trusted_owners:
        return Verdict(rule, Result.NOT_EVALUATED, "no owner of roots is trusted: none is set")
    found = subject.descent
    if found.cut_short:
        return _too_far(rule)
    if found.result is Descent.BROKEN:
        return Verdict(rule, Result.NON_COMPLIANT, _missing(found), _evidence(subject))
    if found.result is Descent.UNTRUSTED_ROOT:
        return Verdict(rule, Result.NON_COMPLIANT, _untrusted(found), _evidence(subject))
    hop = found.writable
    if hop is not None and rules.at_least == "verified":
        says = f"its content is not sure: between {_name(hop.child)} and {_name(hop.parent)}, {hop.why}"
        return Verdict(rule, Result.NON_COMPLIANT, says, _evidence(subject))
    says = f"its descent is {found.result.value}, up to {_names(found.roots)}"
    return Verdict(rule, Result.COMPLIANT, says, _evidence(subject))


def trusted_root(subject: Subject) -> Verdict:
    """All that it descends from begins with images of trusted owners."""
    rule = Rule.TRUSTED_ROOT
    if not subject.settings.trusted_owners:
        return Verdict(rule, Result.NOT_EVALUATED, "no owner of roots is trusted: none is set")
    found = subject.descent
    if found.cut_short:
        return _too_far(rule)
    if found.untrusted:
        return Verdict(rule, Result.NON_COMPLIANT, _untrusted(found), _evidence(subject))
    if found.result is Descent.BROKEN:
        return Verdict(rule, Result.NOT_EVALUATED, _missing(found), _evidence(subject))
    says = f"it descends from {_names(found.roots)} alone"
    return Verdict(rule, Result.COMPLIANT, says, _evidence(subject))


def unbroken(subject: Subject) -> Verdict:
    """Nothing is missing on the way up."""
    found = subject.descent
    if found.cut_short:
        return _too_far(Rule.UNBROKEN)
    if found.result is Descent.BROKEN:
        return Verdict(Rule.UNBROKEN, Result.NON_COMPLIANT, _missing(found), _evidence(subject))
    return Verdict(Rule.UNBROKEN, Result.COMPLIANT, "nothing is missing on the way up", _evidence(subject))


def _too_far(rule: Rule) -> Verdict:
    return Verdict(rule, Result.NOT_EVALUATED, "it descends from more than can be looked at")


def _missing(found: Descended) -> str:
    first, more = found.missing[0], len(found.missing) - 1
    return f"of {_name(first.about)}, {first.says}" + (f" (and {more} more)" if more else "")


def _untrusted(found: Descended) -> str:
    return f"it begins with {_names(found.untrusted)}, and no trusted owner is said to have it"


def _evidence(subject: Subject) -> tuple[Evidence, ...]:
    """Who says how it was made; what lies above can be asked for (`verify`, `evidence`)."""
    return tuple(fact.evidence for fact in subject.made[:SHOWN])


def _names(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(map(_name, keys[:SHOWN])) + more


def _name(key: str) -> str:
    return key.split("/", 3)[-1]
