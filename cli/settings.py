"""The global options, and what a command builds from them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from org.errors import OrgctlError

if TYPE_CHECKING:
    from config.load import LoadedManifest
    from org.apply.watch import Pace
    from org.gateway.aws import Aws
    from org.gateway.connection import Connection
    from org.model import DesiredOrganization, Region
    from org.sandbox.process import Running

GLOBAL_OPTIONS = (
    "Global options (--manifest, --format, --sandbox, …: see orgctl --help) may stand before or after the command."
)
_FLAGS = {"--sandbox", "--verbose", "-v"}
_VALUES = {"--manifest", "-m", "--format", "--profile"}


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"
    """For `guardrails lint` alone."""


@dataclass(frozen=True, slots=True)
class Settings:
    manifest: Path = Path("organization.yaml")
    format: Format = Format.TABLE
    sandbox: bool = False
    profile: str = ""
    verbose: bool = False

    @property
    def is_json(self) -> bool:
        return self.format is Format.JSON


def hoist_global_options(args: list[str]) -> list[str]:
    """Put the global options in front, wherever they stand before a `--`."""
    front: list[str] = []
    rest: list[str] = []
    given = iter(args)
    for arg in given:
        if arg == "--":
            rest += [arg, *given]
        elif arg in _FLAGS:
            front.append(arg)
        elif arg in _VALUES:
            front += [arg, *[value for value in [next(given, None)] if value is not None]]
        elif arg.partition("=")[0] in _VALUES:
            front.append(arg)
        else:
            rest.append(arg)
    return front + rest


def state_directory() -> Path:
    """Where the sandbox's state and the records of runs are kept: ORGCTL_HOME, else the user's state folder."""
    given = os.environ.get("ORGCTL_HOME")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "orgctl"


def load_desired(settings: Settings) -> tuple[LoadedManifest, DesiredOrganization]:
    """Read the manifest and render all that it asks for; raises OrgctlError with every finding."""
    from config.load import load_manifest
    from stacksets.desired import render_desired

    loaded = load_manifest(settings.manifest)
    return loaded, render_desired(loaded)


def checked_region(text: str) -> Region:
    """Answer a Region from the command line; raises OrgctlError for one that AWS does not have."""
    from org.model import Region
    from org.regions import known_regions
    from org.source.findings import suggest

    if text not in known_regions():
        todo = suggest(text, known_regions(), otherwise="write it like eu-central-1")
        raise OrgctlError("--region", f"unknown Region {text!r}", todo)
    return Region(text)


def connect_to(settings: Settings, home_region: Region) -> Aws:
    """Reach AWS, or the sandbox and nothing else."""
    from org.gateway.aws import connect

    return connect(connection(settings, home_region), home_region)


def connection(settings: Settings, home_region: str) -> Connection:
    from org.gateway.connection import Connection
    from org.gateway.errors import aws_errors

    if settings.sandbox:
        from org.sandbox.session import session_for

        refuse_sandbox_options(settings)
        sandbox = running_sandbox()
        return Connection(session_for(sandbox.endpoint, home_region), sandbox.endpoint, busy_delay=0.05)
    import boto3

    with aws_errors("AWS session"):
        return Connection(boto3.Session(profile_name=settings.profile or None, region_name=home_region))


def running_sandbox() -> Running:
    """Find the sandbox of this user; raises OrgctlError where none runs."""
    from org.sandbox.process import sandbox_status

    running = sandbox_status(state_directory())
    if running is None:
        raise OrgctlError("sandbox", "is not running", "start it with: orgctl sandbox start")
    return running


def pace_of(settings: Settings) -> Pace:
    """How often to look: AWS takes minutes, the sandbox none."""
    import time

    from org.apply.watch import Pace

    return Pace(time.sleep, account=0.02, operation=0.02) if settings.sandbox else Pace(time.sleep)


def refuse_sandbox_options(settings: Settings) -> None:
    """A profile names an AWS account; the sandbox has none to give it to."""
    if settings.sandbox and settings.profile:
        raise OrgctlError("--profile", "the sandbox knows no profiles", "leave out --profile or --sandbox")
