"""The layer: what functions import that is not ours, for Lambda's platform, by a lock with hashes.

pip downloads the wheels that `layer.lock` names, and nothing that has another hash; they are unpacked without being
run. The same lock gives the same bytes. Makes no AWS call; reaches the package index that pip is set up with.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from org.errors import OrgctlError
from stacksets.deterministic_zip import write_zip

LOCK = Path(__file__).with_name("layer.lock")
SERVICES = frozenset(
    {"autoscaling", "config", "ec2", "imagebuilder", "organizations", "s3", "secretsmanager", "securityhub"}
    | {"sns", "sqs", "ssm", "sts"}
)
"""Those of which functions make clients: the descriptions of all others are most of botocore's size."""
LARGEST = 250 * 1024 * 1024
"""Bytes of a function with its layers, unpacked.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
_DROPPED = frozenset({"__pycache__", "test", "tests"})
_DATA, _EXAMPLES = PurePosixPath("botocore/data"), PurePosixPath("boto3/examples")


@dataclass(frozen=True, slots=True)
class Platform:
    """For which wheels are taken: pip's words."""

    python: str
    tags: tuple[str, ...]

    def options(self) -> list[str]:
        tags = [part for tag in self.tags for part in ("--platform", tag)]
        return ["--only-binary=:all:", "--implementation", "cp", "--python-version", self.python, *tags]


LAMBDA = Platform("3.13", ("manylinux2014_aarch64",))


@dataclass(frozen=True, slots=True)
class Layer:
    content: bytes
    unpacked: int
    """Bytes."""
    packages: tuple[str, ...]
    """`boto3 1.44.5`."""

    @property
    def key(self) -> str:
        """By what it holds: another content has another key."""
        return f"orgctl/layer-{hashlib.sha256(self.content).hexdigest()[:32]}.zip"


def build_layer(platform: Platform = LAMBDA, lock: Path = LOCK) -> Layer:
    """Download, unpack and prune; OrgctlError where the index cannot be reached, or gives other files."""
    with tempfile.TemporaryDirectory(prefix="orgctl-layer-") as folder:
        wheels = download(lock, Path(folder), platform)
        files = dict(sorted(_files(wheels)))
    content = write_zip({f"python/{name}": data for name, data in files.items()})
    unpacked = sum(map(len, files.values()))
    if unpacked > LARGEST:
        what = f"the layer has {unpacked:,} bytes unpacked; Lambda takes {LARGEST:,} with the code"
        raise OrgctlError(str(lock), what, "import less in the functions")
    return Layer(content, unpacked, tuple(sorted(map(_package, wheels))))


def download(lock: Path, folder: Path, platform: Platform) -> tuple[Path, ...]:
    """Have pip put the wheels of a lock into a folder, each checked against its hash."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", *platform.options(), "--dest", str(folder), "--requirement", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - what we wrote
    if done.returncode:
        raise OrgctlError(lock.name, f"pip could not get the packages: {_reason(done.stderr)}", _todo(done.stderr))
    return tuple(sorted(folder.glob("*.whl")))


def _reason(said: str) -> str:
    if "connection broken" in said:
        return "there is no connection to the package index"
    if nothing := re.search(r"requirement (\S+) \(from versions: none\)", said):
        # pip says the same whether it cannot reach the index or the index has nothing of that name.
        return f"the package index cannot be reached, or has no {nothing[1]}"
    errors = [line.removeprefix("ERROR: ").strip() for line in said.splitlines() if line.startswith("ERROR: ")]
    return (errors or said.strip().splitlines() or ["it gives no reason"])[-1].rstrip(".")


def _todo(said: str) -> str:
    if "No module named pip" in said:
        return "install orgctl where pip is: a virtual environment of python -m venv has it"
    if "HASH" in said.upper():
        return "do not use it: the index gives other files than those that were locked"
    return "see that pip reaches a package index from here"


def _files(wheels: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                place = _place(PurePosixPath(name))
                if place is not None and not name.endswith("/"):
                    yield str(place), archive.read(name)


def _place(path: PurePosixPath) -> PurePosixPath | None:
    """Answer where a wheel's file goes; None for what no function needs.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    first, *rest = path.parts
    if first.endswith(".data"):
        if not rest or rest[0] not in {"purelib", "platlib"}:
            return None
        path = PurePosixPath(*rest[1:])
    if _DROPPED & set(path.parts[:-1]) or path.suffix in {".pyc", ".pyi"}:
        return None
    if path.is_relative_to(_EXAMPLES):
        return None
    if path.is_relative_to(_DATA) and len(path.parts) > 3 and path.parts[2] not in SERVICES:
        return None
    return path


def _package(wheel: Path) -> str:
    name, version, *_ = wheel.name.split("-")
    return f"{name.replace('_', '-')} {version}"


def requirements(lock: Path = LOCK) -> Mapping[str, str]:
    """Answer the versions that a lock names, by package."""
    lines = (line.split(" ", 1)[0] for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line)
    return dict(line.split("==", 1) for line in lines)
