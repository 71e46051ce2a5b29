"""How `orgctl lineage` is held wrong: each bad input, and what is said to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cli.lineage_graph_app import KINDS
from handlers.lineage.model import Kind
from tests.cli.test_rollout import write
from tests.support.command_line import CommandLine

KEYS = "write ami-… with --region, eu-central-1/ami-…, or a whole key such as aws/eu-central-1/image/ami-…"
ONE_OF_THEM = "name one of them, or pass --region"
NOWHERE = "nothing is known of it in any Region; see lineage coverage for what is heard at all"
UNHEARD = "nothing is known of this thing; see that its region is right and that its events are heard"


@pytest.mark.parametrize(
    ("id", "error"),
    [
        ("golden", f"golden: it is no id that begins with ami-, snap-, vol-, i-, lt-, fleet-, sfr-, sir-; {KEYS}"),
        ("ami-", f"ami-: it is no id that begins with ami-, snap-, vol-, i-, lt-, fleet-, sfr-, sir-; {KEYS}"),
        ("", f"id: it is no id that begins with ami-, snap-, vol-, i-, lt-, fleet-, sfr-, sir-; {KEYS}"),
        ("aws/eu-central-1/picture/ami-golden", f"aws/eu-central-1/picture/ami-golden: it is no id of a thing; {KEYS}"),
        ("here/ami-golden", f"here/ami-golden: it is no id of a thing; {KEYS}"),
        ("aws//image/ami-golden", f"aws//image/ami-golden: a part of the key is empty; {KEYS}"),
        ("lt-1", "lt-1: it does not say which version; write lt-1:3, 'lt-1:$Default' or 'lt-1:$Latest'"),
        (
            "ami-twin",
            f"ami-twin: it is in 2 Regions: eu-central-1/ami-twin, us-east-1/ami-twin; {ONE_OF_THEM}",
        ),
        (
            "ami-none",
            f"ami-none: {NOWHERE}",
        ),
        ("eu-west-3/ami-golden", f"aws/eu-west-3/image/ami-golden: {UNHEARD}"),
        ("ami-\x1b[2J", f"ami-\\x1b[2J: {NOWHERE}"),
    ],
)  # fmt: skip
def test_an_id_that_names_no_thing_is_told_why(lineage: CommandLine, id: str, error: str) -> None:
    said = lineage("lineage", "show", id)
    assert (said.code, said.out, said.err) == (1, "", f"error: {error}\n")


def test_what_may_have_been_meant_is_named(lineage: CommandLine) -> None:
    said = lineage("lineage", "show", "eu-central-1/ami-goldem")
    assert said.code == 1
    assert "did you mean aws/eu-central-1/image/ami-golden" in said.err


def test_an_id_is_taken_in_each_of_its_forms(lineage: CommandLine) -> None:
    said = lineage("lineage", "show", "ami-golden")
    for words in (
        ("eu-central-1/ami-golden",),
        ("aws/eu-central-1/image/ami-golden",),
        ("ami-golden", "--region", "eu-central-1"),
        ("eu-central-1/ami-golden", "--region", "eu-central-1"),
    ):
        assert lineage("lineage", "show", *words) == said
    assert lineage("lineage", "show", "lt-1:$Default").code == 0
    assert lineage("lineage", "show", "aws/us-east-1/auto-scaling-group/222233334444/web").code == 0


def test_a_region_that_contradicts_the_id_is_refused(lineage: CommandLine) -> None:
    for id in ("eu-central-1/ami-golden", "aws/eu-central-1/image/ami-golden"):
        said = lineage("lineage", "show", id, "--region", "us-east-1")
        assert said.err == f"error: {id}: it is in another Region than --region us-east-1; leave out --region\n"
    said = lineage("lineage", "show", "ami-golden", "--region", "Frankfurt")
    assert (said.code, said.err) == (1, "error: --region: 'Frankfurt' is no Region; write it like eu-central-1\n")


def test_a_bad_time_or_bound_is_a_mistake_of_usage(lineage: CommandLine) -> None:
    for words in (
        ("--at", "yesterday"),
        ("--at", "2026-13-01"),
        ("--depth", "0"),
        ("--depth", "101"),
        ("--depth", "deep"),
        ("--size", "0"),
        ("--size", "100001"),
    ):
        said = lineage("lineage", "ancestors", "ami-golden", *words)
        assert (said.code, said.out) == (2, ""), words
        assert words[0] in said.err


def test_without_a_graph_it_is_said_how_to_name_one(lineage: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORGCTL_LINEAGE_GRAPH")
    for words in (("show", "ami-golden"), ("search",), ("coverage",), ("digest",), ("export", "--out", "out")):
        said = lineage("lineage", *words)
        assert (said.code, said.out, said.err) == (
            1,
            "",
            (
                "error: --graph: no lineage graph is named; pass --graph sqlite:///path or wss://host:8182/gremlin, "
                "set ORGCTL_LINEAGE_GRAPH, or use --sandbox\n"
            ),
        )


def test_a_graph_that_is_none_is_refused(lineage: CommandLine, tmp_path: Path) -> None:
    other = sqlite3.connect("other.sqlite")
    other.execute("PRAGMA user_version = 7")
    other.close()
    Path("text.sqlite").write_text("this is no database, and long enough to be seen as none" * 40, encoding="utf-8")
    for path, what in (
        ("none.sqlite", "there is no lineage graph; ingest events, or rebuild from the archive"),
        ("other.sqlite", "this is another program's file; name another file, or rebuild the graph from the archive"),
        ("text.sqlite", "the lineage graph cannot be used: file is not a database; "),
    ):
        said = lineage("lineage", "show", "ami-golden", "--graph", f"sqlite://{tmp_path}/{path}")
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith(f"error: {tmp_path}/{path}: {what}")
    assert not Path("none.sqlite").exists()
    for url in ("graph.sqlite", "http://localhost", "sqlite://graph.sqlite"):
        said = lineage("lineage", "show", "ami-golden", "--graph", url)
        assert said.err == (
            f"error: {url}: is no URL of a lineage graph; give sqlite:///path, or ws:// or wss:// of a Gremlin server\n"
        )


def test_the_sandbox_has_a_graph_of_its_own_and_asks_none_elsewhere(
    lineage: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = lineage("lineage", "show", "ami-golden", "--sandbox", "--graph", "/tmp/lineage.sqlite")
    assert "/tmp/lineage.sqlite: is no URL of a lineage graph; give sqlite:///path" in path.err
    said = lineage("lineage", "show", "ami-golden", "--sandbox", "--graph", "wss://graph.example.com:8182/gremlin")
    assert (said.code, said.err) == (
        1,
        (
            "error: wss://graph.example.com:8182/gremlin: with --sandbox nothing is asked beyond this machine; leave "
            "out one of the two\n"
        ),
    )
    monkeypatch.delenv("ORGCTL_LINEAGE_GRAPH")
    monkeypatch.setenv("ORGCTL_HOME", str(tmp_path))
    missing = lineage("lineage", "show", "ami-golden", "--sandbox")
    assert missing.err == (
        f"error: {tmp_path}/lineage.sqlite: the sandbox has no lineage graph yet; make one: orgctl sandbox play life\n"
    )
    Path("graph.sqlite").rename("lineage.sqlite")
    assert lineage("lineage", "show", "ami-golden", "--sandbox").code == 0


def test_a_profile_does_not_reach_a_server_and_so_is_refused(lineage: CommandLine) -> None:
    said = lineage("lineage", "digest", "--profile", "audit", "--graph", "wss://graph.example.com:8182/gremlin")
    assert said.err == "error: --profile: a graph is asked with the environment's credentials; set AWS_PROFILE\n"


def test_live_accounts_need_the_sandbox_to_run(lineage: CommandLine) -> None:
    said = lineage("lineage", "impact", "ami-base", "--live", "--sandbox")
    assert (said.code, said.err) == (1, "error: sandbox: is not running; start it with: orgctl sandbox start\n")


def test_a_manifest_with_faults_is_refused_before_anything_is_asked(lineage: CommandLine) -> None:
    write("version: 1\n")
    said = lineage("lineage", "show", "ami-golden")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: organization.yaml:")


def test_verification_needs_somebody_to_trust(lineage: CommandLine) -> None:
    said = lineage("lineage", "verify", "ami-golden")
    assert (said.code, said.out, said.err) == (
        1,
        "",
        (
            "error: --trust: nobody is trusted, so that nothing can be verified; name owners of base images, such as "
            "amazon; or lineage.trusted_image_owners in the manifest\n"
        ),
    )


def test_the_root_of_what_is_no_instance_is_refused(lineage: CommandLine) -> None:
    said = lineage("lineage", "root", "ami-golden")
    assert (said.code, said.err) == (
        1,
        "error: aws/eu-central-1/image/ami-golden: is no instance; give the key of one: aws/<region>/instance/…\n",
    )


def test_evidence_that_is_not_there_or_not_asked_for_rightly_is_refused(lineage: CommandLine) -> None:
    assert lineage("lineage", "evidence", "ami-golden").code == 2
    assert lineage("lineage", "evidence", "ami-golden", "i-builder", "--attribute", "state").code == 2
    apart = lineage("lineage", "evidence", "ami-golden", "ami-base")
    assert (apart.code, apart.err) == (
        1,
        (
            "error: ami-golden in eu-central-1: no fact says that it came of ami-base in eu-central-1, or uses it; ask "
            "lineage ancestors for the pairs that there are\n"
        ),
    )
    unsaid = lineage("lineage", "evidence", "ami-golden", "--attribute", "colour")
    assert unsaid.err == (
        "error: ami-golden in eu-central-1: nothing was ever said of colour; see lineage show for what was\n"
    )


def test_a_search_that_is_not_well_put_is_refused(lineage: CommandLine) -> None:
    for words in (("--kind", "picture"), ("--limit", "0"), ("--limit", "1001")):
        assert lineage("lineage", "search", *words).code == 2
    for words, error in (
        (("--where", "state"), "--where: 'state' is no pair; write it as NAME=VALUE: state=available, tag:Team=web"),
        (("--where", "=x"), "--where: '=x' is no pair; write it as NAME=VALUE: state=available, tag:Team=web"),
        (("--cursor", "abc"), "cursor: it is not one of this search; start from the first page, without a cursor"),
        (
            ("--account", "12"),
            "--account: '12' is no account that is known; give its twelve digits, or pass --live",
        ),
    ):
        said = lineage("lineage", "search", *words)
        assert (said.code, said.out, said.err) == (1, "", f"error: {error}\n")


def test_coverage_takes_whole_hours_and_a_bounded_look(lineage: CommandLine) -> None:
    for words in (("--silence", "0"), ("--examine", "0"), ("--examine", "1000001")):
        assert lineage("lineage", "coverage", *words).code == 2


def test_kinds_to_search_for_are_those_of_the_model() -> None:
    assert list(KINDS) == [each.value for each in Kind]


def test_sarif_is_refused(lineage: CommandLine) -> None:
    assert lineage("lineage", "show", "ami-golden", "--format", "sarif").code == 2
