"""`orgctl build`: the zips that Lambda runs, the same bytes for the same source and lock."""

from __future__ import annotations

import json
from pathlib import Path

from cli.new_files import write_new
from cli.render.console import busy, results
from cli.settings import Settings
from org.errors import OrgctlError


def build_all(settings: Settings, out: Path) -> None:
    """Write code.zip and layer.zip, over earlier ones; OrgctlError where the layer's packages cannot be had."""
    from stacksets.bundle import build_bundle
    from stacksets.layer import build_layer

    code = build_bundle()
    with busy("building the layer"):
        layer = build_layer()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OrgctlError(str(out), f"cannot be made: {error.strerror}", "name another folder") from error
    built = (
        ("code.zip", "modules", code.content, code.key, code.unpacked, code.modules),
        ("layer.zip", "packages", layer.content, layer.key, layer.unpacked, layer.packages),
    )
    for name, _, content, *_ in built:
        write_new(out / name, content, force=True)
    if settings.is_json:
        told = [
            {"file": str(out / name), "key": key, "bytes": len(content), "unpacked": unpacked, kind: [*parts]}
            for name, kind, content, key, unpacked, parts in built
        ]
        results().print(json.dumps(told, indent=2))
        return
    for name, kind, content, key, unpacked, parts in built:
        size = f"{len(content):,} bytes, {unpacked:,} unpacked"
        results().print(f"{out / name}: {size}, {len(parts)} {kind}, {key}")
