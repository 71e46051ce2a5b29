"""The function that judges every image on a schedule, or one thing when it is asked to, and tells what it found.

On the schedule it also tells where sources contradict each other, and what is not heard or read.

Reads the graph. Calls securityhub:GetFindings and securityhub:BatchImportFindings, s3:GetObject and s3:PutObject on
`published/` in the state bucket, and sns:Publish on the two topics.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from handlers.lineage.compliance.assessment import (
    FAMILY,
    RANK,
    Assessment,
    assess,
    assess_some,
    findings_of,
    summary_of,
)
from handlers.lineage.compliance.evaluate import rules_named
from handlers.lineage.compliance.subjects import things_of
from handlers.lineage.compliance.verdicts import Result, Rule
from handlers.lineage.environment import setting
from handlers.lineage.findings import Finding, Severity
from handlers.lineage.model import Key, Kind, Place, Time, key_of
from handlers.lineage.open import open_graph
from handlers.lineage.publish.asff import GENERATOR, Product
from handlers.lineage.publish.ledger import Forgetful, S3Store, Store
from handlers.lineage.publish.notices import Topics, announce, tell
from handlers.lineage.publish.security_hub import Hub
from handlers.lineage.publish.up_to_date import Published, publish
from handlers.lineage.queries.asking import BadQuery, Scope, never
from handlers.lineage.queries.places import known_scope
from handlers.lineage.reconcile.findings import FAMILIES, lineage_findings
from handlers.lineage.settings import Settings, read_settings
from org.ids import AccountId, Region

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from handlers.lineage.graph import Graph

SERVICE = "lineage-assess"
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="orgctl", service=SERVICE)

GRAPH = "ORGCTL_LINEAGE_GRAPH"
COMPLIANCE_TOPIC, ALERT_TOPIC = "ORGCTL_COMPLIANCE_TOPIC", "ORGCTL_ALERT_TOPIC"
STATE = "ORGCTL_LINEAGE_STATE"
SPARE = 60_000
"""Milliseconds before the end of the function's time at which it stops, to keep what it has done."""
KINDS: Mapping[str, tuple[Kind, re.Pattern[str]]] = {
    **dict.fromkeys(("AWS::EC2::Image", "ami", "image"), (Kind.IMAGE, re.compile(r"ami-[0-9a-f]{8,17}", re.ASCII))),
    **dict.fromkeys(("AWS::EC2::Instance", "instance"), (Kind.INSTANCE, re.compile(r"i-[0-9a-f]{8,17}", re.ASCII))),
}
"""What a direct request may call a kind of resource, and what its ids look like."""


@dataclass(frozen=True)
class Desk:
    """Everything that an assessment needs besides its request."""

    graph: Graph
    hub: Hub
    sns: Topics
    compliance_topic: str
    alert_topic: str
    settings: Settings
    scope: Scope
    product: Product
    now: Time
    store: Store = field(default_factory=Forgetful)
    """Of what Security Hub was told last."""
    late: Callable[[], bool] = never


