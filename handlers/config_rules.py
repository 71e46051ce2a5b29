"""The function that AWS Config of every account invokes: judges its images and instances, and tells Config there.

Calls sts:AssumeRole (EVALUATIONS_ROLE in the account of the rule, with the external id) and, as that role,
config:PutEvaluations; s3:GetObject and s3:PutObject on `evaluations/` in the state bucket; reads the graph.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from handlers.lineage.compliance.evaluate import enabled_rules, evaluate
from handlers.lineage.compliance.evaluations import ACCOUNT, Config, Evaluation, evaluation_of, put_evaluations
from handlers.lineage.compliance.invocation import BadInvocation, Invocation, read_invocation
from handlers.lineage.compliance.subjects import subjects
from handlers.lineage.compliance.told import Told
from handlers.lineage.compliance.verdicts import Result, Rule, Verdict
from handlers.lineage.environment import setting
from handlers.lineage.model import Key, Kind, Place, Time
from handlers.lineage.open import open_graph
from handlers.lineage.publish.ledger import Forgetful, S3Store, Store
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.places import known_scope, place_readings
from handlers.lineage.settings import Settings, read_settings
from org.gateway.errors import aws_errors
from org.ids import AccountId, Region

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from handlers.lineage.graph import Graph

SERVICE = "lineage-config-rules"
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="orgctl", service=SERVICE)

GRAPH, STATE = "ORGCTL_LINEAGE_GRAPH", "ORGCTL_LINEAGE_STATE"
EVALUATIONS_ROLE = "orgctl-config-evaluations"
"""`stacksets.templates.names` has the same; a test holds them together."""

Clients = Callable[[Invocation], Config]
"""Answers the client of Config in the account and Region of a rule."""


@cache
def _graph() -> Graph:
    return open_graph(setting(GRAPH))


@cache
def _store() -> Store:
    import boto3

    return S3Store(boto3.client("s3"), setting(STATE))


@cache
def _settings() -> Settings:
    return read_settings(os.environ)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 - the decorators read it
    """Judge what AWS Config asks for; answers how much came to which result."""
    now, settings = Time(int(time.time() * 1000)), _settings()
    scope = replace(known_scope(_graph(), now, None), organization=settings.organization)
    return answer(event, _graph(), settings, scope, now, _client, _store())


def answer(
    event: dict[str, Any],
    graph: Graph,
    settings: Settings,
    scope: Scope,
    now: Time,
    clients: Clients,
    store: Store | None = None,
) -> dict[str, int]:
    """Judge and tell. BadInvocation, GraphError, NotPut: all are raised, so that Config sees the rule fail."""
    asked = read_invocation(event)
    if not scope.may_own(asked.account):
        raise BadInvocation(
            f"account {asked.account}", "is not of this organization", "see who may invoke the function"
        )
    if asked.changed is not None:
        evaluations = [_changed(graph, asked, asked.changed, settings, scope, now)]
    else:
        evaluations = [*_everything(graph, asked, settings, scope, now), _of_account(graph, asked, settings)]
    told = Told(store or Forgetful(), asked, now)
    # It is never empty: an invocation without answer counts as a failed one, and what is no image is always told.
    news = told.news(evaluations)
    put_evaluations(clients(asked), asked, news)
    told.keep(evaluations)
    counted = {result.value: sum(each.result is result for each in evaluations) for result in Result}
    for name, count in counted.items():
        metrics.add_metric(f"evaluations_{name.replace('-', '_')}", MetricUnit.Count, count)
    metrics.add_metric("evaluations_put", MetricUnit.Count, len(news))
    logger.info("evaluations were put", account=asked.account, region=asked.region, counted=counted, put=len(news))
    return counted


def _changed(graph: Graph, asked: Invocation, instance: Key, settings: Settings, scope: Scope, now: Time) -> Evaluation:
    if asked.gone:
        verdicts: tuple[Verdict, ...] = (Verdict(Rule.INSTANCE_IMAGE, Result.NOT_APPLICABLE, "it is gone"),)
    else:
        verdicts = evaluate(graph, [instance], settings, scope, now, [Rule.INSTANCE_IMAGE])[instance]
    return evaluation_of(instance, asked.account, asked.region, verdicts)


def _of_account(graph: Graph, asked: Invocation, settings: Settings) -> Evaluation:
    """Judge whether all there is to judge is known: an account that nobody could read is not one without images.

    It is told each time, since Config keeps what it was told of a resource last.
    """
    readings = place_readings(graph)
    places = [Place(asked.account, each) for each in asked.regions or map(Region, settings.regions)]
    unread = [each.region for each in places if each not in readings or readings[each].read != "yes"]
    if not unread:
        return Evaluation(ACCOUNT, asked.account, Result.NOT_APPLICABLE, "all of it was read")
    says = f"not evaluated: what is there was not read whole in {', '.join(unread)}"
    return Evaluation(ACCOUNT, asked.account, Result.NOT_EVALUATED, says)


def _everything(graph: Graph, asked: Invocation, settings: Settings, scope: Scope, now: Time) -> Iterable[Evaluation]:
    """Judge all images of the account, and its instances where their rule is asked for."""
    rules = enabled_rules(settings) if asked.rules is None else asked.rules
    kinds = [Kind.IMAGE] if set(rules) - {Rule.INSTANCE_IMAGE} else []
    kinds += [Kind.INSTANCE] if Rule.INSTANCE_IMAGE in rules else []
    for region in asked.regions or map(Region, settings.regions):
        for kind in kinds:
            keys = [each.key for each in subjects(graph, kind, scope, now, region, asked.account)]
            for key, verdicts in evaluate(graph, keys, settings, scope, now, rules).items():
                yield evaluation_of(key, asked.account, asked.region, verdicts)


def _client(asked: Invocation) -> Config:
    return _config_of(asked.account, asked.region, asked.partition)


def _config_of(account: AccountId, region: str, partition: str) -> Config:
    import boto3

    role = f"arn:{partition}:iam::{account}:role/{EVALUATIONS_ROLE}"
    with aws_errors("sts:AssumeRole", role):
        given = boto3.client("sts").assume_role(
            RoleArn=role, RoleSessionName=SERVICE, ExternalId=_settings().external_id
        )["Credentials"]
    client: Config = boto3.client(
        "config",
        region_name=region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    return client
