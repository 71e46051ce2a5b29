"""The commands that compare the manifest with the live organization, and bring the one to the other."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from cli.lockouts import prove_plan, record_accepted, refuse_lockouts
from cli.plan_file import dump_plan, load_plan, save_plan
from cli.render.console import busy, results, talk
from cli.render.organization_tree import organization_json, print_organization
from cli.render.plan_tree import show_plan as print_plan
from cli.render.plan_tree import summary
from cli.render.progress import RunProgress
from cli.render.proof import show_proof
from cli.settings import Settings, checked_region, connect_to, load_desired, pace_of, state_directory
from org.apply.execute import Executor
from org.apply.journal import FileJournal
from org.apply.outcome import Done, Failed, Outcome, Skipped
from org.apply.run import apply_plan
from org.errors import OrgctlError
from org.gateway.aws import Aws
from org.interest import Interest, interest_of
from org.observe import observe_organization
from org.plan.build import plan_changes
from org.plan.model import Plan
from org.plan.moved import find_movements
from org.proof.model import Proof
from org.quotas import load_quotas

CLEAN, FAILED, PENDING, INTERRUPTED = 0, 1, 3, 130


def show_plan(settings: Settings, out: Path | None) -> int:
    """Print the plan, and save it where asked; answer 3 if there is something to do, 1 if not all could be read."""
    plan, _ = _plan(settings)
    proof = prove_plan(plan)
    if out:
        save_plan(plan, out, proof)
        talk().print(f"saved to {out}; apply it with: orgctl bootstrap --plan {out}")
    if settings.is_json:
        sys.stdout.write(dump_plan(plan, proof))
    else:
        print_plan(plan, results())
        show_proof(proof, results())
    if plan.observed.unread:
        talk().print(f"{len(plan.observed.unread)} parts could not be read: the plan takes nothing away")
        return FAILED
    if proof.findings:
        return FAILED
    return PENDING if plan.steps else CLEAN


def run_bootstrap(
    settings: Settings,
    plan_file: Path | None,
    journal: Path | None,
    *,
    allow_destroy: bool,
    yes: bool,
    accept_unknown: bool = False,
) -> int:
    """Apply a saved plan, or plan and apply; answer 0 only where all is done and all could be read."""
    plan, aws = _saved_plan(settings, plan_file) if plan_file else _plan(settings)
    if not settings.is_json and (settings.verbose or not yes):
        print_plan(plan, talk())
    elif not settings.is_json:
        talk().print(summary(plan))
    _refuse_over_quota(plan)
    proof = prove_plan(plan)
    protected = frozenset(principal.name for principal in plan.protected_principals)
    refuse_lockouts(proof, protected, accept_unknown=accept_unknown)
    if plan.destructive and not allow_destroy:
        first = plan.destructive[0].change.describe()
        raise OrgctlError(
            "bootstrap",
            f"the plan holds {len(plan.destructive)} destructive changes ({first}, …); nothing was done",
            "pass --allow-destroy if they are meant",
        )
    if plan.steps and not yes and not _confirmed(plan):
        talk().print("nothing was done")
        return FAILED
    outcomes = _apply(settings, plan, aws, journal or _journal_path(), proof) if plan.steps else ()
    return _conclude(settings, plan, outcomes)


def show_organization(settings: Settings, region: str) -> None:
    """Print the live organization, deployed StackSets included."""
    aws = connect_to(settings, checked_region(region) if region else load_desired(settings)[1].home_region)
    interest = Interest(stacksets=aws.stacksets.list_service_managed())
    with busy("reading the live organization"):
        observed = observe_organization(aws, interest)
    if not observed.id:
        raise OrgctlError(f"account {observed.caller_account}", "in no organization", "run orgctl bootstrap")
    if settings.is_json:
        results().print(json.dumps(organization_json(observed), indent=2, ensure_ascii=False))
    else:
        print_organization(observed, results())


def _plan(settings: Settings) -> tuple[Plan, Aws]:
    loaded, desired = load_desired(settings)
    aws = connect_to(settings, desired.home_region)
    with busy("reading the live organization"):
        observed = observe_organization(aws, interest_of(desired))
    return plan_changes(desired, observed, load_quotas(), _CreateOnly(), loaded.digest), aws


class _CreateOnly(Mapping[str, frozenset[str]]):
    """Looks a resource type up when it is asked for: the schemas come with cfn-lint, whose import takes its time."""

    def __getitem__(self, type: str) -> frozenset[str]:
        from stacksets.replacement import create_only_properties

        return create_only_properties([type])[type]

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _saved_plan(settings: Settings, path: Path) -> tuple[Plan, Aws]:
    """Read a plan and make sure that it was made for the organization as it is now."""
    plan = load_plan(path)
    aws = connect_to(settings, plan.home_region)
    with busy("reading the live organization"):
        movements = find_movements(plan.observed, observe_organization(aws, plan.interest))
    if movements:
        shown = "; ".join(movements[:5]) + (f"; and {len(movements) - 5} more" if len(movements) > 5 else "")
        raise OrgctlError(str(path), f"the organization has moved since: {shown}", "plan again and review it")
    return plan, aws


def _refuse_over_quota(plan: Plan) -> None:
    over = [room for room in plan.headroom if room.used > room.limit and not room.adjustable]
    if over and plan.steps:
        told = "; ".join(f"{room.what} would be {room.used:,} of {room.limit:,}" for room in over)
        raise OrgctlError("bootstrap", f"AWS would refuse it half-way: {told}", "bring the manifest within the quotas")


def _confirmed(plan: Plan) -> bool:
    """Ask on a terminal; elsewhere nobody can answer, and --yes must say so."""
    if not sys.stdin.isatty():
        raise OrgctlError("bootstrap", "nobody can be asked to approve the plan here", "pass --yes")
    talk().print(f"{summary(plan)}. Apply it? Only 'yes' does.")
    return input("> ").strip() == "yes"


def _apply(settings: Settings, plan: Plan, aws: Aws, path: Path, proof: Proof) -> tuple[Outcome, ...]:
    with FileJournal(path, lambda: datetime.now(UTC)) as journal:
        talk().print(f"recorded in {path}")
        record_accepted(journal, proof)
        with RunProgress(talk(), len(plan.steps), quiet=settings.is_json, verbose=settings.verbose) as progress:
            executor = Executor(aws, dict(plan.ids), pace_of(settings), _new_id, on_wait=progress.waits)
            with _stopped_by_interrupt() as should_stop:
                return apply_plan(
                    plan,
                    executor,
                    journal,
                    load_quotas().organization,
                    on_start=progress.started,
                    on_outcome=progress.settled,
                    should_stop=should_stop,
                )


@contextmanager
def _stopped_by_interrupt() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C end the run in good order; the second one leaves at once, and AWS goes on with its part."""
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if stopped.is_set():
            os._exit(INTERRUPTED)  # threads that wait for AWS would keep the process
        stopped.set()
        talk().print("stopping: what is under way is finished, nothing else begun; Ctrl-C again leaves at once")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _conclude(settings: Settings, plan: Plan, outcomes: tuple[Outcome, ...]) -> int:
    """Say what was and what was not done."""
    done = [o for o in outcomes if isinstance(o, Done)]
    failed = [o for o in outcomes if isinstance(o, Failed)]
    skipped = [o for o in outcomes if isinstance(o, Skipped)]
    if settings.is_json:
        said = {
            "done": [{"step": o.step.id, "says": o.step.change.describe(), "notes": list(o.notes)} for o in done],
            "failed": [{"step": o.step.id, "says": o.step.change.describe(), "error": o.error} for o in failed],
            "skipped": [{"step": o.step.id, "says": o.step.change.describe(), "because": o.because} for o in skipped],
            "unread": [{"area": g.area, "subject": g.subject, "reason": g.reason} for g in plan.observed.unread],
        }
        sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    console = talk() if settings.is_json else results()
    for outcome in done:
        for note in outcome.notes:
            console.print(f"look at: {note}")
    if not outcomes:
        console.print(summary(plan))
    else:
        console.print(f"{len(done)} done, {len(failed)} failed, {len(skipped)} not tried")
    for failure in failed:
        console.print(f"failed: {failure.step.change.describe()}: {failure.error}")
    for left in skipped:
        console.print(f"not tried: {left.step.change.describe()}: {left.because}")
    if failed or skipped:
        console.print("run the same command again: it completes what is left")
    return FAILED if failed or skipped or plan.observed.unread else CLEAN


def _journal_path() -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return state_directory() / "runs" / f"{stamp}-{uuid4().hex[:8]}.jsonl"


def _new_id() -> str:
    return str(uuid4())
