"""What is about no single thing: coverage, and search of any kind, page after page."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from handlers.lineage.api.answers import model_of
from handlers.lineage.api.asked import KEY_PATTERN, OWNER_PATTERN, TEXT, Cursor, InRegion, Limit, Refused, Size
from handlers.lineage.api.documented import answers, new_router, statuses
from handlers.lineage.api.questions import desk
from handlers.lineage.model import Key, Kind
from handlers.lineage.queries.contradictions import Contradictions, contradictions
from handlers.lineage.queries.coverage import Coverage, coverage
from handlers.lineage.queries.json_form import Plain, to_plain
from handlers.lineage.queries.search import Page, Wanted, search_heard
from org.ids import AccountId, Region

router = new_router()
KindName = Annotated[Kind, Query(description="What is looked for.")]
AccountIs = Annotated[str | None, Query(pattern=OWNER_PATTERN, description="Whose it is.")]
NamePart = Annotated[
    str | None, Query(pattern=f"^{TEXT}{{1,256}}$", description="A part of its name; the case counts.")
]
Where = Annotated[
    list[Annotated[str, Query(pattern=f"^{TEXT}{{1,256}}$")]] | None,
    Query(description="state=available, tag:Team=web, …; again for another. All must hold.", max_length=10),
]
Examine = Annotated[
    int, Query(ge=1, le=1_000_000, description="At how many things to look for those of which nothing is known.")
]
After = Annotated[
    str | None,
    Query(
        pattern=f"^{KEY_PATTERN}$",
        max_length=2_200,
        description="What the answer before ended with (`after`).",
    ),
]


@router.get(
    "/lineage/coverage", summary="What of the organization is heard", operation_id="coverage", responses=statuses()
)
@answers(lambda: model_of(Coverage))
def _coverage(examine: Examine = 10_000) -> Plain:
    here = desk()
    return to_plain(coverage(here.graph, here.scope, examine, here.late))


@router.get(
    "/lineage/contradictions",
    summary="Where events and AWS's own answers contradict each other",
    operation_id="contradictions",
    responses=statuses(),
)
@answers(lambda: model_of(Contradictions))
def _contradictions(size: Size = 1_000, after: After = None) -> Plain:
    here = desk()
    bounds = here.bounds(50, size)
    return to_plain(contradictions(here.graph, here.scope, bounds, Key(after) if after else None, here.means.approved))


@router.get("/lineage/search", summary="Things by what holds of them now", operation_id="search", responses=statuses())
@answers(lambda: model_of(Page))
def _search(
    kind: KindName,
    region: InRegion = None,
    account: AccountIs = None,
    name_contains: NamePart = None,
    where: Where = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Plain:
    here = desk()
    wanted = Wanted(
        kind,
        Region(region) if region else None,
        AccountId(account) if account else None,
        name_contains,
        tuple(_pair(each) for each in where or ()),
    )
    return to_plain(search_heard(here.graph, wanted, here.scope, limit, cursor, here.means.secret, here.late))


def _pair(said: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not (name and equals):
        raise Refused("where is no pair", "INVALID_REQUEST", "write it as NAME=VALUE")
    return name, value
