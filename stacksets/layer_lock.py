"""Writes `layer.lock` from `layer.in`: every package that functions need, with the hash of each wheel.

For Lambda's platform, and for those on which the tests load the layer. Run as a module when a version changes.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from stacksets.layer import LAMBDA, LOCK, Platform

SOURCE = Path(__file__).with_name("layer.in")
MACHINES = tuple(
    Platform(python, (f"manylinux2014_{machine}",))
    for python in ("3.11", "3.12", "3.13")
    for machine in ("x86_64", "aarch64")
)
_HEAD = "# Written by python -m stacksets.layer_lock from layer.in.\n"


def write_lock() -> None:
    versions = _wheels(LAMBDA, SOURCE)
    hashes: dict[str, set[str]] = defaultdict(set)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        # The packages are those of Lambda's platform; of the others, the same versions.
        pinned.write("".join(f"{name}\n" for name in versions))
        pinned.flush()
        for platform in (LAMBDA, *MACHINES):
            for name, found in _wheels(platform, Path(pinned.name), "--no-deps").items():
                hashes[name] |= found
    lines = (" \\\n    ".join([name, *(f"--hash=sha256:{each}" for each in sorted(hashes[name]))]) for name in versions)
    LOCK.write_text(_HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def _wheels(platform: Platform, requirements: Path, *options: str) -> dict[str, set[str]]:
    """Answer the hashes of the wheels that pip takes, by `name==version`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", folder]
        command += [*platform.options(), *options, "--requirement", str(requirements)]
        subprocess.run(command, check=True)  # noqa: S603 - what we wrote
        found: dict[str, set[str]] = defaultdict(set)
        for wheel in sorted(Path(folder).glob("*.whl")):
            name, version, *_ = wheel.name.split("-")
            found[f"{name.replace('_', '-').lower()}=={version}"].add(hashlib.sha256(wheel.read_bytes()).hexdigest())
        return found


if __name__ == "__main__":
    write_lock()
