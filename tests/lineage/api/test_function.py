"""The function as Lambda runs it: its environment, its secret, its clients."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import boto3
import pytest
from botocore.stub import Stubber

import handlers.lineage_api as function
from handlers.lineage.api.desk import Means
from handlers.lineage.api.judging import Rules
from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Kind, key_of
from handlers.lineage.readings.form import EXPECTED, MEMBER, ORGANIZATION
from handlers.lineage.settings import Settings
from handlers.lineage.sqlite import SqliteGraph
from stacksets.bundle import build_bundle
from tests.support.lineage import ACCOUNT, REGION, note
from tests.support.lineage_api import Answered, Context, ask, ec2_id, event_for, means_for, send, with_ec2_ids
from tests.support.lineage_story import STRANGER, story

SECRET = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:orgctl-cursors-AbCdEf"
SETTINGS = {
    "organization": "o-abcdefghij",
    "home_region": "eu-central-1",
    "regions": ["eu-central-1", "us-east-1"],
    "trusted_owners": ["amazon"],
    "external_id": "a-b-c-d",
}
GOLDEN = ec2_id("ami-golden")


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stubber]]:
    """The environment of the function, over a graph in a file; each AWS client answers what its stubber is told."""
    graph = SqliteGraph(tmp_path / "graph.sqlite")
    graph.append(with_ec2_ids(story()))
    graph.close()
    monkeypatch.setenv("ORGCTL_LINEAGE_GRAPH", f"sqlite://{tmp_path}/graph.sqlite")
    monkeypatch.setenv("ORGCTL_LINEAGE_CURSOR_SECRET", SECRET)
    monkeypatch.setenv("ORGCTL_LINEAGE_SETTINGS", json.dumps(SETTINGS))
    session = boto3.Session("testing", "testing", region_name="eu-central-1")
    clients = {name: session.client(name) for name in ("secretsmanager", "securityhub")}
    stubs = {name: Stubber(client) for name, client in clients.items()}
    monkeypatch.setattr(boto3, "client", lambda name, **_: clients[name])
    for each in stubs.values():
        each.activate()
    function._means.cache_clear()
    yield stubs
    function._means.cache_clear()
    for each in stubs.values():
        each.assert_no_pending_responses()


def _call(method: str, path: str, **more: Any) -> Answered:
    return Answered(function.handler(event_for(method, f"/api/v1{path}", **more), Context()))  # type: ignore[arg-type]


def _with_secret(deployed: dict[str, Stubber]) -> None:
    said = {"SecretString": "a secret of cursors"}
    deployed["secretsmanager"].add_response("get_secret_value", said, {"SecretId": SECRET})


def test_the_secret_is_read_once_and_signs_cursors(deployed: dict[str, Stubber]) -> None:
    _with_secret(deployed)
    query = [("kind", "image"), ("limit", "1")]
    first = _call("GET", "/lineage/search", query=query)
    second = _call("GET", "/lineage/search", query=[*query, ("cursor", first.body["cursor"])])
    assert (first.status, second.status) == (200, 200)
    assert first.body["things"] != second.body["things"]


def test_an_impact_reaches_security_hub_as_a_finding_of_the_lineage_account(deployed: dict[str, Stubber]) -> None:
    _with_secret(deployed)
    imported: list[Any] = []

    def keep(params: dict[str, Any], **_: object) -> None:
        imported.extend(params["Findings"])

    hub = deployed["securityhub"]
    hub.client.meta.events.register("provide-client-params.securityhub.BatchImportFindings", keep)
    hub.add_response("batch_import_findings", {"FailedCount": 0, "SuccessCount": 1})
    body = json.dumps({"ami_id": GOLDEN, "severity": "HIGH", "finding_id": "CVE-2026-1"})
    answered = _call("POST", "/security-impact", body=body)
    assert answered.body["finding"]["imported"] is True
    (finding,) = imported
    assert finding["AwsAccountId"] == ACCOUNT
    assert finding["ProductArn"] == f"arn:aws:securityhub:eu-central-1:{ACCOUNT}:product/{ACCOUNT}/default"
    assert finding["FindingProviderFields"] == {
        "Severity": {"Label": "HIGH"},
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
    }
    assert finding["Resources"][0]["Id"] == f"arn:aws:ec2:eu-central-1::image/{GOLDEN}"


def test_a_finding_that_security_hub_counts_as_failed_is_told(deployed: dict[str, Stubber]) -> None:
    _with_secret(deployed)
    failed = [{"Id": "x", "ErrorCode": "InvalidInput", "ErrorMessage": "no"}]
    deployed["securityhub"].add_response(
        "batch_import_findings", {"FailedCount": 1, "SuccessCount": 0, "FailedFindings": failed}
    )
    answered = _call("POST", "/security-impact", body=json.dumps({"ami_id": GOLDEN}))
    assert (answered.status, answered.body["finding"]["imported"]) == (200, False)


@pytest.mark.parametrize("missing", ["ORGCTL_LINEAGE_GRAPH", "ORGCTL_LINEAGE_CURSOR_SECRET", "ORGCTL_LINEAGE_SETTINGS"])
def test_a_function_that_lacks_its_environment_answers_503_and_says_nothing_of_it(
    deployed: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)
    answered = _call("GET", "/lineage/coverage")
    assert answered.status == 503
    assert "ORGCTL" not in json.dumps(answered.raw)
    assert answered.headers["Cache-Control"] == "no-store"


def test_which_accounts_there_are_is_what_the_reconciliation_noted(
    deployed: dict[str, Stubber], tmp_path: Path
) -> None:
    """What is shared with an account of the organization is shared with nobody outside."""
    _with_secret(deployed)
    query = [("id", GOLDEN)]
    before = _call("GET", "/lineage/impact", query=query).body
    assert [each["sharee"] for each in before["external"]] == [STRANGER]
    there = SqliteGraph(tmp_path / "graph.sqlite")
    said = {MEMBER: "yes", EXPECTED: "yes", ORGANIZATION: "o-abcdefghij"}
    there.append(Batch((note(key_of(Kind.COVERAGE, STRANGER, REGION), 50, **said),)))
    there.close()
    function._means.cache_clear()
    _with_secret(deployed)
    after = _call("GET", "/lineage/impact", query=query).body
    assert after["external"] == []
    assert [(each["why"], each["about"]) for each in after["reasons"]] == [("silent", f"{STRANGER}/{REGION}")]


def test_a_secret_that_cannot_be_read_is_503_and_read_again_next_time(deployed: dict[str, Stubber]) -> None:
    deployed["secretsmanager"].add_client_error("get_secret_value", "AccessDeniedException", "not you")
    _with_secret(deployed)
    assert _call("GET", "/lineage/coverage").status == 503
    assert _call("GET", "/lineage/coverage").status == 200


@pytest.fixture
def by_real_rules(graph: Graph) -> Means:
    return means_for(graph, judge=Rules(Settings.model_validate_json(json.dumps(SETTINGS))))


@pytest.mark.parametrize(
    "name",
    [
        "required_tags",
        "approved_source_validation",
        "security_scan_status",
        "naming_convention",
        "lineage_verification",
        "trusted-root",
    ],
)
def test_rules_go_by_the_names_of_the_published_sample_too(by_real_rules: Means, name: str) -> None:
    body = send(by_real_rules, "/compliance-assessment", {"rules": [name]}).body
    assert list(body["rule_results"]) == [name]
    assert sum(body["rule_results"][name].values()) > 0


def test_without_rules_all_that_are_applied_are_judged(by_real_rules: Means) -> None:
    body = send(by_real_rules, "/compliance-assessment", {}).body
    assert {"required-tags", "approval", "lineage"} <= set(body["rule_results"])
    assert body["compliance_summary"]["compliant_amis"] == 0
    assert body["compliance_summary"]["total_amis"] == len(body["non_compliant_resources"]) == 6, "those of others"


@pytest.mark.parametrize("rules", [["no-such"], []])
def test_rules_that_are_none_are_refused(by_real_rules: Means, rules: list[str]) -> None:
    assert send(by_real_rules, "/compliance-assessment", {"rules": rules}).status == 400


def test_the_context_of_an_image_names_the_rules_that_it_breaks(by_real_rules: Means) -> None:
    context = ask(by_real_rules, f"/ami/{GOLDEN}/security-context").body["security_context"]
    violations = context["compliance_status"]["policy_violations"]
    assert {each["type"] for each in violations} == {
        "missing_required_tags",
        "security_scan_not_passed",
        "not_approved",
    }


def test_importing_the_function_makes_no_client_and_reads_no_environment() -> None:
    code = "import sys, handlers.lineage_api; print('boto3' in sys.modules, 'gremlin_python' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert done.stdout.split() == ["False", "False"]


_FROM_BUNDLE = """
import json, sys, boto3
boto3.client = lambda *_, **__: type("Client", (), {"get_secret_value": lambda *_, **__: {"SecretString": "s"}})()
import handlers.lineage_api as function
class Context:
    function_name, memory_limit_in_mb, aws_request_id = "f", 512, "r"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:f"
    def get_remaining_time_in_millis(self):
        return 28000
