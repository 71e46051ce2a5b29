"""Rules about what is said of an image itself. Each answers a verdict; what is not known is never compliant.

Tags are claims: whoever may call CreateTags on an image can set them. That they are there is what these rules ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from handlers.lineage.compliance.subject import Subject
from handlers.lineage.compliance.verdicts import Result, Rule, Verdict
from handlers.lineage.fold import Said, fold_states
from handlers.lineage.model import Evidence, Kind, Relation, Source, kind_of
from handlers.lineage.queries.things import NAME

SCAN_SEVERITY, SCANNED_AT, ENCRYPTED = "scan_severity", "scanned_at", "encrypted"
"""Attributes: the worst severity that AWS's scan found, and when (`ScanResults` of DescribeImages) [H]."""
RANKS: Mapping[str, int] = {
    "none": 0,
    "info": 1,
    "informational": 1,
    "low": 2,
    "medium": 3,
    "high": 4,
    "critical": 5,
}
"""Severities as the manifest and Amazon Inspector name them; what is in neither (UNTRIAGED) is not known."""
DAY = 24 * 3_600_000


def required_tags(subject: Subject) -> Verdict:
    """Tags are there, and say something: what is blank or a placeholder says nothing."""
    rules = subject.settings.compliance.required_tags
    nothing = {each.casefold() for each in rules.placeholders}
    found = {tag: subject.said(f"tag:{tag}") for tag in rules.tags}
    lacks = [tag for tag, said in found.items() if said is None]
    empty = [
        tag
        for tag, said in found.items()
        if said and (not _bare(said.value) or _bare(said.value).casefold() in nothing)
    ]
    evidence = _evidence(found.values())
    if not lacks and not empty:
        return Verdict(Rule.REQUIRED_TAGS, Result.COMPLIANT, f"it has {_listed(rules.tags)}", evidence)
    says = [f"it lacks {_listed(lacks)}"] if lacks else []
    says += [f"{_listed(empty)} {'say' if len(empty) > 1 else 'says'} nothing"] if empty else []
    return Verdict(Rule.REQUIRED_TAGS, Result.NON_COMPLIANT, "; ".join(says), evidence)


def approval(subject: Subject) -> Verdict:
    """The tag is there that launches are held against (`approved-images`): the same key and value, in the same case."""
    rules = subject.settings.compliance.approval
    if rules.tag is None or rules.value is None:
        return Verdict(Rule.APPROVAL, Result.NOT_EVALUATED, "it is not set which tag approves an image")
    verdict, said = _tag(subject, Rule.APPROVAL, rules.tag, rules.value), subject.said(f"tag:{rules.tag}")
    if said is not None and verdict.result is Result.COMPLIANT and subject.is_denied(f"tag:{rules.tag}", said):
        says = f"only events say that its tag {rules.tag} is {rules.value!r}: AWS was asked later, and did not say so"
        return Verdict(Rule.APPROVAL, Result.NOT_EVALUATED, says, verdict.evidence)
    return verdict


def security_scan(subject: Subject) -> Verdict:
    """A tag says that it passed, and AWS's scan found nothing worse, as far as either counts."""
    rules = subject.settings.compliance.security_scan
    parts = []
    if rules.tag is not None:
        parts.append(_tag(subject, Rule.SECURITY_SCAN, rules.tag, rules.value))
    if rules.worst is not None:
        parts.append(_native_scan(subject, rules.worst))
    if not parts:
        return Verdict(Rule.SECURITY_SCAN, Result.NOT_EVALUATED, "it is not set which scan counts")
    return next(each for result in Result for each in parts if each.result is result)


def naming(subject: Subject) -> Verdict:
    """The name is long enough, tells the environment, has a digit, and fits the pattern, as far as asked for."""
    rules, name = subject.settings.compliance.naming, subject.said(NAME)
    if name is None:
        return Verdict(Rule.NAMING, Result.NOT_EVALUATED, "its name is not known")
    faults = []
    if len(name.value) < rules.min_length:
        faults.append(f"has fewer than {rules.min_length} characters")
    if rules.contains_environment:
        said = subject.said(f"tag:{rules.environment_tag}")
        environment = _bare(said.value) if said else ""
        if not environment:
            faults.append(f"cannot hold the environment, since the tag {rules.environment_tag} says none")
        elif environment.casefold() not in name.value.casefold():
            faults.append(f"does not hold its environment, {environment}")
    if rules.has_digit and not re.search("[0-9]", name.value):
        faults.append("has no digit")
    if rules.pattern is not None and not re.fullmatch(rules.pattern, name.value):
        faults.append("does not match the pattern")
    result = Result.NON_COMPLIANT if faults else Result.COMPLIANT
    says = f"its name {name.value!r} {', '.join(faults) if faults else 'is as it should be'}"
    return Verdict(Rule.NAMING, result, says, (name.evidence,))


