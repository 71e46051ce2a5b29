"""The questions of `orgctl lineage` to one thing. What a command needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.lineage_graph_app import graph_app
from cli.lineage_options import API, AT, DEPTH, GRAPH, ID, LIVE, REGION, SIZE, STRICT
from cli.settings import GLOBAL_OPTIONS as _GLOBAL

lineage_app = typer.Typer(
    name="lineage",
    help="Ask where machine images came from, what was made of them, and what runs on them.",
    no_args_is_help=True,
)
lineage_app.add_typer(graph_app)


@lineage_app.command(epilog=_GLOBAL)
def show(
    ctx: typer.Context,
    id: ID,
    graph: GRAPH = "",
    api: API = "",
    region: REGION = "",
    at: AT = None,
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Show what is known of one thing, with the evidence for each statement."""
    from cli.lineage_asked import Asked
    from cli.lineage_questions import show_thing as run

    raise typer.Exit(run(Asked(ctx.obj, graph, region, at, live=live, strict=strict, api=api), id))


@lineage_app.command(epilog=_GLOBAL)
def ancestors(
    ctx: typer.Context,
    id: ID,
    graph: GRAPH = "",
    api: API = "",
    region: REGION = "",
    at: AT = None,
    depth: DEPTH = 50,
    size: SIZE = 10_000,
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Show what a thing descends from, and how sure that is."""
    from cli.lineage_asked import Asked
    from cli.lineage_questions import show_ancestors as run

    raise typer.Exit(run(Asked(ctx.obj, graph, region, at, depth, size, live=live, strict=strict, api=api), id))


@lineage_app.command(epilog=_GLOBAL)
def descendants(
    ctx: typer.Context,
    id: ID,
    graph: GRAPH = "",
    api: API = "",
    region: REGION = "",
    at: AT = None,
    depth: DEPTH = 50,
    size: SIZE = 10_000,
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Show what came of a thing."""
    from cli.lineage_asked import Asked
    from cli.lineage_questions import show_descendants as run

    raise typer.Exit(run(Asked(ctx.obj, graph, region, at, depth, size, live=live, strict=strict, api=api), id))


@lineage_app.command(epilog=_GLOBAL)
def impact(
    ctx: typer.Context,
    id: ID,
    graph: GRAPH = "",
    api: API = "",
    region: REGION = "",
    at: AT = None,
    depth: DEPTH = 50,
    size: SIZE = 10_000,
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Show what a bad image touches: what runs it, what would start it again, who else can use it."""
    from cli.lineage_asked import Asked
    from cli.lineage_questions import show_impact as run

    raise typer.Exit(run(Asked(ctx.obj, graph, region, at, depth, size, live=live, strict=strict, api=api), id))


@lineage_app.command(epilog=_GLOBAL)
def frontiers(
    ctx: typer.Context,
    id: ID,
    fixed: Annotated[
        list[str] | None, typer.Option("--fixed", metavar="ID", help="Cannot be rebuilt; again for another.")
    ] = None,
    graph: GRAPH = "",
    api: API = "",
    region: REGION = "",
    at: AT = None,
    depth: DEPTH = 50,
    size: SIZE = 10_000,
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Show in which order to rebuild what came of a bad image, and the fewest images that mend all."""
    from cli.lineage_asked import Asked
    from cli.lineage_questions import show_frontiers as run

    raise typer.Exit(
        run(Asked(ctx.obj, graph, region, at, depth, size, live=live, strict=strict, api=api), id, fixed or [])
    )


@lineage_app.command(epilog=_GLOBAL)
def verify(
    ctx: typer.Context,
    id: ID,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            metavar="OWNER",
            help="Account id or alias whose images may be roots; the manifest tells it else.",
        ),
    ] = None,
    graph: GRAPH = "",
    api: API = "",
    region: REGION = "",
    at: AT = None,
    depth: DEPTH = 50,
    size: SIZE = 10_000,
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Judge whether descent is unbroken up to trusted images. Exits with 3 unless it is verified."""
    from cli.lineage_asked import Asked
    from cli.lineage_questions import verify_descent as run

    raise typer.Exit(
        run(Asked(ctx.obj, graph, region, at, depth, size, live=live, strict=strict, api=api), id, trust or [])
    )


@lineage_app.command(epilog=_GLOBAL)
def root(
    ctx: typer.Context,
    id: ID,
    graph: GRAPH = "",
    api: API = "",
    region: REGION = "",
    at: AT = None,
    depth: DEPTH = 50,
    size: SIZE = 10_000,
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Show what an instance boots, beside the image that AWS names for it."""
    from cli.lineage_asked import Asked
    from cli.lineage_questions import show_root as run

    raise typer.Exit(run(Asked(ctx.obj, graph, region, at, depth, size, live=live, strict=strict, api=api), id))


@lineage_app.command(epilog=_GLOBAL)
def evidence(
    ctx: typer.Context,
    id: ID,
    parent: Annotated[str, typer.Argument(help="What it came of, or uses, in the same forms.")] = "",
    attribute: Annotated[str, typer.Option("--attribute", help="Of this attribute of the thing itself.")] = "",
    graph: GRAPH = "",
    api: API = "",
    region: REGION = "",
    at: AT = None,
    live: LIVE = False,
) -> None:
    """Show every fact between a thing and its parent, or all that was ever said of an attribute."""
    from cli.lineage_asked import Asked
    from cli.lineage_questions import show_evidence

    if bool(parent) == bool(attribute):
        raise typer.BadParameter("give one of the two", ctx, param_hint="PARENT, --attribute")
    raise typer.Exit(show_evidence(Asked(ctx.obj, graph, region, at, live=live, api=api), id, parent, attribute))


@lineage_app.command(epilog=_GLOBAL)
def graph(
    ctx: typer.Context,
    id: ID,
    html: Annotated[Path, typer.Option("--html", metavar="FILE", help="The page to write.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    graph: GRAPH = "",
    region: REGION = "",
    at: AT = None,
    depth: DEPTH = 50,
    size: SIZE = 10_000,
    live: LIVE = False,
    strict: STRICT = False,
) -> None:
    """Draw what a thing descends from and what came of it, as one page that needs no network."""
    from cli.lineage_asked import Asked
    from cli.lineage_page import write_page

    asked = Asked(ctx.obj, graph, region, at, depth, size, live=live, strict=strict)
    raise typer.Exit(write_page(asked, id, html, force=force))