answered = [function.handler(each, Context()) for each in json.load(sys.stdin)]
print(json.dumps([function.__file__, *(each["statusCode"] for each in answered)]))
"""


def test_the_function_runs_from_its_own_bundle_alone(deployed: dict[str, Stubber], tmp_path: Path) -> None:
    place = tmp_path / "function"
    with ZipFile(io.BytesIO(build_bundle(("handlers.lineage_api",)).content)) as bundle:
        bundle.extractall(place)
    events = [
        event_for("GET", f"/api/v1{path}") for path in (f"/ami/{GOLDEN}/security-context", f"/ami/{GOLDEN}/lineage")
    ]
    events += [event_for("GET", f"/api/v1/lineage/{each}", [("id", GOLDEN)]) for each in ("frontiers", "smallest")]
    events += [event_for("GET", f"/api/v1/lineage/{each}") for each in ("coverage", "contradictions")]
    events += [event_for("POST", f"/api/v1/{each}", (), "{}") for each in ("compliance-assessment", "ami/search")]
    done = subprocess.run(
        [sys.executable, "-c", _FROM_BUNDLE],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place), "PYTHONSAFEPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    where, *statuses = json.loads(done.stdout.splitlines()[-1])
    assert where == str(place / "handlers" / "lineage_api.py")
    assert statuses == [200] * len(events)
