"""The ledgers of some families, with Security Hub beside them: what is in both after each step is the same."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from handlers.lineage.publish.asff import Product
from handlers.lineage.publish.ledger import (
    TOLD,
    Entry,
    Ledger,
    Store,
    entry_of,
    from_text,
    object_of,
    parts_of_id,
    portions,
    to_text,
)
from handlers.lineage.publish.security_hub import AT_ONCE, BY_ID, Hub, import_some, read_page, read_some
from org.errors import OrgctlError


class Unfinished(OrgctlError):
    """The time was up; what was done is kept, and doing it again goes on from there."""


class Books:
    """Reads and writes both. `late`: tells whether the time is up; asked before each call to Security Hub."""

    def __init__(self, hub: Hub, product: Product, store: Store, late: Callable[[], bool]) -> None:
        self._hub, self._product, self._store, self._late = hub, product, store, late
        self._ledgers: dict[str, Ledger] = {}
        self._changed: set[str] = set()
        self._read: set[str] = set()
        self.entries: Mapping[str, Entry] = {}
        """All open findings of all families, by id."""

    def open(self, families: Collection[str]) -> None:
        """Load the ledgers; what is lost is read from Security Hub. Unfinished."""
        for family in sorted(set(families)):
            ledger = from_text(self._store.load(object_of(family)))
            self._ledgers[family] = ledger or Ledger(token="")
        self.entries = ChainMap(*(each.entries for each in self._ledgers.values()))
        self._read_all()

    def read_again(self) -> None:
        """Read all that is open from Security Hub, unless that was just done. Unfinished."""
        for family in self._ledgers.keys() - self._read:
            ledger = self._ledgers[family]
            for id in [id for id, entry in ledger.entries.items() if entry.said != TOLD]:
                del ledger.entries[id]
            ledger.token = ""
        self._read_all()

    def _read_all(self) -> None:
        for family, ledger in self._ledgers.items():
            while ledger.token is not None:
                self._read.add(family)
                self._changed.add(family)
                self._stop_if_late(f"reading the findings of {family}")
                found, ledger.token = read_page(self._hub, self._product, family, ledger.token)
                ledger.entries.update((str(each["Id"]), entry_of(each)) for each in found)

    def look_up(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Answer what Security Hub has of some ids, archived or not: a ledger may be older than what was told."""
        found: dict[str, Mapping[str, Any]] = {}
        for some in portions(ids, BY_ID):
            self._stop_if_late("looking up what is new or over")
            found |= read_some(self._hub, self._product, some)
        return found

    def bring(self, imports: Iterable[Mapping[str, Any]], told: Mapping[str, str]) -> list[str]:
        """Import findings; answer what is said of those that were refused.

        Unfinished; `told`: ids of which people were told just now, and are not to be told when it goes on, with the
        dates of their findings. They are kept before the first import: a run that is killed after one would leave open
        findings in Security Hub of which no ledger knows, and which nothing would ever resolve.
        """
        refused: list[str] = []
        left = iter(imports)
        for id, created in told.items():
            self._note(id, Entry(TOLD, created, created))
        self._save()
        try:
            while some := list(islice(left, AT_ONCE)):
                self._stop_if_late("importing findings")
                refused += self._import(some)
        finally:
            self._save()
        return refused

    def end(
        self, ids: Sequence[str], resolved: Callable[[Mapping[str, Any]], dict[str, Any]], refused: list[str]
    ) -> list[str]:
        """Resolve open findings, and answer those that were; what is refused is added. Unfinished."""
        over: list[str] = []
        try:
            for some in portions(ids, AT_ONCE):
                stored = self.look_up(some)
                ending = [resolved(stored[id]) for id in some if id in stored and is_open(stored[id])]
                over += [str(each["Id"]) for each in ending]
                refused += self._import(ending) if ending else ()
                for id in set(some).difference(each["Id"] for each in ending):
                    self._note(id, None)
        finally:
            self._save()
        return over

    def _import(self, some: Sequence[Mapping[str, Any]]) -> list[str]:
        failed = import_some(self._hub, some)
        for each in some:
            if each["Id"] not in failed:
                self._note(str(each["Id"]), entry_of(each) if is_open(each) else None)
        return list(failed.values())

    def _note(self, id: str, entry: Entry | None) -> None:
        family = parts_of_id(id)[0].partition("/")[0]
        entries = self._ledgers[family].entries
        self._changed.add(family)
        if entry is None:
            entries.pop(id, None)
        else:
            entries[id] = entry

    def _stop_if_late(self, doing: str) -> None:
        if self._late():
            self._save()
            raise Unfinished("the assessment", f"the time was up while {doing}", "run it again: it goes on from there")

    def _save(self) -> None:
        for family in sorted(self._changed):
            self._store.save(object_of(family), to_text(self._ledgers[family]))
        self._changed.clear()


def is_open(finding: Mapping[str, Any]) -> bool:
    return finding.get("RecordState") != "ARCHIVED"
