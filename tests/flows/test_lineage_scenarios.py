"""An image's life in several accounts, played by calls to AWS alone, and what the deployed functions make of it.

Events go from the members' default buses along the rules that the account baseline put there, over the central bus and
its queue, into the function, whose code is the zip that was deployed, and from there into the archive and the graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.deploy.entry import enter
from cli.deploy.in_sandbox import graph_url
from cli.deploy.lineage import Deployment
from cli.deploy.place import find_place
from cli.play import ensure_lineage, make_stage
from config.load import load_manifest
from handlers.lineage.archive import S3Archive, archive_name, read_all
from handlers.lineage.events.parse import parse_event
from handlers.lineage.fold import fold_states
from handlers.lineage.ingest import rebuild
from handlers.lineage.model import Fact, Key, Kind, Relation, digest_of, key_of, kind_of
from handlers.lineage.sqlite import SqliteGraph
from org.gateway.connection import Connection
from org.model import AccountId, Region
from org.sandbox.scenarios.catalog import LIFE, SCENARIOS, play
from org.sandbox.scenarios.stage import STRANGER, Stage
from org.sandbox.scenarios.story import Played
from org.sandbox.server import Sandbox
from stacksets.desired import render_desired
from stacksets.lineage_events import render_patterns
from tests.support.lineage import MemoryGraph
from tests.support.rollout import Rollout

MANIFEST = Path(__file__).parents[2] / "config" / "examples" / "company" / "organization.yaml"
HOME, ABROAD = Region("eu-central-1"), Region("eu-west-1")
LINEAGE = "AMI Lineage"


@dataclass(frozen=True)
class After:
    """What there was when a scenario had been played."""

    played: Played
    digest: str
    archived: int


class Life:
    """The company in the sandbox, with all scenarios played in it, one after the other."""

    def __init__(self, sandbox: Sandbox, graph: Path) -> None:
        session = sandbox.session(HOME)
        loaded = load_manifest(MANIFEST)
        Rollout(session).bootstrap(render_desired(loaded))
        self.stage: Stage = make_stage(sandbox.endpoint, HOME, ABROAD)
        self.account = AccountId(self.stage.accounts[LINEAGE])
        self.connection = Connection(session, sandbox.endpoint, busy_delay=0.01)
        # Nobody hears of this one: events that come again must not bring it.
        self.unheard = self.stage.session("Shop").client("ec2").create_volume(AvailabilityZone=f"{HOME}a", Size=1)
        ensure_lineage(self.stage, loaded, graph)
        self.path, self.graph = graph, SqliteGraph(graph)
        bucket = f"orgctl-lineage-archive-{self.account}-{HOME}"
        self.archive = S3Archive(enter(self.connection, self.account, HOME).client("s3", HOME), bucket)
        self.after = {name: self._play(name) for name in SCENARIOS}
        self.facts: tuple[Fact, ...] = tuple(self.graph.export())

    def _play(self, name: str) -> After:
        played = play(name, self.stage)
        return After(played, self.digest(), len(list(self.archive.names())))

    def digest(self) -> str:
        return digest_of((fact.id for fact in self.graph.export()), self.graph.heard())

    def id(self, scenario: str, part: str) -> str:
        return self.after[scenario].played.ids[part]

    def edges(self, relation: Relation) -> set[tuple[Key, Key]]:
        return {(fact.child, fact.parent) for fact in self.facts if fact.relation is relation}

    def parents(self, child: Key, relation: Relation) -> set[Key]:
        return {parent for each, parent in self.edges(relation) if each == child}

    def account_id(self, name: str) -> str:
        return self.stage.accounts[name]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    sandbox = Sandbox()
    sandbox.start()
    try:
        yield Life(sandbox, tmp_path_factory.mktemp("graph") / "lineage.sqlite")
    finally:
        sandbox.stop()


def image(id: str, region: Region = HOME) -> Key:
    return key_of(Kind.IMAGE, id, region)


def instance(id: str) -> Key:
    return key_of(Kind.INSTANCE, id, HOME)


def test_a_golden_image_leads_to_its_base_and_its_copy_to_it(life: Life) -> None:
    golden, base = image(life.id("golden", "golden")), image(life.id("golden", "base"))
    built_on = instance(life.id("golden", "build instance"))
    copy = image(life.id("golden", "golden copy"), ABROAD)
    assert life.parents(copy, Relation.COPIED_FROM) == {golden}
    assert life.parents(golden, Relation.CREATED_FROM) == {built_on}
    assert life.parents(built_on, Relation.LAUNCHED_FROM) == {base}
    states = fold_states(life.facts)
    assert base not in {fact.child for fact in life.facts}, "what nobody told of is a stub"
    assert states[golden].value("tag:ec2:SharedTag/status") == "approved"
    assert states[golden].value("deregistration_protection") == "enabled"
    assert states[golden].value("owner") == life.account_id("Image Factory")
    assert states[golden].value("state") == "available"
    assert states[built_on].value("state") == "terminated"


def test_sharing_names_those_who_may_use_the_image(life: Life) -> None:
    golden = image(life.id("share", "golden"))
    sharees = {parent.rpartition("/")[2] for parent in life.parents(golden, Relation.SHARED_WITH)}
    assert sharees == {life.account_id(name) for name in ("Shop", "Search", "Pipelines")}
    copy = image(life.id("share", "copy of pipelines"))
    assert life.parents(copy, Relation.COPIED_FROM) == {golden}


def test_every_way_to_launch_leads_to_the_image(life: Life) -> None:
    golden = image(life.id("launch", "golden"))
    parts = ("shop instance", "template instance", "group instance", "parameter instance")
    for part in parts:
        assert life.parents(instance(life.id("launch", part)), Relation.LAUNCHED_FROM) == {golden}, part
    template = life.id("launch", "template")
    version = key_of(Kind.TEMPLATE_VERSION, f"{template}:1", HOME)
    assert life.parents(version, Relation.REFERENCES) == {golden}
    assert life.parents(instance(life.id("launch", "template instance")), Relation.USES) == {version}
    assert life.parents(instance(life.id("launch", "group instance")), Relation.USES) == {version}
    groups = {child for child, parent in life.edges(Relation.USES) if kind_of(child) is Kind.GROUP}
    assert len(groups) == 1
    (pointer,) = life.parents(instance(life.id("launch", "parameter instance")), Relation.USES)
    assert kind_of(pointer) is Kind.PARAMETER


def test_an_image_of_a_running_instance_leads_to_what_the_instance_runs(life: Life) -> None:
    derived = image(life.id("derive", "derived"))
    assert life.parents(derived, Relation.CREATED_FROM) == {instance(life.id("launch", "shop instance"))}


def test_a_laundered_image_leads_to_the_stranger(life: Life) -> None:
    """AWS's own ancestry ends at RegisterImage: the events of the snapshot and of the instance go on."""
    public, laundered = image(life.id("launder", "public")), image(life.id("launder", "laundered"))
    (snapshot,) = life.parents(laundered, Relation.REGISTERED_FROM)
    assert snapshot == key_of(Kind.SNAPSHOT, life.id("launder", "laundered snapshot"), HOME)
    (volume,) = life.parents(snapshot, Relation.SNAPSHOT_OF)
    assert life.parents(volume, Relation.ATTACHED_TO) == {instance(life.id("launder", "public instance"))}
    assert life.parents(instance(life.id("launder", "public instance")), Relation.LAUNCHED_FROM) == {public}
    assert life.parents(image(life.id("launder", "laundered copy")), Relation.COPIED_FROM) == {public}
    launched = instance(life.id("launder", "laundered instance"))
    assert life.parents(launched, Relation.LAUNCHED_FROM) == {laundered}


