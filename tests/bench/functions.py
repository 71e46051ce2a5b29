"""What Lambda loads: bytes of code and layer, and how long each function's module takes to import in a new process."""

from __future__ import annotations

import io
import platform
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from org.errors import OrgctlError
from stacksets.bundle import Bundle, build_bundle
from stacksets.functions import FUNCTIONS
from stacksets.layer import Platform, build_layer

Row = tuple[float, str, str, str]
"""Value, unit, target, how."""

_TIMES = 5
_IMPORT = "import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"


def measure_functions(say: Callable[[str], object]) -> dict[str, Row]:
    """Import each function from its code and the layer alone, on this machine; say so where there is no layer."""
    code = build_bundle()
    rows: dict[str, Row] = {
        "bundle_size": (len(code.content), "B", "—", f"build_bundle(): {len(code.modules)} modules of ours alone")
    }
    try:
        layer = build_layer()
        here = build_layer(Platform(".".join(platform.python_version_tuple()[:2]), (f"manylinux2014_{machine()}",)))
    except OrgctlError as error:
        say(f"no layer, and no time of imports from it: {error}")
        return rows
    rows["layer_size"] = (len(layer.content), "B", "—", f"build_layer(): {len(layer.packages)} packages, zipped")
    rows["layer_unpacked"] = (layer.unpacked, "B", "< 262144000", "Lambda's limit is for code and layers together")
    with TemporaryDirectory() as folder:
        path = _unpack(Path(folder), code, here.content)
        for row in FUNCTIONS:
            cold, warm = (_seconds(path, row.module, *options) for options in (("-B",), ()))
            how = f"import {row.module}, median of {_TIMES} new processes"
            name = row.name.removeprefix("orgctl-lineage-").replace("-", "_")
            rows[f"import_{name}"] = (cold, "s", "≤ 0.6", f"{how}; nothing compiled before, as on Lambda")
            rows[f"import_{name}_compiled"] = (warm, "s", "—", f"{how}; compiled before")
    return rows


def machine() -> str:
    return {"arm64": "aarch64"}.get(platform.machine(), platform.machine())


def _unpack(folder: Path, code: Bundle, layer: bytes) -> list[str]:
    for name, content in (("code", code.content), ("layer", layer)):
        zipfile.ZipFile(io.BytesIO(content)).extractall(folder / name)
    return [str(folder / "code"), str(folder / "layer" / "python")]


def _seconds(path: list[str], module: str, *options: str) -> float:
    """`-B` writes nothing compiled, so that each process compiles anew; else the first, which is not counted, does."""
    timed = f"import sys; sys.path[:0] = {path!r}; " + _IMPORT.format(module=module)
    taken = [
        float(
            subprocess.run(
                [sys.executable, "-I", "-S", *options, "-c", timed], check=True, capture_output=True, text=True
            ).stdout
        )
        for _ in range(_TIMES + 1)
    ]
    return statistics.median(taken[1:])
