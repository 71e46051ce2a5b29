"""Whether the lineage of an image is unbroken up to trusted roots."""

from __future__ import annotations

import pytest

from handlers.lineage.model import Batch, Confidence, Evidence, Fact, Key, Kind, Relation, Source, key_of
from handlers.lineage.queries.asking import BadQuery, Bounds, Scope, UnknownThing
from handlers.lineage.queries.descent import ancestors, descendants
from handlers.lineage.queries.hops import Verdict
from handlers.lineage.queries.reasons import Why
from handlers.lineage.queries.verify import Result, verify
from org.model import AccountId
from tests.support.histories import key
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, evidence, fact, image, instance, note

STRANGER = AccountId("999999999999")
SCOPE = Scope(accounts=frozenset({ACCOUNT}))
PUBLIC, GOLDEN, MADE = image("public"), image("golden"), image("made")
SERVER, VOLUME, SNAPSHOT = instance("server"), key(Kind.VOLUME, "vol-1"), key(Kind.SNAPSHOT, "snap-1")

AMAZON = note(PUBLIC, 0, owner="137112412989", owner_alias="amazon")
COPIED = (AMAZON, fact(Relation.COPIED_FROM, GOLDEN, PUBLIC, 1), note(GOLDEN, 1, owner=ACCOUNT, creation_method="copy"))
BUILT = (
    *COPIED,
    fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 2),
    fact(Relation.CREATED_FROM, MADE, SERVER, 3),
)


def graph_of(*facts: Fact) -> MemoryGraph:
    graph = MemoryGraph()
    graph.append(Batch(facts))
    return graph


def judged(facts: tuple[Fact, ...], start: Key = MADE, trusted: tuple[str, ...] = ("amazon",)) -> Result:
    return verify(graph_of(*facts), start, trusted, SCOPE).result


def test_copies_of_a_trusted_root_are_verified() -> None:
    found = verify(graph_of(*COPIED), GOLDEN, ["amazon"], SCOPE)
    assert (found.result, found.writable, [each.key for each in found.roots]) == (Result.VERIFIED, (), [PUBLIC])
    assert found.complete
    assert judged(COPIED, GOLDEN, ("137112412989",)) is Result.VERIFIED


def test_what_a_machine_could_write_on_is_unverified_and_the_hop_is_named() -> None:
    found = verify(graph_of(*BUILT), MADE, ["amazon"], SCOPE)
    assert found.result is Result.UNVERIFIED
    assert [(each.child, each.relation, each.parent) for each in found.writable] == [
        (MADE, Relation.CREATED_FROM, SERVER)
    ]
    assert found.writable[0].why == "the machine could write on its disks before the image was made"


def test_a_root_of_nobody_who_is_trusted_is_told() -> None:
    found = verify(graph_of(*BUILT), MADE, [ACCOUNT], SCOPE)
    assert found.result is Result.UNTRUSTED_ROOT
    assert [each.key for each in found.untrusted] == [PUBLIC]


def test_that_a_trusted_account_copied_it_does_not_make_a_public_image_trusted() -> None:
    laundered = (
        note(PUBLIC, 0, owner=STRANGER),
        fact(Relation.COPIED_FROM, GOLDEN, PUBLIC, 1),
        note(GOLDEN, 1, owner=ACCOUNT),
    )
    assert judged(laundered, GOLDEN, (ACCOUNT,)) is Result.UNTRUSTED_ROOT


def test_the_account_in_which_a_call_was_made_is_no_owner_to_trust() -> None:
    only_pointed_at = (fact(Relation.REFERENCES, key(Kind.TEMPLATE_VERSION, "lt-1:1"), MADE, 1), note(MADE, 2, x="y"))
    assert judged(only_pointed_at, MADE, (ACCOUNT,)) is Result.BROKEN


def test_a_stub_on_the_way_up_breaks_it() -> None:
    found = verify(graph_of(*BUILT[1:]), MADE, ["amazon"], SCOPE)
    assert found.result is Result.BROKEN
    assert [(each.why, each.about) for each in found.missing] == [(Why.UNSEEN_CREATION, PUBLIC)]
    assert found.untrusted == (), "whose it is was not said"
    assert not found.complete


def test_an_image_whose_parents_were_not_told_breaks_it() -> None:
    assert judged((note(MADE, 1, owner=ACCOUNT, creation_method="register"),)) is Result.BROKEN
    assert judged((note(MADE, 1, owner=ACCOUNT),)) is Result.BROKEN
    assert judged((note(MADE, 1, owner=ACCOUNT),), MADE, (ACCOUNT,)) is Result.VERIFIED, "a root that is trusted"


LAUNDERED = (
    *COPIED,
    fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 2, "run"),
    fact(Relation.ATTACHED_TO, VOLUME, SERVER, 2, "run"),
    fact(Relation.SNAPSHOT_OF, SNAPSHOT, VOLUME, 3),
    fact(Relation.REGISTERED_FROM, MADE, SNAPSHOT, 4),
)


def test_registering_an_image_of_a_snapshot_does_not_hide_where_it_came_from() -> None:
    found = verify(graph_of(*LAUNDERED), MADE, ["amazon"], SCOPE)
    assert found.result is Result.UNVERIFIED
    assert {each.relation for each in found.writable} == {Relation.ATTACHED_TO, Relation.SNAPSHOT_OF}
    assert [each.key for each in found.roots] == [PUBLIC]


def test_a_volume_that_no_launch_brought_has_an_unseen_beginning() -> None:
    attached_later = [each for each in LAUNDERED if each.relation is not Relation.ATTACHED_TO]
    facts = (*attached_later, fact(Relation.ATTACHED_TO, VOLUME, SERVER, 2, "attach"))
    found = verify(graph_of(*facts), MADE, ["amazon"], SCOPE)
    assert (found.result, [each.about for each in found.missing]) == (Result.BROKEN, [VOLUME])


