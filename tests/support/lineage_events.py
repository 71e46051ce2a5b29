"""Events for tests: fixtures in the shapes of the documentation, their envelopes, and both dialects of CloudTrail."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from handlers.lineage.events.envelope import VIA_CLOUDTRAIL
from handlers.lineage.model import Fact, Relation
from tests.support.lineage import ACCOUNT, REGION

FOLDER = Path(__file__).parents[1] / "lineage" / "events"
TOPICS = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
ACTOR = "arn:aws:sts::111122223333:assumed-role/Builder/ci"


def fixtures(topic: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{topic}.yaml").read_text(encoding="utf-8"))
    return loaded


def title_of(fixture: dict[str, Any]) -> str:
    return str(fixture.get("title") or fixture["name"])


def event_of(fixture: dict[str, Any]) -> dict[str, Any]:
    """The whole event of a fixture."""
    if "detail" in fixture:
        return notification(fixture["name"], fixture["source"], fixture["detail"], fixture.get("resources", []))
    return call(
        fixture["name"],
        fixture["request"],
        fixture["response"],
        source=fixture.get("source", "aws.ec2"),
        identity=fixture.get("identity"),
    )


def all_events() -> list[dict[str, Any]]:
    return [event_of(fixture) for topic in TOPICS for fixture in fixtures(topic)]


def envelope(detail_type: str, source: str, detail: dict[str, Any], resources: list[str]) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "12345678-1111-2222-3333-444444444444",
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-03-01T10:00:05Z",
        "region": REGION,
        "resources": resources,
        "detail": copy.deepcopy(detail),
    }


def notification(
    detail_type: str, source: str, detail: dict[str, Any], resources: list[str] | None = None
) -> dict[str, Any]:
    return envelope(detail_type, source, detail, resources or [])


def call(
    name: str, request: Any, response: Any, source: str = "aws.ec2", identity: Any = None, **more: Any
) -> dict[str, Any]:
    """A call as CloudTrail tells it on EventBridge; `more` goes into its detail."""
    detail = {
        "eventVersion": "1.11",
        "userIdentity": identity or {"type": "AssumedRole", "arn": ACTOR, "accountId": ACCOUNT},
        "eventTime": "2026-03-01T10:00:00Z",
        "eventSource": f"{source.removeprefix('aws.')}.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-cli/2",
        "requestParameters": request,
        "responseElements": response,
        "requestID": "0aaa1111-2222-3333-4444-555555555555",
        "eventID": "0bbb1111-2222-3333-4444-555555555555",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        **more,
    }
    return envelope(VIA_CLOUDTRAIL, source, detail, [])


def said(facts: Iterable[Fact]) -> list[str]:
    """Facts as one reads them, without what all of an event have in common."""
    return [_sentence(fact) for fact in facts]


def _sentence(fact: Fact) -> str:
    attributes = ", ".join(
        f"{name}={value!r}" if value is not None else f"no {name}" for name, value in fact.attributes
    )
    about = f"{_short(fact.child)} is" if fact.relation is Relation.NOTED else f"{_short(fact.child)} {fact.relation}"
    parent = "" if fact.relation is Relation.NOTED else f" {_short(fact.parent)}"
    how = "" if fact.evidence.confidence == "observed" else f" ({fact.evidence.confidence})"
    return f"{about}{parent}{': ' if attributes else ''}{attributes}{how}"


def _short(key: str) -> str:
    return key.removeprefix(f"aws/{REGION}/").removeprefix("aws/-/")


def other_dialect(event: dict[str, Any]) -> dict[str, Any]:
    """The same call in the other of the two dialects."""
    event = copy.deepcopy(event)
    detail, name = event["detail"], event["detail"]["eventName"]
    request, response = detail["requestParameters"], detail["responseElements"]
    wrapped = f"{name}Request"
    if isinstance(request, dict) and wrapped in request:
        detail["requestParameters"] = _classic(request[wrapped])
        if response:
            detail["responseElements"] = _classic(response[f"{name}Response"])
    else:
        detail["requestParameters"] = {wrapped: _nested(request, upper=True)}
        if response is not None:
            detail["responseElements"] = {f"{name}Response": _nested(response, upper=False)}
    return event


def _nested(value: Any, upper: bool) -> Any:
    if isinstance(value, dict) and list(value) == ["items"]:
        value = value["items"]
    if isinstance(value, list):
        rows = [
            {**_nested(each, upper), "tag": index} if isinstance(each, dict) else {"tag": index, "content": each}
            for index, each in enumerate(value, start=1)
        ]
        return "" if not rows else rows[0] if len(rows) == 1 else rows
    if isinstance(value, dict):
        if not value:
            return ""
        return {(key[:1].upper() + key[1:] if upper else key): _nested(each, upper) for key, each in value.items()}
    return value


def _classic(value: Any) -> Any:
    if isinstance(value, list):
        return {
            "items": [_classic({k: v for k, v in e.items() if k != "tag"} if isinstance(e, dict) else e) for e in value]
        }
    if not isinstance(value, dict):
        return value
    if "content" in value:
        return {"items": [value["content"]]}
    if "item" in value:
        inner = value["item"]
        return _classic(inner if isinstance(inner, list) else [inner])
    if "tag" in value:
        return _classic([value])
    return {key[:1].lower() + key[1:]: _classic(each) for key, each in value.items() if key != "xmlns"}
