"""The commands of orgctl. What a command needs is imported when it runs, so that `--help` answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from cli.guardrails_app import guardrails_app
from cli.lineage_app import lineage_app
from cli.settings import GLOBAL_OPTIONS as _GLOBAL
from cli.settings import Format, Settings, hoist_global_options


class GlobalsAnywhere(TyperGroup):
    """Takes the global options wherever they stand on the line."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        return super().parse_args(ctx, hoist_global_options(args))


app = typer.Typer(
    name="orgctl",
    cls=GlobalsAnywhere,
    help="Bring an AWS Organization from a manifest to a governed state.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 clean · 1 failed · 2 usage · 3 findings or pending changes.",
)
sandbox_app = typer.Typer(
    name="sandbox", help="Run an emulated AWS on this machine, without any AWS account.", no_args_is_help=True
)
app.add_typer(guardrails_app)
app.add_typer(lineage_app)
app.add_typer(sandbox_app)


def _version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"orgctl {version('orgctl')}")
        raise typer.Exit


@app.callback()
def _globals(
    ctx: typer.Context,
    manifest: Annotated[Path, typer.Option("--manifest", "-m", help="The manifest.", envvar="ORGCTL_MANIFEST")] = Path(
        "organization.yaml"
    ),
    format: Annotated[Format, typer.Option("--format", help="How results are written to stdout.")] = Format.TABLE,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Talk to the sandbox and never to AWS.", envvar="ORGCTL_SANDBOX")
    ] = False,
    profile: Annotated[str, typer.Option("--profile", help="AWS profile; AWS's own default else.")] = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the whole plan and each step as it begins, on stderr.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback has answered by now
        bool, typer.Option("--version", callback=lambda value: _version(wanted=value), is_eager=True)
    ] = False,
) -> None:
    if format is Format.SARIF and ctx.invoked_subcommand != guardrails_app.info.name:
        raise typer.BadParameter("sarif is for orgctl guardrails lint alone", ctx, param_hint="--format")
    ctx.obj = Settings(manifest, format, sandbox, profile, verbose)


@app.command(epilog=_GLOBAL)
def init(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Write over a manifest that is there.")] = False,
) -> None:
    """Write a commented manifest to start from."""
    from cli.manifest_commands import write_manifest

    write_manifest(ctx.obj, force=force)


@app.command(epilog=_GLOBAL)
def validate(ctx: typer.Context) -> None:
    """Check the manifest, its policies and its templates, without any call to AWS."""
    from cli.manifest_commands import validate_manifest

    raise typer.Exit(validate_manifest(ctx.obj))


@app.command(epilog=_GLOBAL)
def schema(ctx: typer.Context) -> None:
    """Print the JSON Schema of the manifest, for editors."""
    from cli.manifest_commands import print_schema

    print_schema(ctx.obj)


@app.command(epilog=_GLOBAL)
def synth(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")] = Path("build/synth"),
) -> None:
    """Write every template and policy that would be deployed, for readers and linters."""
    from cli.manifest_commands import synthesize

    raise typer.Exit(synthesize(ctx.obj, out))


@app.command(epilog=_GLOBAL)
def build(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the zips go.")] = Path("build/lambda"),
) -> None:
    """Build what the Lambda functions run: a zip of orgctl's own code, and a layer of the packages that it imports."""
    from cli.build import build_all

    build_all(ctx.obj, out)


@app.command(epilog=_GLOBAL)
def plan(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Save the plan, for bootstrap --plan.")] = None,
) -> None:
    """Show all that bootstrap would do. Exits with 3 if there is anything."""
    from cli.rollout import show_plan

    raise typer.Exit(show_plan(ctx.obj, out))


