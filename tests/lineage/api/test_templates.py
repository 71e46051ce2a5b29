"""Launch templates of a security impact: each once, whatever leads to it."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.lineage.api.templates import templates_of
from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.parse import parse_event
from handlers.lineage.model import Kind, Relation, key_of
from handlers.lineage.queries.impact import impact
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, fact, image, note
from tests.support.two_sides import A, heard

BAD, GOOD = image("0badc0ffee0000001"), image("00000000000000002")
ID, OTHER = "lt-0000000000000000a", "lt-0000000000000000b"


def version(number: int, id: str = ID, name: str = "web") -> dict[str, Any]:
    return {"launchTemplateVersion": {"launchTemplateId": id, "launchTemplateName": name, "versionNumber": number}}


def created(minute: int, id: str = ID, name: str = "web") -> dict[str, Any]:
    made = {"launchTemplateId": id, "launchTemplateName": name, "defaultVersionNumber": 1, "latestVersionNumber": 1}
    asked = {"launchTemplateName": name, "launchTemplateData": {"imageId": BAD.rpartition("/")[2]}}
    return heard("CreateLaunchTemplate", (1, minute), asked, {"launchTemplate": made})


def added(minute: int, number: int, ami: str) -> dict[str, Any]:
    asked = {"launchTemplateName": "web", "launchTemplateData": {"imageId": ami.rpartition("/")[2]}}
    return heard("CreateLaunchTemplateVersion", (1, minute), asked, version(number))


def listed(*events: dict[str, Any], graph: MemoryGraph | None = None) -> list[tuple[Any, ...]]:
    there = graph or MemoryGraph()
    there.append(batch_of(map(parse_event, events)))
    found = templates_of(there, impact(there, BAD).latent)
    return [(each.launch_template_id, each.name, each.versions, each.pointers) for each in found]


def test_a_template_that_has_an_id_a_name_and_two_pointers_is_one() -> None:
    assert listed(created(0)) == [(ID, "web", ["1"], ["$Default", "$Latest"])]


def test_only_versions_and_pointers_that_lead_to_the_image_are_told_in_the_order_of_numbers() -> None:
    more = [added(number, number, BAD) for number in range(2, 11)]
    newest = added(20, 11, GOOD)
    numbers = [str(number) for number in range(1, 11)]
    assert listed(created(0), *more, newest) == [(ID, "web", numbers, ["$Default"])]


def test_of_two_templates_each_is_told_and_neither_takes_the_others_name() -> None:
    found = listed(created(0), created(1, OTHER, "batch"))
    assert [each[:2] for each in found] == [(ID, "web"), (OTHER, "batch")]


def test_a_name_that_another_template_has_now_is_still_no_template_of_its_own() -> None:
    numbers = {"defaultVersionNumber": "1", "latestVersionNumber": "1"}
    gone = {"launchTemplate": {"launchTemplateId": ID, "launchTemplateName": "web", **numbers}}
    deleted = heard("DeleteLaunchTemplate", (1, 1), {"launchTemplateId": ID}, gone)
    assert listed(created(0), deleted) == []
    assert [each[:2] for each in listed(created(0), deleted, created(2, OTHER))] == [(OTHER, "web")]


@pytest.mark.parametrize("named", [True, False])
def test_a_template_of_which_only_the_name_or_only_the_id_is_known_is_told_by_it(named: bool) -> None:
    name = f"{ACCOUNT}/web" if named else ID
    key = key_of(Kind.TEMPLATE_VERSION, f"{name}:3", REGION)
    graph = MemoryGraph()
    graph.append(batch_of([]))
    graph.facts.update((each.id, each) for each in (note(key, 1, owner=A), fact(Relation.REFERENCES, key, BAD, 2)))
    expected = (None, "web", ["3"], []) if named else (ID, None, ["3"], [])
    assert listed(graph=graph) == [expected]
