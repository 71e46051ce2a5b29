"""The manifest that `orgctl init` writes."""

import re
from pathlib import Path

import pytest

from config.load import LoadedManifest, load_manifest
from config.manifest import Manifest
from config.scaffold import scaffold_manifest


def load_text(folder: Path, text: str) -> LoadedManifest:
    path = folder / "organization.yaml"
    path.write_text(text, encoding="utf-8")
    return load_manifest(path)


def test_it_loads_without_findings(tmp_path: Path) -> None:
    manifest = load_text(tmp_path, scaffold_manifest()).manifest
    assert [account.name for account in manifest.accounts] == [
        "Management",
        "Log Archive",
        "Audit",
        "AMI Lineage",
        "Shop",
    ]


@pytest.mark.parametrize("section", sorted(Manifest.model_fields))
def test_it_shows_every_section(section: str) -> None:
    assert re.search(rf"^(# )?{section}:", scaffold_manifest(), re.MULTILINE)


def test_what_stands_in_comments_loads_once_it_is_uncommented(tmp_path: Path) -> None:
    """A comment of code begins with `# ` before a key or a list item; the explanations do not look like that."""
    code = re.compile(r"^(\s*)# (?=\s*(?:# )?(?:- )?\{?\w+:(?: |$))")
    lines = [code.sub(r"\1", code.sub(r"\1", line)) for line in scaffold_manifest().splitlines()]
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "tags.json").write_text(
        '{"tags": {"CostCenter": {"tag_value": {"@@assign": "${COST_CENTERS}"}}}}'
    )
    text = "\n".join(line for line in lines if not line.startswith("include:"))
    manifest = load_text(tmp_path, text).manifest
    assert manifest.organization.quarantine_unit == "Quarantine"
    assert manifest.stacksets[1].overrides
    assert manifest.delegated_administrators
    assert manifest.lineage.graph.engine == "sqlite"
