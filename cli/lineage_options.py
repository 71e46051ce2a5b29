"""The options that the commands of `orgctl lineage` share; nothing of lineage itself is imported for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer


def milliseconds(said: str) -> int:
    """Read a time in ISO 8601 as milliseconds since 1970; typer.BadParameter for what is none."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise typer.BadParameter(
            f"{said!r} is no time; write it as 2026-11-26T02:36:38Z or 2026-11-26", param_hint="--at"
        ) from error
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return round(since.total_seconds() * 1000)


ID = Annotated[
    str, typer.Argument(help="ami-…, snap-…, vol-…, i-… or lt-…:3, eu-central-1/ami-…, or a whole key.", metavar="ID")
]
GRAPH = Annotated[
    str,
    typer.Option(
        "--graph",
        metavar="URL",
        envvar="ORGCTL_LINEAGE_GRAPH",
        help="sqlite:///path, or wss://host:8182/gremlin; with --sandbox its own else.",
    ),
]
API = Annotated[
    str,
    typer.Option(
        "--api",
        metavar="URL",
        envvar="ORGCTL_LINEAGE_API",
        help="Ask the deployed API in place of a graph: https://…execute-api…/<stage>.",
    ),
]
REGION = Annotated[str, typer.Option("--region", help="In which Region the id is; it is looked for in all else.")]
AT = Annotated[
    int | None,
    typer.Option("--at", metavar="TIME", parser=milliseconds, help="As it was then: ISO 8601, UTC unless it says so."),
]
DEPTH = Annotated[int, typer.Option("--depth", min=1, max=100, help="Hops to go at most.")]
SIZE = Annotated[int, typer.Option("--size", min=1, max=100_000, help="Things to read at most.")]
LIVE = Annotated[
    bool, typer.Option("--live", help="Ask AWS Organizations which accounts there are; the manifest tells it else.")
]
STRICT = Annotated[bool, typer.Option("--strict", help="Exit with 3 if the answer is incomplete.")]
