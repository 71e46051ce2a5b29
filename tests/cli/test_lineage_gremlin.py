"""`orgctl lineage` on a Gremlin Server: each command says what it says on SQLite."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.gremlin_server import GremlinServer, gremlin_server
from tests.support.lineage_story import story

__all__ = ["gremlin_server"]


@pytest.mark.xdist_group("gremlin")
def test_answers_are_the_same_on_either_engine(lineage: CommandLine, gremlin_server: GremlinServer) -> None:
    with closing(gremlin_server.empty(source="g")) as graph:
        graph.append(story())
    for words in (
        ("show", "ami-golden"),
        ("ancestors", "i-web"),
        ("descendants", "ami-golden", "--at", "2026-09-21T14:13:25Z"),
        ("impact", "ami-base"),
        ("frontiers", "ami-base"),
        ("verify", "ami-laundered", "--trust", "amazon"),
        ("root", "i-swapped"),
        ("evidence", "ami-copy", "ami-golden"),
        ("search", "--where", "state=available", "--limit", "3"),
        ("coverage",),
        ("digest",),
        ("show", "ami-twin"),
    ):
        here, there = lineage("lineage", *words), lineage("lineage", *words, "--graph", gremlin_server.url)
        assert there == here, words
        assert here.out or here.code == 1
    assert lineage("lineage", "export", "--out", "here").code == 0
    assert lineage("lineage", "export", "--out", "there", "--graph", gremlin_server.url).code == 0
    for name in ("things.csv", "places.csv", "facts.csv"):
        assert Path("here", name).read_bytes() == Path("there", name).read_bytes()


def test_a_server_that_does_not_answer_is_told(lineage: CommandLine) -> None:
    said = lineage("lineage", "digest", "--graph", "ws://127.0.0.1:1/gremlin")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: ws://127.0.0.1:1/gremlin: ")
