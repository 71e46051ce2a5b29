"""Runs iam-simulate in a process of its own, from a folder under `build/` into which npm puts it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = "@cloud-copilot/iam-simulate"
VERSION = "0.1.173"
DRIVER = Path(__file__).with_name("iam_simulate.mjs")


class PeerMissing(Exception):
    """It cannot be had here; the message says why."""


def install(folder: Path = ROOT / "build" / "peer") -> Path:
    """Answer a folder that has the package; raises PeerMissing where npm or the registry is out of reach."""
    if not (shutil.which("npm") and shutil.which("node")):
        raise PeerMissing("node and npm are not installed")
    there = folder / "node_modules" / PACKAGE / "package.json"
    if there.exists() and json.loads(there.read_text())["version"] == VERSION:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    words = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", f"{PACKAGE}@{VERSION}"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerMissing(f"npm cannot install {PACKAGE}: {done.stderr.strip()[-300:]}")
    return folder


def answers(simulations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask for each simulation: `verdict`, what it `ignored`, or `error`."""
    return [json.loads(line) for line in _run(simulations, "answer").splitlines()]


def rate(simulations: Sequence[dict[str, Any]], seconds: float) -> float:
    """Answer how many simulations it does in a second, when warm."""
    return float(_run(simulations, "rate", str(seconds)))


def _run(simulations: Sequence[dict[str, Any]], how: str, *more: str) -> str:
    folder = install()
    asked = folder / f"{how}.jsonl"
    asked.write_text("\n".join(json.dumps(simulation) for simulation in simulations), encoding="utf-8")
    words = ["node", str(DRIVER), how, str(asked), *more]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"iam-simulate broke: {done.stderr.strip()[-2000:]}")
    return done.stdout
