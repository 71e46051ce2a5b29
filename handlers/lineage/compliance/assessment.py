"""All verdicts on an organization together: what is wrong as findings, and how it stands in numbers. Pure."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter

from handlers.lineage.compliance.evaluate import AT_ONCE, Judge, enabled_rules, evaluate
from handlers.lineage.compliance.subjects import is_subject, things_of
from handlers.lineage.compliance.verdicts import Result, Rule, Verdict, together
from handlers.lineage.findings import Finding, Severity
from handlers.lineage.fold import State
from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Key, Kind, Time
from handlers.lineage.publish.asff import RESULT
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.fetch import pages
from handlers.lineage.queries.things import Thing
from handlers.lineage.settings import Settings
from org.ids import AccountId

FAMILY = "compliance"
BROKEN = (Result.NON_COMPLIANT, Result.NOT_EVALUATED)
"""What counts as not compliant."""
RANK: Mapping[Severity, int] = {severity: rank for rank, severity in enumerate(Severity)}
WORST = 10
"""Things that a summary names."""

TITLES: Mapping[Rule, tuple[str, str]] = {
    Rule.REQUIRED_TAGS: ("An image lacks tags that it must have", "set the tags that are named on the image"),
    Rule.APPROVAL: ("An image is not approved", "have the image approved, or replace it by one that is"),
    Rule.SECURITY_SCAN: ("An image did not pass a security scan", "scan the image, and replace it if it does not pass"),
    Rule.NAMING: ("An image is not named as it should be", "copy the image under a better name, and deregister it"),
    Rule.LINEAGE: (
        "Where an image came from is not known",
        "see `orgctl lineage verify`; rebuild it from a trusted image",
    ),
    Rule.TRUSTED_ROOT: ("An image does not descend from trusted images alone", "rebuild the image from a trusted one"),
    Rule.UNBROKEN: ("A part of an image's descent is not known", "see `orgctl lineage verify` for what is missing"),
    Rule.MAXIMUM_AGE: ("An image is too old", "rebuild the image, and what is made of it"),
    Rule.ENCRYPTION: ("An image is not encrypted", "copy the image with encryption, and deregister it"),
    Rule.SCAN_FRESHNESS: ("An image was not scanned of late", "have AWS scan the image again"),
    Rule.INSTANCE_IMAGE: (
        "An instance boots an image that is not compliant",
        "replace the instance by one of a good image",
    ),
}


@dataclass(frozen=True, slots=True)
class Assessed:
    """A thing and what it comes to."""

    thing: Thing
    verdicts: tuple[Verdict, ...]

    @property
    def result(self) -> Result:
        return together(self.verdicts)

    @property
    def broken(self) -> tuple[Verdict, ...]:
        return tuple(each for each in self.verdicts if each.result in BROKEN)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is judged, in the order of keys, images before instances."""

    rules: tuple[Rule, ...]
    of: tuple[Assessed, ...]

    @property
    def applicable(self) -> tuple[Assessed, ...]:
        """Those that are not gone and of which a rule is."""
        return tuple(each for each in self.of if each.result is not Result.NOT_APPLICABLE)

    def counted(self) -> Mapping[Rule, Mapping[Result, int]]:
        """Answer how many things came to what, for each rule."""
        counts: Counter[tuple[Rule, Result]] = Counter(
            (verdict.rule, verdict.result) for each in self.of for verdict in each.verdicts
        )
        return {rule: {result: counts[rule, result] for result in Result} for rule in self.rules}


def assess(
    graph: Graph, settings: Settings, scope: Scope, now: Time, rules: Iterable[Rule] | None = None
) -> Assessment:
    """Judge all images and instances of the organization. GraphError."""
    asked = enabled_rules(settings) if rules is None else tuple(rules)
    kinds = [Kind.IMAGE] if set(asked) - {Rule.INSTANCE_IMAGE} else []
    kinds += [Kind.INSTANCE] if Rule.INSTANCE_IMAGE in asked else []
    judge = Judge(graph, settings, scope, now, asked)
    found: list[Assessed] = []
    with _uncollected():
        for kind in kinds:
            for keys in pages(graph, Search(kind), AT_ONCE):
                judge.read(keys)
                things = (judge.thing(key) for key in keys)
                found += [Assessed(_slim(each), judge.of(each.key)) for each in things if is_subject(each, scope, now)]
                judge.forget()
    return Assessment(asked, tuple(found))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles off: there are none here, and it would look at millions of facts again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _slim(thing: Thing) -> Thing:
    """Leave out what is said of a thing: its verdicts tell what of it counts, and a hundred thousand are kept."""
    return replace(thing, state_of=State(thing.key, known=thing.known))


