"""Small manifests for tests: sections over a base that loads, and `▸` where a finding is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import LoadedManifest, load_manifest
from org.source.findings import SourceErrors

MARK = "▸"
BASE = {
    "version": "version: 1\n",
    "organization": (
        "organization:\n"
        "  home_region: eu-central-1\n"
        "  governed_regions: [eu-central-1, us-east-1]\n"
        "  management_account: Management\n"
        "  log_archive_account: Log Archive\n"
        "  audit_account: Audit\n"
        "  lineage_account: AMI Lineage\n"
    ),
    "units": "units: [{name: Security}, {name: Workloads, units: [{name: Prod}, {name: Dev}]}]\n",
    "accounts": (
        "accounts:\n"
        "  - {name: Management, email: management@example.com, unit: Root}\n"
        "  - {name: Log Archive, email: log-archive@example.com, unit: Security}\n"
        "  - {name: Audit, email: audit@example.com, unit: Security}\n"
        "  - {name: AMI Lineage, email: ami-lineage@example.com, unit: Security}\n"
        "  - {name: Shop, email: shop@example.com, unit: Workloads/Prod}\n"
    ),
}


def account(more: str) -> dict[str, str]:
    """A section in which one account more, an entry of the list in YAML, follows those of the base."""
    return {"accounts": BASE["accounts"] + f"  - {more}\n"}


def organization(**changed: str) -> dict[str, str]:
    """The organization's section with some values changed."""
    lines = BASE["organization"].splitlines()[1:]
    values = dict(line.strip().split(": ", 1) for line in lines) | changed
    return {"organization": "organization:\n" + "".join(f"  {key}: {value}\n" for key, value in values.items())}


def write_manifest(folder: Path, sections: dict[str, str], files: dict[str, str] | None = None) -> Path:
    """Write organization.yaml of the base with these sections, without marks, and further files beside it."""
    path = folder / "organization.yaml"
    for name, text in {path.name: "".join((BASE | sections).values()), **(files or {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace(MARK, ""), encoding="utf-8")
    return path


def load(folder: Path, sections: dict[str, str], files: dict[str, str] | None = None) -> LoadedManifest:
    return load_manifest(write_manifest(folder, sections, files))


def findings_of(path: Path) -> list[str]:
    """What is wrong with the manifest, each with its place below the manifest's folder."""
    with pytest.raises(SourceErrors) as caught:
        load_manifest(path)
    assert str(caught.value) == "\n".join(map(str, caught.value.findings))
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def refused(folder: Path, sections: dict[str, str], *messages: str, files: dict[str, str] | None = None) -> None:
    """Check that loading says exactly these messages, each at its mark, in the order of the files and marks."""
    path = write_manifest(folder, sections, files)
    texts = {path.name: "".join((BASE | sections).values()), **(files or {})}
    places = [place for name, text in texts.items() for place in _marked(name, text)]
    assert len(places) == len(messages), "each message needs a mark"
    expected = [f"{place}: {message}" for place, message in zip(places, messages, strict=True)]
    assert sorted(findings_of(path)) == sorted(expected)


def _marked(name: str, text: str) -> list[str]:
    places = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split(MARK)
        places += [f"{name}:{number}:{len(''.join(parts[:count])) + 1}" for count in range(1, len(parts))]
    return places
