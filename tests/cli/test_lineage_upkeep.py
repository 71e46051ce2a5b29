"""`orgctl lineage digest`, `ingest`, `rebuild`, `export`, `graph`, `bundle`: what keeps a graph, and what leaves it."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from handlers.lineage.archive import S3Archive
from handlers.lineage.model import digest_of
from tests.support.command_line import CommandLine, Said
from tests.support.lineage_story import story

BUCKET = "archive"


def event(number: int, **detail: object) -> dict[str, object]:
    """Answer a CopyImage as EventBridge delivers it."""
    time = f"2026-11-26T02:36:{number:02}Z"
    call: dict[str, object] = {
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Builder/run"},
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": "CopyImage",
        "awsRegion": "eu-central-1",
        "requestParameters": {"sourceImageId": "ami-0aaaaaaaaaaaaaaaa", "sourceRegion": "us-east-1", "name": "copy"},
        "responseElements": {"imageId": f"ami-0bbbbbbbbbbbbbb{number:02}"},
        "eventID": f"6a1c9f1e-0000-4000-8000-0000000000{number:02}",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        **detail,
    }
    return {
        "version": "0",
        "id": f"7b1c9f1e-0000-4000-8000-0000000000{number:02}",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": "111122223333",
        "time": time,
        "region": "eu-central-1",
        "resources": [],
        "detail": call,
    }


def digest(lineage: CommandLine, *words: str) -> str:
    told = json.loads(lineage("lineage", "digest", *words, "--format", "json").out)
    return str(told["digest"])


def test_the_digest_is_the_hash_of_all_facts_and_of_what_was_heard(lineage: CommandLine) -> None:
    batch = story()
    expected = digest_of({fact.id for fact in batch.facts}, batch.heard)
    said = lineage("lineage", "digest")
    assert (said.code, said.out, said.err) == (
        0,
        f"facts: {len({fact.id for fact in batch.facts})}\nplaces: 2\ndigest: {expected}\n",
        "",
    )
    assert digest(lineage) == expected


def test_events_from_files_make_a_graph_whatever_their_form_and_order(
    lineage: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = event(1), event(2)
    Path("list.json").write_text(json.dumps([one, two]), encoding="utf-8")
    Path("lines.json").write_text(f"{json.dumps(two)}\n\n{json.dumps(one)}\n", encoding="utf-8")
    Path("one.json").write_text(json.dumps(one, indent=2), encoding="utf-8")
    said = lineage("lineage", "ingest", "list.json", "--graph", f"sqlite://{tmp_path}/a.sqlite")
    assert (said.code, said.err) == (0, "these events are in no archive: a rebuild will not bring them back\n")
    first = said.out.splitlines()
    assert first[:2] == ["events: 2", "outcomes: 2 facts"]
    assert first[4] == f"digest: {digest(lineage, '--graph', f'sqlite://{tmp_path}/a.sqlite')}"
    lines = lineage("lineage", "ingest", "lines.json", "one.json", "--graph", f"sqlite://{tmp_path}/b.sqlite")
    assert lines.out.splitlines()[2:] == first[2:]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("list.json").read_bytes())))
    piped = lineage("lineage", "ingest", "-", "--graph", f"sqlite://{tmp_path}/c.sqlite")
    assert piped.out == said.out
    tree = lineage("lineage", "ancestors", "ami-0bbbbbbbbbbbbbb01", "--graph", f"sqlite://{tmp_path}/a.sqlite")
    assert "└── ✓ was copied from ami-0aaaaaaaaaaaaaaaa  us-east-1" in tree.out


def test_events_that_are_not_believed_are_told_and_counted(lineage: CommandLine, tmp_path: Path) -> None:
    forged, refused = event(1, recipientAccountId="999988887777"), event(2, errorCode="Client.UnauthorizedOperation")
    Path("events.json").write_text(json.dumps([forged, refused, {"odd": "\x1b[2J"}]), encoding="utf-8")
    url = f"sqlite://{tmp_path}/new.sqlite"
    said = lineage("lineage", "ingest", "events.json", "--graph", url)
    assert said.code == 3
    assert said.out.splitlines()[:2] == ["events: 3", "outcomes: 1 failed, 1 forged, 1 malformed"]
    talk = said.err.splitlines()
    assert talk[0].startswith("forged: CopyImage: ")
    assert talk[1].startswith("malformed: an event: ")
    covered = lineage("lineage", "coverage", "--graph", url)
    assert "events that told nothing: 1 failed, 1 forged, 1 malformed" in covered.out.splitlines()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "neither JSON nor JSON lines: "),
        ("hello\n{}", "neither JSON nor JSON lines: "),
        ("[]", "it holds no events; "),
        ('"text"', "it holds no events; "),
        (
            '{"Records": [{"eventName": "CopyImage"}]}',
            "this is a log file of CloudTrail, whose records have no envelope ",
        ),
    ],
)
def test_a_file_that_holds_no_events_is_refused(lineage: CommandLine, tmp_path: Path, text: str, error: str) -> None:
    Path("events.json").write_text(text, encoding="utf-8")
    said = lineage("lineage", "ingest", "events.json", "--graph", f"sqlite://{tmp_path}/new.sqlite")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"error: events.json: {error}")
    assert not Path("new.sqlite").exists()


def test_events_for_a_server_go_through_its_queue(lineage: CommandLine) -> None:
    said = lineage("lineage", "ingest", "events.json", "--graph", "ws://localhost:8182/gremlin")
    assert (said.code, said.err) == (
        1,
        (
            "error: ws://localhost:8182/gremlin: events are read from files into a file only; put them on the lineage "
            "bus, where they are archived; or name a sqlite:///path\n"
        ),
    )
    missing = lineage("lineage", "ingest", "none.json")
    assert missing.err == "error: none.json: cannot be read: No such file or directory; name another file\n"


@pytest.fixture
def archived(lineage: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """Run beside an archive of two events."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        for number in (1, 2):
            S3Archive(client, BUCKET).keep(json.dumps(event(number)))
        yield lineage


