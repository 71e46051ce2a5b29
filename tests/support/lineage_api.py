"""Requests to the lineage API in this process: what API Gateway makes of HTTP, and a graph with ids as EC2's."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from handlers.lineage.api.app import answer
from handlers.lineage.api.desk import Judged, Means
from handlers.lineage.findings import Finding
from handlers.lineage.fold import State, fold_states
from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Fact, Key, Place, Relation, Time
from handlers.lineage.queries.asking import BadQuery, Scope
from tests.support.lineage import ACCOUNT, REGION
from tests.support.lineage_story import ABROAD, SHOP

NOW = Time(1_790_000_100_000)
TOLD = re.compile(r"^(ami|snap|vol|i|lt)-([^:]+)(.*)$")
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/Analyst/ann"
REQUEST_ID = "0f1e2d3c-0000-4000-8000-000000000001"


def ec2_id(told: str) -> str:
    """Answer `ami-golden` as an id that EC2 could have given; always the same."""
    if (parts := TOLD.match(told)) is None:
        return told
    kind, name, rest = parts.groups()
    return f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:17]}{rest}"


def well_formed(key: Key) -> Key:
    head, slash, name = key.rpartition("/")
    return Key(f"{head}{slash}{ec2_id(name)}")


def with_ec2_ids(batch: Batch) -> Batch:
    """Tell the same with ids as EC2 gives them."""

    def told(fact: Fact) -> Fact:
        attributes = tuple((name, ec2_id(value) if value else value) for name, value in fact.attributes)
        return Fact(fact.relation, well_formed(fact.child), well_formed(fact.parent), fact.evidence, attributes)

    return Batch(tuple(map(told, batch.facts)), batch.heard)


class Hub:
    """Keeps what Security Hub is told."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.fails: Exception | None = None

    def __call__(self, finding: Finding, now: Time) -> None:
        if self.fails is not None:
            raise self.fails
        self.findings.append(finding)


class Rules:
    """Judges by tags: what is not said is not evaluated."""

    names: ClassVar = {"required-tags": "Creator", "security-scan": "SecurityScan", "approval": "ApprovalStatus"}
    good: ClassVar = {"security-scan": "PASSED", "approval": "Approved"}

    def named(self, names: Collection[str]) -> Mapping[str, str]:
        found = {name: name.replace("_", "-") for name in names}
        if unknown := set(found.values()) - set(self.names):
            raise BadQuery("rules", f"there is no rule {min(unknown)!r}", "see what there is")
        return found

    def judge(
        self, graph: Graph, keys: Collection[Key], scope: Scope, now: Time, rules: Collection[str] | None
    ) -> Mapping[Key, Sequence[Judged]]:
        states = fold_states(graph.facts_of(keys, {Relation.NOTED}))
        said = {key: states.get(key, State(key)) for key in keys}
        return {
            key: [self._by(rule, state.value(f"tag:{self.names[rule]}")) for rule in rules or self.names]
            for key, state in said.items()
        }

    def _by(self, rule: str, said: str | None) -> Judged:
        if said is None:
            return Judged(rule, "not-evaluated", "nothing is said")
        return Judged(rule, "compliant" if said == self.good.get(rule, said) else "non-compliant", f"it says {said}")


def scope_of(graph: Graph, now: Time) -> Scope:
    expected = frozenset({Place(ACCOUNT, REGION), Place(SHOP, ABROAD)})
    return Scope(frozenset({ACCOUNT, SHOP}), "o-abcdefghij", expected, now, None)


def means_for(graph: Graph, **more: Any) -> Means:
    usual: dict[str, Any] = {
        "graph": graph,
        "secret": b"a secret of the test",
        "now": lambda: NOW,
        "clock": lambda: 0.0,
        "scope_of": scope_of,
        "publish": Hub(),
        "judge": Rules(),
        "complain": lambda what, error: None,
        "account": ACCOUNT,
        "home_region": REGION,
        "regions": (REGION, ABROAD),
        "trusted": ("amazon",),
    }
    return Means(**(usual | more))


class Context:
    """What Lambda tells a function beside the event."""

    function_name = "orgctl-lineage-api"
    memory_limit_in_mb = 512
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orgctl-lineage-api"
    aws_request_id = "11111111-2222-4333-8444-555555555555"

    def __init__(self, milliseconds: int = 28_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def event_for(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]] = (),
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Answer the event of a REST API's proxy integration.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    pairs = list(query)
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    told = dict(headers or {})
    if body is not None:
        told.setdefault("Content-Type", "application/json")
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": told or None,
        "multiValueHeaders": {name: [value] for name, value in told.items()} or None,
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "abcdef1234",
            "httpMethod": method,
            "identity": {"accountId": ACCOUNT, "userArn": CALLER, "sourceIp": "192.0.2.7"},
            "path": f"/v1{path}",
            "protocol": "HTTP/1.1",
            "requestId": REQUEST_ID,
            "resourcePath": path,
            "stage": "v1",
        },
        "body": body,
        "isBase64Encoded": False,
    }


class Answered:
    """An answer, read."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.status: int = raw["statusCode"]
        self.headers: dict[str, str] = {name: values[0] for name, values in raw["multiValueHeaders"].items()}
        self.body: Any = json.loads(raw["body"])


def ask(
    means: Means, path: str, *, milliseconds: int = 28_000, headers: Mapping[str, str] | None = None, **query: str
) -> Answered:
    """GET a path under /api/v1; a query may stand in it."""
    bare, _, said = path.partition("?")
    pairs = [*parse_qsl(said, keep_blank_values=True), *query.items()]
    event = event_for("GET", f"/api/v1{bare}", pairs, headers=headers)
    return Answered(answer(event, Context(milliseconds), means))


def send(means: Means, path: str, body: object, *, headers: Mapping[str, str] | None = None) -> Answered:
    """POST to a path under /api/v1; a text goes as it is."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return Answered(answer(event_for("POST", f"/api/v1{path}", (), text, headers), Context(), means))
