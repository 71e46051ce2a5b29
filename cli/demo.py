"""The whole story in the sandbox, told by the commands that a user would type."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.render.console import results
from cli.settings import Settings, state_directory
from org.errors import OrgctlError

CLEAN, PENDING = 0, 3
_ROLE = "OrganizationAccountAccessRole"


def run_demo(settings: Settings, *, keep: bool) -> int:
    """Take the example company from nothing to governed; raises OrgctlError where a step does not end as it should."""
    del settings
    manifest = example_manifest()
    home = state_directory() / "demo"  # a sandbox of its own: one that the user works in is left alone
    environment = {**os.environ, "ORGCTL_HOME": str(home), "ORGCTL_MANIFEST": str(manifest), "ORGCTL_SANDBOX": "1"}
    _title(f"An example company, in the sandbox: {manifest}")
    _run(environment, "sandbox", "start")
    try:
        _run(environment, "sandbox", "reset")
        _run(environment, "validate")
        _run(environment, "plan", expect=PENDING)
        _run(environment, "bootstrap", "--yes")
        _run(environment, "plan")
        _run(environment, "show")
        _title("The same seen by any AWS SDK, with the variables of `orgctl sandbox env`: what each account holds")
        _show_accounts(environment)
    finally:
        if not keep:
            _run(environment, "sandbox", "stop")
    _title("What to try next")
    for line in _NEXT:
        results().print(line.format(manifest=manifest, orgctl=Path(sys.executable).with_name("orgctl")))
    return CLEAN


_NEXT = (
    "orgctl init                          a commented manifest of your own",
    "orgctl sandbox start                 a sandbox to try it in; then, with --sandbox:",
    "orgctl plan --sandbox                what would be done; again after each change of the manifest",
    "orgctl bootstrap --sandbox           do it, after you approve",
    'eval "$(orgctl sandbox env)"         point boto3, any AWS SDK or the aws CLI to it',
    "orgctl synth --out build/synth       every template and policy, as files",
    "the example:                         {manifest}",
    "the command, if it is not on PATH:   {orgctl}",
)


def example_manifest() -> Path:
    import config

    return Path(next(iter(config.__path__))) / "examples" / "company" / "organization.yaml"


def _title(text: str) -> None:
    results().print(f"\n== {text}")


def _run(environment: Mapping[str, str], *words: str, expect: int = CLEAN) -> None:
    results().print(f"\n$ orgctl {' '.join(words)}")
    sys.stdout.flush()
    code = subprocess.run([sys.executable, "-m", "cli.main", *words], env=environment, check=False).returncode  # noqa: S603 - our own command
    if code != expect:
        raise OrgctlError(f"orgctl {' '.join(words)}", f"exited with {code}, not {expect}", "see its output above")


def _show_accounts(environment: Mapping[str, str]) -> None:
    """Look into every member account and Region with boto3 alone, and print what stands there."""
    from org.sandbox.process import sandbox_status
    from org.sandbox.session import Credentials, session_for

    running = sandbox_status(Path(environment["ORGCTL_HOME"]))
    if running is None:
        raise OrgctlError("sandbox", "is not running", "run the demo again")
    session = session_for(running.endpoint)
    organizations = session.client("organizations")
    pages = organizations.get_paginator("list_accounts").paginate()
    accounts = sorted((account for page in pages for account in page["Accounts"]), key=lambda account: account["Name"])
    management = session.client("sts").get_caller_identity()["Account"]
    regions = _regions(environment)
    for account in accounts:
        if account["Id"] == management or account["State"] != "ACTIVE":
            continue
        arn = f"arn:aws:iam::{account['Id']}:role/{_ROLE}"
        given = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="demo")["Credentials"]
        credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        found = [_in_region(session_for(running.endpoint, region, credentials), region) for region in regions]
        roles = session_for(running.endpoint, regions[0], credentials).client("iam").list_roles()["Roles"]
        policies = organizations.list_policies_for_target(TargetId=account["Id"], Filter="SERVICE_CONTROL_POLICY")
        told = f"{len(roles)} roles, {len(policies['Policies'])} SCP on it"
        results().print(f"{account['Name']:<22} {account['Id']}  {told} · {' · '.join(found)}")


def _in_region(session: Any, region: str) -> str:  # noqa: ANN401 - boto3 makes its clients up
    stacks = session.client("cloudformation").describe_stacks()["Stacks"]
    deployed = [stack for stack in stacks if stack["StackName"].startswith("StackSet-")]
    rules = session.client("events").list_rules()["Rules"]
    return f"{region}: {len(deployed)} stacks, {len(rules)} event rules"


def _regions(environment: Mapping[str, str]) -> list[str]:
    from config.load import load_manifest

    return list(load_manifest(Path(environment["ORGCTL_MANIFEST"])).manifest.organization.governed_regions)