def test_a_volume_that_was_made_of_nothing_has_a_seen_beginning() -> None:
    blank = note(VOLUME, 1, creation_method="blank", owner=ACCOUNT)
    attached = fact(Relation.ATTACHED_TO, VOLUME, SERVER, 2, "attach")
    facts = (*(each for each in LAUNDERED if each.relation is not Relation.ATTACHED_TO), attached, blank)
    assert judged(facts) is Result.UNVERIFIED


def test_owning_the_recipe_does_not_make_an_unknown_base_trusted() -> None:
    recipe = key(Kind.RECIPE, f"arn:aws:imagebuilder:eu-central-1:{ACCOUNT}:image-recipe/web/1.0.0")
    facts = (fact(Relation.BUILT_BY, MADE, recipe, 2), note(recipe, 1, owner=ACCOUNT))
    assert judged(facts, MADE, (ACCOUNT,)) is Result.BROKEN


def test_what_comes_from_outside_of_aws_is_an_untrusted_root() -> None:
    disk = key_of(Kind.EXTERNAL, "https://example.com/disk.vmdk")
    found = verify(graph_of(fact(Relation.IMPORTED_FROM, MADE, disk, 1)), MADE, ["amazon", ACCOUNT], SCOPE)
    assert found.result is Result.UNTRUSTED_ROOT
    assert [each.verdict for each in found.writable] == [Verdict.FOREIGN]


def test_a_bound_that_is_hit_breaks_it() -> None:
    found = verify(graph_of(*BUILT), MADE, ["amazon"], SCOPE, Bounds(depth=1))
    assert (found.result, [each.about for each in found.missing]) == (Result.BROKEN, ["depth"])


def test_a_hop_that_was_only_reasoned_is_neither_verified_nor_complete() -> None:
    reasoned = Evidence(Source.INFERRED, "e", evidence(1).time, ACCOUNT, REGION, "", Confidence.INFERRED)
    facts = (AMAZON, Fact(Relation.COPIED_FROM, MADE, PUBLIC, reasoned))
    found = verify(graph_of(*facts), MADE, ["amazon"], SCOPE)
    assert found.result is Result.UNVERIFIED
    assert [each.why for each in found.reasons] == [Why.INFERRED]
    seen = verify(graph_of(*facts, fact(Relation.COPIED_FROM, MADE, PUBLIC, 1)), MADE, ["amazon"], SCOPE)
    assert (seen.result, seen.complete) == (Result.VERIFIED, True)


def test_as_of_a_time_only_what_was_known_to_have_happened_counts() -> None:
    later = fact(Relation.CREATED_FROM, GOLDEN, instance("late"), 9)
    graph = graph_of(*COPIED, later)
    assert verify(graph, GOLDEN, ["amazon"], SCOPE).result is Result.BROKEN
    assert verify(graph, GOLDEN, ["amazon"], SCOPE, at=evidence(5).time).result is Result.VERIFIED


def test_somebody_must_be_trusted() -> None:
    with pytest.raises(BadQuery, match="trusted owners: none is given; name the accounts"):
        verify(graph_of(*COPIED), GOLDEN, [], SCOPE)


def test_a_walk_tells_things_levels_and_ends() -> None:
    up = ancestors(graph_of(*BUILT), MADE, SCOPE)
    assert up.levels == ((MADE,), (SERVER,), (GOLDEN,), (PUBLIC,))
    assert up.tops == (PUBLIC,)
    assert (up.complete, up.truncated) == (True, False)
    assert up.things[GOLDEN].account == ACCOUNT
    down = descendants(graph_of(*BUILT), PUBLIC, SCOPE)
    assert set(down.things) == set(up.things)
    assert down.formerly == ()
    assert down.hops == up.hops


@pytest.mark.parametrize("ask", [ancestors, descendants])
def test_a_thing_of_which_nothing_is_known_is_an_error_that_names_its_like(ask) -> None:
    graph = graph_of(note(image("0123456789abcdef0"), 1, name="x"))
    with pytest.raises(UnknownThing, match=r"did you mean aws/eu-central-1/image/ami-0123456789abcdef0\?$"):
        ask(graph, image("0123456789abcdef1"))
    with pytest.raises(UnknownThing, match="see that its region is right"):
        ask(graph, image("zzz"))
    graph = graph_of(note(image("0123f6f62e927db48"), 1, name="a stranger in the same Region"))
    with pytest.raises(UnknownThing, match="see that its region is right"):
        ask(graph, image("01236f62e1a5356b5"))


@pytest.mark.parametrize("ask", [ancestors, descendants])
@pytest.mark.parametrize("wrong", ["ami-1", "aws/eu-central-1/picture/ami-1", "aws//image/ami-1", "aws/x/image/", ""])
def test_what_is_no_key_is_refused(ask, wrong) -> None:
    with pytest.raises(BadQuery):
        ask(MemoryGraph(), Key(wrong))


@pytest.mark.parametrize(
    "bounds", [{"depth": 0}, {"depth": 101}, {"size": 0}, {"size": 100_001}, {"per_parent": 0}, {"depth": True}]
)
def test_bounds_have_bounds(bounds) -> None:
    with pytest.raises(BadQuery, match="is not within bounds; give a number from 1 to"):
        Bounds(**bounds)
    with pytest.raises(BadQuery):
        Bounds(depth="10")


def test_the_ends_of_the_bounds_are_allowed() -> None:
    assert Bounds(1, 1, 1) != Bounds(100, 100_000, 100_000)
