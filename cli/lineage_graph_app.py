"""The commands of `orgctl lineage` on the whole graph. What a command needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.lineage_options import API, GRAPH, LIVE, SIZE, STRICT
from cli.settings import GLOBAL_OPTIONS as _GLOBAL

graph_app = typer.Typer()
KINDS = (
    "image",
    "snapshot",
    "volume",
    "instance",
    "launch-template",
    "parameter",
    "auto-scaling-group",
    "launch-configuration",
    "fleet",
    "object",
    "external",
    "recipe",
    "consumer",
    "watermark",
    "account",
    "principal",
    "coverage",
)
"""The values of `handlers.lineage.model.Kind`."""
_FORCE = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


@graph_app.command(epilog=_GLOBAL)
def search(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option("--kind", help=f"One of {', '.join(KINDS)}.")] = "image",
    name: Annotated[str, typer.Option("--name", help="A part of its name; the case counts.")] = "",
    account: Annotated[str, typer.Option("--account", help="Its owner, by id, by name, or as an alias of AWS.")] = "",
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", metavar="NAME=VALUE", help="An attribute, as state=available or tag:Team=web; again for another."
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="Things on a page.")] = 100,
    cursor: Annotated[str | None, typer.Option("--cursor", help="What the page before ended with.")] = None,
    graph: GRAPH = "",
    api: API = "",
    region: Annotated[str, typer.Option("--region", help="In this Region alone.")] = "",
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Find things by what holds of them now, page after page."""
    from cli.lineage_asked import Asked
    from cli.lineage_lists import search_things

    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r} is not one of {', '.join(KINDS)}", ctx, param_hint="--kind")
    asked = Asked(ctx.obj, graph, region, live=live, strict=strict, api=api)
    raise typer.Exit(search_things(asked, kind, account, name, where or [], limit=limit, cursor=cursor))


@graph_app.command(epilog=_GLOBAL)
def coverage(
    ctx: typer.Context,
    silence: Annotated[
        int | None,
        typer.Option("--silence", metavar="HOURS", min=1, help="A place not heard from for longer is silent."),
    ] = None,
    examine: Annotated[
        int, typer.Option("--examine", min=1, max=1_000_000, help="At how many things to look for mere names.")
    ] = 100_000,
    graph: GRAPH = "",
    api: API = "",
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Show from where events are heard, how fresh they are, and what was not understood."""
    from cli.lineage_asked import Asked
    from cli.lineage_lists import show_coverage

    raise typer.Exit(show_coverage(Asked(ctx.obj, graph, live=live, strict=strict, api=api), silence, examine))


@graph_app.command(epilog=_GLOBAL)
def contradictions(
    ctx: typer.Context,
    after: Annotated[str, typer.Option("--after", metavar="KEY", help="Go on after this, where it ended before.")] = "",
    size: SIZE = 100_000,
    graph: GRAPH = "",
    api: API = "",
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Show where events and AWS's own answers contradict each other. Exits with 3 if they do."""
    from cli.lineage_asked import Asked
    from cli.lineage_lists import show_contradictions

    raise typer.Exit(show_contradictions(Asked(ctx.obj, graph, size=size, live=live, strict=strict, api=api), after))


@graph_app.command(epilog=_GLOBAL)
def digest(ctx: typer.Context, graph: GRAPH = "") -> None:
    """Print the graph hash: equal for the same events, in any order and on any engine."""
    from cli.lineage_asked import Asked
    from cli.lineage_upkeep import print_digest

    raise typer.Exit(print_digest(Asked(ctx.obj, graph)))


@graph_app.command(epilog=_GLOBAL)
def rebuild(
    ctx: typer.Context,
    archive: Annotated[
        str,
        typer.Option(
            "--archive",
            metavar="BUCKET",
            envvar="ORGCTL_LINEAGE_ARCHIVE",
            help="Where all events are kept; it is looked for in the manifest's lineage account else.",
        ),
    ] = "",
    compare: Annotated[
        str, typer.Option("--compare", metavar="URL", help="Another graph, whose hash must be the same.")
    ] = "",
    graph: GRAPH = "",
    region: Annotated[str, typer.Option("--region", help="The bucket's Region; the manifest's home Region else.")] = "",
) -> None:
    """Make the graph again from the archive. With --compare, exits with 3 if the other graph is not the same."""
    from cli.lineage_asked import Asked
    from cli.lineage_upkeep import rebuild_graph

    raise typer.Exit(rebuild_graph(Asked(ctx.obj, graph, region), archive, compare))


@graph_app.command(epilog=_GLOBAL)
def ingest(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="EventBridge events as JSON or JSON lines; - is stdin.")],
    graph: GRAPH = "",
) -> None:
    """Read events from files into a local graph, to look into them. Exits with 3 if one could not be read."""
    from cli.lineage_asked import Asked
    from cli.lineage_upkeep import ingest_files

    raise typer.Exit(ingest_files(Asked(ctx.obj, graph), files))


@graph_app.command(epilog=_GLOBAL)
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")],
    compress: Annotated[bool, typer.Option("--gzip", help="Compress the files.")] = False,
    graph: GRAPH = "",
) -> None:
    """Write the graph as files for the bulk loader of Amazon Neptune."""
    from cli.lineage_asked import Asked
    from cli.lineage_upkeep import export_graph

    raise typer.Exit(export_graph(Asked(ctx.obj, graph), out, compress=compress))


@graph_app.command(epilog=_GLOBAL)
def bundle(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="The zip to write.")],
    force: _FORCE = False,
) -> None:
    """Write the code of the Lambda functions as a zip: the same source gives the same bytes."""
    from cli.lineage_upkeep import write_bundle

    raise typer.Exit(write_bundle(ctx.obj, out, force=force))


@graph_app.command(epilog=_GLOBAL)
def deploy(
    ctx: typer.Context,
    graph_url: Annotated[
        str,
        typer.Option("--graph-url", help="The graph that functions use instead of the cluster; in the sandbox a file."),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Bring the lineage system to the lineage account: shows what it would make and change, asks, and does it."""
    from cli.lineage_deploy import run_deploy

    raise typer.Exit(run_deploy(ctx.obj, graph_url, yes=yes))
