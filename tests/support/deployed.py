"""The example company, deployed in the sandbox with its whole lineage account; its images have lived their lives.

All that is played, deployed and asked goes through the sandbox's endpoint: calls of AWS, and requests to the API's URL.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.credentials import Credentials

from cli.deploy.entry import enter
from cli.deploy.in_sandbox import graph_url
from cli.deploy.lineage import Deployed, Deployment, put_everywhere
from cli.deploy.place import Place, find_place
from cli.play import make_stage
from config.load import load_manifest
from handlers.lineage.model import digest_of
from handlers.lineage.queries.disagreement import SETTLED
from handlers.lineage.sqlite import SqliteGraph
from org.gateway.connection import Connection
from org.model import AccountId, Region
from org.sandbox.scenarios.catalog import LIFE, play
from org.sandbox.scenarios.stage import Stage
from org.sandbox.scenarios.story import Played
from org.sandbox.server import Sandbox
from stacksets.desired import render_desired
from stacksets.templates.lineage_api import STAGE
from tests.support.api import ApiAnswer, api_request
from tests.support.rollout import Rollout

MANIFEST = Path(__file__).parents[2] / "config" / "examples" / "company" / "organization.yaml"
HOME, ABROAD = Region("eu-central-1"), Region("eu-west-1")
LINEAGE = "AMI Lineage"
JSON = {"Content-Type": "application/json"}
MAY_ASK = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}


class Clock:
    """The true time and what it was turned by; it stands while somebody wants it to."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._stands: float | None = None

    def __call__(self) -> float:
        return time.time() + self._ahead if self._stands is None else self._stands

    def turn(self, seconds: float) -> None:
        self._ahead += seconds

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Let what is sent in here come at one and the same time."""
        self._stands = self()
        try:
            yield
        finally:
            self._stands = None


@dataclass
class Company:
    """The company, and whoever asks something of its lineage account."""

    sandbox: Sandbox
    clock: Clock
    connection: Connection
    place: Place
    deployed: Deployed
    stage: Stage
    played: Played
    graph_file: Path
    asker: Credentials
    """Of a user in the audit account who may ask the API."""

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.deployed.outputs

    @property
    def ids(self) -> Mapping[str, str]:
        """What the played story made, by its names."""
        return self.played.ids

    @property
    def lineage(self) -> AccountId:
        return self.place.lineage

    @cached_property
    def there(self) -> Connection:
        return enter(self.connection, self.lineage, HOME)

    def client(self, service: str, account: str = LINEAGE, region: Region = HOME) -> Any:
        """Answer a client in an account, by its name, with all rights; the management account has none to enter."""
        if account == LINEAGE:
            return self.there.client(service, region)
        if account == self.management:
            return self.connection.client(service, region)
        return self.stage.session(account, region=region).client(service)

    @property
    def management(self) -> str:
        return self.place.manifest.organization.management_account

    def id_of(self, account: str) -> str:
        return self.stage.accounts[account]

    def ask(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "",
        credentials: Credentials | None = None,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> ApiAnswer:
        """Ask the API as a client in the company's network; POST if there is a body, which may be text.

        A header that is empty is left out.

        `path`: below `/api/v1`, encoded.
        """
        text = body if isinstance(body, str) else json.dumps(body)
        usual = {"User-Agent": "test", "x-orgctl-sandbox-vpce": self.outputs["ApiEndpointId"]}
        if body is not None:
            usual |= JSON
        return api_request(
            self.sandbox,
            self.outputs["ApiId"],
            STAGE,
            method or ("GET" if body is None else "POST"),
            f"/api/v1{path}",
            (credentials or self.asker) if signed else None,
            body=b"" if body is None else text.encode(),
            headers={name: value for name, value in {**usual, **(headers or {})}.items() if value},
            at=self.clock(),
        )

    def run(self, *functions: str) -> None:
        """Run the schedules that bring these functions, in this order, and all that they set off."""
        rules = {"plan": "orgctl-lineage-reconcile-plan", "assess": "orgctl-lineage-assess"}
        for each in functions:
            self.stage.control.run_schedules(rules[each])

    def findings(self, **filters: str) -> list[dict[str, Any]]:
        """Answer the active findings in the lineage account's hub."""
        wanted = {
            name: [{"Value": value, "Comparison": "PREFIX" if name == "GeneratorId" else "EQUALS"}]
            for name, value in {"RecordState": "ACTIVE", **filters}.items()
        }
        pages = self.client("securityhub").get_paginator("get_findings").paginate(Filters=wanted)
        return [each for page in pages for each in page["Findings"]]

    def start_anew(self, function: str) -> None:
        """Have a function's next run be in a process of its own, whose words go to where this process' do now."""
        lambdas = self.client("lambda")
        memory = lambdas.get_function_configuration(FunctionName=function)["MemorySize"]
        lambdas.update_function_configuration(FunctionName=function, MemorySize=memory + 1)

    def digest(self) -> str:
        graph = SqliteGraph(self.graph_file, create=False)
        try:
            return digest_of((fact.id for fact in graph.export()), graph.heard())
        finally:
            graph.close()


@contextmanager
def deployed_company(folder: Path) -> Iterator[Company]:
    """Deploy it, play the images' life, and have it reconciled and judged once."""
    clock = Clock()
    sandbox = Sandbox(now=clock)
    sandbox.start()
    try:
        yield _deploy(sandbox, clock, folder / "lineage.sqlite")
    finally:
        sandbox.stop()


def _deploy(sandbox: Sandbox, clock: Clock, graph: Path) -> Company:
    session = sandbox.session(HOME)
    loaded = load_manifest(MANIFEST)
    desired = render_desired(loaded)
    Rollout(session).bootstrap(desired)
    connection = Connection(session, sandbox.endpoint, busy_delay=0.01)
    place = find_place(connection, loaded.manifest, desired)
    put_everywhere(connection, place, lambda _: None)
    deployment = Deployment(connection, place, lambda _: None, graph_url=graph_url(graph))
    deployment.prepare()
    deployed = deployment.run()
    stage = make_stage(sandbox.endpoint, HOME, ABROAD)
    stage.control.forget()
    played = play(LIFE, stage)
    company = Company(
        sandbox, clock, connection, place, deployed, stage, played, graph, make_user(stage.session("Audit"), MAY_ASK)
    )
    company.run("plan")
    # What is younger than a quarter of an hour is not held against another source yet.
    clock.turn(SETTLED / 1000 + 60)
    company.run("assess")
    return company


def make_user(session: boto3.Session, *statements: Mapping[str, Any], name: str = "analyst") -> Credentials:
    iam: Any = session.client("iam")
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])
