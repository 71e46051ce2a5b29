"""The example manifests: they load, render and lint clean, and the realistic one uses every feature."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from config.load import load_manifest
from config.manifest import Manifest, StackSetSpec
from config.scaffold import scaffold_manifest
from config.schema import SCHEMA_FILE
from config.yaml_source import compose
from org.model import WantedState
from org.source.nodes import plain
from stacksets.catalog import templates
from stacksets.desired import render_desired
from stacksets.guardrails.catalog import guardrails
from stacksets.lint import lint_desired
from stacksets.synth import synth

ROOT_FOLDER = Path(__file__).parents[2]
EXAMPLES = ROOT_FOLDER / "config" / "examples"
NAMES = ("minimal", "company")


def load(name: str):
    return load_manifest(EXAMPLES / name / "organization.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_example_names_the_schema_that_editors_check_it_with(name):
    first = (EXAMPLES / name / "organization.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../manifest.schema.json"
    assert (EXAMPLES / name / "../../manifest.schema.json").resolve().is_file()


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_example_would_deploy_passes_cfn_lint(name):
    assert lint_desired(render_desired(load(name))) == {}


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_example_would_deploy_is_written_by_synth(name, tmp_path):
    desired = render_desired(load(name))
    templates_written = [path for path in synth(desired, tmp_path) if "template" in path.name]
    assert len(templates_written) == len(desired.stacksets) + len(desired.policies)


def test_minimal_example_has_five_accounts():
    assert len(load("minimal").manifest.accounts) == 5


def test_company_has_about_25_accounts_on_four_levels():
    desired = render_desired(load("company"))
    assert len(desired.accounts) == 25
    assert max(unit.path.count("/") + 1 for unit in desired.units) == 4


def test_company_uses_every_key_of_the_manifest():
    manifest = load("company").manifest
    assert {name for name in Manifest.model_fields if not getattr(manifest, name)} == set()
    unused = {
        name
        for name, field in StackSetSpec.model_fields.items()
        if all(
            getattr(stackset, name) == field.get_default(call_default_factory=True) for stackset in manifest.stacksets
        )
    }
    # A filter on accounts switches it off by itself.
    assert unused == {"auto_deployment"}


def test_company_uses_every_kind_of_policy_text_and_every_built_in():
    manifest = load("company").manifest
    assert {policy.guardrail for policy in manifest.policies if policy.guardrail} == set(guardrails())
    named = {stackset.template for stackset in manifest.stacksets if stackset.template}
    assert named == set(templates())
    assert any(policy.file for policy in manifest.policies)
    assert any(policy.inline for policy in manifest.policies)
    assert len({policy.type for policy in manifest.policies}) >= 6
    assert any(account.state is WantedState.QUARANTINED for account in manifest.accounts)
    assert any(contact is None for account in manifest.accounts for contact in account.alternate_contacts.values())


def test_manifest_that_init_writes_renders_and_passes_cfn_lint(tmp_path):
    (tmp_path / "organization.yaml").write_text(scaffold_manifest())
    assert lint_desired(render_desired(load_manifest(tmp_path / "organization.yaml"))) == {}


SYNTH = """
import sys
from pathlib import Path
from config.load import load_manifest
from stacksets.desired import render_desired
from stacksets.synth import synth
for manifest in sys.argv[2:]:
    synth(render_desired(load_manifest(Path(manifest))), Path(sys.argv[1], Path(manifest).parent.name))
"""


def test_synth_writes_the_same_bytes_in_any_process(tmp_path):
    """With the seed of hashes the order of sets changes, and with it whatever is written in that order."""
    written = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [
            sys.executable,
            "-c",
            SYNTH,
            str(out),
            *(str(EXAMPLES / name / "organization.yaml") for name in NAMES),
        ]
        subprocess.run(command, check=True, cwd=ROOT_FOLDER, env={**os.environ, "PYTHONHASHSEED": seed})
        written.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()})
    assert written[0] == written[1] != {}


MANIFEST_FILES = [path for path in sorted(EXAMPLES.rglob("*.yaml")) if path.parent.name != "templates"]


@pytest.mark.parametrize("path", MANIFEST_FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_example_passes_the_committed_schema(path):
    value = json.loads(json.dumps(plain(compose(path.read_text(), str(path), []), [])))
    schema = json.loads(SCHEMA_FILE.read_text())
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(value)) == []
