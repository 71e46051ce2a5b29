"""A Security Hub and an SNS that keep what they are told; every call is held against botocore's model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def check_call(service: str, operation: str, values: Mapping[str, Any]) -> None:
    """Raise AssertionError unless AWS's model takes the values."""
    shape = _model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(dict(values), shape)
    assert not report.has_errors(), report.generate_report()


class FakeHub:
    """`refuses`: ids of findings that are not taken."""

    def __init__(self, refuses: Sequence[str] = (), page: int = 100) -> None:
        self.findings: dict[str, dict[str, Any]] = {}
        self.imports: list[list[dict[str, Any]]] = []
        self.notes: list[dict[str, Any]] = []
        self.reads = 0
        self._refuses = set(refuses)
        self._page = page

    def batch_import_findings(self, *, Findings: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        check_call("securityhub", "BatchImportFindings", {"Findings": list(Findings)})
        self.imports.append([dict(each) for each in Findings])
        failed = []
        for each in Findings:
            before = self.findings.get(each["Id"])
            if each["Id"] in self._refuses:
                failed.append({"Id": each["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "not taken"})
            elif before is None or each["UpdatedAt"] > before["UpdatedAt"]:
                added = {"ProductName": "Default", "Workflow": {"Status": "NEW"}}
                fields = {**each["ProductFields"], "aws/securityhub/FindingId": "…"}
                self.findings[each["Id"]] = {**added, **each, "ProductFields": fields}
        return {"FailedCount": len(failed), "SuccessCount": len(Findings) - len(failed), "FailedFindings": failed}

    def get_findings(self, **wanted: Any) -> Mapping[str, Any]:
        check_call("securityhub", "GetFindings", wanted)
        self.reads += 1
        filters = dict(wanted["Filters"])
        (product,) = filters.pop("ProductArn")
        assert product["Comparison"] == "EQUALS"
        assert all(len(each) <= 20 for each in filters.values())
        found = [
            each
            for _, each in sorted(self.findings.items())
            if each["ProductArn"] == product["Value"]
            and all(any(_fits(each[name], one) for one in some) for name, some in filters.items())
        ]
        start = int(wanted.get("NextToken", 0))
        more = {"NextToken": str(start + self._page)} if start + self._page < len(found) else {}
        return {"Findings": found[start : start + self._page], **more}

    def batch_update_findings(self, **said: Any) -> Mapping[str, Any]:
        check_call("securityhub", "BatchUpdateFindings", said)
        self.notes.append(said)
        unknown = [each for each in said["FindingIdentifiers"] if each["Id"] in self._refuses]
        failed = [{"FindingIdentifier": each, "ErrorCode": "FindingNotFound"} for each in unknown]
        return {"ProcessedFindings": [], "UnprocessedFindings": failed}

    def open(self) -> dict[str, dict[str, Any]]:
        return {id: each for id, each in self.findings.items() if each["RecordState"] == "ACTIVE"}


def _fits(value: str, condition: Mapping[str, str]) -> bool:
    equal = condition["Comparison"] == "EQUALS"
    return value == condition["Value"] if equal else value.startswith(condition["Value"])


class Texts:
    """A store of ledgers in memory."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.saved = 0

    def load(self, name: str) -> str | None:
        return self.texts.get(name)

    def save(self, name: str, text: str) -> None:
        self.texts[name] = text
        self.saved += 1


class FakeTopics:
    """An SNS that keeps what was published, topic by topic."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def publish(self, **message: Any) -> Mapping[str, Any]:
        check_call("sns", "Publish", message)
        self.sent.append((message["TopicArn"], message))
        return {"MessageId": "1"}

    def attributes(self) -> list[dict[str, str]]:
        return [
            {name: value["StringValue"] for name, value in each["MessageAttributes"].items()} for _, each in self.sent
        ]
