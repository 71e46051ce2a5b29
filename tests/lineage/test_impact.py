"""What a bad image touches, in which order to rebuild, and how little of it is enough."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lineage.model import Batch, Fact, Key, Kind, Place, Relation, key_of, kind_of
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.frontiers import frontiers
from handlers.lineage.queries.impact import LATENT, Tally, impact, is_inside
from handlers.lineage.queries.reasons import Why
from handlers.lineage.queries.smallest import smallest_rebuild
from org.model import AccountId
from tests.support.histories import IMAGES, LAST, at, everything_above, histories, key
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, fact, image, instance, note

OTHER = AccountId("222233334444")
STRANGER = AccountId("999999999999")
SCOPE = Scope(accounts=frozenset({ACCOUNT, OTHER}), organization="o-abc")
BAD, COPY, MADE, TWIN = image("bad"), image("copy"), image("made"), image("twin")
DISK, COPIED = key(Kind.SNAPSHOT, "snap-disk"), key(Kind.SNAPSHOT, "snap-copy")
VERSIONS = [key(Kind.TEMPLATE_VERSION, f"lt-1:{n}") for n in (1, 2)]
DEFAULT = key(Kind.TEMPLATE_VERSION, "lt-1:$Default")
GROUP = key(Kind.GROUP, f"{ACCOUNT}/web")
PARAMETER, VALUE = (key(Kind.PARAMETER, f"{ACCOUNT}//golden{version}") for version in ("", ":1"))
OBJECT = key_of(Kind.OBJECT, "bucket/ami-bad.bin")
RECIPE, BUILD = (
    key(Kind.RECIPE, f"arn:aws:imagebuilder:eu-central-1:{ACCOUNT}:{name}")
    for name in ("image-recipe/web/1.0.0", "image/web/1.0.0/1")
)


def graph_of(*facts: Fact) -> MemoryGraph:
    graph = MemoryGraph()
    graph.append(Batch(facts))
    return graph


def account(name: str) -> Key:
    return key_of(Kind.ACCOUNT, name)


STORY = (
    note(BAD, 0, owner=ACCOUNT, name="bad", state="available"),
    fact(Relation.REGISTERED_FROM, BAD, DISK, 0),
    fact(Relation.COPIED_FROM, COPY, BAD, 1),
    note(COPY, 1, owner=OTHER, state="available"),
    fact(Relation.REGISTERED_FROM, TWIN, DISK, 2),
    fact(Relation.COPIED_FROM, COPIED, DISK, 2),
    fact(Relation.LAUNCHED_FROM, instance("stopped"), COPY, 3),
    note(instance("stopped"), 4, state="stopped", owner=OTHER),
    fact(Relation.LAUNCHED_FROM, instance("ended"), BAD, 3),
    note(instance("ended"), 5, state="terminated", owner=ACCOUNT),
    fact(Relation.LAUNCHED_FROM, instance("mute"), BAD, 3),
    fact(Relation.LAUNCHED_FROM, instance("healed"), BAD, 3),
    fact(Relation.ROOT_REPLACED_BY, instance("healed"), image("good"), 6),
    fact(Relation.REFERENCES, VERSIONS[0], BAD, 2),
    fact(Relation.REFERENCES, VERSIONS[1], image("good"), 2),
    fact(Relation.RESOLVES_TO, DEFAULT, VERSIONS[0], 2),
    fact(Relation.USES, GROUP, DEFAULT, 3),
    fact(Relation.REFERENCES, VALUE, COPY, 3),
    fact(Relation.RESOLVES_TO, PARAMETER, VALUE, 3),
    fact(Relation.REFERENCES, RECIPE, BAD, 3),
    fact(Relation.BUILT_BY, BUILD, RECIPE, 4),
    fact(Relation.STORED_FROM, OBJECT, BAD, 3),
    fact(Relation.PRELAUNCHED_FROM, key(Kind.SNAPSHOT, "snap-fast"), instance("stopped"), 4),
    fact(Relation.SHARED_WITH, BAD, account(STRANGER), 3, holds="yes"),
    fact(Relation.SHARED_WITH, BAD, account(OTHER), 3, holds="yes"),
    fact(Relation.SHARED_WITH, COPY, account("all"), 3, holds="yes"),
    fact(Relation.SHARED_WITH, COPY, account("all"), 5, holds="no"),
    fact(Relation.SHARED_WITH, COPIED, account("all"), 3, holds="yes"),
)


def test_impact_tells_what_runs_apart_from_what_would_start_it_again() -> None:
    found = impact(graph_of(*STORY), BAD, SCOPE)
    assert [each.key for each in found.running] == [instance("mute"), instance("stopped")]
    assert found.state_unknown == (instance("mute"),)
    assert {each.key for each in found.latent} == {VERSIONS[0], DEFAULT, GROUP, PARAMETER, VALUE, RECIPE}
    fast = key(Kind.SNAPSHOT, "snap-fast")
    assert {each.key for each in found.derived} == {COPY, TWIN, DISK, COPIED, OBJECT, fast}
    assert [each.key for each in found.prelaunched] == [fast]
    assert [each.key for each in found.stored] == [OBJECT]
    assert [(each.key, each.sharee) for each in found.external] == [(BAD, STRANGER), (COPIED, "all")]
    assert [each.key for each in found.formerly] == [instance("healed")]
    assert Tally(OTHER, REGION, "instance", 1) in found.tallies
    assert {each.key: each.account for each in found.derived}[COPY] == OTHER
    assert found.complete


def test_impact_as_of_a_time_is_what_it_was_then() -> None:
    found = impact(graph_of(*STORY), BAD, SCOPE, at=at(4))
    assert {each.key for each in found.running} == {instance(each) for each in ("stopped", "ended", "mute", "healed")}
    assert found.formerly == ()
    assert (COPY, "all") in [(each.key, each.sharee) for each in found.external]


def test_a_pointer_that_was_moved_away_no_longer_counts() -> None:
    moved = fact(Relation.RESOLVES_TO, DEFAULT, VERSIONS[1], 7)
    found = impact(graph_of(*STORY, moved), BAD, SCOPE)
    assert {each.key for each in found.latent} == {VERSIONS[0], PARAMETER, VALUE, RECIPE}
    assert {DEFAULT, GROUP} <= {each.key for each in found.formerly}


def test_a_deleted_template_starts_nothing() -> None:
    found = impact(graph_of(*STORY, note(VERSIONS[0], 8, state="deleted")), BAD, SCOPE)
    assert VERSIONS[0] not in {each.key for each in found.latent}


def test_without_the_accounts_of_the_organization_every_sharee_is_told() -> None:
    assert {each.sharee for each in impact(graph_of(*STORY), BAD).external} == {STRANGER, OTHER, "all"}


def test_a_unit_of_ones_own_organization_is_no_stranger() -> None:
    assert is_inside("arn:aws:organizations::111122223333:ou/o-abc/ou-1", SCOPE)
    assert is_inside("arn:aws:organizations::111122223333:organization/o-abc", SCOPE)
    assert not is_inside("arn:aws:organizations::111122223333:ou/o-abcd/ou-1", SCOPE)
    assert not is_inside("all", SCOPE)
    assert not is_inside("o-abc", SCOPE)


def test_an_answer_says_what_may_hide_something() -> None:
    place = key(Kind.COVERAGE, OTHER)
    gaps = [note(place, n, f"e{n}", outcome="malformed", reason="no id") for n in (5, 6)]
    refused = note(place, 7, "e7", outcome="failed")

    graph = graph_of(*STORY, *gaps, refused)
    graph.append(Batch((), {Place(OTHER, REGION): at(7)}))
    found = impact(graph, BAD, SCOPE)
    assert not found.complete
    assert [(each.why, each.about, each.says) for each in found.reasons] == [
        (Why.GAP, f"{OTHER}/{REGION}", "2 malformed events may hide something")
    ]
    assert impact(graph, BAD, SCOPE, at=at(4)).complete


@pytest.mark.parametrize(
    ("outcome", "count", "says"),
    [
        ("gap", 1, "1 event left something out"),
        ("gap", 2, "2 events left something out"),
        ("unknown", 1, "1 unknown event may hide something"),
    ],
)
def test_what_an_event_left_out_is_told_apart_from_events_that_nobody_could_read(outcome, count, says) -> None:
    place = key(Kind.COVERAGE, OTHER)
    graph = graph_of(*STORY, *(note(place, 5, f"e{n}", outcome=outcome, reason="r") for n in range(count)))
    graph.append(Batch((), {Place(OTHER, REGION): at(7)}))
    assert [each.says for each in impact(graph, BAD, SCOPE).reasons] == [says]


def test_one_hop_is_said_as_one() -> None:
    says = {each.about: each.says for each in impact(graph_of(*CHAIN), BAD, SCOPE, Bounds(depth=1)).reasons}
    assert says["depth"] == "there is more beyond 1 hop"


CHAIN = (
    note(BAD, 0, owner=ACCOUNT),
    fact(Relation.COPIED_FROM, image("b1"), BAD, 1),
    fact(Relation.LAUNCHED_FROM, instance("builder"), image("b1"), 2),
    fact(Relation.CREATED_FROM, image("c"), instance("builder"), 3),
    fact(Relation.COPIED_FROM, image("d"), image("c"), 4),
    fact(Relation.COPIED_FROM, image("d"), BAD, 4),
    fact(Relation.ROOT_REPLACED_BY, instance("builder"), image("d"), 5),
    fact(Relation.CREATED_FROM, image("e"), instance("builder"), 6),
    note(image("c"), 7, state="deregistered"),
    note(image("d"), 7, owner=STRANGER),
)


def test_layers_are_in_the_order_in_which_to_rebuild() -> None:
    found = frontiers(graph_of(*CHAIN), BAD, SCOPE)
    layers = [[each.key for each in layer] for layer in found.layers]
    assert layers == [[BAD], [image("b1")], [image("d")], [image("e")]]
    assert [each.key for each in found.gone] == [image("c")]
    assert found.outside == (image("d"),)
    assert found.circular == ()


@pytest.mark.parametrize("names", [*permutations("abcd")])
def test_an_image_waits_for_the_last_of_its_parents(names) -> None:
    one, two, three, last = map(image, names)
    pairs = [(one, BAD), (two, one), (three, BAD), (last, two), (last, three)]
    found = frontiers(graph_of(*(fact(Relation.COPIED_FROM, *pair, 1) for pair in pairs)), BAD)
    assert [[each.key for each in layer] for layer in found.layers] == [[BAD], sorted([one, three]), [two], [last]]


def test_many_parents_of_one_image_are_cut_at_the_image() -> None:
    many = [pair for n in range(5) for pair in ((image(f"{n}"), BAD), (MADE, image(f"{n}")))]
    used = fact(Relation.LAUNCHED_FROM, instance("1"), MADE, 2)
    found = smallest_rebuild(graph_of(*(fact(Relation.COPIED_FROM, *pair, 1) for pair in many), used), BAD)
    assert [each.image.key for each in found.rebuild] == [MADE]


def test_a_circle_stands_in_one_layer() -> None:
    circle = [fact(Relation.COPIED_FROM, *pair, 2) for pair in ((COPY, MADE), (MADE, COPY))]
    found = frontiers(graph_of(fact(Relation.COPIED_FROM, COPY, BAD, 1), *circle), BAD)
    assert [[each.key for each in layer] for layer in found.layers] == [[BAD], [COPY, MADE]]
    assert found.circular == (COPY, MADE)


def test_one_parent_is_rebuilt_for_many_users() -> None:
    users = [fact(Relation.LAUNCHED_FROM, instance(f"{n:03}"), image(f"leaf{n % 4}"), 5) for n in range(412)]
    leaves = [fact(Relation.COPIED_FROM, image(f"leaf{n}"), MADE, 4) for n in range(4)]
    direct = fact(Relation.LAUNCHED_FROM, instance("direct"), BAD, 2)
    graph = graph_of(fact(Relation.COPIED_FROM, MADE, BAD, 1), *leaves, *users, direct)
    found = smallest_rebuild(graph, BAD)
    assert [each.image.key for each in found.rebuild] == [MADE]
    assert len(found.rebuild[0].covers) == 412
    assert [each.key for each in found.relaunch] == [instance("direct")]
    assert found.not_rebuildable == ()

    cannot = smallest_rebuild(graph, BAD, fixed=frozenset({MADE}))
    assert [each.image.key for each in cannot.rebuild] == [image(f"leaf{n}") for n in range(4)]
    assert cannot.not_rebuildable == (MADE,)


def test_backups_and_images_of_others_are_not_asked_to_be_rebuilt() -> None:
    facts = [fact(Relation.COPIED_FROM, MADE, BAD, 1), fact(Relation.LAUNCHED_FROM, instance("1"), MADE, 2)]
    for said in ({"backup": "yes"}, {"tag:aws:dlm:lifecycle-policy-id": "p"}, {"owner": STRANGER}):
        found = smallest_rebuild(graph_of(*facts, note(MADE, 3, **said)), BAD, SCOPE)
        assert (found.rebuild, [each.key for each in found.relaunch]) == ((), [instance("1")])


def test_what_a_pointer_once_pointed_at_does_not_hide_that_a_rebuild_helps() -> None:
    graph = graph_of(
        fact(Relation.COPIED_FROM, MADE, BAD, 1),
        fact(Relation.REFERENCES, VERSIONS[0], BAD, 1),
        fact(Relation.REFERENCES, VERSIONS[1], MADE, 1),
        fact(Relation.RESOLVES_TO, DEFAULT, VERSIONS[0], 2),
        fact(Relation.RESOLVES_TO, DEFAULT, VERSIONS[1], 4),
        fact(Relation.USES, GROUP, DEFAULT, 3),
    )
    found = smallest_rebuild(graph, BAD)
    assert [each.key for each in found.relaunch] == [VERSIONS[0]]
    assert [(each.image.key, each.covers) for each in found.rebuild] == [(MADE, (GROUP, DEFAULT, VERSIONS[1]))]


def test_where_nothing_uses_it_nothing_need_be_rebuilt() -> None:
    found = smallest_rebuild(graph_of(fact(Relation.COPIED_FROM, MADE, BAD, 1)), BAD)
    assert (found.rebuild, found.relaunch) == ((), ())


@settings(max_examples=150)
@given(histories, st.integers(1, LAST))
def test_every_affected_parent_of_an_image_lies_in_an_earlier_layer(facts, second) -> None:
    start = IMAGES[0]
    graph = graph_of(note(start, 0), *facts)
    seen = [each for each in facts if each.evidence.time <= at(second)]
    found = frontiers(graph, start, bounds=Bounds(depth=100), at=at(second))
    layer_of = {each.key: number for number, layer in enumerate(found.layers) for each in layer}
    bad = {start} | {one.parent for one in seen if one.child == start and one.relation is Relation.REGISTERED_FROM}
    assert layer_of.keys() - {start} == {each for each in IMAGES[1:] if hit(each, second, seen, bad)}
    # Where the start itself came from is left aside, even if it is what came of it.
    above = {
        each: {key for key, _ in everything_above((each, second), seen, bad)} - {each}
        for each in layer_of
        if each != start
    }
    for child, parents in above.items():
        for parent in parents & above.keys():
            if child in above[parent]:
                assert layer_of[child] == layer_of[parent]
                assert {child, parent} <= set(found.circular)
            else:
                assert layer_of[parent] < layer_of[child]
        assert layer_of[child] > 0


@settings(max_examples=300)
@given(histories, st.integers(1, LAST), st.sets(st.sampled_from(IMAGES[1:]), max_size=1))
def test_the_smallest_set_cuts_all_that_can_be_cut_and_none_is_smaller(facts, second, fixed) -> None:
    start = IMAGES[0]
    graph = graph_of(note(start, 0), *facts)
    seen = [each for each in facts if each.evidence.time <= at(second)]
    bad = {start} | {one.parent for one in seen if one.child == start and one.relation is Relation.REGISTERED_FROM}
    things = {one.child for one in seen}
    users = [
        each
        for each in things
        if (kind_of(each) is Kind.INSTANCE or kind_of(each) in LATENT)
        and each not in bad
        and hit(each, second, seen, bad)
    ]
    can = set(IMAGES[1:]) - fixed
    lost = {each for each in users if hit(each, second, seen, bad, can)}
    found = smallest_rebuild(graph, start, bounds=Bounds(depth=100), at=at(second), fixed=frozenset(fixed))
    chosen = {each.image.key for each in found.rebuild}
    assert {each.key for each in found.relaunch} == lost
    assert chosen <= can
    left = set(users) - lost
    assert not any(hit(each, second, seen, bad, chosen) for each in left)
    for size in range(len(chosen)):
        for fewer in combinations(sorted(can), size):
            assert any(hit(each, second, seen, bad, set(fewer)) for each in left)
    for each in found.rebuild:
        assert set(each.covers) == {
            user
            for user in users
            if any(one == each.image.key for one, _ in everything_above((user, second), seen, bad))
        }


def hit(user: Key, second: int, facts: list[Fact], bad: set[Key], without: set[Key] = frozenset()) -> bool:
    return any(key in bad for key, _ in everything_above((user, second), facts, without))