def rebuild(archived: CommandLine, tmp_path: Path, *words: str) -> Said:
    return archived("lineage", "rebuild", "--archive", BUCKET, "--graph", f"sqlite://{tmp_path}/again.sqlite", *words)


def test_a_rebuild_makes_the_graph_that_the_same_events_made_live(archived: CommandLine, tmp_path: Path) -> None:
    live = f"sqlite://{tmp_path}/live.sqlite"
    Path("events.json").write_text(json.dumps([event(2), event(1), event(2)]), encoding="utf-8")
    assert archived("lineage", "ingest", "events.json", "--graph", live).code == 0
    said = rebuild(archived, tmp_path, "--compare", live)
    assert (said.code, said.err) == (0, "2 events\n")
    assert said.out.splitlines()[:2] == ["events: 2", "outcomes: 2 facts"]
    assert said.out.splitlines()[-3:] == [
        f"digest: {digest(archived, '--graph', live)}",
        f"compared with: {digest(archived, '--graph', live)}",
        "same: yes",
    ]
    again = rebuild(archived, tmp_path)
    assert (again.code, again.err) == (
        0,
        "2 events\nthe graph was not empty: what it held stands beside what was rebuilt\n",
    )


def test_a_rebuild_that_differs_exits_with_3(archived: CommandLine, tmp_path: Path) -> None:
    said = rebuild(archived, tmp_path, "--compare", f"sqlite://{tmp_path}/graph.sqlite", "--format", "json")
    told = json.loads(said.out)
    assert (said.code, told["same"]) == (3, False)
    assert told["compared_with"] == digest(archived)


