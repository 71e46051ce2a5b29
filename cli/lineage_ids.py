"""Which thing a person means by an id."""

from __future__ import annotations

import re

from handlers.lineage.events.envelope import partition_of
from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Kind, key_of, parts_of
from handlers.lineage.queries.anywhere import KINDS_BY_PREFIX, keys_anywhere
from org.errors import NotFound, OrgctlError
from org.model import Region
from org.regions import known_regions

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_FORMS = "write ami-… with --region, eu-central-1/ami-…, or a whole key such as aws/eu-central-1/image/ami-…"


def key_for(graph: Graph, said: str, region: str = "") -> Key:
    """Answer the key of the thing that is meant; an id without Region is looked for in all Regions.

    OrgctlError for what is no id, for one that the graph does not know in any Region, or knows in several.
    """
    head, slash, rest = said.partition("/")
    if slash and not _REGION.fullmatch(head):
        return _whole(said, region)
    if slash and region and head != region:
        raise OrgctlError(said, f"it is in another Region than --region {region}", "leave out --region")
    where, id = (head, rest) if slash else (region, said)
    return key_in(id, where) if where else _anywhere(graph, _kind(id), id)


def key_in(id: str, region: str) -> Key:
    """Answer the key of an id in a Region. OrgctlError for what is none."""
    if not _REGION.fullmatch(region):
        raise OrgctlError("--region", f"{region!r} is no Region", "write it like eu-central-1")
    return key_of(_kind(id), id, Region(region), partition_of(Region(region)))


def _whole(said: str, region: str) -> Key:
    try:
        parts = parts_of(Key(said))
    except ValueError as error:
        raise OrgctlError(said, "it is no id of a thing", _FORMS) from error
    if not (parts.partition and parts.region and parts.name):
        raise OrgctlError(said, "a part of the key is empty", _FORMS)
    if region and parts.region != region:
        raise OrgctlError(said, f"it is in another Region than --region {region}", "leave out --region")
    return Key(said)


def _kind(id: str) -> Kind:
    head, dash, rest = id.partition("-")
    if not (dash and rest and head in KINDS_BY_PREFIX):
        known = ", ".join(f"{each}-" for each in KINDS_BY_PREFIX)
        raise OrgctlError(id or "id", f"it is no id that begins with {known}", _FORMS)
    if KINDS_BY_PREFIX[head] is Kind.TEMPLATE_VERSION and ":" not in id:
        raise OrgctlError(id, "it does not say which version", f"write {id}:3, '{id}:$Default' or '{id}:$Latest'")
    return KINDS_BY_PREFIX[head]


def _anywhere(graph: Graph, kind: Kind, id: str) -> Key:
    """Ask for the id in every Region at once."""
    found = keys_anywhere(graph, kind, id, map(Region, known_regions()))
    if not found:
        raise NotFound(id, "nothing is known of it in any Region", "see lineage coverage for what is heard at all")
    if len(found) > 1:
        regions_of = ", ".join(f"{parts_of(key).region}/{id}" for key in found)
        raise OrgctlError(id, f"it is in {len(found)} Regions: {regions_of}", "name one of them, or pass --region")
    return found[0]
