"""What the functions of the lineage account are told."""

from __future__ import annotations

import json

import pytest

from config.compliance import ComplianceSettings
from handlers.lineage.environment import setting
from handlers.lineage.settings import LARGEST, SETTINGS, Settings, read_settings
from org.errors import OrgctlError

SAID = {
    "organization": "o-abcdefghij",
    "home_region": "eu-central-1",
    "regions": ["eu-central-1", "eu-west-1"],
    "trusted_owners": ["amazon"],
    "external_id": "orgctl-1234",
}


def read(**said: object) -> Settings:
    return read_settings({SETTINGS: json.dumps(SAID | said)})


def test_settings_are_read_with_the_rules_of_the_manifest() -> None:
    found = read(compliance={"naming": {"enabled": False}, "required_tags": {"tags": ["Owner"]}})
    assert found.regions == ("eu-central-1", "eu-west-1")
    assert not found.compliance.naming.enabled
    assert found.compliance.required_tags.tags == ("Owner",)


def test_what_the_manifest_writes_the_functions_read() -> None:
    every = ComplianceSettings()
    assert read(compliance=every.model_dump(mode="json")).compliance == every
    assert len(json.dumps(SAID | {"compliance": every.model_dump(mode="json")})) < LARGEST / 2


@pytest.mark.parametrize(
    "said",
    [
        {"organisation": "o-abcdefghij"},
        {"organization": "abc"},
        {"regions": []},
        {"external_id": ""},
        {"trusted_owners": "amazon"},
        {"compliance": {"naming": {"enabled": "yes"}}},
        {"compliance": {"required-tags": {}}},
        {"compliance": {"naming": {"pattern": "("}}},
    ],
)
def test_settings_that_are_not_as_they_must_be_are_refused(said: dict[str, object]) -> None:
    with pytest.raises(OrgctlError, match="deploy the lineage account again"):
        read(**said)


def test_an_error_shows_no_value() -> None:
    with pytest.raises(OrgctlError) as caught:
        read_settings({SETTINGS: '{"external_id": "s3cret", "organization": "s3cret"}'})
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_variable_that_is_missing_or_empty_is_an_error() -> None:
    for environment in ({}, {"X": ""}):
        with pytest.raises(OrgctlError, match="X: is not set"):
            setting("X", environment)
