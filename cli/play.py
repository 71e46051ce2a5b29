"""`orgctl sandbox play`: stories of machine images, and before them what makes a graph of their events."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cli.render.console import busy, results, talk
from cli.settings import Settings, running_sandbox, state_directory
from org.errors import NotFound, OrgctlError
from org.gateway.connection import Connection
from org.gateway.errors import aws_errors
from org.model import Region

if TYPE_CHECKING:
    import boto3

    from config.load import LoadedManifest
    from org.sandbox.scenarios.stage import Stage

_GRAPH, _INGEST = "lineage.sqlite", "lineage-ingest"
_POLL_SECONDS = 0.05


def graph_file() -> Path:
    """Where the sandbox's functions keep the graph."""
    return state_directory() / _GRAPH


def graph_url(path: Path) -> str:
    return f"sqlite://{quote(str(path.absolute()))}"


def play(settings: Settings, scenario: str) -> None:
    """Play a scenario in the sandbox that runs, and print what was done; raises OrgctlError where it cannot be."""
    from config.load import load_manifest
    from org.sandbox.scenarios.catalog import check_name
    from org.sandbox.scenarios.catalog import play as play_on

    check_name(scenario)
    loaded = load_manifest(settings.manifest)
    organization = loaded.manifest.organization
    home = Region(organization.home_region)
    abroad = next((each for each in organization.governed_regions if each != home), home)
    stage = make_stage(running_sandbox().endpoint, home, Region(abroad))
    stage.check()
    ensure_ingest(stage, loaded, graph_file())
    with busy(f"playing {scenario}"), aws_errors(f"scenario {scenario}"):
        played = play_on(scenario, stage)
    if settings.is_json:
        said = {"scenario": played.scenario, "sentences": list(played.sentences), "ids": dict(played.ids)}
        results().print(json.dumps(said, indent=2))
        return
    for sentence in played.sentences:
        results().print(sentence)
    talk().print(f"the graph of it is in {graph_file()}")


def make_stage(endpoint: str, home: Region, abroad: Region) -> Stage:
    """Find the accounts of the organization in a sandbox."""
    from org.sandbox.scenarios.control import Control
    from org.sandbox.scenarios.stage import Stage, sessions_from
    from org.sandbox.session import Credentials, session_for

    def enter(region: str, given: Any) -> boto3.Session:  # noqa: ANN401 - whatever AssumeRole gives
        credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return session_for(endpoint, region, credentials)

    management = session_for(endpoint, home)
    try:
        with aws_errors("accounts in the sandbox"):
            pages = management.client("organizations").get_paginator("list_accounts").paginate()
            accounts = {each["Name"]: each["Id"] for page in pages for each in page["Accounts"]}
    except NotFound as error:
        what, todo = "there is no organization in the sandbox", "bootstrap it first: orgctl bootstrap --sandbox"
        raise OrgctlError("sandbox play", what, todo) from error
    return Stage(sessions_from(management, enter), Control(endpoint), accounts, home, abroad)


def ensure_ingest(stage: Stage, loaded: LoadedManifest, graph: Path) -> None:
    """Deploy what makes the graph, where it is missing or old; the rest of the lineage account is for its own command.

    A graph that is there without a stack is of a sandbox that is gone: it is put aside.
    """
    from cli.deploy.lineage import Deployment
    from cli.deploy.place import find_place
    from org.sandbox.session import session_for
    from stacksets.desired import render_desired

    lineage_account, home = loaded.manifest.organization.lineage_account, Region(stage.home)
    if lineage_account not in stage.accounts:
        what = f"the organization in the sandbox has no account {lineage_account}"
        raise OrgctlError("sandbox play", what, "bootstrap it first: orgctl bootstrap --sandbox")
    endpoint = stage.control.endpoint
    connection = Connection(session_for(endpoint, home), endpoint, busy_delay=_POLL_SECONDS)
    place = find_place(connection, loaded.manifest, render_desired(loaded))
    deployment = Deployment(
        connection, place, lambda _: time.sleep(_POLL_SECONDS), graph_url=graph_url(graph), last=_INGEST
    )
    deployment.prepare()
    if deployment.preview()[-1].difference.is_new:
        _put_aside(graph)
        stage.control.forget()
    with busy("deploying the lineage ingest"):
        deployment.run()


def _put_aside(graph: Path) -> None:
    for end in ("", "-wal", "-shm"):
        old = graph.with_name(graph.name + end)
        if old.exists():
            old.replace(graph.with_name(f"{graph.name}.old{end}"))