@app.command(epilog=_GLOBAL)
def bootstrap(
    ctx: typer.Context,
    plan_file: Annotated[Path | None, typer.Option("--plan", help="Apply exactly this saved plan.")] = None,
    allow_destroy: Annotated[
        bool, typer.Option("--allow-destroy", help="Also do what the plan marks as destructive.")
    ] = False,
    accept_unknown: Annotated[
        bool,
        typer.Option("--accept-unknown", help="Go on where a lockout can be neither proved nor ruled out; recorded."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    journal: Annotated[
        Path | None, typer.Option("--journal", help="Where the run is recorded; a file of its own else.")
    ] = None,
) -> None:
    """Make the organization what the manifest says. Run again, it completes what was left."""
    from cli.rollout import run_bootstrap

    raise typer.Exit(
        run_bootstrap(ctx.obj, plan_file, journal, allow_destroy=allow_destroy, yes=yes, accept_unknown=accept_unknown)
    )


@app.command(epilog=_GLOBAL)
def show(
    ctx: typer.Context,
    region: Annotated[str, typer.Option("--region", help="Where the StackSets live; the manifest says it else.")] = "",
) -> None:
    """Show the live organization as a tree. Needs no manifest if --region is given."""
    from cli.rollout import show_organization

    show_organization(ctx.obj, region)


@app.command(epilog=_GLOBAL)
def demo(
    ctx: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the sandbox running.")] = False,
) -> None:
    """Take an example company from nothing to governed, in the sandbox."""
    from cli.demo import run_demo

    raise typer.Exit(run_demo(ctx.obj, keep=keep))


@sandbox_app.command(epilog=_GLOBAL)
def start(
    ctx: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Loopback port; any free one else.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same ids.")] = 42,
) -> None:
    """Start the sandbox in the background."""
    from cli.sandbox_commands import start as run

    run(ctx.obj, port=port, seed=seed)


@sandbox_app.command(epilog=_GLOBAL)
def stop(ctx: typer.Context) -> None:
    """Stop it; what was in it is gone."""
    from cli.sandbox_commands import stop as run

    run(ctx.obj)


@sandbox_app.command(epilog=_GLOBAL)
def status(ctx: typer.Context) -> None:
    """Say whether it runs, and where. Exits with 3 if it does not."""
    from cli.sandbox_commands import status as run

    raise typer.Exit(run(ctx.obj))


@sandbox_app.command(epilog=_GLOBAL)
def reset(ctx: typer.Context) -> None:
    """Empty it: as if just started."""
    from cli.sandbox_commands import reset as run

    run(ctx.obj)


@sandbox_app.command(epilog=_GLOBAL)
def env(
    ctx: typer.Context,
    region: Annotated[str, typer.Option("--region", help="The Region that SDKs use without being told.")] = "us-east-1",
) -> None:
    """Print the environment that points any AWS SDK or the aws CLI to it: eval "$(orgctl sandbox env)"."""
    from cli.sandbox_commands import env as run

    run(ctx.obj, region)


@sandbox_app.command(name="run-schedules", epilog=_GLOBAL)
def run_schedules(
    ctx: typer.Context,
    rule: Annotated[str, typer.Argument(help="The name or ARN of one EventBridge rule; all else.")] = "",
) -> None:
    """Run the EventBridge rules that have a schedule now: the sandbox has no clock."""
    from cli.sandbox_commands import run_schedules as run

    run(ctx.obj, rule)


@sandbox_app.command(epilog=_GLOBAL)
def sent(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(help="Only those whose subject has this.")] = "",
) -> None:
    """Show the mails, texts and requests that SNS would have sent; the sandbox keeps them."""
    from cli.sandbox_commands import sent as run

    run(ctx.obj, subject)


@sandbox_app.command("finding-action", epilog=_GLOBAL)
def finding_action(
    ctx: typer.Context,
    action: Annotated[str, typer.Argument(help="The custom action: its id, or its ARN.", show_default=False)],
    finding: Annotated[list[str], typer.Argument(help="Ids of Security Hub findings.", show_default=False)],
) -> None:
    """Send findings to a custom action of Security Hub, as its console does."""
    from cli.sandbox_commands import act_on_findings as run

    run(ctx.obj, action, finding)


@sandbox_app.command(epilog=_GLOBAL)
def play(
    ctx: typer.Context,
    scenario: Annotated[
        str,
        typer.Argument(
            help="golden, share, launch, derive, launder, tamper, deny, duplicate, disorder; life is all of them."
        ),
    ],
) -> None:
    """Play a part of a machine image's life in the accounts of the manifest, for the lineage graph to tell of."""
    from cli.sandbox_commands import play as run

    run(ctx.obj, scenario)