def test_a_rebuild_needs_an_archive_that_is_there(archived: CommandLine, tmp_path: Path) -> None:
    unnamed = archived("lineage", "rebuild", "--graph", f"sqlite://{tmp_path}/x.sqlite")
    assert (unnamed.code, unnamed.err) == (
        1,
        "error: --archive: no bucket is named, and no manifest tells the lineage account; name one\n",
    )
    said = archived("lineage", "rebuild", "--archive", "no-such-bucket", "--graph", f"sqlite://{tmp_path}/x.sqlite")
    assert said.code == 1
    assert said.err.startswith("error: s3:ListObjectsV2 s3://no-such-bucket/events/: ")
    compared = rebuild(archived, tmp_path, "--compare", f"sqlite://{tmp_path}/none.sqlite")
    assert compared.code == 1
    assert f"{tmp_path}/none.sqlite: there is no lineage graph" in compared.err


def test_an_export_is_files_for_the_loader_of_neptune(lineage: CommandLine) -> None:
    said = lineage("lineage", "export", "--out", "out")
    assert (said.code, said.out) == (0, "files: 3\n  out/things.csv\n  out/places.csv\n  out/facts.csv\n")
    assert Path("out/things.csv").read_text(encoding="utf-8").startswith("~id,~label,")
    again = lineage("lineage", "export", "--out", "out")
    assert (again.code, again.err) == (1, "error: out: the folder is not empty; name a new or empty one\n")
    assert lineage("lineage", "export", "--out", "packed", "--gzip").out.endswith("packed/facts.csv.gz\n")
    blocked = lineage("lineage", "export", "--out", "graph.sqlite/out")
    assert blocked.err == "error: graph.sqlite/out: cannot be written: Not a directory; name another folder\n"


def test_a_page_is_written_once_and_says_how_much_is_on_it(lineage: CommandLine) -> None:
    said = lineage("lineage", "graph", "ami-copy", "--html", "page.html")
    assert (said.code, said.out) == (0, "")
    assert said.err == "wrote page.html: 9 things, 8 hops; incomplete, and it says why\n"
    page = Path("page.html").read_text(encoding="utf-8")
    for text in ("ami-base", "i-web", "222233334444/web", "how it was made was not seen"):
        assert text in page
    again = lineage("lineage", "graph", "ami-copy", "--html", "page.html")
    assert (again.code, again.err) == (1, "error: page.html: there is a file already; name another, or pass --force\n")
    forced = lineage("lineage", "graph", "ami-copy", "--html", "page.html", "--force", "--strict", "--format", "json")
    assert (forced.code, json.loads(forced.out)) == (
        3,
        {"complete": False, "file": "page.html", "hops": 8, "things": 9},
    )
    assert Path("page.html").read_text(encoding="utf-8") == page
    nowhere = lineage("lineage", "graph", "ami-copy", "--html", "no/page.html")
    assert nowhere.err == "error: no/page.html: cannot be written: No such file or directory; name another file\n"
    assert lineage("lineage", "graph", "ami-copy").code == 2


def test_a_bundle_is_the_same_zip_each_time_and_never_over_another_file(lineage: CommandLine) -> None:
    said = lineage("lineage", "bundle", "--out", "one.zip", "--format", "json")
    told = json.loads(said.out)
    content = Path("one.zip").read_bytes()
    assert said.code == 0
    assert told["bytes"] == len(content)
    assert told["key"] == f"orgctl/{hashlib.sha256(content).hexdigest()[:32]}.zip"
    assert "handlers.ingest_events" in told["modules"]
    assert "handlers/ingest_events.py" in zipfile.ZipFile("one.zip").namelist()
    again = lineage("lineage", "bundle", "--out", "one.zip")
    assert (again.code, again.err) == (1, "error: one.zip: there is a file already; name another, or pass --force\n")
    assert lineage("lineage", "bundle", "--out", "one.zip", "--force").code == 0
    assert Path("one.zip").read_bytes() == content
    nowhere = lineage("lineage", "bundle", "--out", "no/such/folder.zip")
    assert nowhere.err == "error: no/such/folder.zip: cannot be written: No such file or directory; name another file\n"
