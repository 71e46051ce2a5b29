"""An image that keeps every rule, its machine, and the settings by which they are judged."""

from __future__ import annotations

from typing import Any

from config.compliance import ComplianceSettings
from handlers.lineage.compliance.evaluate import evaluate
from handlers.lineage.compliance.verdicts import Rule, Verdict
from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Fact, Key, Kind, Relation, Time
from handlers.lineage.queries.asking import Scope
from handlers.lineage.settings import Settings
from tests.support.histories import key
from tests.support.lineage import ACCOUNT, MemoryGraph, fact, image, instance, note

SCOPE = Scope(accounts=frozenset({ACCOUNT}))
NOW = Time(1_790_000_000_000 + 10 * 24 * 3_600_000)
"""Ten days after the first fact."""
APPROVED = {"tag": "ec2:SharedTag/status", "value": "approved"}
EVERY_RULE = {rule.key: {"enabled": True} for rule in Rule}

PUBLIC, GOLDEN, SNAPSHOT = image("public"), image("golden"), key(Kind.SNAPSHOT, "snap-1")
SERVER = instance("server")
TAGS = {
    "tag:Creator": "platform",
    "tag:Source": "amazon",
    "tag:ApprovalStatus": "APPROVED",
    "tag:SecurityScan": "PASSED",
    "tag:Environment": "prod",
    "tag:ec2:SharedTag/status": "approved",
}
AMAZON = note(PUBLIC, 0, owner="137112412989", owner_alias="amazon")
COPIED = fact(Relation.COPIED_FROM, GOLDEN, PUBLIC, 1)
FROM_SNAPSHOT = fact(Relation.REGISTERED_FROM, GOLDEN, SNAPSHOT, 1)
MADE = note(
    GOLDEN,
    1,
    owner=ACCOUNT,
    name="golden-prod-1",
    state="available",
    creation_method="copy",
    created_at="2026-09-21T14:13:21.000Z",
    scan_severity="LOW",
    scanned_at="2026-09-21T15:00:00.000Z",
)
TAGGED = note(GOLDEN, 2, **TAGS)
ENCRYPTED = note(SNAPSHOT, 1, owner=ACCOUNT, encrypted="yes", state="completed")
COPY_OF_SNAPSHOT = fact(Relation.COPIED_FROM, SNAPSHOT, key(Kind.SNAPSHOT, "snap-0"), 1)
FIRST_SNAPSHOT = note(key(Kind.SNAPSHOT, "snap-0"), 0, owner="137112412989", owner_alias="amazon")
LAUNCHED = fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 3)
RUNNING = note(SERVER, 3, owner=ACCOUNT, state="running", image_id="ami-golden")
ALL_GOOD = (
    AMAZON,
    COPIED,
    FROM_SNAPSHOT,
    MADE,
    TAGGED,
    ENCRYPTED,
    COPY_OF_SNAPSHOT,
    FIRST_SNAPSHOT,
    LAUNCHED,
    RUNNING,
)


def settings(trusted: tuple[str, ...] = ("amazon",), **rules: Any) -> Settings:
    """`rules` as in the manifest, in place of those that apply all."""
    compliance = {**EVERY_RULE, "approval": {"enabled": True, **APPROVED}, **rules}
    return Settings(
        organization="o-abcdefghij",
        home_region="eu-central-1",
        regions=("eu-central-1",),
        trusted_owners=trusted,
        external_id="orgctl-1234",
        compliance=ComplianceSettings.model_validate_json(_json(compliance)),
    )


def _json(value: object) -> str:
    import json

    return json.dumps(value)


def graph_of(*facts: Fact) -> MemoryGraph:
    graph = MemoryGraph()
    graph.append(Batch(facts))
    return graph


def judged(
    graph: Graph, key: Key = GOLDEN, scope: Scope = SCOPE, trusted: tuple[str, ...] = ("amazon",), **rules: Any
) -> dict[Rule, Verdict]:
    found = evaluate(graph, [key], settings(trusted, **rules), scope, NOW)
    return {each.rule: each for each in found[key]}
