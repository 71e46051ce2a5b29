"""What a finding about an image touches, told to Security Hub as well: `security-impact`."""

from __future__ import annotations

from handlers.lineage.api.answers import Answer
from handlers.lineage.api.asked import ImpactRequest
from handlers.lineage.api.desk import TELLING, Desk
from handlers.lineage.api.documented import new_router, statuses
from handlers.lineage.api.ids import key_for
from handlers.lineage.api.images import Ami, ReasonForm, ami_of
from handlers.lineage.api.near import UNKNOWN, AmiInstance
from handlers.lineage.api.questions import USUAL_SIZE, desk
from handlers.lineage.api.templates import Template, templates_of
from handlers.lineage.findings import Finding, Severity
from handlers.lineage.graph import Graph
from handlers.lineage.model import Kind
from handlers.lineage.queries.frontiers import Frontiers, frontiers
from handlers.lineage.queries.impact import Impact, impact
from handlers.lineage.queries.json_form import to_plain
from handlers.lineage.queries.reasons import in_order
from handlers.lineage.queries.things import Thing
from org.errors import OrgctlError
from org.ids import AccountId, Region

router = new_router()
GRAVE = ("CRITICAL", "HIGH")
AT_ONCE = (
    "Stop the affected instances, or cut them off from the network.",
    "Block the deployment of the affected AMIs by SCPs.",
)
ALWAYS = (
    "Update the affected AMIs with what mends the finding.",
    "Create new AMI versions, in the order of rebuild_order.",
    "Update launch templates, and whatever else points at the affected AMIs.",
    "Replace the affected instances by ones of the new AMIs.",
    "Update Auto Scaling groups, so that they start the new AMIs.",
    "Verify by a scan that the finding is gone.",
)


class Group(Answer):
    """An Auto Scaling group that would start it."""

    name: str
    account_id: str
    region: str


class Latent(Answer):
    """Anything else that would start it: a fleet, a parameter, a recipe, …"""

    key: str
    kind: str
    account_id: str
    region: str


class Affected(Answer):
    """What holds the image's content now, or would start it."""

    amis: list[Ami]
    instances: list[AmiInstance]
    auto_scaling_groups: list[Group]
    launch_templates: list[Template]
    others: list[Latent]


class ImpactSummary(Answer):
    """How much it is, and because of what."""

    total_affected_amis: int
    total_affected_instances: int
    severity: str
    finding_type: str
    finding_id: str | None


class Told(Answer):
    """What Security Hub was told."""

    id: str
    imported: bool
    why: str | None
    """Why it was not."""


class SecurityImpact(Answer):
    """What a finding touches, and what to do."""

    ami_id: str
    region: str
    complete: bool
    reasons: list[ReasonForm]
    affected_resources: Affected
    impact_summary: ImpactSummary
    remediation_steps: list[str]
    rebuild_order: list[list[Ami]]
    """Layer after layer: each is made of what is in earlier ones."""
    finding: Told


@router.post(
    "/security-impact",
    summary="What a finding about an image touches; it is told to Security Hub",
    operation_id="securityImpact",
    responses=statuses(404, 409, 415),
)
def _security_impact(request: ImpactRequest) -> SecurityImpact:
    here = desk()
    key = key_for(here, request.ami_id, request.region)
    bounds = here.bounds(50, USUAL_SIZE)
    affected = impact(here.graph, key, here.scope, bounds)
    order = frontiers(here.graph, key, here.scope, bounds)
    reasons = in_order((*affected.reasons, *order.reasons))
    resources = _resources(here.graph, affected)
    return SecurityImpact(
        ami_id=request.ami_id,
        region=affected.start.region,
        complete=not reasons,
        reasons=to_plain(reasons),
        affected_resources=resources,
        impact_summary=ImpactSummary(
            total_affected_amis=len(resources.amis),
            total_affected_instances=len(resources.instances),
            severity=request.severity,
            finding_type=request.finding_type,
            finding_id=request.finding_id,
        ),
        remediation_steps=[*(AT_ONCE if request.severity in GRAVE else ()), *ALWAYS],
        rebuild_order=_layers(order),
        finding=_tell(here, request, affected, resources),
    )


def _resources(graph: Graph, affected: Impact) -> Affected:
    apart = (Kind.GROUP, Kind.TEMPLATE_VERSION)
    images = [each for each in (affected.start, *affected.derived) if each.kind is Kind.IMAGE and not each.gone]
    return Affected(
        amis=[Ami.model_validate(ami_of(each)) for each in images],
        instances=[
            AmiInstance(
                instance_id=_name(each), account_id=each.account, region=each.region, state=each.state or UNKNOWN
            )
            for each in affected.running
        ],
        auto_scaling_groups=[
            Group(name=_name(each).partition("/")[2], account_id=each.account, region=each.region)
            for each in affected.latent
            if each.kind is Kind.GROUP
        ],
        launch_templates=templates_of(graph, affected.latent),
        others=[
            Latent(key=each.key, kind=each.kind.value, account_id=each.account, region=each.region)
            for each in affected.latent
            if each.kind not in apart
        ],
    )


def _name(thing: Thing) -> str:
    return thing.key.split("/", 3)[3]


def _layers(order: Frontiers) -> list[list[Ami]]:
    return [[Ami.model_validate(ami_of(each)) for each in layer] for layer in order.layers]


def _tell(here: Desk, request: ImpactRequest, affected: Impact, resources: Affected) -> Told:
    """Tell Security Hub; that it does not take the finding is said in the answer, which is worth having anyway."""
    finding = _finding(here, request, affected, resources)
    if here.left() < TELLING:
        return Told(id=finding.id, imported=False, why="there was no time left to tell Security Hub; ask again")
    try:
        here.means.publish(finding, here.now)
    except OrgctlError as error:
        here.means.complain("security hub did not take a finding", error)
        return Told(id=finding.id, imported=False, why="Security Hub did not take it; the log tells why")
    return Told(id=finding.id, imported=True, why=None)


def _finding(here: Desk, request: ImpactRequest, affected: Impact, resources: Affected) -> Finding:
    what = request.finding_id or request.finding_type
    amis, instances = len(resources.amis), len(resources.instances)
    more = "" if affected.complete else "; there may be more"
    return Finding(
        f"vulnerability/{what}",
        affected.start.key,
        AccountId(affected.start.account or here.means.account),
        Region(affected.start.region),
        Severity(request.severity),
        f"{request.ami_id} is affected by {what}",
        f"{amis} images hold its content, and {instances} instances run it{more}",
        "rebuild in the order that security-impact or `orgctl lineage frontiers` answers",
        {
            "finding_type": request.finding_type,
            "finding_id": request.finding_id or "",
            "affected_amis": str(amis),
            "affected_instances": str(instances),
            "affected_auto_scaling_groups": str(len(resources.auto_scaling_groups)),
            "affected_launch_templates": str(len(resources.launch_templates)),
        },
    )