def test_a_root_that_was_replaced_or_swapped_is_told_apart_from_the_image(life: Life) -> None:
    replaced, swapped = instance(life.id("tamper", "shop instance")), instance(life.id("tamper", "swapped instance"))
    snapshot = key_of(Kind.SNAPSHOT, life.id("tamper", "written snapshot"), HOME)
    assert life.parents(replaced, Relation.ROOT_REPLACED_BY) == {snapshot}
    assert life.parents(replaced, Relation.LAUNCHED_FROM) == {image(life.id("launch", "golden"))}
    volume = key_of(Kind.VOLUME, life.id("tamper", "swapped volume"), HOME)
    assert life.parents(swapped, Relation.ROOT_REPLACED_BY) == {volume}
    assert life.parents(volume, Relation.VOLUME_FROM) == {snapshot}


def test_who_approves_himself_is_refused_and_a_tag_that_looks_alike_is_no_approval(life: Life) -> None:
    own = fold_states(life.facts)[image(life.id("tamper", "self-approved"))]
    assert (own.value("tag:ec2:SharedTag/status"), own.value("tag:status")) == (None, "approved")


def test_what_was_refused_is_counted_and_no_fact(life: Life) -> None:
    before = {fact.id for fact in life.facts if fact.evidence.event_id in _failed(life)}
    assert before
    about = {kind_of(fact.child) for fact in life.facts if fact.id in before}
    assert about == {Kind.COVERAGE}
    refused = [dict(fact.attributes)["call"] for fact in life.facts if dict(fact.attributes).get("outcome") == "failed"]
    expected = {
        "ec2:CopyImage",
        "ec2:CreateTags",
        "ec2:DeregisterImage",
        "ec2:ModifyImageAttribute",
        "ec2:RunInstances",
    }
    assert set(refused) == expected
    assert len(refused) == len(_failed(life)) == 10
    assert not any(STRANGER in parent for _, parent in life.edges(Relation.SHARED_WITH))
    assert fold_states(life.facts)[image(life.id("deny", "golden"))].value("state") == "available"


