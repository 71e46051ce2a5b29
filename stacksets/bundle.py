"""The zip of our own code that the functions run: the same source gives the same bytes.

Only what a function's module imports, directly or not, goes in. What is not ours (boto3 and the rest) is in the layer
(`stacksets.layer`); the sandbox runs functions beside its own packages.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stacksets import functions as table
from stacksets.deterministic_zip import write_zip

OWN = ("config", "handlers", "org")
"""The packages that a function may be made of."""
FUNCTIONS = tuple(row.module for row in table.FUNCTIONS)


@dataclass(frozen=True, slots=True)
class Bundle:
    content: bytes
    modules: tuple[str, ...]
    unpacked: int
    """Bytes."""

    @property
    def key(self) -> str:
        """By what it holds: another content has another key, so that CloudFormation sees a change."""
        return f"orgctl/{hashlib.sha256(self.content).hexdigest()[:32]}.zip"


def build_bundle(functions: Sequence[str] = FUNCTIONS) -> Bundle:
    """Put the modules that the functions need into a zip; reads the source that this process runs."""
    sources = dict(sorted(_closure(functions)))
    files = {_place(module, path): path.read_bytes() for module, path in sources.items()}
    return Bundle(write_zip(files), tuple(sources), sum(map(len, files.values())))


def _closure(functions: Sequence[str]) -> Iterator[tuple[str, Path]]:
    waiting, seen = list(functions), set[str]()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        path = _source(module)
        if path is None:
            continue
        yield module, path
        parent = module.rpartition(".")[0]
        if parent:
            waiting.append(parent)
        waiting += _imports(path)


def _source(module: str) -> Path | None:
    """Answer the file of a module of ours; None for what an import names within one."""
    if module.partition(".")[0] not in OWN:
        return None
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def _imports(path: Path) -> Iterator[str]:
    """Answer what a module imports, also within functions and for types alone: too much is no harm, too little is."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _place(module: str, path: Path) -> str:
    inner = module.replace(".", "/")
    return f"{inner}/__init__.py" if path.name == "__init__.py" else f"{inner}.py"
