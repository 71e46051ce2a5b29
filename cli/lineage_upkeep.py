"""The commands of `orgctl lineage` that keep a graph: its hash, what it is made of, and what leaves it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from cli.event_files import read_events
from cli.lineage_archive import find_archive, named_archive
from cli.lineage_asked import CLEAN, FINDINGS, Asked, home_region, opened, opened_url, url_of
from cli.new_files import fill_folder, write_new
from cli.render.console import results, talk
from cli.settings import Settings
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import parse_event
from handlers.lineage.graph import Graph
from handlers.lineage.ingest import add, rebuild
from handlers.lineage.model import digest_of
from org.errors import OrgctlError, printable
from org.model import Region

NOT_READ = frozenset({Outcome.MALFORMED, Outcome.FORGED, Outcome.UNKNOWN})
_AT_ONCE, _SHOWN = 1_000, 5

Told = dict[str, object]


def print_digest(asked: Asked) -> int:
    with opened(asked) as graph:
        _tell(asked.settings, digest(graph))
    return CLEAN


def rebuild_graph(asked: Asked, archive: str, compare: str) -> int:
    """Answer 3 if the graph that it is compared with has another hash."""
    region = Region(asked.region) if asked.region else home_region(asked.settings)
    kept = named_archive(asked.settings, archive, region) if archive else find_archive(asked.settings)
    with opened(asked, create=True) as graph:
        before = graph.heard()
        rebuilt = rebuild(kept, graph, lambda events: talk().print(f"{events:,} events"))
        told: Told = {"events": rebuilt.events, "outcomes": {each.value: n for each, n in rebuilt.outcomes.items()}}
        told |= digest(graph)
    if before:
        talk().print("the graph was not empty: what it held stands beside what was rebuilt")
    same = True
    if compare:
        with opened_url(compare, asked.settings) as other:
            theirs = digest(other)
        same = theirs["digest"] == told["digest"]
        told |= {"compared with": theirs["digest"], "same": same}
    _tell(asked.settings, told)
    return CLEAN if same else FINDINGS


def ingest_files(asked: Asked, files: list[Path]) -> int:
    """Answer 3 if an event could not be read, or was not believed; it is counted in the graph all the same."""
    url = url_of(asked.settings, asked.graph)
    if not url.startswith("sqlite:"):
        todo = "put them on the lineage bus, where they are archived; or name a sqlite:///path"
        raise OrgctlError(url, "events are read from files into a file only", todo)
    events = [event for path in files for event in read_events(path)]
    heards = [parse_event(event) for event in events]
    with opened(asked, create=True) as graph:
        for start in range(0, len(heards), _AT_ONCE):
            add(heards[start : start + _AT_ONCE], graph)
        counts = Counter(heard.outcome for heard in heards)
        told: Told = {"events": len(heards), "outcomes": {each.value: n for each, n in sorted(counts.items())}}
        told |= digest(graph)
    unread = [heard for heard in heards if heard.outcome in NOT_READ]
    for heard in unread[:_SHOWN]:
        talk().print(printable(f"{heard.outcome.value}: {heard.what or 'an event'}: {heard.reason}"))
    if len(unread) > _SHOWN:
        talk().print(f"and {len(unread) - _SHOWN:,} more")
    talk().print("these events are in no archive: a rebuild will not bring them back")
    _tell(asked.settings, told)
    return FINDINGS if unread else CLEAN


def export_graph(asked: Asked, out: Path, *, compress: bool) -> int:
    """Write files for Neptune's loader into a new or empty folder."""
    from handlers.lineage.gremlin.bulk_load import write_bulk_load

    with opened(asked) as graph:
        paths = fill_folder(out, lambda: [*write_bulk_load(graph.export, graph.heard(), out, compress=compress)])
    _tell(asked.settings, {"files": [str(path) for path in paths]})
    return CLEAN


def write_bundle(settings: Settings, out: Path, *, force: bool) -> int:
    """Write the zip of the functions' code; the same source gives the same bytes."""
    from stacksets.bundle import build_bundle

    bundle = build_bundle()
    write_new(out, bundle.content, force=force)
    _tell(settings, {"file": str(out), "bytes": len(bundle.content), "key": bundle.key, "modules": [*bundle.modules]})
    return CLEAN


def digest(graph: Graph) -> Told:
    """Answer the graph hash: the same for the same events, whatever their order and on whichever engine."""
    ids = [fact.id for fact in graph.export()]
    heard = graph.heard()
    return {"facts": len(ids), "places": len(heard), "digest": digest_of(ids, heard)}


def _tell(settings: Settings, told: Told) -> None:
    if settings.is_json:
        results().print(json.dumps({name.replace(" ", "_"): value for name, value in told.items()}, indent=2))
        return
    for name, value in told.items():
        results().print(f"{name}: {_text(value)}")


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case dict():
            return ", ".join(f"{number:,} {name}" for name, number in value.items()) or "none"
        case list():
            return f"{len(value):,}" + "".join(f"\n  {printable(str(each))}" for each in value)
        case _:
            return printable(str(value))