def _failed(life: Life) -> set[str]:
    return {each["detail"]["eventID"] for each in life.stage.control.events() if "errorCode" in each["detail"]}


@pytest.mark.parametrize("name", ["duplicate", "disorder"])
def test_events_that_come_again_or_in_another_order_change_nothing(life: Life, name: str) -> None:
    before, after = life.after["deny"], life.after[name]
    assert (after.digest, after.archived) == (before.digest, before.archived)
    assert life.after["golden"].digest != before.digest


def test_what_was_done_before_there_was_a_graph_is_not_in_it(life: Life) -> None:
    volume = life.unheard["VolumeId"]
    assert not any(volume in fact.child for fact in life.facts)


def test_the_archive_holds_each_event_as_it_was_sent_once(life: Life) -> None:
    """And nothing that the account baseline does not forward."""
    forwarded = [each for each in life.stage.control.events() if _is_forwarded(each)]
    sent = {archive_name(text(each)): text(each) for each in forwarded}
    kept = dict(each for some in read_all(life.archive, 100) for each in some)
    assert kept == sent
    versions = life.archive.client.list_object_versions(Bucket=life.archive.bucket)["Versions"]
    assert len(versions) == len(kept)


def text(event: object) -> str:
    """Write an event as EventBridge puts it into a queue."""
    return json.dumps(event, separators=(",", ":"))


def _is_forwarded(event: Mapping[str, Any]) -> bool:
    """Say so by the patterns alone, apart from the sandbox's own matching."""
    for pattern in render_patterns().values():
        names = pattern.get("detail", {}).get("eventName")  # type: ignore[attr-defined]
        fits = event["source"] in pattern["source"] and event["detail-type"] in pattern["detail-type"]  # type: ignore[operator]
        if fits and (names is None or event["detail"]["eventName"] in names):
            return True
    return False


def test_a_rebuild_from_the_archive_is_the_live_graph(life: Life) -> None:
    rebuilt = MemoryGraph()
    rebuild(life.archive, rebuilt)
    assert digest_of(rebuilt.facts, rebuilt.places) == life.digest()


def test_every_event_of_every_scenario_is_read(life: Life) -> None:
    heard = [parse_event(each) for each in life.stage.control.events()]
    assert {str(each.outcome) for each in heard} == {"facts", "failed", "not-lineage"}


def test_each_scenario_says_what_was_done(life: Life) -> None:
    for name, after in life.after.items():
        assert after.played.scenario == name
        assert after.played.sentences
    told = " ".join(life.after["deny"].played.sentences)
    assert told.count("UnauthorizedOperation") == 3
    assert "nothing kept him from it" not in " ".join(s for a in life.after.values() for s in a.played.sentences)


def test_an_event_of_another_account_is_counted_as_forged(life: Life) -> None:
    """Played last: the graph has grown when it is done."""
    genuine = next(each for each in life.stage.control.events() if each["detail"].get("eventName") == "CopyImage")
    forged = {**genuine, "account": life.account_id("Shop")}
    life.stage.control.publish(life.account_id("Search"), HOME, [forged])
    new = [fact for fact in life.graph.export() if fact not in life.facts]
    assert [dict(fact.attributes)["outcome"] for fact in new] == ["forged"]


def test_deploying_again_changes_nothing(life: Life) -> None:
    loaded = load_manifest(MANIFEST)
    place = find_place(life.connection, loaded.manifest, render_desired(loaded))
    again = Deployment(
        life.connection,
        place,
        lambda _: pytest.fail("it waits"),
        graph_url=graph_url(life.path),
    )
    again.prepare()
    assert [each.difference.is_nothing for each in again.preview()] == [True] * 8
    done = again.run()
    assert not any(each.changed for each in done.stacks)
    assert done.outputs["ArchiveBucket"] == life.archive.bucket


def test_a_life_is_all_of_them() -> None:
    assert LIFE not in SCENARIOS
    assert list(SCENARIOS) == [
        "golden",
        "share",
        "launch",
        "derive",
        "launder",
        "tamper",
        "deny",
        "duplicate",
        "disorder",
    ]
