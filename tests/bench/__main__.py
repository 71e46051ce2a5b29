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
    for measure in (
        measure_cli,
        measure_manifest,
        measure_plan,
        measure_synth,
        measure_evaluation,
        measure_differences,
        measure_proof,
        measure_parsing,
        measure_lineage,
        measure_compliance,
        measure_lineage_api,
        measure_reading,
        measure_cold_starts,
        work_out_prices,
        measure_bootstrap,
    ):
        found = measure()
        for name, figure in found.items():
            say(f"{name:<58} {figure.value:>12,.3f} {figure.unit:<4} target: {figure.target}")
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


def measure_evaluation() -> dict[str, Figure]:
    from tests.bench.evaluate import our_rate, requests, simulations
    from tests.differential.peer import PeerMissing, rate

    asked = requests()
    ours, verdicts = our_rate(asked)
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.items())
    how = f"one thread, 3 s over {len(asked):,} requests that differ in principal, resource and context ({told})"
    found = {"evaluate_runinstances_4_levels": Figure(ours, "/s", "≥ 50,000", how)}
    try:
        theirs = rate(list(simulations(asked)), seconds=5)
    except PeerMissing as missing:
        say(f"iam-simulate not measured: {missing}")
        return found
    how = "iam-simulate 0.1.173 on Node.js, a process of its own, 5 s over the same requests in the same run"
    found["evaluate_runinstances_4_levels_iam_simulate"] = Figure(theirs, "/s", "—", how)
    found["evaluate_runinstances_4_levels_ratio"] = Figure(ours / theirs, "×", "≥ 50", "the first over the second")
    return found


def measure_differences() -> dict[str, Figure]:
    from tests.differential.__main__ import compare
    from tests.differential.peer import PeerMissing

    cases = 12_000
    try:
        counted = compare(cases, first=1)
    except PeerMissing as missing:
        say(f"not compared with iam-simulate: {missing}")
        return {}
    explained = cases - counted["agree"] - counted["unexplained"]
    how = f"{cases:,} generated requests, all kinds of policies, one account and across two, seeds 1 to {cases:,}"
    return {
        "differential_agree": Figure(counted["agree"], "", "—", how),
        "differential_explained": Figure(explained, "", "—", "each by a rule in docs/policy-evaluation.md"),
        "differential_unexplained": Figure(counted["unexplained"], "", "0", how),
    }


def measure_proof() -> dict[str, Figure]:
    from tests.bench.proof import measure_denied_proof, measure_lockout_proof

    seconds, peak = measure_lockout_proof()
    denied, denied_peak = measure_denied_proof()
    how = "one run in a process of its own: 60 changed policies, 50 units, 10 principals × 200 calls × 2 Regions"
    return {
        "lockout_proof_1000_accounts": Figure(seconds, "s", "≤ 5", how),
        "lockout_proof_1000_accounts_peak_memory": Figure(peak, "MiB", "—", how),
        "lockout_proof_1000_accounts_all_denied": Figure(denied, "s", "≤ 5", "the same where every policy denies"),
        "lockout_proof_1000_accounts_all_denied_peak_memory": Figure(denied_peak, "MiB", "—", "the same"),
    }


def measure_parsing() -> dict[str, Figure]:
    from tests.bench.lineage_events import FREQUENT, measure_rate

    how = f"one thread, 3 s of its own time over one event of each of {len(FREQUENT)} kinds, decoded already"
    return {"lineage_parse_events": Figure(measure_rate(), "/s", "≥ 20,000", how)}


def measure_lineage() -> dict[str, Figure]:
    from tests.bench.lineage import MEASURES

    return {name: Figure(*row) for measure in MEASURES for name, row in measure(say).items()}


def measure_compliance() -> dict[str, Figure]:
    from tests.bench import compliance

    return {name: Figure(*row) for name, row in compliance.measure_compliance().items()}


def measure_lineage_api() -> dict[str, Figure]:
    from tests.bench.lineage_api import measure_api

    return {name: Figure(*row) for name, row in measure_api(say).items()}


def measure_reading() -> dict[str, Figure]:
    from tests.bench.reconciliation import measure_reconciliation

    return {name: Figure(*row) for name, row in measure_reconciliation(say).items()}


def measure_cold_starts() -> dict[str, Figure]:
    from tests.bench.functions import measure_functions

    return {name: Figure(*row) for name, row in measure_functions(say).items()}


def work_out_prices() -> dict[str, Figure]:
    from tests.bench.price import figures

    return {name: Figure(*row) for name, row in figures().items()}


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
