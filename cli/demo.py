"""The whole story in the sandbox, told by the commands that a user would type."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from cli import demo_lineage
from cli.demo_guardrails import Launches, write_lockout
from cli.demo_lineage import Verdicts
from cli.render.console import results
from cli.settings import Settings, state_directory
from org.errors import OrgctlError
from org.model import Region

CLEAN, FAILED, PENDING = 0, 1, 3
_ROLE = "OrganizationAccountAccessRole"
_SHOWN = 60


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
        accounts = _show_accounts(environment)
        _title("A machine image must be approved before it can be launched")
        refused = _launches(environment, accounts).tell()
        _run(environment, "guardrails", "explain", *refused)
        _title("A change that would lock break-glass out is stopped before its first call")
        locking = {**environment, "ORGCTL_MANIFEST": str(write_lockout(manifest, home / "lockout"))}
        _run(locking, "bootstrap", "--yes", expect=FAILED)
        _run(environment, "plan")
        _tell_lineage(environment, accounts)
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
    "orgctl lineage deploy --sandbox      the lineage account, in the folder of the example; then:",
    "orgctl sandbox play life --sandbox   the life of an image; then:",
    "orgctl lineage search --sandbox      the images; show, ancestors, impact, verify, root, … take an id",
    'eval "$(orgctl sandbox env)"         point boto3, any AWS SDK or the aws CLI to it',
    "orgctl synth --out build/synth       every template and policy, as files",
    "the example:                         {manifest}",
    "the command, if it is not on PATH:   {orgctl}",
)


def _tell_lineage(environment: Mapping[str, str], accounts: Mapping[str, str]) -> None:
    """Deploy the lineage account, play the life of an image, and ask what came of it, in each way that there is."""
    run = partial(_run, environment)
    _title("The lineage account: network, graph, functions, API, web firewall, rules of AWS Config, alarms")
    url = demo_lineage.deploy(run)
    _title("The life of a machine image in several accounts: AWS's events of it travel into the lineage graph")
    told = demo_lineage.play(run)
    page = Path(environment["ORGCTL_HOME"]) / "lineage.html"
    page.unlink(missing_ok=True)
    _title("Where does an image come from that was registered from a snapshot? AWS names no parent")
    results().print("An answer that may lack something says so: here, nobody saw how the stranger's image was made.")
    run("lineage", "ancestors", told.laundered)
    _title("What came of the golden image, in all accounts?")
    run("lineage", "descendants", told.golden)
    _title("If the golden image were bad: what runs it, what would start it again, who else has it?")
    run("lineage", "impact", told.golden)
    _title("The same as a picture, for a browser")
    run("lineage", "graph", told.golden, "--html", str(page))
    _title("The deployed API, asked with a signed request: what does a machine boot whose root was replaced?")
    run("lineage", "root", told.replaced, "--api", url)
    _tell_verdicts(run, Verdicts(_endpoint(environment), Region(_regions(environment)[0]), accounts))


def _tell_verdicts(run: demo_lineage.Run, verdicts: Verdicts) -> None:
    _title("What the clock would do: EC2 is asked in every account and Region, and the graph learns what no event told")
    run("sandbox", "run-schedules", "orgctl-lineage-reconcile-plan")
    _title("Then all images and instances are judged, and what events say is compared with what EC2 says")
    run("sandbox", "run-schedules", "orgctl-lineage-assess")
    _title("AWS Config in two member accounts, by a rule that the lineage account gave to all: is an image approved?")
    verdicts.tell_config()
    _title("Security Hub in the lineage account: each rule that is not kept is a finding, until it is kept")
    verdicts.tell_findings()
    _title(
        "What SNS would have mailed to those in `notifications`: the summary; grave findings come in one by severity"
    )
    run("sandbox", "sent", "Compliance of machine images")


def example_manifest() -> Path:
    import config

    return Path(next(iter(config.__path__))) / "examples" / "company" / "organization.yaml"


def _title(text: str) -> None:
    results().print(f"\n== {text}")


def _run(environment: Mapping[str, str], *words: str, expect: int = CLEAN, keep_output: bool = False) -> str:
    """Run one of our own commands; answer what it printed, if that is kept."""
    results().print(f"\n$ orgctl {' '.join(map(_shown, words))}")
    sys.stdout.flush()
    command = [sys.executable, "-m", "cli.main", *words]
    output = subprocess.PIPE if keep_output else None
    done = subprocess.run(command, env=environment, check=False, stdout=output, text=True)  # noqa: S603 - as said
    if done.stdout:
        sys.stdout.write(done.stdout)
    if done.returncode != expect:
        raise OrgctlError(
            f"orgctl {' '.join(words)}", f"exited with {done.returncode}, not {expect}", "see its output above"
        )
    return done.stdout or ""


def _shown(word: str) -> str:
    if " " not in word:
        return word
    return f"'{word}'" if len(word) <= _SHOWN else f"'{word[:_SHOWN]}…'"


def _show_accounts(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Look into every member account and Region with boto3 alone; print what stands there, answer ids by name."""
    from org.sandbox.session import Credentials, session_for

    endpoint = _endpoint(environment)
    session = session_for(endpoint)
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
        found = [_in_region(session_for(endpoint, region, credentials), region) for region in regions]
        roles = session_for(endpoint, regions[0], credentials).client("iam").list_roles()["Roles"]
        policies = organizations.list_policies_for_target(TargetId=account["Id"], Filter="SERVICE_CONTROL_POLICY")
        told = f"{len(roles)} roles, {len(policies['Policies'])} SCP on it"
        results().print(f"{account['Name']:<22} {account['Id']}  {told} · {' · '.join(found)}")
    return {account["Name"]: account["Id"] for account in accounts}


def _endpoint(environment: Mapping[str, str]) -> str:
    from org.sandbox.process import sandbox_status

    running = sandbox_status(Path(environment["ORGCTL_HOME"]))
    if running is None:
        raise OrgctlError("sandbox", "is not running", "run the demo again")
    return running.endpoint


def _launches(environment: Mapping[str, str], accounts: Mapping[str, str]) -> Launches:
    return Launches(_endpoint(environment), _regions(environment)[0], accounts)


def _in_region(session: Any, region: str) -> str:  # noqa: ANN401 - boto3 makes its clients up
    stacks = session.client("cloudformation").describe_stacks()["Stacks"]
    deployed = [stack for stack in stacks if stack["StackName"].startswith("StackSet-")]
    rules = session.client("events").list_rules()["Rules"]
    return f"{region}: {len(deployed)} stacks, {len(rules)} event rules"


def _regions(environment: Mapping[str, str]) -> list[str]:
    from config.load import load_manifest

    return list(load_manifest(Path(environment["ORGCTL_MANIFEST"])).manifest.organization.governed_regions)
