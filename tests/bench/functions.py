"""What Lambda loads: bytes of code and layer, and how long each function's module takes to import in a new process."""

from __future__ import annotations

import io
import json
import os
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
_PROGRAM = """
import sys
sys.path[:0] = {path!r}
import json, time
taken = []
def step(names):
    wall, processor = time.perf_counter(), time.process_time()
    for name in names:
        __import__(name)
    if "boto3" in names:
        sys.modules["boto3"].client("sts", region_name="eu-central-1")
    taken.append((time.process_time() - processor, time.perf_counter() - wall))
step([{module!r}])
step(["boto3"])
step(["handlers.lineage.gremlin.graph"])
print(json.dumps(taken))
"""


def measure_functions(say: Callable[[str], object]) -> dict[str, Row]:
    """Import each function from its code and the layer alone, on this machine; say so where there is no layer.

    Processor time is what the target is held against: it is the same however busy the machine is, as far as anything
    is. What a function imports when it first needs it is told apart.
    """
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
    clients, graphs = [], []
    with TemporaryDirectory() as folder:
        path = _unpack(Path(folder), code, here.content)
        for row in FUNCTIONS:
            loaded, client, graph = _seconds(path, row.module)
            how = f"import {row.module}, median of {_TIMES} new processes, nothing compiled before; load {_load()}"
            name = row.name.removeprefix("orgctl-lineage-").replace("-", "_")
            rows[f"import_{name}"] = (loaded[0], "s", "≤ 0.6", f"processor time; {how}")
            rows[f"import_{name}_wall"] = (loaded[1], "s", "≤ 0.6", f"by the clock; {how}")
            clients.append(client[0])
            graphs += [graph[0]] if row.in_network else []
    after = f"processor time after the import of a function, the worst of all; load {_load()}"
    rows["first_client"] = (max(clients), "s", "—", f"import boto3 and make the client of STS; {after}")
    rows["first_graph"] = (max(graphs), "s", "—", f"import what speaks to Neptune, after the client; {after}")
    return rows


def machine() -> str:
    return {"arm64": "aarch64"}.get(platform.machine(), platform.machine())


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def _unpack(folder: Path, code: Bundle, layer: bytes) -> list[str]:
    for name, content in (("code", code.content), ("layer", layer)):
        zipfile.ZipFile(io.BytesIO(content)).extractall(folder / name)
    return [str(folder / "code"), str(folder / "layer" / "python")]


def _seconds(path: list[str], module: str) -> list[tuple[float, float]]:
    """Answer the medians of (processor, clock) for each step; the first process, which fills caches, is not counted.

    `-B` writes nothing compiled, so that each process compiles anew, as Lambda does from a zip of sources.
    """
    command = [sys.executable, "-I", "-S", "-B", "-c", _PROGRAM.format(path=path, module=module)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(_TIMES + 1)
    ][1:]
    return [
        (statistics.median(run[step][0] for run in runs), statistics.median(run[step][1] for run in runs))
        for step in range(len(runs[0]))
    ]
