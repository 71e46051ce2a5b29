"""The API against its document, with requests of Schemathesis: no 5xx, and nothing that the document does not say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from handlers.lineage.api.app import answer
from handlers.lineage.api.desk import Means
from handlers.lineage.sqlite import SqliteGraph
from tests.support.lineage_api import Context, ec2_id, event_for, means_for, with_ec2_ids
from tests.support.lineage_story import story

DOCUMENT = json.loads(
    (Path(__file__).parents[3] / "stacksets" / "lineage_api.openapi.json").read_text(encoding="utf-8")
)
STORY = [ec2_id(name) for name in ("ami-golden", "ami-base", "ami-twin", "i-swapped", "snap-1", "lt-1:$Default")]


@pytest.fixture(scope="module")
def means(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Means]:
    graph = SqliteGraph(tmp_path_factory.mktemp("api") / "graph.sqlite")
    graph.append(with_ec2_ids(story()))
    yield means_for(graph)
    graph.close()


class Gateway:
    """WSGI that makes of a request what API Gateway's REST proxy integration makes of it."""

    means: Means

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length).decode("utf-8", "replace") if length else None
        headers = {
            name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        if kind := environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = kind
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        answered = answer(event_for(environ["REQUEST_METHOD"], path, query, body, headers), Context(), self.means)
        told = [(name, value) for name, values in answered["multiValueHeaders"].items() for value in values]
        start(f"{answered['statusCode']} Told", told)
        return [answered["body"].encode()]


gateway = Gateway()
# Who may ask is API Gateway's to decide, before the function is called.
schema = schemathesis.openapi.from_dict({name: said for name, said in DOCUMENT.items() if name != "security"})
schema.app = gateway
ALWAYS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
searching = settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schema.parametrize()
@searching
def test_no_request_is_answered_in_a_way_that_the_document_does_not_say(case: schemathesis.Case, means: Means) -> None:
    gateway.means = means
    case.call_and_validate(checks=[*ALWAYS, negative_data_rejection])


@schema.given(known=st.sampled_from(STORY))
@schema.parametrize()
@searching
def test_nor_is_one_about_something_that_is_known(case: schemathesis.Case, means: Means, known: str) -> None:
    gateway.means = means
    if isinstance(case.body, dict) and "ami_id" in case.body:
        case.body["ami_id"] = known
    if "ami_id" in (case.path_parameters or {}):
        case.path_parameters["ami_id"] = known
    if "id" in (case.query or {}):
        case.query["id"] = known
    case.call_and_validate(checks=ALWAYS)
