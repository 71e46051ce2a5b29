"""Rules about what an image descends from."""

from __future__ import annotations

from handlers.lineage.compliance.subject import Subject
from handlers.lineage.compliance.verdicts import Result, Rule, Verdict
from handlers.lineage.model import Evidence
from handlers.lineage.queries.reasons import Why
from handlers.lineage.queries.things import CREATION_METHOD
from handlers.lineage.queries.verify import Result as Descent
from handlers.lineage.queries.verify import Verification

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
    found = subject.verification
    if _cut_short(found):
        return _too_far(rule)
    if found.result is Descent.BROKEN:
        return Verdict(rule, Result.NON_COMPLIANT, _missing(found), _evidence(subject))
    if found.result is Descent.UNTRUSTED_ROOT:
        return Verdict(rule, Result.NON_COMPLIANT, _untrusted(found), _evidence(subject))
    if found.result is Descent.UNVERIFIED and rules.at_least == "verified":
        hop = found.writable[0]
        says = f"its content is not sure: between {_name(hop.child)} and {_name(hop.parent)}, {hop.why}"
        return Verdict(rule, Result.NON_COMPLIANT, says, _evidence(subject))
    says = f"its descent is {found.result.value}, up to {_names([each.key for each in found.roots])}"
    return Verdict(rule, Result.COMPLIANT, says, _evidence(subject))


def trusted_root(subject: Subject) -> Verdict:
    """All that it descends from begins with images of trusted owners."""
    rule = Rule.TRUSTED_ROOT
    if not subject.settings.trusted_owners:
        return Verdict(rule, Result.NOT_EVALUATED, "no owner of roots is trusted: none is set")
    found = subject.verification
    if _cut_short(found):
        return _too_far(rule)
    if found.untrusted:
        return Verdict(rule, Result.NON_COMPLIANT, _untrusted(found), _evidence(subject))
    if found.result is Descent.BROKEN:
        return Verdict(rule, Result.NOT_EVALUATED, _missing(found), _evidence(subject))
    says = f"it descends from {_names([each.key for each in found.roots])} alone"
    return Verdict(rule, Result.COMPLIANT, says, _evidence(subject))


def unbroken(subject: Subject) -> Verdict:
    """Nothing is missing on the way up."""
    found = subject.verification
    if _cut_short(found):
        return _too_far(Rule.UNBROKEN)
    if found.result is Descent.BROKEN:
        return Verdict(Rule.UNBROKEN, Result.NON_COMPLIANT, _missing(found), _evidence(subject))
    return Verdict(Rule.UNBROKEN, Result.COMPLIANT, "nothing is missing on the way up", _evidence(subject))


def _cut_short(found: Verification) -> bool:
    return any(each.why is Why.BOUND for each in found.missing)


def _too_far(rule: Rule) -> Verdict:
    return Verdict(rule, Result.NOT_EVALUATED, "it descends from more than can be looked at")


def _missing(found: Verification) -> str:
    first, more = found.missing[0], len(found.missing) - 1
    return f"of {_name(first.about)}, {first.says}" + (f" (and {more} more)" if more else "")


def _untrusted(found: Verification) -> str:
    return f"it begins with {_names([each.key for each in found.untrusted])}, and no trusted owner is said to have it"


def _evidence(subject: Subject) -> tuple[Evidence, ...]:
    """Who says how it was made; what lies above can be asked for (`verify`, `evidence`)."""
    return tuple(fact.evidence for fact in subject.made[:SHOWN])


def _names(keys: list[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(map(_name, keys[:SHOWN])) + more


def _name(key: str) -> str:
    return key.split("/", 3)[-1]
