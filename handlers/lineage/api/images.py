"""What is asked of images in the published sample's terms: `/api/v1/ami/…`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from handlers.lineage.api.answers import Answer, model_of
from handlers.lineage.api.asked import AmiId, At, Depth, InRegion, SearchRequest, Size, time_at
from handlers.lineage.api.desk import Desk
from handlers.lineage.api.documented import new_router, statuses
from handlers.lineage.api.ids import key_for
from handlers.lineage.api.questions import USUAL_SIZE, desk
from handlers.lineage.model import Key, Kind, Time
from handlers.lineage.queries.descent import Descent, ancestors, descendants
from handlers.lineage.queries.hops import Hop
from handlers.lineage.queries.json_form import to_plain, written
from handlers.lineage.queries.reasons import Reason, in_order
from handlers.lineage.queries.search import Wanted, search_heard
from handlers.lineage.queries.things import CREATED_AT, MADE, Thing
from org.ids import AccountId, Region

router = new_router()
ReasonForm: Any = model_of(Reason)


class Ami(Answer):
    """An image as answers name it."""

    ami_id: str
    name: str
    creation_date: str | None
    """As AWS tells it, else when it was made, as far as that was seen."""
    account_id: str
    region: str
    state: str


class Edge(Answer):
    """One step of descent."""

    child: str
    relation: str
    parent: str
    verdict: str
    """`verified`: the same content; `unverified`: somebody could have written; `foreign`; `reference`."""


class AmiLineage(Answer):
    """What an image descends from, and what came of it."""

    ami_id: str
    region: str
    complete: bool
    reasons: list[ReasonForm]
    ancestors: list[list[Ami]]
    """Images, in levels: those that are the same number of hops away, the nearest first."""
    descendants: list[list[Ami]]
    """Likewise."""
    lineage_graph: list[Edge]
    """Every step, also through what is no image."""


class FoundAmi(Ami):
    """An image that fits, and what its tags say; null: there is no such tag."""

    approval_status: str | None
    security_scan: str | None
    environment: str | None


class AmiPage(Answer):
    """A page of images."""

    complete: bool
    reasons: list[ReasonForm]
    total_results: int
    """Of this page."""
    amis: list[FoundAmi]
    filters_applied: dict[str, str]
    cursor: str | None
    """For the next page; null at the end."""


NO_TIMES: Mapping[Key, Time] = {}


def made_at(hops: Iterable[Hop]) -> Mapping[Key, Time]:
    """Answer when things were made, as far as that was seen."""
    found: dict[Key, Time] = {}
    for hop in hops:
        if hop.relation in MADE:
            first = hop.facts[0].evidence.time
            found[hop.child] = min(first, found.get(hop.child, first))
    return found


def ami_of(thing: Thing, made: Mapping[Key, Time] = NO_TIMES) -> dict[str, str | None]:
    """Answer the fields of `Ami`."""
    return {
        "ami_id": thing.key.rpartition("/")[2],
        "name": thing.name,
        "creation_date": thing.state_of.value(CREATED_AT) or written(made.get(thing.key)),
        "account_id": thing.account,
        "region": thing.region,
        "state": thing.state,
    }


@router.get(
    "/ami/<ami_id>/lineage",
    summary="What an image descends from, and what came of it",
    operation_id="amiLineage",
    responses=statuses(404, 409),
)
def _lineage(
    ami_id: AmiId,
    region: InRegion = None,
    direction: Annotated[Literal["ancestors", "descendants", "both"], Query()] = "both",
    depth: Depth = 10,
    size: Size = USUAL_SIZE,
    at: At = None,
) -> AmiLineage:
    here, time = desk(), time_at(at)
    key = key_for(here, ami_id, region)
    bounds = here.bounds(depth, size)
    up = ancestors(here.graph, key, here.scope, bounds, time) if direction != "descendants" else None
    down = descendants(here.graph, key, here.scope, bounds, time) if direction != "ancestors" else None
    hops = {(hop.child, hop.relation, hop.parent): hop for side in (up, down) if side for hop in side.hops}
    reasons = in_order(reason for side in (up, down) if side for reason in side.reasons)
    return AmiLineage(
        ami_id=ami_id,
        region=key.split("/")[1],
        complete=not reasons,
        reasons=to_plain(reasons),
        ancestors=_levels(up),
        descendants=_levels(down),
        lineage_graph=[
            Edge(child=hop.child, relation=hop.relation.value, parent=hop.parent, verdict=hop.verdict.value)
            for _, hop in sorted(hops.items())
        ],
    )


def _levels(side: Descent | None) -> list[Any]:
    if side is None:
        return []
    held = set(side.things) - set(side.formerly)
    made = made_at(side.hops)
    things = [[side.things[key] for key in level if key in held] for level in side.levels[1:]]
    levels = [[ami_of(each, made) for each in level if each.kind is Kind.IMAGE] for level in things]
    return [level for level in levels if level]


@router.post(
    "/ami/search",
    summary="Images by what holds of them now",
    operation_id="searchAmis",
    responses=statuses(415),
)
def _search(request: SearchRequest) -> AmiPage:
    here, filters = desk(), request.filters
    tags = here.means.tags
    wanted = Wanted(
        Kind.IMAGE,
        Region(filters.region) if filters.region else None,
        AccountId(filters.account_id) if filters.account_id else None,
        filters.name_contains,
        tuple(
            (f"tag:{tag}", value)
            for tag, value in (
                (tags.approval, filters.approval_status),
                (tags.scan, filters.security_scan),
                (tags.environment, filters.environment),
            )
            if value is not None
        ),
    )
    page = search_heard(here.graph, wanted, here.scope, request.limit, request.cursor, here.means.secret, here.late)
    return AmiPage(
        complete=page.complete,
        reasons=to_plain(page.reasons),
        total_results=len(page.things),
        amis=[_found(here, each) for each in page.things],
        filters_applied=filters.model_dump(exclude_none=True),
        cursor=page.cursor,
    )


def _found(here: Desk, thing: Thing) -> FoundAmi:
    tags, said = here.means.tags, thing.state_of
    return FoundAmi(
        **ami_of(thing),
        approval_status=said.value(f"tag:{tags.approval}"),
        security_scan=said.value(f"tag:{tags.scan}"),
        environment=said.value(f"tag:{tags.environment}"),
    )
