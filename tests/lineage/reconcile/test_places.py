"""What is known of places, and which findings it makes: nothing silent, unread or lost goes untold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.parse import parse_event
from handlers.lineage.findings import Severity
from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Key, Kind, Place, Time, key_of
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.coverage import Coverage, coverage
from handlers.lineage.queries.coverage_findings import RULES, coverage_findings
from handlers.lineage.queries.descent import ancestors
from handlers.lineage.queries.json_form import written
from handlers.lineage.queries.places import SILENCE, known_scope, place_readings
from handlers.lineage.queries.reasons import Gap, Why
from handlers.lineage.readings.parse import parse_reading
from handlers.lineage.reconcile.findings import FAMILIES, lineage_findings
from handlers.lineage.reconcile.reader import refused_message
from handlers.plan_reconciliation import plan
from org.model import AccountId, Region
from tests.lineage.conftest import Empty
from tests.support.ec2_answers import place
from tests.support.lineage import REGION, MemoryGraph
from tests.support.two_sides import STRANGER, A, B, TwoSides, heard, time

HOME = Place(AccountId("555566667777"), Region("eu-central-1"))
HOUR, DAY = 3_600_000, 86_400_000


def planned(
    graph: Graph, day: int, *accounts: str, closed: str = "", regions: Sequence[Region] = (Region(REGION),)
) -> None:
    told: list[str] = []
    states = [{"Id": each, "State": "ACTIVE"} for each in accounts]
    states += [{"Id": closed, "State": "SUSPENDED"}] if closed else []
    plan(states, regions, "o-exampleorg", HOME, lambda _: None, told.append, Time(time(0) + day * DAY))
    graph.append(batch_of(map(parse_reading, told)))


def test_the_graph_knows_the_organization_by_the_plan():
    graph = MemoryGraph()
    planned(graph, 0, A, B, closed=STRANGER)
    scope = known_scope(graph, time(1))
    assert scope.accounts == {A, B, STRANGER}
    assert scope.expected == {place(A), place(B)}
    assert (scope.organization, scope.now, scope.silence) == ("o-exampleorg", time(1), SILENCE)
    assert not scope.may_own("999900000000")


def test_without_a_plan_nobody_is_a_stranger():
    scope = known_scope(MemoryGraph(), time(1))
    assert (scope.accounts, scope.expected, scope.organization) == (frozenset(), frozenset(), "")
    assert scope.may_own(STRANGER)


def test_an_account_that_left_the_organization_is_no_longer_expected_after_two_days():
    graph = MemoryGraph()
    planned(graph, 0, A, B)
    planned(graph, 1, A)
    assert known_scope(graph, time(25)).expected == {place(A), place(B)}
    planned(graph, 2, A)
    assert known_scope(graph, time(49)).expected == {place(A)}
    assert known_scope(graph, time(49)).accounts == {A}


def test_an_account_that_is_closed_is_a_member_and_not_expected():
    graph = MemoryGraph()
    planned(graph, 0, A, B)
    planned(graph, 1, A, closed=B)
    scope = known_scope(graph, time(25))
    assert (scope.accounts, scope.expected) == ({A, B}, {place(A)})


def test_readings_tell_of_each_place_when_it_was_read(empty: Empty):
    sides = TwoSides(graph=empty())
    sides.tell()
    readings = place_readings(sides.graph)
    mine, theirs = readings[place(A)], readings[place(B)]
    assert (mine.read, mine.unread, mine.reconciled, mine.since, mine.first) == ("yes", "", time(18), time(12), time(0))
    assert (theirs.read, theirs.reconciled, theirs.expected) == ("", None, True)
    assert place_readings(sides.graph, time(12))[place(A)].reconciled == time(12)


def test_an_answer_about_an_account_that_could_not_be_read_says_so():
    sides = TwoSides()
    sides.tell()
    image = key_of(Kind.IMAGE, "ami-made", REGION)
    before = {each.why for each in ancestors(sides.graph, image).reasons}
    sides.take_readings([refused_message(place(A), time(20), "sts:AssumeRole", "AccessDenied")])
    after = [each for each in ancestors(sides.graph, image).reasons if each.why is Why.UNREAD]
    assert Why.UNREAD not in before
    assert [each.says for each in after] == ["could not be read whole: sts:AssumeRole: AccessDenied;"]
    # As of then it was not so, and once it was read again it no longer is.
    assert Why.UNREAD not in {each.why for each in ancestors(sides.graph, image, at=time(19)).reasons}
    sides.read(24)
    assert Why.UNREAD not in {each.why for each in ancestors(sides.graph, image).reasons}


def covered(graph: Graph, hours: int = 19) -> Coverage:
    return coverage(graph, known_scope(graph, time(hours)))


def rules(found: Coverage, **more: int) -> set[tuple[str, str, Severity]]:
    return {
        (each.rule.partition("/")[2], each.account, each.severity) for each in coverage_findings(found, HOME, **more)
    }


def two_sides() -> TwoSides:
    sides = TwoSides()
    sides.tell()
    return sides


def test_a_place_that_was_never_read_is_a_finding_and_one_that_was_is_none():
    assert rules(covered(two_sides().graph)) == {("stale", B, Severity.MEDIUM)}


def test_a_place_that_was_not_read_for_long_and_is_not_heard_is_told():
    sides = two_sides()
    sides.read(20)
    assert rules(covered(sides.graph, 20 + 49)) == {("stale", A, Severity.MEDIUM), ("stale", B, Severity.MEDIUM)}
    planned(sides.graph, 9, A, B)
    assert ("silent", A, Severity.MEDIUM) in rules(covered(sides.graph, 24 * 9))


def test_a_place_from_which_nothing_was_ever_heard_is_silent_once_it_was_expected_for_a_week():
    graph = MemoryGraph()
    for day in range(8):
        planned(graph, day, A)
        found = covered(graph, 24 * day + 23)
        assert (("silent", A, Severity.MEDIUM) in rules(found)) is (day == 7)
        assert [each.silent for each in found.places] == [day == 7]
        # A reason is another thing than a blame: what it may have told is missing from the first day.
        assert not found.complete


def test_an_account_that_was_closed_is_expected_anew_when_it_is_opened():
    graph = MemoryGraph()
    planned(graph, 0, A, B)
    planned(graph, 8, A, closed=B)
    planned(graph, 9, A, B)
    told = {each[1] for each in rules(covered(graph, 24 * 9 + 1)) if each[0] == "silent"}
    assert told == {A}
    assert place_readings(graph, time(24 * 9))[place(B)].expected_since == time(24 * 9)
    assert place_readings(graph, time(24 * 8))[place(B)].expected_since is None


def test_the_silent_regions_of_an_account_are_one_finding_that_tells_each_and_changes_with_them():
    graph = MemoryGraph()
    regions = [Region("ap-south-1"), Region(REGION), Region("us-east-1")]
    for day in (0, 8):
        planned(graph, day, A, B, regions=regions)
    graph.append(Batch((), {Place(AccountId(A), regions[0]): time(2), Place(AccountId(B), regions[0]): time(190)}))
    mine, theirs = (each for each in coverage_findings(covered(graph, 24 * 8), HOME) if "silent" in each.rule)
    assert (mine.about, theirs.about) == (f"aws/-/coverage/{A}", f"aws/-/coverage/{B}")
    assert mine.details == {"regions": "ap-south-1 eu-central-1 us-east-1"}
    assert mine.says == (
        f"events ought to come from {A}: the last from ap-south-1 was at {written(time(2))}; "
        "none ever came from eu-central-1, us-east-1"
    )
    assert theirs.details == {"regions": "eu-central-1 us-east-1"}
    graph.append(Batch((), {Place(AccountId(A), regions[1]): time(190)}))
    changed, _ = (each for each in coverage_findings(covered(graph, 24 * 8), HOME) if "silent" in each.rule)
    assert changed.id == mine.id
    assert changed.details == {"regions": "ap-south-1 us-east-1"}


def test_an_account_that_does_not_let_us_in_is_worse_than_a_call_that_is_throttled():
    sides = two_sides()
    sides.take_readings([refused_message(place(B), time(18, 30), "sts:AssumeRole", "AccessDenied")])
    sides.ec2.refuse["DescribeInstances"] = "RequestLimitExceeded"
    sides.read(19)
    assert rules(covered(sides.graph)) == {("unread", A, Severity.MEDIUM), ("unread", B, Severity.HIGH)}


def test_what_was_left_out_is_told_for_a_week():
    sides = two_sides()
    late = {"imageId": "ami-made"}
    sides.graph.append(batch_of([parse_event(heard("CopyImage", (18, 0), late, {}))]))
    assert ("omitted", A, Severity.LOW) in rules(covered(sides.graph))
    sides.read(24 * 8)
    assert "omitted" not in {rule for rule, *_ in rules(covered(sides.graph, 24 * 8 + 1))}


def test_forged_events_are_told_on_the_place_that_they_claim():
    sides = two_sides()
    forged = heard("CopyImage", (18, 0), {}, {})
    forged["detail"]["recipientAccountId"] = STRANGER
    nowhere = {"source": "custom", "detail": {}}
    sides.graph.append(batch_of([parse_event(forged), parse_event(nowhere)]))
    assert {each for each in rules(covered(sides.graph)) if each[0] == "forged"} == {("forged", A, Severity.HIGH)}


def test_names_of_which_nothing_is_known_are_told_above_a_number():
    found = covered(two_sides().graph)
    assert found.unresolved
    assert ("unresolved", HOME.account, Severity.MEDIUM) in rules(found, unresolved_at_most=found.unresolved - 1)
    assert "unresolved" not in {rule for rule, *_ in rules(found, unresolved_at_most=found.unresolved)}


def test_a_finding_on_a_place_that_is_none_is_the_lineage_accounts():
    found = covered(two_sides().graph)
    unknown = Place(AccountId("unknown"), Region("-"))
    claimed = replace(found.places[0], place=unknown, gaps=(Gap(unknown, "forged", 1, time(1), time(18)),))
    (finding,) = [each for each in coverage_findings(replace(found, places=(claimed,)), HOME) if "forged" in each.rule]
    assert finding.account == HOME.account
    assert finding.about == Key("aws/-/coverage/unknown")


def test_every_rule_of_coverage_is_named():
    assert {rule.partition("/")[2] for rule in RULES} == {
        "silent",
        "unread",
        "stale",
        "unresolved",
        "omitted",
        "forged",
    }


def test_all_findings_come_of_one_look_at_the_graph():
    sides = TwoSides()
    sides.drop("approve")
    sides.tell()
    found = lineage_findings(sides.graph, known_scope(sides.graph, time(19)), HOME)
    assert {each.rule for each in found} == {"contradiction/approval-tag", "coverage/stale"}
    assert {each.rule.partition("/")[0] for each in found} == set(FAMILIES)
    assert len({each.id for each in found}) == len(found)
    other = lineage_findings(sides.graph, known_scope(sides.graph, time(19)), HOME, ("Team", None))
    assert {each.rule for each in other} == {"coverage/stale"}


@pytest.mark.parametrize("size", [1, 7])
def test_a_finding_ends_when_the_contradiction_does(size):
    sides = TwoSides()
    approve = sides.events.pop("approve")
    sides.tell()
    scope = known_scope(sides.graph, time(19))
    assert "contradiction/approval-tag" in {each.rule for each in lineage_findings(sides.graph, scope, HOME)}
    # The event was late: it says when it happened, and nothing contradicts itself any more.
    sides.graph.append(batch_of([parse_event(approve)] * size))
    assert {each.rule for each in lineage_findings(sides.graph, scope, HOME)} == {"coverage/stale"}


def test_nothing_is_known_of_an_empty_graph_and_nothing_is_wrong():
    graph = MemoryGraph()
    graph.append(Batch())
    assert lineage_findings(graph, Scope(now=time(1)), HOME) == ()
