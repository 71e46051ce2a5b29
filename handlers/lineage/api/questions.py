"""The questions to one thing, as the query module answers them: `/api/v1/lineage/…`."""

from __future__ import annotations

from handlers.lineage.api.answers import model_of
from handlers.lineage.api.asked import At, Attribute, Depth, Id, Ids, InRegion, OtherId, Owners, Refused, Size, time_at
from handlers.lineage.api.desk import Desk
from handlers.lineage.api.documented import answers, new_router, statuses
from handlers.lineage.api.ids import key_for
from handlers.lineage.model import Key
from handlers.lineage.queries.descent import Descent, ancestors, descendants
from handlers.lineage.queries.effective_root import EffectiveRoot, effective_root
from handlers.lineage.queries.evidence import Testimony, evidence_between, evidence_of
from handlers.lineage.queries.frontiers import Frontiers, frontiers
from handlers.lineage.queries.impact import Impact, impact
from handlers.lineage.queries.json_form import Plain, to_plain
from handlers.lineage.queries.show import Shown, show
from handlers.lineage.queries.smallest import Smallest, smallest_rebuild
from handlers.lineage.queries.verify import Verification, verify

router = new_router()
THING = statuses(404, 409)
USUAL_SIZE = 1_000


def desk() -> Desk:
    """Answer the desk of this request."""
    found = router.context["desk"]
    assert isinstance(found, Desk)
    return found


@router.get("/lineage/show", summary="What is known of one thing", operation_id="show", responses=THING)
@answers(lambda: model_of(Shown))
def _show(id: Id, region: InRegion = None, at: At = None) -> Plain:
    here = desk()
    return to_plain(show(here.graph, key_for(here, id, region), here.scope, time_at(at)))


@router.get("/lineage/ancestors", summary="What a thing descends from", operation_id="ancestors", responses=THING)
@answers(lambda: model_of(Descent))
def _ancestors(id: Id, region: InRegion = None, at: At = None, depth: Depth = 50, size: Size = USUAL_SIZE) -> Plain:
    here = desk()
    return to_plain(ancestors(here.graph, key_for(here, id, region), here.scope, here.bounds(depth, size), time_at(at)))


@router.get("/lineage/descendants", summary="What came of a thing", operation_id="descendants", responses=THING)
@answers(lambda: model_of(Descent))
def _descendants(id: Id, region: InRegion = None, at: At = None, depth: Depth = 50, size: Size = USUAL_SIZE) -> Plain:
    here = desk()
    return to_plain(
        descendants(here.graph, key_for(here, id, region), here.scope, here.bounds(depth, size), time_at(at))
    )


@router.get(
    "/lineage/impact",
    summary="What a bad thing touches: what runs it, what would start it again, who else can use it",
    operation_id="impact",
    responses=THING,
)
@answers(lambda: model_of(Impact))
def _impact(id: Id, region: InRegion = None, at: At = None, depth: Depth = 50, size: Size = USUAL_SIZE) -> Plain:
    here = desk()
    return to_plain(impact(here.graph, key_for(here, id, region), here.scope, here.bounds(depth, size), time_at(at)))


@router.get("/lineage/frontiers", summary="In which order to rebuild", operation_id="frontiers", responses=THING)
@answers(lambda: model_of(Frontiers))
def _frontiers(id: Id, region: InRegion = None, at: At = None, depth: Depth = 50, size: Size = USUAL_SIZE) -> Plain:
    here = desk()
    return to_plain(frontiers(here.graph, key_for(here, id, region), here.scope, here.bounds(depth, size), time_at(at)))


@router.get(
    "/lineage/smallest",
    summary="The fewest images whose rebuild mends all",
    operation_id="smallest",
    responses=THING,
)
@answers(lambda: model_of(Smallest))
def _smallest(
    id: Id,
    region: InRegion = None,
    at: At = None,
    depth: Depth = 50,
    size: Size = USUAL_SIZE,
    fixed: Ids = None,
) -> Plain:
    here = desk()
    kept: frozenset[Key] = frozenset(
        key_for(here, each, None if "/" in each else region) for each in (fixed.split(",") if fixed else ())
    )
    key = key_for(here, id, region)
    return to_plain(smallest_rebuild(here.graph, key, here.scope, here.bounds(depth, size), time_at(at), kept))


@router.get(
    "/lineage/verify",
    summary="Whether descent is unbroken up to trusted roots",
    operation_id="verify",
    responses=THING,
)
@answers(lambda: model_of(Verification))
def _verify(
    id: Id,
    region: InRegion = None,
    at: At = None,
    depth: Depth = 50,
    size: Size = USUAL_SIZE,
    trust: Owners = None,
) -> Plain:
    here = desk()
    trusted = tuple(trust.split(",")) if trust else here.means.trusted
    if not trusted:
        raise Refused("nobody is trusted", "NOBODY_TRUSTED", "name owners of base images as trust, such as amazon")
    key = key_for(here, id, region)
    return to_plain(verify(here.graph, key, trusted, here.scope, here.bounds(depth, size), time_at(at)))


@router.get("/lineage/root", summary="What an instance truly boots", operation_id="root", responses=THING)
@answers(lambda: model_of(EffectiveRoot))
def _root(id: Id, region: InRegion = None, at: At = None, depth: Depth = 50, size: Size = USUAL_SIZE) -> Plain:
    here = desk()
    key = key_for(here, id, region)
    return to_plain(effective_root(here.graph, key, here.scope, here.bounds(depth, size), time_at(at)))


@router.get(
    "/lineage/evidence",
    summary="Every fact between a thing and its parent, or all that was ever said of an attribute",
    operation_id="evidence",
    responses=THING,
)
@answers(lambda: model_of(Testimony))
def _evidence(
    id: Id, region: InRegion = None, at: At = None, parent: OtherId = None, attribute: Attribute = None
) -> Plain:
    here = desk()
    if (parent is None) == (attribute is None):
        raise Refused("parent or attribute is needed, and not both", "INVALID_REQUEST", "give one of the two")
    key, time = key_for(here, id, region), time_at(at)
    if attribute is not None:
        return to_plain(Testimony(key, None, (), evidence_of(here.graph, key, attribute, time)))
    assert parent is not None
    # The parent may well be in another Region: an image is copied from one to another.
    other = key_for(here, parent, None)
    return to_plain(Testimony(key, other, evidence_between(here.graph, key, other, time), ()))
