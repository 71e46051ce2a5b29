"""What stands around every question to the lineage graph: which graph, how far to look, and what is known besides."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from cli.settings import Settings, connect_to, state_directory
from handlers.lineage.graph import Graph
from handlers.lineage.model import Place, Time
from handlers.lineage.open import open_graph
from handlers.lineage.queries.asking import Bounds, Scope
from org.errors import OrgctlError
from org.model import AccountId, LiveState, Region, WantedState

if TYPE_CHECKING:
    from config.manifest import Manifest

CLEAN, FINDINGS = 0, 3
_AWAY = frozenset({"ws", "wss"})
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_ORGANIZATIONS = Region("us-east-1")
_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that questions share."""

    settings: Settings
    graph: str = ""
    region: str = ""
    at: int | None = None
    """Milliseconds since 1970; inclusive."""
    depth: int = 50
    size: int = 10_000
    strict: bool = False
    live: bool = False
    api: str = ""
    """URL of a deployed API, which is asked in place of a graph."""

    def __post_init__(self) -> None:
        if self.api and self.graph:
            raise OrgctlError(
                "--api", "a graph is named, too", "leave out one of --api and --graph, in the environment"
            )
        if self.api and self.live:
            raise OrgctlError("--live", "the API knows itself which accounts there are", "leave out --live")

    @property
    def time(self) -> Time | None:
        return None if self.at is None else Time(self.at)

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.depth, self.size)

    def exit_code(self, *, complete: bool) -> int:
        return FINDINGS if self.strict and not complete else CLEAN


@dataclass(frozen=True, slots=True)
class Besides:
    """What is known of the organization without the graph."""

    scope: Scope = field(default_factory=Scope)
    names: Mapping[AccountId, str] = field(default_factory=dict)
    trusted: tuple[str, ...] = ()
    """Owners of images that the manifest trusts."""


@contextmanager
def opened(asked: Asked, *, create: bool = False) -> Iterator[Graph]:
    """Open the graph that is asked about; GraphError where there is none, unless it is to be created."""
    own = _own_graph()
    if asked.settings.sandbox and not (asked.graph or create or own.exists()):
        raise OrgctlError(str(own), "the sandbox has no lineage graph yet", "make one: orgctl sandbox play life")
    with opened_url(url_of(asked.settings, asked.graph), asked.settings, create=create) as graph:
        yield graph


@contextmanager
def opened_url(url: str, settings: Settings, *, create: bool = False) -> Iterator[Graph]:
    """Open a graph by its URL; with --sandbox only one on this machine."""
    parts = urlsplit(url)
    if parts.scheme in _AWAY:
        if settings.sandbox and parts.hostname not in _HERE:
            raise OrgctlError(url, "with --sandbox nothing is asked beyond this machine", "leave out one of the two")
        if settings.profile:
            raise OrgctlError("--profile", "a graph is asked with the environment's credentials", "set AWS_PROFILE")
    graph = open_graph(url, create=create)
    try:
        yield graph
    finally:
        graph.close()


def url_of(settings: Settings, given: str) -> str:
    """Answer the URL of the graph: what was given, else the sandbox's own; OrgctlError where there is neither."""
    if given:
        return given
    if settings.sandbox:
        return f"sqlite://{quote(str(_own_graph()))}"
    todo = "pass --graph sqlite:///path or wss://host:8182/gremlin, set ORGCTL_LINEAGE_GRAPH, or use --sandbox"
    raise OrgctlError("--graph", "no lineage graph is named", todo)


def _own_graph() -> Path:
    return (state_directory() / "lineage.sqlite").absolute()


def now() -> Time:
    return Time(int(time.time() * 1000))


def known_besides(asked: Asked, silence: int | None = None) -> Besides:
    """Read which accounts there are: from the manifest if there is one, or with `live` from AWS Organizations.

    Accounts of which not every id is known are named, and nothing is judged by them. `silence`: in hours.
    """
    manifest = manifest_if_any(asked.settings)
    if asked.live:
        names, whole, organization = _live_accounts(asked.settings)
    else:
        accounts = manifest.accounts if manifest else ()
        told = [(each.id, each.name) for each in accounts if each.state is not WantedState.CLOSED]
        names, organization = {AccountId(id): str(name) for id, name in told if id}, ""
        whole = frozenset(names) if len(names) == len(told) else frozenset()
    regions = manifest.organization.governed_regions if manifest else ()
    expected = frozenset(Place(account, Region(region)) for account in whole for region in regions)
    limit = None if silence is None else silence * _HOUR
    scope = Scope(frozenset(names) if whole else frozenset(), organization, expected, now(), limit)
    return Besides(scope, names, manifest.lineage.trusted_image_owners if manifest else ())


def home_region(settings: Settings) -> Region:
    """Answer the Region where the organization keeps what exists once, if a manifest tells it."""
    manifest = manifest_if_any(settings)
    return Region(manifest.organization.home_region) if manifest else _ORGANIZATIONS


def manifest_if_any(settings: Settings) -> Manifest | None:
    """Read the manifest where there is one; OrgctlError if it has faults."""
    from config.load import load_manifest

    return load_manifest(settings.manifest).manifest if settings.manifest.exists() else None


def _live_accounts(settings: Settings) -> tuple[dict[AccountId, str], frozenset[AccountId], str]:
    """Answer the names of all accounts, those from which events ought to come, and the organization's id."""
    organizations = connect_to(settings, _ORGANIZATIONS).organizations
    organization = organizations.describe_organization()
    if organization is None:
        raise OrgctlError("--live", "the caller's account is in no organization", "leave out --live")
    accounts = organizations.list_accounts()
    active = frozenset(each.id for each in accounts if each.state is LiveState.ACTIVE)
    return {each.id: str(each.name) for each in accounts}, active, organization.id
