"""Checkov over every template that orgctl makes; what is suppressed stands in the resource's own Metadata, with why.

Checkov pins old versions of what orgctl stands on: `make checkov` gives it an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from stacksets.catalog import templates
from stacksets.lineage_stacks import api_document
from stacksets.templates import lineage_api
from tests.support.lineage_stacks import stacks

CHECKOV = Path(__file__).parents[2] / "build" / "checkov-venv" / "bin" / "checkov"
REQUIRED = "ORGCTL_REQUIRE_CHECKOV"


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> tuple[dict, str]:
    """What checkov says of all templates together: its JSON, and what it says besides."""
    if not CHECKOV.exists() and os.environ.get(REQUIRED) != "1":
        pytest.skip("checkov is not installed: make checkov")
    folder = tmp_path_factory.mktemp("templates")
    rendered = {name: stack.template for name, stack in stacks().items()}
    rendered |= {name: entry.render() for name, entry in templates().items()}
    rendered["lineage-api-regional"] = lineage_api.render(api_document(), "regional", key_required=True)
    for name, template in rendered.items():
        (folder / f"{name}.json").write_text(json.dumps(template.to_dict(), indent=1), encoding="utf-8")
    done = subprocess.run(
        [CHECKOV, "--framework", "cloudformation", "--directory", folder, "--skip-download", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    return json.loads(done.stdout), done.stderr


def test_checkov_finds_nothing(told):
    found, _ = told
    assert [f"{each['check_id']} {each['file_path']} {each['resource']}" for each in failed(found)] == []
    assert found["summary"]["passed"] > 100


def test_no_check_broke_off(told):
    """A check that raises counts as passed."""
    assert "Failed to run check" not in told[1]


def test_every_suppression_says_why(told):
    for each in told[0]["results"]["skipped_checks"]:
        assert len(each["check_result"]["suppress_comment"]) > 20, each["check_id"]


def failed(found: dict) -> list[dict]:
    return found["results"]["failed_checks"]
