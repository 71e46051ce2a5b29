"""Judge images and instances by the rules: many at a time, with few questions to the graph.

Fail closed: what cannot be judged is `not-evaluated`. Only what is gone, or of another kind than the rule's, is
`not-applicable`; and tags, name and scans of an image that a trusted owner outside the organization is SAID to have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from handlers.lineage.compliance.descent_rules import lineage, trusted_root, unbroken
from handlers.lineage.compliance.descents import Descents
from handlers.lineage.compliance.gathered import Gathered
from handlers.lineage.compliance.image_rules import (
    approval,
    encryption,
    maximum_age,
    naming,
    required_tags,
    scan_freshness,
    security_scan,
)
from handlers.lineage.compliance.subject import Subject
from handlers.lineage.compliance.subjects import thing_from
from handlers.lineage.compliance.verdicts import ALIASES, Result, Rule, Verdict, together
from handlers.lineage.graph import Graph
from handlers.lineage.model import Evidence, Key, Kind, Relation, Time, kind_of
from handlers.lineage.queries.asking import BadQuery, Scope, check_key
from handlers.lineage.queries.effective_root import IMAGE_ID, effective_root
from handlers.lineage.queries.passage import arcs_of
from handlers.lineage.queries.things import GONE, STATE, Thing
from handlers.lineage.queries.windows import END
from handlers.lineage.relations import WITH_ROLE, Role
from handlers.lineage.settings import Settings

_NOBODY = ("-",)
"""Owners for whom no root is trusted: to ask only whether a way up is unbroken."""
AT_ONCE = 5_000
"""Things that are read together: what bounds memory, and the number of questions to the graph."""

IMAGE_RULES: Mapping[Rule, Callable[[Subject], Verdict]] = {
    Rule.REQUIRED_TAGS: required_tags,
    Rule.APPROVAL: approval,
    Rule.SECURITY_SCAN: security_scan,
    Rule.NAMING: naming,
    Rule.LINEAGE: lineage,
    Rule.TRUSTED_ROOT: trusted_root,
    Rule.UNBROKEN: unbroken,
    Rule.MAXIMUM_AGE: maximum_age,
    Rule.ENCRYPTION: encryption,
    Rule.SCAN_FRESHNESS: scan_freshness,
}
OURS_ALONE = frozenset(
    {
        Rule.REQUIRED_TAGS,
        Rule.APPROVAL,
        Rule.SECURITY_SCAN,
        Rule.NAMING,
        Rule.ENCRYPTION,
        Rule.SCAN_FRESHNESS,
    }
)
"""Rules that an image of a trusted owner outside the organization need not keep: guardrails let it be launched."""


def evaluate(
    graph: Graph,
    keys: Iterable[Key],
    settings: Settings,
    scope: Scope,
    now: Time,
    rules: Collection[Rule] | None = None,
) -> Mapping[Key, tuple[Verdict, ...]]:
    """Judge each image and instance, in the order of keys, its verdicts in the order of `Rule`. BadQuery, GraphError.

    `rules`: those that are asked for, applied in the manifest or not; None: all that are applied. An instance is judged
    by `instance-image` alone, and so are images by all others. Of each key nothing is kept but its verdicts, so that a
    hundred thousand may be given.
    """
    wanted = sorted(set(keys))
    for key in wanted:
        check_key(key)
        if kind_of(key) not in (Kind.IMAGE, Kind.INSTANCE):
            raise BadQuery(key, "is neither an image nor an instance", "only these are judged")
    judge = Judge(graph, settings, scope, now, rules)
    found: dict[Key, tuple[Verdict, ...]] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        judge.read(some)
        found |= {key: judge.of(key) for key in some}
        judge.forget()
    return found


def enabled_rules(settings: Settings) -> tuple[Rule, ...]:
    """Answer the rules that the manifest applies."""
    return tuple(rule for rule in Rule if getattr(settings.compliance, rule.key).enabled)


def rules_named(names: Iterable[str]) -> tuple[Rule, ...]:
    """Answer the rules by any of their names. BadQuery for a name that is none, and where no name is given."""
    found = set()
    for name in names:
        if name not in ALIASES:
            known = ", ".join(rule.value for rule in Rule)
            raise BadQuery("rules", f"there is no rule {name[:60]!r}", f"the rules are {known}")
        found.add(ALIASES[name])
    if not found:
        raise BadQuery("rules", "none is named", "name one, or leave the rules out for all that are applied")
    return tuple(rule for rule in Rule if rule in found)


class Root(NamedTuple):
    """The images whose disk an instance boots, and who says so."""

    images: tuple[Key, ...]
    evidence: tuple[Evidence, ...]


def root_of(graph: Graph, instance: Key, scope: Scope) -> Root:
    """Answer what `effective_root` does, without the walk where an image itself is booted, as it nearly always is."""
    return _image_roots(graph, instance) or _other_roots(graph, instance, scope)


def _image_roots(graph: Graph, instance: Key) -> Root | None:
    """Answer the images that an instance boots; None where it boots something else, or it is not known."""
    facts = graph.facts_of([instance], WITH_ROLE[Role.ROOT])
    if len(facts) == 1 and facts[0].relation is Relation.LAUNCHED_FROM:
        holding = facts  # nothing came after it, as with nearly all of them
    else:
        holding = [arc.fact for arc in arcs_of(facts) if arc.end >= END]
    if not holding or not all(kind_of(fact.parent) is Kind.IMAGE for fact in holding):
        return None
    return Root(tuple(sorted({fact.parent for fact in holding})), tuple(fact.evidence for fact in holding))


def _other_roots(graph: Graph, instance: Key, scope: Scope) -> Root:
    found = effective_root(graph, instance, scope)
    return Root(found.images, tuple(each.fact.evidence for each in found.roots))


class Judge:
    """Judges things that are read together; what it finds out about descent and about images it keeps for the next.

    The graph must not change meanwhile. Images first, then their instances: so nothing is judged twice.
    """

    def __init__(
        self, graph: Graph, settings: Settings, scope: Scope, now: Time, rules: Collection[Rule] | None = None
    ) -> None:
        self._gathered = Gathered(graph)
        self._descents = Descents(self._gathered, settings.trusted_owners or _NOBODY, scope)
        self._settings, self._scope, self._now = settings, scope, now
        self._applied = tuple(rule for rule in enabled_rules(settings) if rule in IMAGE_RULES)
        asked = set(enabled_rules(settings) if rules is None else rules)
        self._image_rules = tuple(rule for rule in IMAGE_RULES if rule in asked)
        self._instances = Rule.INSTANCE_IMAGE in asked
        self._booted: dict[Key, Result] = {}

    def read(self, keys: Sequence[Key]) -> None:
        """Read what judging these takes, in few questions."""
        self._gathered.read(keys)
        images = [key for key in keys if kind_of(key) is Kind.IMAGE]
        if self._instances and len(images) < len(keys):
            images += self._booted_by([key for key in keys if kind_of(key) is Kind.INSTANCE])
        self._gathered.gather(images, self._descents.known)

    def _booted_by(self, instances: Sequence[Key]) -> list[Key]:
        """Answer the images that were not judged yet; other roots, which are few, are read with all above them."""
        roots = {key: _image_roots(self._gathered, key) for key in instances}
        other = [key for key, root in roots.items() if root is None]
        same: tuple[Key, ...] = ()
        if other:
            self._gathered.gather(other)
            same = self._gathered.gather_same_disks()
        found = {image for root in roots.values() if root is not None for image in root.images}
        return sorted(image for image in found.union(same) if image not in self._booted)

    def thing(self, key: Key) -> Thing:
        """Answer a thing that was read, with the account in which it was made where no owner is said."""
        return thing_from(key, self._gathered.of(key), self._gathered.state(key))

    def of(self, key: Key) -> tuple[Verdict, ...]:
        """Judge a thing; the verdicts are in the order of `Rule`."""
        if kind_of(key) is Kind.INSTANCE:
            return (self._instance(key),) if self._instances else ()
        subject = self._subject(key)
        verdicts = self._image(subject, self._image_rules, even_if_gone=False)
        if self._instances and self._image_rules == self._applied and not subject.thing.gone:
            self._booted[key] = self._booted_as(verdicts)
        return verdicts

    def forget(self) -> None:
        """Give back what was read, so that memory is that of a page."""
        self._gathered.forget()

    def _image(self, subject: Subject, rules: Iterable[Rule], *, even_if_gone: bool) -> tuple[Verdict, ...]:
        if not subject.known:
            return tuple(Verdict(rule, Result.NOT_EVALUATED, "only its name is known") for rule in rules)
        if subject.thing.gone and not even_if_gone:
            return tuple(_gone(rule, subject.thing.state) for rule in rules)
        others = subject.of_others
        return tuple(
            Verdict(rule, Result.NOT_APPLICABLE, "a trusted owner outside the organization has it")
            if others and rule in OURS_ALONE
            else IMAGE_RULES[rule](subject)
            for rule in rules
        )

    def _subject(self, key: Key) -> Subject:
        return Subject(key, self._settings, self._scope, self._now, self._gathered, self._descents)

    def _instance(self, key: Key) -> Verdict:
        """Judge what it boots by all image rules that are applied, an image that is gone since like any other."""
        rule, facts, state = Rule.INSTANCE_IMAGE, self._gathered.of(key), self._gathered.state(key)
        if state is not None and state.value(STATE) in GONE:
            return _gone(rule, str(state.value(STATE)))
        if not facts:
            return Verdict(rule, Result.NOT_EVALUATED, "only its name is known")
        root = root_of(self._gathered, key, self._scope)
        if not root.images:
            return Verdict(rule, Result.NOT_EVALUATED, "it is not known which image it boots", root.evidence)
        judged = {image: self._of_booted(image) for image in root.images}
        worst = next(result for result in Result if result in judged.values())
        name = next(image for image in root.images if judged[image] is worst).rpartition("/")[2]
        named = state.value(IMAGE_ID) if state is not None else None
        known = {image.rpartition("/")[2] for image in root.images}
        differs = f" (AWS names {named})" if named is not None and named not in known else ""
        says = {
            Result.NON_COMPLIANT: f"it boots {name}, which is not compliant",
            Result.NOT_EVALUATED: f"it boots {name}, of which not everything is known",
            Result.COMPLIANT: f"it boots {name}, which is compliant",
            Result.NOT_APPLICABLE: f"it boots {name}, and no rule is applied to images",
        }[worst]
        result = Result.NOT_EVALUATED if worst is Result.NOT_APPLICABLE else worst
        return Verdict(rule, result, says + differs, root.evidence)

    def _of_booted(self, image: Key) -> Result:
        if image not in self._booted:
            self._booted[image] = self._booted_as(self._image(self._subject(image), self._applied, even_if_gone=True))
        return self._booted[image]

    def _booted_as(self, verdicts: tuple[Verdict, ...]) -> Result:
        result = together(verdicts)
        # A trusted owner has it, and no rule is applied that it would have to keep.
        return Result.COMPLIANT if result is Result.NOT_APPLICABLE and self._applied else result


def _gone(rule: Rule, state: str) -> Verdict:
    return Verdict(rule, Result.NOT_APPLICABLE, f"it is {state}")
