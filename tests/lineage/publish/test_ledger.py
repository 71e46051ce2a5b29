"""What Security Hub was told last is remembered: it is a cache, and a run that is cut goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.lineage.findings import Finding, Severity
from handlers.lineage.model import Key, Kind, Time, key_of
from handlers.lineage.publish import up_to_date
from handlers.lineage.publish.asff import Product
from handlers.lineage.publish.books import Unfinished
from handlers.lineage.publish.ledger import Entry, Ledger, from_text, to_text
from handlers.lineage.publish.security_hub import NotImported
from handlers.lineage.publish.up_to_date import REFRESH, Published, publish
from org.model import AccountId, Region
from tests.support.security_hub import FakeHub, Texts

HOME = Region("eu-central-1")
PRODUCT = Product(AccountId("555566667777"), HOME)
NOW = Time(1_764_136_800_000)
LATER = Time(NOW + 3_600_000)


def wrong(number: int, rule: str = "compliance/approval", **changes: Any) -> Finding:
    about = key_of(Kind.IMAGE, f"ami-{number:017x}", HOME)
    account = AccountId("111122223333")
    made = Finding(rule, about, account, HOME, Severity.HIGH, "It is not approved", "it has no tag", "approve it", {})
    return replace(made, **changes)


class World:
    """A hub, a store, and people who hear what is new."""

    def __init__(self) -> None:
        self.hub, self.texts = FakeHub(), Texts()
        self.heard: list[Finding] = []

    def run(self, *findings: Finding, now: Time = NOW, late: Callable[[], bool] = lambda: False) -> Published:
        families = ["compliance", "contradiction"]
        return publish(
            self.hub, findings, every, PRODUCT, families, now, lambda each: self.heard.extend(each.created),
            self.texts, late,
        )  # fmt: skip

    def until_done(self, *findings: Finding, calls: int) -> int:
        """Run again and again, each time with time for some calls; answer how often."""
        for runs in range(1, 100):
            try:
                self.run(*findings, now=Time(NOW + runs), late=after(calls))
            except Unfinished:
                continue
            return runs
        raise AssertionError("it never ends")


def every(rule: str, about: Key) -> bool:
    return True


def after(calls: int) -> Callable[[], bool]:
    left = iter(range(calls))
    return lambda: next(left, None) is None


def calls(hub: FakeHub) -> int:
    return hub.reads + len(hub.imports)


def test_a_run_that_finds_what_the_last_one_found_makes_no_call_to_security_hub_and_writes_nothing() -> None:
    world = World()
    many = [wrong(number) for number in range(250)]
    world.run(*many)
    before, saved = calls(world.hub), world.texts.saved
    told = world.run(*many, now=LATER)
    assert (calls(world.hub), world.texts.saved) == (before, saved)
    assert len(told.unchanged) == 250


def test_what_is_new_different_or_over_takes_calls_for_itself_alone() -> None:
    world = World()
    many = [wrong(number) for number in range(250)]
    world.run(*many)
    before = calls(world.hub)
    told = world.run(*many[:-2], replace(many[-2], says="worse"), wrong(999), now=LATER)
    assert (len(told.created), len(told.updated), told.resolved) == (1, 1, (many[-1].id,))
    assert calls(world.hub) - before == 4, "to look up two, to import two, and to end one"
    assert len(world.hub.open()) == 250


def test_a_ledger_that_is_lost_is_read_from_security_hub_and_nobody_hears_of_what_is_open() -> None:
    world = World()
    many = [wrong(number) for number in range(250)]
    world.run(*many)
    world.texts.texts.clear()
    world.heard.clear()
    assert len(world.run(*many, now=LATER).unchanged) == 250
    assert world.heard == []
    assert world.texts.texts.keys() == {"published/compliance.json", "published/contradiction.json"}


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"version":0,"entries":{},"token":null}', '{"entries":[[]]}'])
def test_a_ledger_that_cannot_be_read_counts_as_lost(text: str) -> None:
    world = World()
    world.run(wrong(1))
    world.texts.texts["published/compliance.json"] = text
    assert len(world.run(wrong(1), now=LATER).unchanged) == 1


def test_a_run_that_died_after_the_import_tells_nobody_again() -> None:
    world = World()
    world.run()
    before = dict(world.texts.texts)
    world.run(wrong(1))
    world.texts.texts = before
    world.heard.clear()
    told = world.run(wrong(1), now=LATER)
    assert (told.unchanged, world.heard) == ((wrong(1),), [])


def test_what_security_hub_refused_is_told_and_tried_again() -> None:
    world = World()
    world.hub = FakeHub(refuses=[wrong(1).id])
    for _ in range(2):
        with pytest.raises(NotImported, match=r"1 of \d findings were not taken"):
            world.run(wrong(1), wrong(2))
    assert [each.about for each in world.heard] == [wrong(1).about, wrong(2).about], "nobody is told twice"


def test_a_run_that_is_killed_after_the_import_leaves_nothing_open_that_is_right_again() -> None:
    world = World()
    world.run()
    killed = dict(world.texts.texts)

    def save(name: str, text: str) -> None:
        if world.hub.imports:
            raise KeyboardInterrupt
        killed[name] = text

    world.texts.save = save  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.run(wrong(1))
    del world.texts.save
    world.texts.texts = killed
    assert list(world.hub.open()) == [wrong(1).id]
    assert world.run(now=LATER).resolved == (wrong(1).id,)
    assert not world.hub.open()


def test_what_is_wrong_once_more_keeps_its_first_date() -> None:
    world = World()
    world.run(wrong(1))
    world.run(now=LATER)
    assert world.run(wrong(1), now=Time(LATER + 1000)).created == (wrong(1),)
    assert world.hub.open()[wrong(1).id]["CreatedAt"] == "2025-11-26T06:00:00.000Z"


def test_what_is_as_it_was_is_told_again_before_security_hub_forgets_it_without_being_read() -> None:
    world = World()
    world.run(wrong(1))
    reads = world.hub.reads
    world.run(wrong(1), now=Time(NOW + REFRESH + 1))
    assert (world.hub.reads, len(world.hub.imports)) == (reads, 2)
    assert world.hub.open()[wrong(1).id]["CreatedAt"] == "2025-11-26T06:00:00.000Z"


def test_much_that_is_new_is_not_looked_up_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_to_date, "LOOKED_UP", 40)
    world = World()
    world.run(*(wrong(number) for number in range(100)))
    reads = world.hub.reads
    told = world.run(*(wrong(number) for number in range(1000)), now=LATER)
    assert (len(told.created), len(told.unchanged)) == (900, 100)
    assert world.hub.reads - reads == 2, "one page for each family"


@given(st.integers(0, 350), st.integers(0, 350), st.integers(1, 6))
def test_a_run_that_is_cut_goes_on_and_tells_people_once(old: int, new: int, calls: int) -> None:
    world = World()
    world.hub = FakeHub(page=30)
    world.run(*(wrong(number) for number in range(old)))
    world.heard.clear()
    world.texts.texts.clear()
    found = [wrong(number) for number in range(200, 200 + new)]
    world.until_done(*found, calls=calls + 30)
    assert world.hub.open().keys() == {each.id for each in found}
    new_ones = {each.id for each in found} - {wrong(number).id for number in range(old)}
    assert sorted(each.id for each in world.heard) == sorted(new_ones)


def test_reading_goes_on_at_the_page_where_it_stopped() -> None:
    world = World()
    world.hub = FakeHub(page=10)
    many = [wrong(number) for number in range(100)]
    world.run(*many)
    world.texts.texts.clear()
    reads = world.hub.reads
    assert world.until_done(*many, calls=4) == 3
    assert world.hub.reads - reads == 11, "ten pages, and one of the other family"


entries = st.dictionaries(st.text(), st.builds(Entry, st.text(), st.text(), st.text()))


@given(entries, st.none() | st.text())
def test_a_ledger_is_read_as_it_was_written(entries: dict[str, Entry], token: str | None) -> None:
    assert from_text(to_text(Ledger(entries, token))) == Ledger(entries, token)
