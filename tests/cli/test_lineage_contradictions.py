"""`orgctl lineage contradictions`, and what `coverage` tells of readings: output, whole, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from handlers.lineage.sqlite import SqliteGraph
from tests.support.command_line import CommandLine
from tests.support.two_sides import TwoSides


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path / 'two-sides.sqlite'}"


def keep(url: str, *dropped: str) -> None:
    sides = TwoSides(graph=SqliteGraph(Path(url.removeprefix("sqlite://"))))
    sides.drop(*dropped)
    sides.tell()
    sides.ec2.refuse["DescribeInstances"] = "UnauthorizedOperation"
    sides.read(24)
    sides.graph.close()


def test_a_contradiction_is_told_with_both_sides_and_their_evidence(lineage: CommandLine, url: str) -> None:
    keep(url, "approve")
    said = lineage("lineage", "contradictions", "--graph", url)
    assert said.code == 3
    assert said.out == dedent("""\
        incomplete: it may lack something, or say too much; the reasons stand at the end
        critical approval-tag  ami-made in eu-central-1 · 111122223333
          it is tagged ec2:SharedTag/status=approved, and nobody was heard to set the tag
            events: nobody was heard to set it
            DescribeImages: ec2:SharedTag/status=approved
              2026-03-01T12:00:00Z in 111122223333/eu-central-1 (describe, reported)
        1 contradiction in 7 things
        incomplete, for 2 reasons:
          unread: 111122223333/eu-central-1: could not be read whole: DescribeInstances: UnauthorizedOperation;
          unread: 444455556666/eu-central-1: was never read
        """)


def test_where_nothing_contradicts_itself_the_exit_code_says_so(lineage: CommandLine, url: str) -> None:
    keep(url)
    said = lineage("lineage", "contradictions", "--graph", url)
    assert said.code == 0
    assert "0 contradictions in 7 things" in said.out
    assert lineage("lineage", "contradictions", "--graph", url, "--strict").code == 3


def test_contradictions_as_json_go_on_where_they_ended(lineage: CommandLine, url: str) -> None:
    keep(url, "approve", "web", "their web")
    first = lineage("lineage", "contradictions", "--graph", url, "--size", "3", "--format", "json")
    page = json.loads(first.out)
    assert (first.code, page["examined"], page["complete"]) == (3, 3, False)
    second = lineage("lineage", "contradictions", "--graph", url, "--after", page["after"], "--format", "json")
    rest = json.loads(second.out)
    assert [each["rule"] for each in page["found"] + rest["found"]] == ["approval-tag", "usage"]
    assert rest["after"] is None
    assert page["found"][0]["second"]["facts"][0]["evidence"]["source"] == "describe"


def test_going_on_after_what_is_none_is_refused(lineage: CommandLine, url: str) -> None:
    keep(url)
    said = lineage("lineage", "contradictions", "--graph", url, "--after", "nowhere")
    assert (said.code, said.out) == (1, "")
    assert "is not the key of a thing" in said.err


def test_coverage_tells_when_each_place_was_read_and_what_could_not_be(lineage: CommandLine, url: str) -> None:
    keep(url)
    out = lineage("lineage", "coverage", "--graph", url).out
    assert "read 2026-03-01T18:00:00Z  not read: DescribeInstances: UnauthorizedOperation;" in out
    plain = json.loads(lineage("lineage", "coverage", "--graph", url, "--format", "json").out)
    assert [(each["expected"], each["read"]) for each in plain["places"]] == [(True, "in-part"), (True, "")]
    assert plain["places"][0]["reconciled"] == "2026-03-01T18:00:00.000Z"
