"""The company in the sandbox with all of the lineage account, and everything that its functions can do, done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.credentials import Credentials

from cli.deploy.entry import enter
from cli.deploy.in_sandbox import graph_url
from cli.deploy.lineage import Deployed, Deployment, put_everywhere
from cli.deploy.place import Place, find_place
from cli.play import make_stage
from config.load import load_manifest
from org.gateway.connection import Connection
from org.model import Region
from org.sandbox.gateway.requests import ENDPOINT_HEADER
from org.sandbox.scenarios.catalog import LIFE, play
from org.sandbox.scenarios.stage import Stage
from org.sandbox.server import Sandbox
from stacksets.desired import render_desired
from stacksets.functions import FUNCTIONS
from tests.support.api import api_request, credentials_of
from tests.support.rollout import Rollout

MANIFEST = Path(__file__).parents[2] / "config" / "examples" / "company" / "organization.yaml"
HOME, ABROAD = Region("eu-central-1"), Region("eu-west-1")
API = "/api/v1"
HEADERS = {"Content-Type": "application/json", "User-Agent": "orgctl"}
"""The firewall turns away who does not say what he is."""
RULE = "orgctl-ami-approval-status"


class WholeRun:
    """Each step is one thing that people, schedules or AWS set off; they are done in the order in which they stand."""

    def __init__(self, sandbox: Sandbox, graph: Path) -> None:
        self.sandbox = sandbox
        loaded = load_manifest(MANIFEST)
        desired, session = render_desired(loaded), sandbox.session(HOME)
        Rollout(session).bootstrap(desired)
        self.stage: Stage = make_stage(sandbox.endpoint, HOME, ABROAD)
        self.connection = Connection(session, sandbox.endpoint, busy_delay=0.01)
        self.place: Place = find_place(self.connection, loaded.manifest, desired)
        put_everywhere(self.connection, self.place, lambda _: None)
        deployment = Deployment(self.connection, self.place, lambda _: None, graph_url=graph_url(graph))
        deployment.prepare()
        self.deployed: Deployed = deployment.run()
        self.there = enter(self.connection, self.place.lineage, HOME)
        self.image = self.instance = ""

    def client(self, service: str) -> Any:
        return self.there.client(service, HOME)

    def do_everything(self) -> None:
        self.set_the_chat_up()
        self.play_a_life()
        # Reports are asked for the first time, and read the next; and findings come, stay, and end.
        for _ in range(3):
            self.stage.control.run_schedules()
        self.judge_by_config()
        self.ask_the_api()
        self.act_on_findings()
        self.fail()

    def play_a_life(self) -> None:
        ids = play(LIFE, self.stage).ids
        self.image, self.instance = ids["golden"], ids["shop instance"]

    def judge_by_config(self) -> None:
        config = self.stage.session("Image Factory").client("config")
        rules = [each["ConfigRuleName"] for each in config.describe_config_rules()["ConfigRules"]]
        own = [each for each in rules if "orgctl-" in each]
        assert len(own) == 6, rules
        config.start_config_rules_evaluation(ConfigRuleNames=own)

    def ask_the_api(self) -> None:
        credentials = credentials_of(self.stage.session("Audit"))
        id = quote(self.image)
        questions = [
            f"/ami/{id}/lineage",
            f"/ami/{id}/security-context?include_compliance=true",
            *(f"/lineage/{each}?id={id}" for each in (
                "ancestors", "descendants", "frontiers", "impact", "show", "smallest", "verify")),
            f"/lineage/root?id={quote(self.instance)}",
            f"/lineage/evidence?id={id}&attribute=state",
            "/lineage/contradictions",
            "/lineage/coverage",
            "/lineage/search?kind=image&limit=1",
        ]  # fmt: skip
        for path in questions:
            self.get(path, credentials)
        cursor = self.get("/lineage/search?kind=image&limit=1", credentials)["cursor"]
        self.get(f"/lineage/search?kind=image&limit=1&cursor={quote(cursor)}", credentials)
        self.post("/ami/search", {"filters": {}}, credentials)
        self.post("/compliance-assessment", {"rules": ["approval"]}, credentials)
        self.post("/security-impact", {"ami_id": self.image}, credentials)

    def get(self, path: str, credentials: Credentials) -> Any:
        return self._ask("GET", path, b"", credentials)

    def post(self, path: str, body: object, credentials: Credentials) -> Any:
        return self._ask("POST", path, json.dumps(body).encode(), credentials)

    def _ask(self, method: str, path: str, body: bytes, credentials: Credentials) -> Any:
        outputs = self.deployed.outputs
        headers = {ENDPOINT_HEADER: outputs["ApiEndpointId"], **HEADERS}
        answer = api_request(
            self.sandbox, outputs["ApiId"], "v1", method, API + path, credentials, body=body, headers=headers
        )
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.said

    def act_on_findings(self) -> None:
        hub = self.client("securityhub")
        pages = hub.get_paginator("get_findings").paginate(
            Filters={"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}
        )
        ids = [each["Id"] for page in pages for each in page["Findings"] if "/approval/" in each["Id"]]
        for action in ("ApproveAMI", "QuarantineAMI", "AnalyzeAMILineage"):
            self.stage.control.act_on_findings(action, ids[:1])

    def set_the_chat_up(self) -> None:
        """Nobody listens there: each notice ends among the failures, once its secret has been read."""
        self.client("secretsmanager").put_secret_value(
            SecretId="orgctl-lineage-webhook", SecretString="https://127.0.0.1:9/hook"
        )

    def fail(self) -> None:
        """Have each function that is called by who does not wait fail, so that the failure is kept."""
        functions = self.client("lambda")
        for row in FUNCTIONS:
            if row.asynchronous:
                before = functions.get_function_configuration(FunctionName=row.name)["Environment"]
                functions.update_function_configuration(FunctionName=row.name, Environment={"Variables": {}})
                functions.invoke(FunctionName=row.name, InvocationType="Event", Payload=b"{}")
                functions.update_function_configuration(FunctionName=row.name, Environment=before)
