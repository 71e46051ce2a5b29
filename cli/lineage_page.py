"""`orgctl lineage graph`: the descent of a thing, both ways, as one page that loads nothing."""

from __future__ import annotations

from pathlib import Path

from cli.lineage_asked import Asked, known_besides, opened
from cli.lineage_ids import key_for
from cli.lineage_told import tell_json, words_for
from cli.new_files import write_new
from cli.render.console import talk
from cli.render.lineage import counted
from cli.render.lineage_drawing import picture_of
from cli.render.lineage_page import lineage_page
from handlers.lineage.queries.descent import ancestors, descendants


def write_page(asked: Asked, id: str, html: Path, *, force: bool) -> int:
    besides = known_besides(asked)
    with opened(asked) as graph:
        key = key_for(graph, id, asked.region)
        above = ancestors(graph, key, besides.scope, asked.bounds, asked.time)
        below = descendants(graph, key, besides.scope, asked.bounds, asked.time)
    picture = picture_of(above, below, words_for(asked, besides))
    write_new(html, lineage_page(picture).encode(), force=force)
    things, hops = len(picture.nodes), len(picture.edges)
    if asked.settings.is_json:
        tell_json({"complete": picture.complete, "file": str(html), "things": things, "hops": hops})
    else:
        lacks = "" if picture.complete else "; incomplete, and it says why"
        talk().print(f"wrote {html}: {counted(things, 'thing')}, {counted(hops, 'hop')}{lacks}")
    return asked.exit_code(complete=picture.complete)
