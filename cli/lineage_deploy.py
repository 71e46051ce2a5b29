"""`orgctl lineage deploy`: shows what it would make and change, asks, does it, and says what to do next."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator

from cli.deploy.in_sandbox import begin_anew, graph_file, graph_url
from cli.deploy.in_sandbox import sleep as sandbox_sleep
from cli.deploy.lineage import Deployed, Deployment, Foreseen, Put, Step, put_everywhere
from cli.deploy.place import Place, check_delegation, find_place
from cli.render.console import busy, results, talk
from cli.settings import Settings, connection, load_desired
from org.errors import OrgctlError
from org.gateway.connection import Connection
from stacksets.lineage_stacks import STACK_PREFIX
from stacksets.templates.lineage_api import STAGE

_SHOWN = 6


def run_deploy(settings: Settings, graph: str, *, yes: bool) -> int:
    """Deploy the lineage account's stacks, and the baseline of the management account."""
    loaded, desired = load_desired(settings)
    manifest = loaded.manifest
    check_delegation(manifest)
    graph = _graph(settings, manifest.lineage.graph.engine, graph)
    reached = connection(settings, desired.home_region)
    place = find_place(reached, manifest, desired)
    deployment = Deployment(reached, place, _sleep(settings), graph_url=graph)
    with busy("comparing the stacks with what is there"):
        deployment.prepare()
        foreseen = deployment.preview()
    for line in _told(foreseen, place):
        talk().print(line)
    if not yes and not _confirmed():
        return 0
    if reached.endpoint_url and graph == graph_url(graph_file()):
        begin_anew(foreseen, reached.endpoint_url, graph_file())
    put = put_everywhere(reached, place, _sleep(settings))
    deployed = deployment.run(*_progress(len(deployment.steps), time.monotonic))
    _report(settings, deployed, put, _api_url(deployed, reached))
    return 0


def _graph(settings: Settings, engine: str, given: str) -> str:
    """Answer the URL that functions get instead of the cluster's; empty for the cluster's own."""
    if given:
        return given
    if settings.sandbox:
        return graph_url(graph_file())
    if engine == "sqlite":
        what = "sqlite is a file, and functions of Lambda share none"
        raise OrgctlError("lineage.graph.engine", what, "write neptune, or pass --graph-url of a Gremlin server")
    return ""


def _sleep(settings: Settings) -> Callable[[float], None]:
    return sandbox_sleep if settings.sandbox else time.sleep


def _told(foreseen: tuple[Foreseen, ...], place: Place) -> Iterator[str]:
    yield f"In the lineage account {place.lineage}, {place.home}:"
    for each in foreseen:
        yield from _told_of(each)
    yield f"In the management account {place.management}, as in all others:"
    for everywhere in place.everywhere:
        yield f"    {STACK_PREFIX}{everywhere.template} in {', '.join(everywhere.regions)}"


def _told_of(foreseen: Foreseen) -> Iterator[str]:
    name, difference = foreseen.step.stack.stack_name, foreseen.difference
    if difference.is_nothing:
        yield f"  = {name}"
        return
    if difference.is_new:
        yield f"  + {name}: {len(difference.added)} resources"
        return
    yield f"  ~ {name}"
    for sign, names in (("+", difference.added), ("~", difference.changed), ("-", difference.removed)):
        for each in names[:_SHOWN]:
            yield f"      {sign} {each}"
        if len(names) > _SHOWN:
            yield f"      {sign} and {len(names) - _SHOWN} more"
    for parameter, (old, new) in (difference.parameters or {}).items():
        yield f"      {parameter}: {_short(old)} -> {_short(new)}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise OrgctlError("lineage deploy", "nobody can be asked here", "pass --yes")
    talk().print("Deploy it? Only 'yes' does.")
    return input("> ").strip() == "yes"


def _progress(count: int, clock: Callable[[], float]) -> tuple[Callable[[Step], None], Callable[[Step, bool], None]]:
    """Answer what is to be called as each stack begins and ends: a line for each, with the seconds that it took."""
    begun: list[float] = []

    def on_start(step: Step) -> None:
        begun.append(clock())
        talk().print(f"[{len(begun)}/{count}] {step.stack.stack_name}")

    def on_end(step: Step, changed: bool) -> None:
        done = "made or changed" if changed else "as it was"
        talk().print(f"[{len(begun)}/{count}] {step.stack.stack_name}: {done}, {clock() - begun[-1]:.0f} s")

    return on_start, on_end


def _api_url(deployed: Deployed, reached: Connection) -> str:
    if reached.endpoint_url:
        return f"{reached.endpoint_url}/orgctl-sandbox/execute-api/{deployed.outputs['ApiId']}/{STAGE}"
    return deployed.outputs["ApiUrl"]


def _report(settings: Settings, deployed: Deployed, baseline: tuple[Put, ...], url: str) -> None:
    done = [*baseline, *deployed.stacks]
    if settings.is_json:
        told = {
            "api_url": url,
            "changed": [f"{each.name} {each.region}" for each in done if each.changed],
            "outputs": dict(sorted(deployed.outputs.items())),
        }
        results().print(json.dumps(told, indent=2))
        return
    changed = sum(each.changed for each in done)
    results().print(f"{len(done)} stacks, {changed} of them made or changed")
    results().print(f"API: {url}")
    if settings.sandbox:
        # In the sandbox nobody confirms subscriptions, and there is nothing to ask of yet.
        talk().print(f"next: orgctl sandbox play life --sandbox, then orgctl lineage search --sandbox --api {url}")
        return
    talk().print(f"next: orgctl lineage search --api {url}")
    if "WebhookSecretArn" in deployed.outputs:
        talk().print(f"put the chat's webhook into the secret {deployed.outputs['WebhookSecretArn']}")
    talk().print("whoever gets mails confirms the subscription that AWS sends them")
