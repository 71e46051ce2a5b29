"""Measure the figures that the documentation gives: `make bench` prints them and writes build/bench.json."""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "bench.json"


@dataclass(frozen=True, slots=True)
class Figure:
    value: float
    unit: str
    target: str
    how: str


def main() -> None:
    figures: dict[str, Figure] = {}
    for measure in (measure_cli, measure_manifest, measure_plan, measure_synth, measure_bootstrap):
        found = measure()
        for name, figure in found.items():
            say(f"{name:<48} {figure.value:>9.3f} {figure.unit:<4} target: {figure.target}")
        figures |= found
    OUT.parent.mkdir(exist_ok=True)
    said = {name: asdict(figure) for name, figure in figures.items()}
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    OUT.write_text(json.dumps({"measured_on": machine, "figures": said}, indent=2) + "\n", encoding="utf-8")
    say(f"written to {OUT.relative_to(ROOT)}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def best(run: Callable[[], object], times: int) -> float:
    """Answer the median of several runs, in seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def measure_cli() -> dict[str, Figure]:
    def start(*words: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True, cwd=ROOT)

    helped, bare = best(start("-m", "cli.main", "--help"), 15), best(start("-c", "pass"), 15)
    how = "median of 15 starts of a process"
    return {
        "cli_startup": Figure(helped, "s", "none given", f"`orgctl --help`; {how}"),
        "cli_startup_python_alone": Figure(bare, "s", "—", f"`python -c pass`; {how}"),
    }


def measure_manifest() -> dict[str, Figure]:
    from config.load import load_manifest
    from tests.bench.organizations import write_manifest

    with TemporaryDirectory() as folder:
        path = write_manifest(Path(folder), accounts=1000, units=50, policies=60)
        seconds = best(lambda: load_manifest(path), 5)
    how = "median of 5: read, check and position a manifest of 1,000 accounts, 50 units, 60 policies"
    return {"load_manifest_1000_accounts": Figure(seconds, "s", "none given", how)}


def measure_plan() -> dict[str, Figure]:
    from org.model import ObservedOrganization
    from org.plan.build import plan_changes
    from org.quotas import load_quotas
    from tests.bench.organizations import as_observed, large_organization

    wanted = large_organization(accounts=1000, units=50, policies=60, regions=2)
    there = as_observed(wanted)
    quotas = load_quotas()
    nothing = ObservedOrganization(caller_account=there.caller_account)
    assert plan_changes(wanted, there, quotas).steps == ()
    size = "1,000 accounts, 50 units, 60 policies, 3 StackSets × 2 Regions"
    return {
        "plan_1000_accounts": Figure(
            best(lambda: plan_changes(wanted, there, quotas), 5), "s", "none given", f"median of 5, no changes: {size}"
        ),
        "plan_1000_accounts_from_nothing": Figure(
            best(lambda: plan_changes(wanted, nothing, quotas), 5), "s", "none given", f"median of 5, all new: {size}"
        ),
    }


def measure_synth() -> dict[str, Figure]:
    from cli.demo import example_manifest
    from config.load import load_manifest
    from stacksets.desired import render_desired
    from stacksets.synth import synth

    desired = render_desired(load_manifest(example_manifest()))
    with TemporaryDirectory() as folder:
        seconds = best(lambda: synth(desired, Path(folder) / "out"), 5)
    how = "median of 5: every template and policy of the company example, written to files"
    return {"synth_all": Figure(seconds, "s", "none given", how)}


def measure_bootstrap() -> dict[str, Figure]:
    """Run in a process of its own, so that the peak of memory is that of the run."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bootstrap"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    said = json.loads(done.stdout)
    how = (
        "one run from nothing: 200 accounts, 20 units, 10 policies, 1 StackSet × 2 Regions, the sandbox in the same "
        "process; time in the emulator is moto with our shims, less what waits for its lock"
    )
    name = "bootstrap_200_accounts_2_regions"
    return {
        name: Figure(said["seconds"], "s", "none given", how),
        f"{name}_share_in_emulator": Figure(said["emulator"] / said["seconds"] * 100, "%", "—", how),
        f"{name}_peak_memory": Figure(said["peak_mib"], "MiB", "—", how),
        f"{name}_planned_again": Figure(said["again"], "s", "—", "observe and plan once more: no changes"),
    }


if __name__ == "__main__":
    main()
