"""`orgctl sandbox play`: what it needs, what it says, and that its events have come into the graph when it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.load import load_manifest
from handlers.lineage.model import Kind, Relation, key_of
from handlers.lineage.sqlite import SqliteGraph
from org.model import Region
from tests.support.command_line import CommandLine

MINIMAL = Path(__file__).parents[2] / "config" / "examples" / "minimal" / "organization.yaml"
SHOP = "  - {name: Shop, email: shop@example.com, unit: Workloads}\n"
MORE = "".join(
    f"  - {{name: {name}, email: {name.lower().replace(' ', '-')}@example.com, unit: Workloads}}\n"
    for name in ("Image Factory", "Search", "Pipelines")
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The smallest example, with the accounts that play."""
    path = tmp_path / "organization.yaml"
    path.write_text(MINIMAL.read_text(encoding="utf-8").replace(SHOP, SHOP + MORE), encoding="utf-8")
    load_manifest(path)
    return path


def test_a_scenario_is_played_into_the_graph(in_sandbox: CommandLine, manifest: Path, sandbox_home: Path) -> None:
    (sandbox_home / "lineage.sqlite").write_text("of a sandbox that is gone", encoding="utf-8")
    assert in_sandbox("bootstrap", "--manifest", str(manifest), "--yes").code == 0
    said = in_sandbox("sandbox", "play", "golden", "--manifest", str(manifest), "--format", "json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["scenario"], len(told["sentences"])) == ("golden", 5)
    assert (sandbox_home / "lineage.sqlite.old").read_text(encoding="utf-8") == "of a sandbox that is gone"
    graph = SqliteGraph(sandbox_home / "lineage.sqlite", create=False)
    golden = key_of(Kind.IMAGE, told["ids"]["golden"], Region("eu-central-1"))
    relations = {fact.relation for fact in graph.export() if fact.child == golden}
    assert Relation.CREATED_FROM in relations
    graph.close()
    again = in_sandbox("sandbox", "play", "golden", "--manifest", str(manifest))
    assert again.code == 0, again.err
    assert ", golden-2; " in again.out
    assert again.err.endswith(f"the graph of it is in {sandbox_home / 'lineage.sqlite'}\n")


def test_what_is_no_scenario_is_told_before_anything_is_done(in_sandbox: CommandLine, manifest: Path) -> None:
    said = in_sandbox("sandbox", "play", "party", "--manifest", str(manifest))
    assert said.code == 1
    assert "scenario party: there is none of that name; choose among golden, share, launch" in said.err


def test_an_organization_that_is_not_there_yet_is_told_how_to_get_it(in_sandbox: CommandLine, manifest: Path) -> None:
    said = in_sandbox("sandbox", "play", "golden", "--manifest", str(manifest))
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith("no organization in the sandbox; bootstrap it first: orgctl bootstrap --sandbox\n")
