"""What of the coverage people must be told. Pure over the answer of `coverage`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from handlers.lineage.events.envelope import partition_of
from handlers.lineage.findings import Finding, Severity
from handlers.lineage.model import Key, Kind, Place, key_of
from handlers.lineage.queries.coverage import Coverage, PlaceCoverage
from handlers.lineage.queries.json_form import written
from org.ids import Region

FAMILY = "coverage"
SILENT, UNREAD, STALE, UNRESOLVED, OMITTED, FORGED = (
    f"{FAMILY}/{name}" for name in ("silent", "unread", "stale", "unresolved", "omitted", "forged")
)
RULES = (SILENT, UNREAD, STALE, UNRESOLVED, OMITTED, FORGED)
UNRESOLVED_AT_MOST = 100
"""Things of which only the name is known: more of them are a finding."""
RECENT = 7 * 86_400_000
"""Milliseconds for which a gap is told: what was left out stays so, and cannot be mended."""
READ_EVERY = 2 * 86_400_000
"""Milliseconds after which a reading is too old."""
_LEFT_OUT = frozenset({"gap", "omitted", "malformed", "unknown"})


def coverage_findings(
    found: Coverage, home: Place, unresolved_at_most: int = UNRESOLVED_AT_MOST
) -> tuple[Finding, ...]:
    """Answer the findings about places and, on the place `home`, about the graph as a whole.

    `home`: the lineage account in its Region.
    """
    told = (
        *_of_silence(found),
        *(each for place in found.places for each in _of_place(place, found)),
        *_of_graph(found, home, unresolved_at_most),
    )
    # What only claims a place may claim none that is one.
    return tuple(each if each.account.isdigit() else replace(each, account=home.account) for each in told)


def _of_silence(found: Coverage) -> Iterator[Finding]:
    """Answer one finding for each account: what silences it mostly does so in all its Regions."""
    silent = [each for each in found.places if each.expected and each.silent]
    for account, of_account in groupby(silent, key=lambda each: each.place.account):
        places = list(of_account)
        never = [each.place.region for each in places if each.last is None]
        told = [
            f"the last from {each.place.region} was at {written(each.last)}" for each in places if each.last is not None
        ]
        told += [f"none ever came from {', '.join(never)}"] if never else []
        yield replace(
            _finding(
                SILENT,
                Place(account, Region("-")),
                Severity.MEDIUM,
                "No events come from an account",
                f"events ought to come from {account}: {'; '.join(told)}",
                "see that its event rules and the role that forwards are there: orgctl drift",
                {"regions": " ".join(each.place.region for each in places)},
            ),
            # A key without a Region does not tell the partition.
            about=key_of(Kind.COVERAGE, account, Region("-"), partition_of(places[0].place.region)),
        )


def _of_place(each: PlaceCoverage, found: Coverage) -> Iterator[Finding]:
    if each.unread:
        yield _finding(
            UNREAD,
            each.place,
            Severity.HIGH if each.read == "no" else Severity.MEDIUM,
            "An account in a Region could not be read",
            f"{_name(each.place)} could not be read whole: {each.unread}",
            "see that the reader role is there, that its policy allows the call and that no policy of the organization "
            "denies it; a throttled call is made again with the next reading",
        )
    elif each.expected and (each.reconciled is None or found.now - each.reconciled > READ_EVERY):
        when = f"was read last at {written(each.reconciled)}" if each.reconciled is not None else "was never read"
        yield _finding(
            STALE,
            each.place,
            Severity.MEDIUM,
            "An account in a Region was not read of late",
            f"{_name(each.place)} {when}",
            "look at the reconciliation's dead letters and at its schedule",
        )
    recent = [gap for gap in each.gaps if found.now - gap.last <= RECENT]
    left_out = [gap for gap in recent if gap.outcome in _LEFT_OUT]
    if left_out:
        told = ", ".join(f"{gap.count:,} {gap.outcome} (last {written(gap.last)})" for gap in left_out)
        yield _finding(
            OMITTED,
            each.place,
            Severity.LOW,
            "Events left something out, or could not be read",
            f"of events from {_name(each.place)}: {told}",
            "what AWS can still be asked for is read by the reconciliation; see the events in the archive for the rest",
        )
    for gap in recent:
        if gap.outcome == "forged":
            yield _finding(
                FORGED,
                each.place,
                Severity.HIGH,
                "Somebody sent events that claim to be AWS's",
                f"{gap.count:,} events claim to come from {_name(each.place)}, the last at {written(gap.last)}, "
                "and contradict their envelope",
                "find out who may put events on the lineage bus, or write into its queues",
            )


def _of_graph(found: Coverage, home: Place, unresolved_at_most: int) -> Iterator[Finding]:
    if found.unresolved > unresolved_at_most:
        yield _finding(
            UNRESOLVED,
            home,
            Severity.MEDIUM,
            "Of many things only the name is known",
            f"{found.unresolved:,} things are parents of others, and nothing else is known of them: "
            f"more than {unresolved_at_most:,}",
            "see which accounts are silent or unread; orgctl lineage coverage names some of the things",
            {"examples": " ".join(found.examples[:10])},
        )


def _finding(
    rule: str,
    place: Place,
    severity: Severity,
    title: str,
    says: str,
    todo: str,
    details: dict[str, str] | None = None,
) -> Finding:
    return Finding(rule, _key(place), place.account, place.region, severity, title, says, todo, details or {})


def _key(place: Place) -> Key:
    return key_of(Kind.COVERAGE, place.account, place.region, partition_of(place.region))


def _name(place: Place) -> str:
    return f"{place.account}/{place.region}"
