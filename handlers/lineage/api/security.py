"""How far an image can be relied on: `security-context`. What nobody has said is unknown here, with the reason."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from handlers.lineage.api.answers import Answer
from handlers.lineage.api.asked import AmiId, At, Depth, InRegion, Size, time_at
from handlers.lineage.api.desk import Desk
from handlers.lineage.api.documented import new_router, statuses
from handlers.lineage.api.ids import key_for
from handlers.lineage.api.images import ReasonForm
from handlers.lineage.api.near import UNKNOWN, LineageData, next_to
from handlers.lineage.api.questions import USUAL_SIZE, desk
from handlers.lineage.fold import fold_states
from handlers.lineage.model import Kind, Relation, Time, kind_of
from handlers.lineage.queries.descent import Descent, ancestors, descendants
from handlers.lineage.queries.json_form import to_plain, written
from handlers.lineage.queries.reasons import Reason, Why, in_order
from handlers.lineage.queries.things import OWNER, OWNER_ALIAS, Thing
from handlers.lineage.queries.verify import is_trusted

router = new_router()
MARKETPLACE = "aws-marketplace"
"""`ImageOwnerAlias` of AWS Marketplace: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html."""
PATCH_LEVEL, SCAN_SEVERITY, SCANNED_AT, ENCRYPTED = "tag:PatchLevel", "scan_severity", "scanned_at", "encrypted"
VIOLATIONS = {
    "required-tags": "missing_required_tags",
    "security-scan": "security_scan_not_passed",
    "approval": "not_approved",
}
"""Our rules, by what the published sample calls a breach of them."""


class SourceValidation(Answer):
    """Whose image it is."""

    marketplace_verified: bool
    """AWS says that AWS Marketplace owns it."""
    trusted_account: bool
    """It is said that an owner whom the organization trusts has it."""
    approval_status: str
    """What its tag says: a claim of whoever may tag it. `AMI_NOT_FOUND` if only its name is known."""
    owner_id: str | None
    error: str | None


class PolicyViolation(Answer):
    """A rule that is broken, or cannot be judged."""

    type: Literal["missing_required_tags", "security_scan_not_passed", "not_approved"]
    details: str
    evaluated: bool


class ComplianceStatus(Answer):
    """What is said of its content."""

    patch_level: str
    encryption_verified: bool | None
    """Of all its snapshots that are known; null: nothing tells."""
    policy_violations: list[PolicyViolation]


class CveFinding(Answer):
    """The worst that a scan found. Which CVEs they are is not kept in the graph."""

    severity: str


class VulnerabilityStatus(Answer):
    """What is said of its scans."""

    cve_findings: list[CveFinding]
    last_scan_date: str | None
    scan_status: str


class SecurityContext(Answer):
    """How far it can be relied on."""

    source_validation: SourceValidation
    compliance_status: ComplianceStatus | None
    """Null where it was not asked for."""
    vulnerability_status: VulnerabilityStatus


class AmiSecurity(Answer):
    """The answer of security-context."""

    ami_id: str
    region: str
    complete: bool
    reasons: list[ReasonForm]
    security_context: SecurityContext
    lineage_data: LineageData
    last_updated: str | None
    """When something was said of it last."""


@router.get(
    "/ami/<ami_id>/security-context",
    summary="How far an image can be relied on",
    operation_id="securityContext",
    responses=statuses(404, 409),
)
def _security_context(
    ami_id: AmiId,
    region: InRegion = None,
    include_compliance: Annotated[bool, Query()] = True,
    depth: Depth = 10,
    size: Size = USUAL_SIZE,
    at: At = None,
) -> AmiSecurity:
    here, time = desk(), time_at(at)
    key = key_for(here, ami_id, region)
    bounds, scope = here.bounds(depth, size), here.scope
    up = ancestors(here.graph, key, scope, bounds, time)
    down = descendants(here.graph, key, scope, bounds, time)
    thing = up.things[key]
    lacks: list[Reason] = []
    context = SecurityContext(
        source_validation=_source(here, thing),
        compliance_status=_compliance(here, thing, up, time, lacks) if include_compliance else None,
        vulnerability_status=_scans(here, thing, lacks),
    )
    reasons = in_order((*up.reasons, *down.reasons, *lacks))
    said = [each.evidence.time for each in thing.state_of.attributes.values()]
    return AmiSecurity(
        ami_id=ami_id,
        region=thing.region,
        complete=not reasons,
        reasons=to_plain(reasons),
        security_context=context,
        lineage_data=next_to(key, up, down),
        last_updated=written(max(said)) if said else None,
    )


def _source(here: Desk, thing: Thing) -> SourceValidation:
    said = thing.state_of
    owner, alias = said.value(OWNER), said.value(OWNER_ALIAS)
    error = None if thing.known else "nothing was ever said of it but that something came of it"
    return SourceValidation(
        marketplace_verified=alias == MARKETPLACE,
        trusted_account=is_trusted(thing, here.means.trusted),
        approval_status="AMI_NOT_FOUND" if error else said.value(f"tag:{here.means.tags.approval}") or UNKNOWN,
        owner_id=owner,
        error=error,
    )


def _compliance(here: Desk, thing: Thing, up: Descent, time: Time | None, lacks: list[Reason]) -> ComplianceStatus:
    patch = thing.state_of.value(PATCH_LEVEL)
    if patch is None:
        lacks.append(Reason(Why.NOT_SAID, thing.key, "nothing tells its patch level: it has no tag PatchLevel"))
    encrypted = _encrypted(here, thing, up, time)
    if encrypted is None:
        lacks.append(Reason(Why.NOT_SAID, thing.key, "nothing tells whether its snapshots are encrypted"))
    if time is not None:
        lacks.append(Reason(Why.NOT_SAID, thing.key, "rules are judged as of now, whatever time is asked about"))
    judged = here.means.judge.judge(here.graph, [thing.key], here.scope, here.now, tuple(VIOLATIONS))
    broken = [each for each in judged.get(thing.key, ()) if each.result in ("non-compliant", "not-evaluated")]
    return ComplianceStatus(
        patch_level=patch or UNKNOWN,
        encryption_verified=encrypted,
        policy_violations=[
            PolicyViolation.model_validate(
                {
                    "type": VIOLATIONS[each.rule],
                    "details": each.says,
                    "evaluated": each.result == "non-compliant",
                }
            )
            for each in broken
        ],
    )


def _encrypted(here: Desk, thing: Thing, up: Descent, time: Time | None) -> bool | None:
    """Answer whether all snapshots that it is registered from are encrypted; of itself, if none is known."""
    snapshots = [
        hop.parent
        for hop in up.hops
        if hop.child == thing.key and hop.relation is Relation.REGISTERED_FROM and kind_of(hop.parent) is Kind.SNAPSHOT
    ]
    if not snapshots:
        own = thing.state_of.value(ENCRYPTED)
        return None if own is None else own == "yes"
    states = fold_states(here.graph.facts_of(snapshots, {Relation.NOTED}, time))
    said = [states[each].value(ENCRYPTED) if each in states else None for each in snapshots]
    if any(each is not None and each != "yes" for each in said):
        return False
    return None if None in said else True


def _scans(here: Desk, thing: Thing, lacks: list[Reason]) -> VulnerabilityStatus:
    said = thing.state_of
    worst, scanned = said.value(SCAN_SEVERITY), said.value(SCANNED_AT)
    status = said.value(f"tag:{here.means.tags.scan}")
    if worst is None and scanned is None:
        lacks.append(Reason(Why.NOT_SAID, thing.key, "nothing tells of a scan by AWS"))
    return VulnerabilityStatus(
        cve_findings=[CveFinding(severity=worst)] if worst is not None and worst.casefold() != "none" else [],
        last_scan_date=scanned,
        scan_status=status or UNKNOWN,
    )
