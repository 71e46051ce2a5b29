"""The function behind Security Hub's custom actions: Approve AMI, Quarantine AMI, Analyze AMI Lineage.

Reads the graph, and sends what was asked for to the ingest, which adds it as a declared fact. Calls sqs:SendMessage,
securityhub:BatchUpdateFindings and sns:Publish.

Nothing is approved or quarantined here: the event does not say who clicked, and one click of one person is no approval.
It is kept that it was asked for, and people are told what it would mean.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from handlers.lineage.environment import setting
from handlers.lineage.model import Kind, Place, Time, kind_of
from handlers.lineage.open import open_graph
from handlers.lineage.publish.asff import Product
from handlers.lineage.publish.notices import Topics, tell
from handlers.lineage.publish.selected import Action, Request, Selected, ignored_counts, read_request
from handlers.lineage.queries.asking import Scope, UnknownThing
from handlers.lineage.queries.impact import Impact, impact
from handlers.lineage.queries.places import known_scope
from handlers.lineage.readings.requests import write_request
from handlers.lineage.settings import Settings, read_settings
from org.errors import OrgctlError
from org.gateway.errors import aws_errors
from org.ids import AccountId, Region

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from handlers.lineage.graph import Graph

SERVICE = "lineage-actions"
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="orgctl", service=SERVICE)

GRAPH, ALERT_TOPIC, READINGS = "ORGCTL_LINEAGE_GRAPH", "ORGCTL_ALERT_TOPIC", "ORGCTL_READINGS_QUEUE"
NOTE = 512
"""Characters of a note on a finding."""
UPDATED_BY = "orgctl"


class Notes(Protocol):
    """What of boto3's client of Security Hub is used."""

    def batch_update_findings(
        self,
        *,
        FindingIdentifiers: Sequence[Mapping[str, str]],  # noqa: N803
        Note: Mapping[str, str],  # noqa: N803
    ) -> Mapping[str, Any]:
        """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindings.html."""


class NotNoted(OrgctlError):
    """Security Hub did not take a note."""


@dataclass(frozen=True)
class Desk:
    """Everything that an action needs besides its event."""

    graph: Graph
    send: Callable[[str], None]
    """Sends a message to the queue of readings: the ingest archives it, and adds it to the graph."""
    hub: Notes
    sns: Topics
    alert_topic: str
    settings: Settings
    scope: Scope
    product: Product


@cache
def _fixed() -> tuple[Graph, Notes, Topics, Settings]:
    import boto3

    hub: Notes = boto3.client("securityhub")
    sns: Topics = boto3.client("sns")
    return open_graph(setting(GRAPH)), hub, sns, read_settings(os.environ)


def _send(body: str) -> None:
    import boto3

    queue = setting(READINGS)
    with aws_errors("sqs:SendMessage", queue):
        boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=body)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what can be done at once, and tell people of the rest."""
    graph, hub, sns, settings = _fixed()
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    product = Product(AccountId(account), Region(region), partition)
    scope = replace(known_scope(graph, Time(int(time.time() * 1000)), None), organization=settings.organization)
    return answer(event, Desk(graph, _send, hub, sns, setting(ALERT_TOPIC), settings, scope, product))


def answer(event: Mapping[str, Any], desk: Desk) -> dict[str, Any]:
    """Act upon the findings of ours that were selected. BadAction, NotNoted, GraphError."""
    request = read_request(event, desk.product)
    done = 0
    for finding in request.findings:
        if request.action is Action.ANALYZE:
            _analyze(finding, desk)
        elif kind_of(finding.about) is Kind.IMAGE:
            _ask(request, finding, desk)
        else:
            continue
        done += 1
    ignored = ignored_counts((*request.ignored, *["about no image"] * (len(request.findings) - done)))
    metrics.add_metric("findings_acted_upon", MetricUnit.Count, done)
    logger.info(
        "an action was taken", action=request.action.value, done=done, ignored=ignored, event_id=request.event_id
    )
    return {"action": request.action.value, "done": done, "ignored": ignored}


def _analyze(finding: Selected, desk: Desk) -> None:
    """Write what is affected onto the finding, and tell it."""
    text = _affected(finding, desk)
    note = {"Text": text if len(text) <= NOTE else text[: NOTE - 1] + "…", "UpdatedBy": UPDATED_BY}
    with aws_errors("securityhub:BatchUpdateFindings"):
        answer = desk.hub.batch_update_findings(
            FindingIdentifiers=[{"Id": finding.id, "ProductArn": finding.product_arn}], Note=note
        )
    if failed := answer.get("UnprocessedFindings"):
        raise NotNoted(finding.id, f"Security Hub took no note: {failed[0].get('ErrorCode')}", "see why, and try again")
    _tell(f"Lineage of {_name(finding)}", text, finding, desk)


def _ask(request: Request, finding: Selected, desk: Desk) -> None:
    """Keep that it was asked for, and tell people what it would mean and how it is carried through."""
    word = "approve" if request.action is Action.APPROVE else "quarantine"
    place = Place(desk.product.account, desk.product.region)
    desk.send(write_request(place, request.time, word, finding.about, finding.id, request.event_id))
    text = "\n".join(
        [
            f"Somebody asked in Security Hub to {word} {finding.about}, for the finding {finding.id}.",
            "Nothing was changed: one click of a person who is not named approves and quarantines nothing.",
            "",
            _affected(finding, desk),
            "",
            _carried_through(request.action, desk.settings),
            f"The request is event {request.event_id}.",
        ]
    )
    _tell(f"Asked for: {word} {_name(finding)}", text, finding, desk)


def _carried_through(action: Action, settings: Settings) -> str:
    rules = settings.compliance.approval
    if action is Action.APPROVE:
        return (
            f"If it is approved: the approver sets its tag {rules.tag} to {rules.value}, in the account that owns it. "
            "Accounts with which it is shared may launch it then."
        )
    return (
        "If it is quarantined: its owner disables the image and takes its shares back. Instances that run go on "
        "running; whatever would start more of them fails."
    )


def _affected(finding: Selected, desk: Desk) -> str:
    try:
        found = impact(desk.graph, finding.about, desk.scope)
    except UnknownThing:
        return f"Of {finding.about} nothing is known."
    return _impact_text(found)


def _impact_text(found: Impact) -> str:
    accounts = {each.account for each in (*found.running, *found.latent) if each.account}
    images = sum(each.kind is Kind.IMAGE and not each.gone for each in found.derived)
    said = [
        f"{found.start.key} ({found.start.name}): {len(found.running):,} instances run its content",
        f"{len(found.latent):,} templates, groups and the like would start it again",
        f"in {len(accounts):,} accounts",
        f"{images:,} images were made of it",
        f"{len(found.external):,} shares with others",
    ]
    doubt = (
        ""
        if found.complete
        else f" There may be more: {len(found.reasons):,} reasons, such as {found.reasons[0].says}."
    )
    return "; ".join(said) + "." + doubt


def _tell(subject: str, text: str, finding: Selected, desk: Desk) -> None:
    tell(desk.sns, desk.alert_topic, subject, text, finding.severity, finding.rule, desk.product.account)


def _name(finding: Selected) -> str:
    return finding.about.rpartition("/")[2]
