"""To know less makes nothing compliant.

What is taken away is all that is said of one attribute of one thing, or all of how one thing was made: taking away only
the newest word brings the older one back, which is no lack of knowledge. Exceptions, which the rules mean:

* `state`, since what is not known to be gone is judged;
* of a thing that a trusted owner has nothing more is asked, so that how it was made may be unknown;
* an owner that contradicts AWS's alias for it, and a date that contradicts the event: only the other counts then.
"""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from handlers.lineage.compliance.evaluate import evaluate, root_of
from handlers.lineage.compliance.verdicts import Result
from handlers.lineage.fold import STATE
from handlers.lineage.model import Fact, Key, Relation, attributes_of
from handlers.lineage.queries.effective_root import effective_root
from handlers.lineage.queries.things import MADE
from tests.support.compliance import NOW, SCOPE, TAGS, graph_of, settings
from tests.support.histories import IMAGES, INSTANCES, SNAPSHOTS, VOLUMES
from tests.support.lineage import ACCOUNT, fact, note

VALUES = {
    **{name: (None, "", value, "x") for name, value in TAGS.items()},
    "name": ("golden-prod-1", "x", None),
    "owner": (ACCOUNT, "999999999999", "137112412989"),
    "owner_alias": ("amazon",),
    "creation_method": ("copy", "register", None),
    "created_at": ("2026-09-21T14:13:21Z", "2001-01-01", "soon", None),
    "encrypted": ("yes", "no"),
    "scan_severity": ("LOW", "CRITICAL", "UNTRIAGED", None),
    "scanned_at": ("2026-09-21T14:13:21Z", "2001-01-01", None),
    "image_id": ("ami-a",),
}
THINGS = [*IMAGES[:3], *SNAPSHOTS, *VOLUMES[:1], *INSTANCES[:1]]
MAKINGS = [
    (Relation.COPIED_FROM, IMAGES[:3], IMAGES[:3]),
    (Relation.REGISTERED_FROM, IMAGES[:3], SNAPSHOTS),
    (Relation.CREATED_FROM, IMAGES[:3], INSTANCES[:1]),
    (Relation.COPIED_FROM, SNAPSHOTS, SNAPSHOTS),
    (Relation.SNAPSHOT_OF, SNAPSHOTS, VOLUMES[:1]),
    (Relation.VOLUME_FROM, VOLUMES[:1], SNAPSHOTS),
    (Relation.LAUNCHED_FROM, INSTANCES[:1], IMAGES[:3]),
]
SETTINGS = [settings(), settings(security_scan={"worst": "high"}, lineage={"at_least": "verified"})]


@st.composite
def notes(draw: st.DrawFn) -> Fact:
    """Say one thing by an event of its own: what one event says twice is decided by ids, which forgetting changes."""
    name = draw(st.sampled_from(sorted(VALUES)))
    value, time = draw(st.sampled_from(VALUES[name])), draw(st.integers(0, 9))
    return note(draw(st.sampled_from(THINGS)), time, f"event-{time}-{name}-{value}", **{name: value})


@st.composite
def makings(draw: st.DrawFn) -> Fact:
    relation, children, parents = draw(st.sampled_from(MAKINGS))
    return fact(relation, draw(st.sampled_from(children)), draw(st.sampled_from(parents)), draw(st.integers(0, 9)))


@st.composite
def nearly_good(draw: st.DrawFn) -> list[Fact]:
    """An image that keeps every rule but for what else is said: chance alone would make few."""
    good = [
        note(IMAGES[0], 1, **{name: values[-3] if len(values) > 2 else values[0] for name, values in VALUES.items()})
    ]
    good += [note(IMAGES[0], 2, **TAGS, owner=ACCOUNT, owner_alias=None, scan_severity="LOW", name="golden-prod-1")]
    good += [note(IMAGES[0], 2, created_at="2026-09-21", scanned_at="2026-09-21", creation_method="copy")]
    good += [note(IMAGES[1], 0, owner="137112412989", owner_alias="amazon")]
    good += [note(SNAPSHOTS[0], 0, owner="137112412989", owner_alias="amazon", encrypted="yes")]
    good += [
        fact(Relation.COPIED_FROM, IMAGES[0], IMAGES[1], 1),
        fact(Relation.REGISTERED_FROM, IMAGES[0], SNAPSHOTS[0], 1),
    ]
    good += [fact(Relation.LAUNCHED_FROM, INSTANCES[0], IMAGES[0], 3)]
    return good + draw(st.lists(st.one_of(notes(), makings()), max_size=4))


