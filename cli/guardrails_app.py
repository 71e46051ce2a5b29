"""The commands of `orgctl guardrails`. What a command needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.settings import GLOBAL_OPTIONS, Format, Settings

guardrails_app = typer.Typer(
    name="guardrails",
    help="Find out why AWS refused a call, what policies do to a request, and what is wrong with them.",
    no_args_is_help=True,
)
POLICY_KINDS = {
    "SERVICE_CONTROL_POLICY": "service control policy",
    "RESOURCE_CONTROL_POLICY": "resource control policy",
    "identity": "identity-based policy",
    "resource": "resource-based policy",
    "boundary": "permissions boundary",
    "session": "session policy",
    "trust": "role trust policy",
    "key": "KMS key policy",
    "endpoint": "VPC endpoint policy",
}
"""The words of --type, and the values of `org.policy.model.PolicyKind` that they mean."""
_CONTEXT = Annotated[
    list[str] | None,
    typer.Option("--context", "-c", metavar="KEY=VALUE", help="A condition key of the request; KEY= for an absent one; "
                 "again for another key, or another value of it."),
]  # fmt: skip
_OWNER = Annotated[
    str, typer.Option("--account", help="The resource's account, by id or name; what its ARN says, or the principal's.")
]


@guardrails_app.callback()
def _format(ctx: typer.Context) -> None:
    settings: Settings = ctx.obj
    if settings.format is Format.SARIF and ctx.invoked_subcommand != "lint":
        raise typer.BadParameter("sarif is for orgctl guardrails lint alone", ctx, param_hint="--format")


@guardrails_app.command(epilog=GLOBAL_OPTIONS)
def explain(
    ctx: typer.Context,
    message: Annotated[
        str, typer.Argument(help="AWS's message in quotes, or what it decodes to; - reads it from stdin.")
    ],
    context: _CONTEXT = None,
    account: _OWNER = "",
) -> None:
    """Find the policy behind an access-denied message: statement, attachment, and the smallest exemption, proved."""
    from cli.guardrail_explain import explain_message

    explain_message(ctx.obj, message, context or [], account)


@guardrails_app.command(epilog=GLOBAL_OPTIONS)
def simulate(
    ctx: typer.Context,
    principal: Annotated[
        str, typer.Option("--principal", help="Who asks: the ARN of a role, user or session; NAME may be its account.")
    ] = "",
    action: Annotated[str, typer.Option("--action", help="What for: ec2:RunInstances.")] = "",
    resource: Annotated[str, typer.Option("--resource", help="On what: an ARN; * stands for what is not known.")] = "*",
    context: _CONTEXT = None,
    region: Annotated[str, typer.Option("--region", help="To which Region the call goes.")] = "",
    account: _OWNER = "",
    assume_complete: Annotated[
        bool, typer.Option("--assume-complete", help="Take condition keys that are not given for absent.")
    ] = False,
    requests: Annotated[
        Path | None,
        typer.Option(
            "--requests", help="A YAML or JSON list of requests, each with what to expect of it; - reads it from stdin."
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Under the live organization's policies, not the manifest's.")
    ] = False,
    identity_policy: Annotated[
        Path | None, typer.Option("--identity-policy", help="The principal's policy; else it may do everything.")
    ] = None,
    boundary: Annotated[Path | None, typer.Option("--boundary", help="The principal's permissions boundary.")] = None,
    resource_policy: Annotated[
        Path | None, typer.Option("--resource-policy", help="The resource's policy, role trust policy or key policy.")
    ] = None,
) -> None:
    """Judge a request, or a file of them. Exits with 3 unless all are allowed, or are what they were expected to be."""
    from cli.guardrail_requests import Asked, PolicyFiles
    from cli.guardrail_simulation import simulate_requests

    if requests is not None and (principal or action):
        raise typer.BadParameter("it does not go together with --principal and --action", ctx, param_hint="--requests")
    if requests is not None and (resource != "*" or region or account or context or assume_complete):
        raise typer.BadParameter(
            "the file tells resource, region, account, context and assume_complete of each request",
            ctx,
            param_hint="--requests",
        )
    if requests is None and not (principal and action):
        raise typer.BadParameter(
            "a request needs both, unless --requests names a file", ctx, param_hint="--principal, --action"
        )
    asked = Asked(principal, action, resource, region, account, tuple(context or ()), assume_complete)
    files = PolicyFiles(identity_policy, boundary, resource_policy)
    raise typer.Exit(simulate_requests(ctx.obj, requests or asked, files, live=live))


@guardrails_app.command(epilog=GLOBAL_OPTIONS)
def lint(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Policies as JSON, - for stdin; without any, those of the manifest.")
    ] = None,
    type: Annotated[
        str, typer.Option("--type", help=f"Of the files: SERVICE_CONTROL_POLICY, or {', '.join([*POLICY_KINDS][1:])}.")
    ] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Notes are findings, too.")] = False,
) -> None:
    """Print what is wrong with policies, with file:line:column. Exits with 3 for an error or a warning."""
    from cli.guardrail_lint import lint_policies

    if type and not files:
        raise typer.BadParameter(
            "it says what files are; the manifest tells it of its policies", ctx, param_hint="--type"
        )
    if type and type not in POLICY_KINDS:
        raise typer.BadParameter(f"{type!r} is not one of {', '.join(POLICY_KINDS)}", ctx, param_hint="--type")
    raise typer.Exit(lint_policies(ctx.obj, files or [], POLICY_KINDS.get(type, ""), strict=strict))