@cache
def _fixed() -> tuple[Graph, Hub, Topics, Store, Settings]:
    import boto3
    from botocore.config import Config

    # Security Hub answers three GetFindings a second: a large organization waits for its turn, and does not fail.
    patient = Config(retries={"mode": "adaptive", "max_attempts": 10})
    hub: Hub = boto3.client("securityhub", config=patient)
    sns: Topics = boto3.client("sns")
    store = S3Store(boto3.client("s3"), setting(STATE))
    return open_graph(setting(GRAPH)), hub, sns, store, read_settings(os.environ)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Judge everything, or what a direct request names; answers how it stands.

    Unfinished, shortly before Lambda would end it: Lambda calls it again then, twice, as it does for the schedule.
    """
    graph, hub, sns, store, settings = _fixed()
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    now = Time(int(time.time() * 1000))
    desk = Desk(
        graph,
        hub,
        sns,
        setting(COMPLIANCE_TOPIC),
        setting(ALERT_TOPIC),
        settings,
        replace(known_scope(graph, now), organization=settings.organization),
        Product(AccountId(account), Region(region), partition),
        now,
        store,
        lambda: context.get_remaining_time_in_millis() < SPARE,
    )
    return answer(event, desk)


def answer(event: Mapping[str, Any], desk: Desk) -> dict[str, Any]:
    """Judge and tell. BadQuery for a request that is none; what is raised besides is worth another try."""
    whole = event.get("source") == "aws.events"
    if whole:
        assessment = assess(desk.graph, desk.settings, desk.scope, desk.now)
        besides = _besides(desk)
        published = _publish(assessment, besides, desk, whole=True)
        _count(_open(published))
        worst = max((each.severity for each in _open(published)), key=RANK.__getitem__, default=Severity.INFORMATIONAL)
        text = summary_of(assessment, desk.settings)
        if besides:
            text += f"\n{len(besides):,} findings besides: contradictions between sources, and gaps of coverage.\n"
        subject = "Compliance of machine images"
        tell(desk.sns, desk.compliance_topic, subject, text, worst, f"{FAMILY}/summary", desk.product.account)
    else:
        key, rules = read_request(event, Region(desk.settings.home_region), desk.product.partition)
        assessment = assess_some(desk.graph, [key], desk.settings, desk.scope, desk.now, rules)
        known = any(each.thing.known for each in assessment.of)
        published = _publish(assessment, (), desk, whole=False) if known else Published()
    told = _told(assessment, published)
    for name in ("compliant", "non_compliant", "findings_created", "findings_resolved"):
        metrics.add_metric(name, MetricUnit.Count, told[name])
    logger.info("images were judged", told=told)
    return told if whole else {**told, "resources": _resources(assessment)}


def _count(findings: Sequence[Finding]) -> None:
    """Tell the dashboard and its alarm how many are open, and how many of them are grave."""
    metrics.add_metric("findings_open", MetricUnit.Count, len(findings))
    severe = sum(RANK[each.severity] >= RANK[Severity.HIGH] for each in findings)
    metrics.add_metric("findings_severe", MetricUnit.Count, severe)


def read_request(event: Mapping[str, Any], home: Region, partition: str = "aws") -> tuple[Key, tuple[Rule, ...] | None]:
    """Read `{resource_id, resource_type, rules, region}`; the last two may be missing. BadQuery."""
    if unknown := sorted(set(event) - {"resource_id", "resource_type", "rules", "region"}):
        raise BadQuery("the request", f"there is no field {unknown[0][:60]!r}", "see docs/compliance.md")
    type_, id, region = event.get("resource_type"), event.get("resource_id"), event.get("region", home)
    if not isinstance(type_, str) or type_ not in KINDS:
        raise BadQuery("resource_type", "it is none that is judged", f"give one of {', '.join(KINDS)}")
    kind, pattern = KINDS[type_]
    if not isinstance(id, str) or not pattern.fullmatch(id):
        raise BadQuery("resource_id", f"it is not the id of an {kind.value}", f"write it like {pattern.pattern}")
    if not isinstance(region, str) or not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d{1,2}", region, re.ASCII):
        raise BadQuery("region", "it is not a Region", "write it like eu-central-1")
    rules = event.get("rules")
    if rules is not None and not (isinstance(rules, Sequence) and all(isinstance(each, str) for each in rules)):
        raise BadQuery("rules", "they are no list of names", "give a list, or leave it out")
    return key_of(kind, id, Region(region), partition), None if rules is None else rules_named(rules)


def _publish(assessment: Assessment, besides: Sequence[Finding], desk: Desk, *, whole: bool) -> Published:
    """Bring Security Hub up to date, and people before it: once, of all that is new and grave."""
    judged = {each.thing.key for each in assessment.of}
    rules = {f"{FAMILY}/{rule.value}" for rule in assessment.rules}

    def covered(rule: str, about: Key) -> bool:
        """A thing that the graph has lost was not judged; of one that was, rules that are applied no longer end."""
        if not rule.startswith(f"{FAMILY}/"):
            return True
        if about in judged:
            return whole or rule in rules
        return whole and things_of(desk.graph, [about])[0].gone

    findings = [*findings_of(assessment, desk.settings, desk.product.account), *besides]
    families = [FAMILY, *FAMILIES] if whole else [FAMILY]
    return publish(
        desk.hub,
        findings,
        covered,
        desk.product,
        families,
        desk.now,
        lambda each: _alert(each.created, desk),
        desk.store,
        desk.late,
    )


def _besides(desk: Desk) -> tuple[Finding, ...]:
    """Answer where sources contradict each other, and what is not heard or read; all of it is judged each time."""
    home = Place(desk.product.account, desk.product.region)
    approval = desk.settings.compliance.approval
    found = lineage_findings(desk.graph, replace(desk.scope, now=desk.now), home, (approval.tag, approval.value))
    metrics.add_metric("findings_besides", MetricUnit.Count, len(found))
    return found


def _alert(created: Sequence[Finding], desk: Desk) -> None:
    grave = [each for each in created if RANK[each.severity] >= RANK[Severity.HIGH]]
    product = desk.product
    where = f"All of them are in Security Hub of account {product.account}, Region {product.region}: those whose"
    announce(desk.sns, desk.alert_topic, grave, f"{where} generator begins with {GENERATOR}.")


def _open(published: Published) -> tuple[Finding, ...]:
    return (*published.created, *published.updated, *published.unchanged)


def _told(assessment: Assessment, published: Published) -> dict[str, Any]:
    applicable = assessment.applicable
    good = sum(each.result is Result.COMPLIANT for each in applicable)
    return {
        "judged": len(applicable),
        "compliant": good,
        "non_compliant": len(applicable) - good,
        "findings_created": len(published.created),
        "findings_updated": len(published.updated),
        "findings_unchanged": len(published.unchanged),
        "findings_resolved": len(published.resolved),
    }


def _resources(assessment: Assessment) -> list[dict[str, Any]]:
    return [
        {
            "resource": each.thing.key,
            "result": each.result.value,
            "rules": [
                {"rule": verdict.rule.value, "result": verdict.result.value, "says": verdict.says}
                for verdict in each.verdicts
            ],
        }
        for each in assessment.of
    ]