def assess_some(
    graph: Graph, keys: Iterable[Key], settings: Settings, scope: Scope, now: Time, rules: Iterable[Rule] | None = None
) -> Assessment:
    """Judge these images and instances, whoever has them, and known or not. BadQuery, GraphError."""
    asked = enabled_rules(settings) if rules is None else tuple(rules)
    things = {each.key: each for each in things_of(graph, sorted(set(keys)))}
    verdicts = evaluate(graph, things, settings, scope, now, asked)
    return Assessment(asked, tuple(Assessed(things[key], each) for key, each in verdicts.items()))


def findings_of(assessment: Assessment, settings: Settings, home: AccountId) -> tuple[Finding, ...]:
    """Answer a finding for each rule that a thing breaks, or by which it cannot be judged; the worst first, then by id.

    `home`: the lineage account, for things of which the account is not known.
    """
    found = chain.from_iterable(_findings(each, settings, home) for each in assessment.of)
    return tuple(sorted(found, key=lambda each: (-RANK[each.severity], each.id)))


def _findings(each: Assessed, settings: Settings, home: AccountId) -> Iterable[Finding]:
    for verdict in each.broken:
        title, todo = TITLES[verdict.rule]
        unknown = verdict.result is Result.NOT_EVALUATED
        says = f"{each.thing.key}: {'not evaluated: ' if unknown else ''}{verdict.says}"
        yield Finding(
            f"{FAMILY}/{verdict.rule.value}",
            each.thing.key,
            AccountId(each.thing.account) if each.thing.account else home,
            each.thing.region,
            severity_of(settings, verdict.rule),
            f"{title}: {each.thing.name}",
            says,
            todo,
            {RESULT: verdict.result.value, "name": each.thing.name, **_told_by(verdict)},
        )


def _told_by(verdict: Verdict) -> Mapping[str, str]:
    """Answer who said last what decided it."""
    last = max(verdict.evidence, key=attrgetter("time"), default=None)
    return {} if last is None else {"source": last.source.value, "event": last.event_id, "actor": last.actor}


def severity_of(settings: Settings, rule: Rule) -> Severity:
    said = getattr(settings.compliance, rule.key).severity.upper()
    return Severity.INFORMATIONAL if said == "INFO" else Severity(said)


def worst_of(assessment: Assessment, settings: Settings, most: int = WORST) -> tuple[Assessed, ...]:
    """Answer what breaks the gravest rules, and of these most: by severities from the top down, then by key."""

    def weight(each: Assessed) -> tuple[int, ...]:
        counts = Counter(severity_of(settings, verdict.rule) for verdict in each.broken)
        return tuple(-counts[severity] for severity in reversed(Severity))

    broken = [each for each in assessment.of if each.broken]
    return tuple(sorted(broken, key=lambda each: (weight(each), each.thing.key))[:most])


def summary_of(assessment: Assessment, settings: Settings) -> str:
    """Say in a few lines how it stands; the same for the same assessment."""
    applicable = assessment.applicable
    good = sum(each.result is Result.COMPLIANT for each in applicable)
    share = f"{100 * good / len(applicable):.1f} %" if applicable else "—"
    lines = [f"{good:,} of {len(applicable):,} images and instances are compliant ({share}).", ""]
    for rule, counts in assessment.counted().items():
        lines.append(
            f"{rule.value}: {counts[Result.COMPLIANT]:,} compliant, {counts[Result.NON_COMPLIANT]:,} not, "
            f"{counts[Result.NOT_EVALUATED]:,} not evaluated"
        )
    worst = worst_of(assessment, settings)
    if worst:
        lines += ["", f"The worst {len(worst)}:"]
    for each in worst:
        rules = ", ".join(verdict.rule.value for verdict in each.broken)
        lines.append(f"{each.thing.key} ({each.thing.name}, account {each.thing.account or 'unknown'}): {rules}")
    return "\n".join(lines)