def results(facts: Iterable[Fact], strict: int) -> dict[tuple[Key, str], Result]:
    keys = [each for each in THINGS if each in IMAGES or each in INSTANCES]
    found = evaluate(graph_of(*facts), keys, SETTINGS[strict], SCOPE, NOW)
    return {(key, each.rule): each.result for key, verdicts in found.items() for each in verdicts}


def assert_no_better(before: dict[tuple[Key, str], Result], after: dict[tuple[Key, str], Result]) -> None:
    for each, result in after.items():
        if result is Result.COMPLIANT:
            assert before[each] in (Result.COMPLIANT, Result.NOT_APPLICABLE), each
        if result is Result.NOT_APPLICABLE:
            assert before[each] is Result.NOT_APPLICABLE, each


def without_attribute(facts: Iterable[Fact], key: Key, name: str) -> list[Fact]:
    kept = []
    for each in facts:
        said = {one: value for one, value in each.attributes if one != name}
        if each.relation is not Relation.NOTED or each.child != key:
            kept.append(each)
        elif said:
            kept.append(Fact(each.relation, each.child, each.parent, each.evidence, attributes_of(said)))
    return kept


@hypothesis_settings(max_examples=400)
@given(nearly_good(), st.integers(0, 1), st.data())
def test_to_forget_an_attribute_makes_nothing_compliant(facts: list[Fact], strict: int, data: st.DataObject) -> None:
    said = [(each.child, name) for each in facts for name, _ in each.attributes if name != STATE]
    key, name = data.draw(st.sampled_from(said[::-1]))
    before, after = results(facts, strict), results(without_attribute(facts, key, name), strict)
    if name == "owner" and (key, "owner_alias") in said:
        return
    if name == "created_at":
        for found in (before, after):
            for each in [each for each in found if each[1] in ("maximum-age", "instance-image")]:
                del found[each]
    assert_no_better(before, after)


@given(nearly_good(), st.sampled_from(THINGS), st.integers(0, 1))
def test_to_forget_how_a_thing_was_made_makes_nothing_compliant(facts: list[Fact], key: Key, strict: int) -> None:
    owners = {
        dict(each.attributes).get(name) for each in facts if each.child == key for name in ("owner", "owner_alias")
    }
    if "amazon" in owners:
        return
    forgotten = [each for each in facts if not (each.child == key and each.relation in MADE)]
    assert_no_better(results(facts, strict), results(forgotten, strict))


@given(nearly_good(), st.integers(0, 1))
def test_all_that_is_judged_together_is_judged_alike_alone(facts: list[Fact], strict: int) -> None:
    graph, every = graph_of(*facts), results(facts, strict)
    for key in {key for key, _ in every}:
        alone = evaluate(graph, [key], SETTINGS[strict], SCOPE, NOW)[key]
        assert {(key, each.rule): each.result for each in alone}.items() <= every.items()


def roots() -> st.SearchStrategy[Fact]:
    parents = [*IMAGES[:3], *SNAPSHOTS, *VOLUMES[:1], *INSTANCES[:1]]
    relations = st.sampled_from([Relation.LAUNCHED_FROM, Relation.ROOT_REPLACED_BY])
    return st.builds(fact, relations, st.sampled_from(INSTANCES[:1]), st.sampled_from(parents), st.integers(0, 9))


@given(nearly_good(), st.lists(roots(), max_size=4))
def test_what_an_instance_boots_is_what_effective_root_says(facts: list[Fact], more: list[Fact]) -> None:
    graph = graph_of(*facts, *more)
    found, expected = root_of(graph, INSTANCES[0], SCOPE), effective_root(graph, INSTANCES[0], SCOPE)
    assert set(found.images) == set(expected.images)
    assert set(found.evidence) == {each.fact.evidence for each in expected.roots}


def test_the_history_to_begin_with_is_good() -> None:
    """Or the tests above would say nothing."""
    found = set[Result]()

    @given(nearly_good())
    def collect(facts: list[Fact]) -> None:
        found.update(results(facts, 0).values())

    collect()
    assert found == {Result.COMPLIANT, Result.NON_COMPLIANT, Result.NOT_EVALUATED, Result.NOT_APPLICABLE}