def maximum_age(subject: Subject) -> Verdict:
    days, born = subject.settings.compliance.maximum_age.days, subject.born()
    if born is None:
        return Verdict(Rule.MAXIMUM_AGE, Result.NOT_EVALUATED, "it is not known when it was made")
    time, who = born
    return _age(subject, Rule.MAXIMUM_AGE, time, days, "it was made", who.evidence)


def scan_freshness(subject: Subject) -> Verdict:
    days, scanned = subject.settings.compliance.scan_freshness.days, subject.moment(SCANNED_AT)
    if scanned is None:
        return Verdict(Rule.SCAN_FRESHNESS, Result.NOT_EVALUATED, "it is not known that AWS scanned it")
    time, said = scanned
    return _age(subject, Rule.SCAN_FRESHNESS, time, days, "it was scanned", said.evidence)


def encryption(subject: Subject) -> Verdict:
    """Every snapshot that it is known to be made of is said to be encrypted; or AWS, when asked, said so of all disks.

    What a call asked for (`CopyImage` without encryption) tells nothing: the account may encrypt by default.
    """
    snapshots = sorted(
        {
            fact.parent
            for fact in subject.made
            if fact.relation is Relation.REGISTERED_FROM and kind_of(fact.parent) is Kind.SNAPSHOT
        }
    )
    states = fold_states(fact for each in snapshots for fact in subject.gathered.of(each))
    found = {each: states[each].attributes.get(ENCRYPTED) if each in states else None for each in snapshots}
    own = subject.said(ENCRYPTED)
    evidence = _evidence([*found.values(), own])
    plain = [each.rpartition("/")[2] for each, said in found.items() if said and said.value != "yes"]
    unknown = [each.rpartition("/")[2] for each, said in found.items() if said is None]
    if plain:
        says = f"{_listed(plain)} {'are' if len(plain) > 1 else 'is'} not encrypted"
        return Verdict(Rule.ENCRYPTION, Result.NON_COMPLIANT, says, evidence)
    described = own.value if own is not None and own.evidence.source is Source.DESCRIBE else None
    if described is not None and described != "yes":
        return Verdict(Rule.ENCRYPTION, Result.NON_COMPLIANT, "not every disk of it is encrypted", evidence)
    if unknown and described is None:
        says = f"it is not known whether {_listed(unknown)} {'are' if len(unknown) > 1 else 'is'} encrypted"
        return Verdict(Rule.ENCRYPTION, Result.NOT_EVALUATED, says, evidence)
    if found or (own is not None and own.value == "yes"):
        return Verdict(Rule.ENCRYPTION, Result.COMPLIANT, "it is encrypted", evidence)
    return Verdict(Rule.ENCRYPTION, Result.NOT_EVALUATED, "its snapshots are not known", evidence)


def _tag(subject: Subject, rule: Rule, tag: str, value: str) -> Verdict:
    said = subject.said(f"tag:{tag}")
    if said is None:
        return Verdict(rule, Result.NON_COMPLIANT, f"it has no tag {tag}")
    if said.value != value:
        says = f"its tag {tag} is {_cut(said.value)!r}, not {value!r}"
        return Verdict(rule, Result.NON_COMPLIANT, says, (said.evidence,))
    return Verdict(rule, Result.COMPLIANT, f"its tag {tag} is {value!r}", (said.evidence,))


def _native_scan(subject: Subject, worst: str) -> Verdict:
    said = subject.said(SCAN_SEVERITY)
    rank = RANKS.get(said.value.casefold()) if said else None
    if said is None or rank is None:
        says = "no result of AWS's scan is known" if said is None else f"AWS's scan says {_cut(said.value)!r}"
        return Verdict(Rule.SECURITY_SCAN, Result.NOT_EVALUATED, says, _evidence([said]))
    result = Result.COMPLIANT if rank <= RANKS[worst] else Result.NON_COMPLIANT
    return Verdict(Rule.SECURITY_SCAN, result, f"the worst that AWS's scan found is {said.value}", (said.evidence,))


def _age(subject: Subject, rule: Rule, since: int, days: int, what: str, evidence: Evidence) -> Verdict:
    age = subject.now - since
    if age < -DAY:
        return Verdict(rule, Result.NOT_EVALUATED, f"{what}, it is said, in the future", (evidence,))
    result = Result.COMPLIANT if age <= days * DAY else Result.NON_COMPLIANT
    says = f"{what} {max(0, age // DAY)} days ago; {days} are allowed"
    return Verdict(rule, result, says, (evidence,))


def _evidence(said: Iterable[Said | None]) -> tuple[Evidence, ...]:
    return tuple(each.evidence for each in said if each is not None)


def _bare(text: str) -> str:
    return text.strip()


def _cut(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[:longest] + "…"


def _listed(names: Iterable[str], most: int = 5) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
