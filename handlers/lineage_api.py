"""The function behind the REST API of lineage: a request of API Gateway, an answer; the graph is only read.

Reads the secret that signs cursors once (secretsmanager:GetSecretValue), and tells Security Hub of what
security-impact is asked about (securityhub:BatchImportFindings).
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import correlation_paths

from handlers.lineage.api.app import answer, logger, unavailable
from handlers.lineage.api.desk import TELLING, Means, Tags
from handlers.lineage.model import Time
from handlers.lineage.open import open_graph
from handlers.lineage.settings import Settings, read_settings, setting
from org.errors import OrgctlError
from org.gateway.errors import aws_errors
from org.ids import AccountId, Region

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from handlers.lineage.api.desk import Publish, ScopeOf
    from handlers.lineage.findings import Finding
    from handlers.lineage.graph import Graph
    from handlers.lineage.queries.asking import Scope

GRAPH, CURSOR_SECRET = "ORGCTL_LINEAGE_GRAPH", "ORGCTL_LINEAGE_CURSOR_SECRET"
GRAPH_SECONDS = 6.0
"""For one call to the graph. The client tries again for twice as long, and gives up when the request must end."""

SCOPE_KEPT = 60_000
"""Milliseconds for which it is remembered which accounts there are: it is noted anew with every reconciliation."""


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request of API Gateway's REST proxy integration."""
    try:
        means = _means(account_of(context.invoked_function_arn))
    except OrgctlError:
        return unavailable(event)
    return answer(event, context, means)


def account_of(function_arn: str) -> AccountId:
    """Answer the account in which the function runs: `arn:aws:lambda:<region>:<account>:function:…`."""
    return AccountId(function_arn.split(":")[4])


@cache
def _means(account: AccountId) -> Means:
    settings, graph = read_settings(), open_graph(setting(GRAPH), create=False, timeout=GRAPH_SECONDS)
    return means_for(settings, graph, _secret(setting(CURSOR_SECRET)), account, _publish(settings, account))


def means_for(settings: Settings, graph: Graph, secret: bytes, account: AccountId, publish: Publish) -> Means:
    """Answer the means that the settings give."""
    from handlers.lineage.api.judging import Rules

    rules = settings.compliance
    usual = Tags()
    tags = Tags(
        rules.approval.tag or usual.approval, rules.security_scan.tag or usual.scan, rules.naming.environment_tag
    )
    return Means(
        graph=graph,
        secret=secret,
        now=lambda: Time(time.time_ns() // 1_000_000),
        clock=time.monotonic,
        scope_of=_scope_of(settings),
        judge=Rules(settings),
        publish=publish,
        complain=lambda what, error: logger.error(what, exc_info=error),
        account=account,
        home_region=Region(settings.home_region),
        regions=tuple(map(Region, settings.regions)),
        trusted=settings.trusted_owners,
        tags=tags,
        approved=(rules.approval.tag, rules.approval.value) if rules.approval.tag and rules.approval.value else None,
    )


def _scope_of(settings: Settings) -> ScopeOf:
    kept: dict[str, Scope] = {}

    def scope(graph: Graph, now: Time) -> Scope:
        from handlers.lineage.queries.places import known_scope

        known = kept.get("known")
        if known is None or known.now is None or now - known.now >= SCOPE_KEPT:
            known = known_scope(graph, now, None)
            kept["known"] = known
        return replace(known, organization=known.organization or settings.organization, now=now)

    return scope


def _secret(arn: str) -> bytes:
    import boto3
    from botocore.config import Config

    # With botocore's own minutes, a call that hangs would outlast the request.
    brief = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
    with aws_errors("secretsmanager:GetSecretValue"):
        secret: str = boto3.client("secretsmanager", config=brief).get_secret_value(SecretId=arn)["SecretString"]
    return secret.encode()


def _publish(settings: Settings, account: AccountId) -> Publish:
    @cache
    def hub() -> Any:  # noqa: ANN401 - boto3 makes its clients up
        import boto3
        from botocore.config import Config

        brief = Config(connect_timeout=1, read_timeout=TELLING - 1, retries={"total_max_attempts": 1})
        return boto3.client("securityhub", region_name=settings.home_region, config=brief)

    def publish(finding: Finding, now: Time) -> None:
        from handlers.lineage.events.envelope import partition_of
        from handlers.lineage.publish.asff import Product, asff_of
        from handlers.lineage.publish.security_hub import import_findings

        region = Region(settings.home_region)
        product = Product(account, region, partition_of(region))
        import_findings(hub(), [asff_of(finding, product, now)])

    return publish
