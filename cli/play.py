"""`orgctl sandbox play`: stories of machine images, and before them what makes a graph of their events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.deploy.in_sandbox import ensure_deployed, graph_file
from cli.render.console import busy, results, talk
from cli.settings import Settings, running_sandbox
from org.errors import NotFound, OrgctlError
from org.gateway.connection import Connection
from org.gateway.errors import aws_errors
from org.model import Region

if TYPE_CHECKING:
    import boto3

    from config.load import LoadedManifest
    from org.sandbox.scenarios.stage import Stage

_BUSY_SECONDS = 0.05


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
    ensure_lineage(stage, loaded, graph_file())
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


def ensure_lineage(stage: Stage, loaded: LoadedManifest, graph: Path) -> None:
    """Deploy the lineage account, as `orgctl lineage deploy` does, where it is missing or old."""
    from cli.deploy.place import check_delegation, find_place
    from org.sandbox.session import session_for
    from stacksets.desired import render_desired

    home, endpoint = Region(stage.home), stage.control.endpoint
    check_delegation(loaded.manifest)
    connection = Connection(session_for(endpoint, home), endpoint, busy_delay=_BUSY_SECONDS)
    place = find_place(connection, loaded.manifest, render_desired(loaded))
    with busy("seeing to it that the lineage account is deployed"):
        ensure_deployed(connection, place, graph)
