"""The sandbox as a background process: start, stop, status, reset, env; and what is played in it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from cli.render.console import results, talk
from cli.settings import Settings, checked_region, running_sandbox, state_directory

CLEAN, NOT_RUNNING = 0, 3


def start(settings: Settings, *, port: int, seed: int) -> None:
    from org.sandbox.process import start_sandbox

    del settings
    running = start_sandbox(state_directory(), port=port, seed=seed)
    said = "answers already at" if running.already_running else "answers at"
    talk().print(f"the sandbox {said} {running.endpoint}; use it with --sandbox on any command")


def stop(settings: Settings) -> None:
    from org.sandbox.process import stop_sandbox

    del settings
    talk().print("stopped" if stop_sandbox(state_directory()) else "it was not running")


def status(settings: Settings) -> int:
    from org.sandbox.process import sandbox_status

    running = sandbox_status(state_directory())
    if settings.is_json:
        said = {"running": running is not None, "endpoint": running.endpoint if running else None}
        results().print(json.dumps(said))
    elif running:
        results().print(f"running at {running.endpoint}, process {running.pid}, since {running.started}")
    else:
        results().print("not running; start it with: orgctl sandbox start")
    return CLEAN if running else NOT_RUNNING


def reset(settings: Settings) -> None:
    from cli.deploy.in_sandbox import graph_file, put_aside
    from org.sandbox.process import reset_sandbox

    del settings
    reset_sandbox(state_directory())
    put_aside(graph_file())
    talk().print("the sandbox is empty")


def env(settings: Settings, region: str) -> None:
    from org.sandbox.session import sandbox_environment

    environment = sandbox_environment(running_sandbox().endpoint, checked_region(region))
    if settings.is_json:
        results().print(json.dumps(dict(environment), indent=2))
        return
    for name, value in environment.items():
        results().print(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")


def run_schedules(settings: Settings, rule: str) -> None:
    from org.sandbox.scenarios.control import Control

    ran = Control(running_sandbox().endpoint).run_schedules(rule)
    if settings.is_json:
        results().print(json.dumps(ran, indent=2))
        return
    for each in ran:
        results().print(f"{each['rule']}  {each['schedule']}", soft_wrap=True)
    if not ran:
        talk().print("no enabled rule has a schedule")


def sent(settings: Settings, subject: str) -> None:
    """Print what is kept; what went to several receivers at once, once."""
    from org.sandbox.scenarios.control import Control

    kept = [each for each in Control(running_sandbox().endpoint).sent() if subject in (each["subject"] or "")]
    if settings.is_json:
        results().print(json.dumps(kept, indent=2))
        return
    for number, each in enumerate(kept):
        line = f"{each['time']}  {each['protocol']}  {each['endpoint']}  {each['subject']}"
        results().print(line, soft_wrap=True, markup=False)
        if number + 1 == len(kept) or not _same_message(each, kept[number + 1]):
            results().print(f"{each['message']}\n", soft_wrap=True, markup=False)
    if not kept:
        talk().print("nothing was sent" if not subject else f"nothing was sent whose subject has {subject!r}")


def _same_message(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether it is one message that goes to two receivers."""
    return one["endpoint"] != other["endpoint"] and all(one[name] == other[name] for name in ("time", "message"))


def act_on_findings(settings: Settings, action: str, findings: list[str]) -> None:
    from org.sandbox.scenarios.control import Control

    arn = Control(running_sandbox().endpoint).act_on_findings(action, findings)
    if settings.is_json:
        results().print(json.dumps({"action": arn, "findings": findings}))
        return
    sent = "one finding was" if len(findings) == 1 else f"{len(findings)} findings were"
    results().print(f"{sent} sent to {arn}")


def play(settings: Settings, scenario: str) -> None:
    from cli.play import play as run

    run(settings, scenario)
