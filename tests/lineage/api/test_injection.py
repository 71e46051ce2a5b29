"""Hostile texts in every part of every route: nothing changes in the graph, nothing leaks, nothing fails within."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.lineage.api.app import answer
from handlers.lineage.api.desk import Means
from handlers.lineage.graph import Graph
from handlers.lineage.gremlin.storage import Form
from handlers.lineage.model import digest_of
from handlers.lineage.sqlite import SqliteGraph
from tests.support.gremlin_server import gremlin_server
from tests.support.hostile import CORPUS, GOLDEN, LEAKS
from tests.support.lineage_api import Answered, Context, event_for, means_for, with_ec2_ids
from tests.support.lineage_story import story

__all__ = ["gremlin_server"]

DOCUMENT = json.loads(
    (Path(__file__).parents[3] / "stacksets" / "lineage_api.openapi.json").read_text(encoding="utf-8")
)
GOOD = {"id": GOLDEN, "ami_id": GOLDEN, "kind": "image", "attribute": "state"}


@pytest.fixture(scope="module", params=["sqlite", *(pytest.param(form, id=f"gremlin, {form.value}") for form in Form)])
def means(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Means]:
    if isinstance(request.param, Form):
        graph: Graph = request.getfixturevalue("gremlin_server").empty(request.param)
    else:
        graph = SqliteGraph(tmp_path_factory.mktemp("api") / "graph.sqlite")
    graph.append(with_ec2_ids(story()))
    yield means_for(graph)
    graph.close()


def _digest(graph: Graph) -> str:
    return digest_of((fact.id for fact in graph.export()), graph.heard())


def _routes() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, said) for path, methods in DOCUMENT["paths"].items() for method, said in methods.items()
    ]


def _fields(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Answer every field of a body, those of objects within included."""
    named = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    for name, said in named.get("properties", {}).items():
        yield (*path, name)
        yield from _fields(said, (*path, name))


def _body(fields: tuple[str, ...], value: object, needs_id: bool) -> str:
    body: dict[str, Any] = {"ami_id": GOLDEN} if needs_id else {}
    place = body
    for name in fields[:-1]:
        place = place.setdefault(name, {})
    place[fields[-1]] = value
    return json.dumps(body)


def _events(method: str, path: str, said: dict[str, Any], text: str) -> Iterator[dict[str, Any]]:
    parameters = said.get("parameters", [])
    required = {each["name"] for each in parameters if each["required"]}
    for each in [*parameters, {"name": "surprise", "in": "query"}, {"name": text, "in": "query"}]:
        query = {name: GOOD[name] for name in required if name in GOOD and name != "ami_id"}
        place = path.replace("{ami_id}", GOLDEN)
        if each["in"] == "path":
            place = path.replace("{ami_id}", text)
        else:
            query[each["name"]] = text
        yield event_for(method, place, query.items(), None if method == "GET" else "{}")
    yield event_for(method, path.replace("{ami_id}", GOLDEN), (), None, {"X-Amzn-Trace-Id": text, "Content-Type": text})
    if method == "POST":
        schema = said["requestBody"]["content"]["application/json"]["schema"]
        needs_id = "ami_id" in {fields[-1] for fields in _fields(schema)}
        yield event_for(method, path, (), text)
        for fields in [*_fields(schema), (text,)]:
            yield event_for(method, path, (), _body(fields, text, needs_id))
            yield event_for(method, path, (), _body(fields, [text], needs_id))


@pytest.mark.parametrize(("method", "path", "said"), _routes(), ids=lambda each: each if isinstance(each, str) else "")
def test_no_text_changes_the_graph_or_makes_the_api_tell_of_itself(
    means: Means, method: str, path: str, said: dict[str, Any]
) -> None:
    before = _digest(means.graph)
    documented = {int(status) for status in said["responses"]} | {404}
    for text in CORPUS:
        for event in _events(method, path, said, text):
            answered = Answered(answer(event, Context(), means))
            told = f"{event['path']!r} {event['multiValueQueryStringParameters']!r} {event['body']!r}"
            assert answered.status in documented - {500, 503}, f"{answered.status}: {told}"
            words = json.dumps(answered.raw)
            assert not [leak for leak in LEAKS if leak in words and leak not in json.dumps(event)], told
            assert not any("\n" in value or "\r" in value for value in answered.headers.values()), told
    assert _digest(means.graph) == before


def test_the_corpus_gets_as_far_as_the_graph(means: Means) -> None:
    """Else the test above would prove no more than that everything is refused."""
    for text in ("'; DROP TABLE fact; --", "g.V().drop()", "x' OR '1'='1", "\U0001f4a9"):
        event = event_for("POST", "/api/v1/ami/search", (), json.dumps({"filters": {"name_contains": text}}))
        answered = Answered(answer(event, Context(), means))
        assert (answered.status, answered.body["amis"]) == (200, [])
        query = [("kind", "image"), ("where", f"tag:x={text}")]
        assert Answered(answer(event_for("GET", "/api/v1/lineage/search", query), Context(), means)).status == 200
