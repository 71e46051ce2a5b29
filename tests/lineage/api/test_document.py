"""The committed document is the one that the code says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from handlers.lineage.api.document import document, text

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "stacksets" / "lineage_api.openapi.json"


def test_the_committed_document_is_current() -> None:
    todo = "python -m handlers.lineage.api.document > stacksets/lineage_api.openapi.json"
    assert COMMITTED.read_text(encoding="utf-8") == text(), todo


def test_the_docs_show_the_same_file() -> None:
    assert (ROOT / "docs" / "lineage-api.openapi.json").resolve() == COMMITTED


def test_the_document_is_openapi_3_0() -> None:
    validate(document())


def test_the_document_says_no_null_type_which_3_0_has_not() -> None:
    assert '"type": "null"' not in text()
    assert '"const"' not in text()


def test_every_name_of_a_model_is_alphanumeric_as_api_gateway_wants_them() -> None:
    assert all(name.isalnum() for name in document()["components"]["schemas"])


def _operations() -> list[tuple[str, dict[str, Any]]]:
    paths = json.loads(COMMITTED.read_text(encoding="utf-8"))["paths"]
    return [(f"{method} {path}", said) for path, methods in paths.items() for method, said in methods.items()]


@pytest.mark.parametrize(("name", "operation"), _operations())
def test_every_route_documents_every_status_that_it_can_answer(name: str, operation: dict[str, Any]) -> None:
    statuses = {"200", "400", "403", "413", "429", "500", "503"}
    takes_id = "ami_id" in json.dumps(operation) or any(
        each["name"] == "id" for each in operation.get("parameters", ())
    )
    if takes_id or name.endswith("security-impact"):
        statuses |= {"404", "409"}
    if name.startswith("post"):
        statuses |= {"415"}
    assert set(operation["responses"]) == statuses


@pytest.mark.parametrize(("name", "operation"), _operations())
def test_every_answer_says_whether_it_is_complete(name: str, operation: dict[str, Any]) -> None:
    schemas = document()["components"]["schemas"]
    (reference,) = operation["responses"]["200"]["content"]["application/json"]["schema"].values()
    assert {"complete", "reasons"} <= set(schemas[reference.rpartition("/")[2]]["required"])
