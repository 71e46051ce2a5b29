"""Which images keep the organization's rules: `compliance-assessment`, some images at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from handlers.lineage.api.answers import Answer
from handlers.lineage.api.asked import Account, BodyCursor, Refused, Region_, Strict
from handlers.lineage.api.desk import Desk, Judged
from handlers.lineage.api.documented import new_router, statuses
from handlers.lineage.api.images import ReasonForm
from handlers.lineage.api.questions import desk
from handlers.lineage.compliance.subjects import is_ours
from handlers.lineage.model import Key, Kind
from handlers.lineage.queries.json_form import to_plain
from handlers.lineage.queries.reasons import Reason, Why, in_order, reasons_where
from handlers.lineage.queries.search import Page, Wanted, search
from handlers.lineage.queries.things import Thing
from org.ids import AccountId, Region

router = new_router()
AT_ONCE = 200
"""Images that are judged between two looks at the clock."""
COMPLIANT, NON_COMPLIANT, NOT_EVALUATED = "compliant", "non-compliant", "not-evaluated"


class AssessmentRequest(Strict):
    """By which rules which images are judged."""

    rules: Annotated[list[Annotated[str, Field(pattern=r"^[a-z][a-z_-]{0,63}$")]], Field(max_length=50)] | None = None
    """By any of their names; all that are applied, if none is given."""
    scope: Literal["ACCOUNT", "ORGANIZATION"] = "ORGANIZATION"
    """ACCOUNT: the images of `account_id`, or else of the caller's account."""
    account_id: Account | None = None
    region: Region_ | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 500
    """Images to judge at most; the cursor goes on."""
    cursor: BodyCursor | None = None


class Summary(Answer):
    """Of the images of this answer; what is gone does not count, nor what no rule applies to."""

    total_amis: int
    compliant_amis: int
    non_compliant_amis: int
    not_evaluated_amis: int
    """What would decide it is not known: not compliant."""
    compliance_percentage: float | None
    """Compliant ones of all; null of none."""


class RuleResult(Answer):
    """How many images keep a rule."""

    compliant: int
    non_compliant: int
    not_evaluated: int


class Violation(Answer):
    """A rule that is broken, or cannot be judged."""

    rule: str
    result: Literal["non-compliant", "not-evaluated"]
    says: str


class Resource(Answer):
    """An image that is not compliant."""

    ami_id: str
    account_id: str
    region: str
    violations: list[Violation]


class Assessment(Answer):
    """What the judging came to."""

    complete: bool
    reasons: list[ReasonForm]
    compliance_summary: Summary
    rule_results: dict[str, RuleResult]
    """By the names that were asked for."""
    non_compliant_resources: list[Resource]
    cursor: str | None
    """For the images that are left; null at the end. With one, the answer is not complete."""


@router.post(
    "/compliance-assessment",
    summary="Which images keep the rules",
    operation_id="complianceAssessment",
    responses=statuses(415),
)
def _assess(request: AssessmentRequest) -> Assessment:
    here = desk()
    if request.scope == "ORGANIZATION" and request.account_id is not None:
        raise Refused("account_id needs the scope ACCOUNT", "INVALID_REQUEST", "leave out one of the two")
    names = here.means.judge.named(request.rules) if request.rules is not None else None
    account = (request.account_id or _caller()) if request.scope == "ACCOUNT" else None
    wanted = Wanted(
        Kind.IMAGE, Region(request.region) if request.region else None, AccountId(account) if account else None
    )
    # What is not heard is not judged. Asked first, as the judging can stop when it is late, and this cannot.
    lacks = reasons_where(here.graph, here.scope, wanted.account, wanted.region)
    judged, cursor, reasons = _judge(here, wanted, request.limit, request.cursor, names)
    reasons += lacks
    return _assessment(judged, names, cursor, reasons)


def _caller() -> str:
    account = router.current_event.request_context.identity.account_id
    if not account:
        raise Refused("it is not known in which account the caller is", "INVALID_REQUEST", "give account_id")
    return str(account)


Verdicts = list[tuple[Thing, Sequence[Judged]]]


def _judge(
    here: Desk, wanted: Wanted, limit: int, cursor: str | None, names: Mapping[str, str] | None
) -> tuple[Verdicts, str | None, list[Reason]]:
    """Judge images until there are no more, or enough of them, or no more time."""
    found: Verdicts = []
    reasons: list[Reason] = []
    rules = None if names is None else sorted(set(names.values()))
    while True:
        room = min(AT_ONCE, limit - len(found))
        page: Page = search(here.graph, wanted, room, cursor, here.means.secret, here.late)
        # A stranger's image that somebody has used is known as well, and is none of the organization's.
        things = [each for each in page.things if wanted.account or is_ours(each, here.scope)]
        keys = [each.key for each in things]
        verdicts: Mapping[Key, Sequence[Judged]] = (
            here.means.judge.judge(here.graph, keys, here.scope, here.now, rules) if keys else {}
        )
        found += [(each, verdicts.get(each.key, ())) for each in things]
        reasons += page.reasons
        cursor = page.cursor
        if cursor is None:
            return found, None, reasons
        if len(found) >= limit or here.late() or page.reasons:
            says = f"{len(found):,} images were judged; go on with the cursor"
            return found, cursor, [*reasons, Reason(Why.BOUND, "limit", says)]


def _assessment(
    judged: Verdicts, names: Mapping[str, str] | None, cursor: str | None, reasons: list[Reason]
) -> Assessment:
    whole: Counter[str] = Counter()
    by_rule: dict[str, Counter[str]] = {}
    bad: list[Resource] = []
    for thing, verdicts in judged:
        results = {each.result for each in verdicts}
        worst = next((each for each in (NON_COMPLIANT, NOT_EVALUATED, COMPLIANT) if each in results), None)
        if worst is None:
            continue
        whole[worst] += 1
        for each in verdicts:
            by_rule.setdefault(each.rule, Counter())[each.result] += 1
        if worst != COMPLIANT:
            bad.append(_resource(thing, verdicts))
    total = sum(whole.values())
    shown = names if names is not None else {rule: rule for rule in sorted(by_rule)}
    return Assessment(
        complete=not reasons,
        reasons=to_plain(in_order(reasons)),
        compliance_summary=Summary(
            total_amis=total,
            compliant_amis=whole[COMPLIANT],
            non_compliant_amis=whole[NON_COMPLIANT],
            not_evaluated_amis=whole[NOT_EVALUATED],
            compliance_percentage=round(100 * whole[COMPLIANT] / total, 2) if total else None,
        ),
        rule_results={name: _rule_result(by_rule.get(rule, Counter())) for name, rule in shown.items()},
        non_compliant_resources=bad,
        cursor=cursor,
    )


def _rule_result(counted: Mapping[str, int]) -> RuleResult:
    return RuleResult(
        compliant=counted.get(COMPLIANT, 0),
        non_compliant=counted.get(NON_COMPLIANT, 0),
        not_evaluated=counted.get(NOT_EVALUATED, 0),
    )


def _resource(thing: Thing, verdicts: Sequence[Judged]) -> Resource:
    return Resource(
        ami_id=thing.key.rpartition("/")[2],
        account_id=thing.account,
        region=thing.region,
        violations=[
            Violation.model_validate({"rule": each.rule, "result": each.result, "says": each.says})
            for each in verdicts
            if each.result in (NON_COMPLIANT, NOT_EVALUATED)
        ],
    )
