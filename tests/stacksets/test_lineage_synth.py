"""The lineage account's stacks as files: the templates and parameters that `orgctl lineage deploy` would put."""

from __future__ import annotations

import json

import pytest

from config.load import load_manifest
from handlers.lineage.settings import Settings
from org.references import find_references, with_sample_ids
from stacksets.catalog import template_body
from stacksets.desired import render_desired
from stacksets.lineage_stacks import lineage_stacks
from stacksets.lineage_synth import render_lineage_files
from stacksets.lint import lint_desired
from stacksets.synth import synth
from tests.support.lineage_stacks import EXAMPLES

DEPLOYMENT = {"CallerAccountIds", "CodeBucket", "CodeKey", "LayerKey", "S3PrefixList"}


@pytest.fixture(scope="module")
def loaded():
    return load_manifest(EXAMPLES / "minimal" / "organization.yaml")


@pytest.fixture(scope="module")
def files(loaded):
    return render_lineage_files(loaded.manifest, render_desired(loaded))


def parameters(files, name):
    return json.loads(files[f"lineage/{name}/parameters.json"])


def test_each_stack_has_its_template_as_it_is_deployed(loaded, files):
    for stack in lineage_stacks(loaded.manifest):
        assert json.loads(files[f"lineage/{stack.name}/template.json"]) == json.loads(template_body(stack.template))
    assert len(files) == 2 * len(lineage_stacks(loaded.manifest))


def test_every_parameter_has_a_value_a_default_or_somebody_who_tells_it(loaded, files):
    told: dict[str, str] = {}
    for stack in lineage_stacks(loaded.manifest):
        declared = json.loads(files[f"lineage/{stack.name}/template.json"]).get("Parameters", {})
        said = parameters(files, stack.name)
        assert stack.parameters.items() <= said["parameters"].items()
        assert said["from_stacks"].items() <= told.items()
        assert set(said["from_deployment"]) <= DEPLOYMENT
        sources = [set(said["parameters"]), set(said["from_stacks"]), set(said["from_deployment"])]
        assert sum(map(len, sources)) == len(set.union(*sources))
        assert (
            {name for name, each in declared.items() if "Default" not in each} <= set.union(*sources) <= set(declared)
        )
        told |= dict.fromkeys(json.loads(files[f"lineage/{stack.name}/template.json"]).get("Outputs", {}), said["name"])


def test_functions_settings_are_those_of_the_manifest_with_the_organizations_id_to_be_filled_in(loaded, files):
    said = parameters(files, "lineage-api")["parameters"]["Settings"]
    assert list(find_references(said)) == ["organization-id"]
    settings = Settings.model_validate_json(with_sample_ids(said))
    assert settings.home_region == loaded.manifest.organization.home_region
    baseline = next(each for each in render_desired(loaded).stacksets if "ExternalId" in each.settings.parameters)
    assert settings.external_id == baseline.settings.parameters["ExternalId"]


def test_manifest_without_the_baseline_for_every_account_has_no_lineage_stacks(loaded):
    desired = render_desired(loaded)
    without = loaded.manifest.model_copy(
        update={"stacksets": tuple(each for each in loaded.manifest.stacksets if each.template != "account-baseline")}
    )
    assert render_lineage_files(without, desired) == {}


def test_synth_writes_them_and_names_them_in_their_order(loaded, files, tmp_path):
    written = synth(render_desired(loaded), tmp_path, files)
    assert {tmp_path / name for name in files} <= set(written)
    for name, text in files.items():
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["lineage"] == [stack.name for stack in lineage_stacks(loaded.manifest)]
    assert set(files) <= set(index["files"])


def test_what_cfn_lint_finds_in_them_is_named_by_their_file(loaded):
    wrong = {"lineage/lineage-api/template.json": '{"Resources": {"A": {"Type": "AWS::SQS::Queue", "Oops": 1}}}'}
    assert set(lint_desired(render_desired(loaded), wrong)) == set(wrong)
