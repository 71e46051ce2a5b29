"""Parameters that only make sense together, or with the rest of the manifest, are refused with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import load_manifest
from org.source.findings import SourceErrors
from stacksets.desired import render_desired

MINIMAL = Path(__file__).parents[2] / "config" / "examples" / "minimal" / "organization.yaml"
LINES = MINIMAL.read_text().splitlines()


def refusal(folder, policy: str) -> list[str]:
    """Put a policy before the others of the minimal example, and answer what is said of it, by its own lines."""
    at = LINES.index("policies:") + 1
    manifest = folder / "organization.yaml"
    manifest.write_text("\n".join([*LINES[:at], *policy.splitlines(), *LINES[at:]]) + "\n")
    with pytest.raises(SourceErrors) as caught:
        render_desired(load_manifest(manifest))
    return [f"{each.place.line - at}:{each.place.column}: {each.what}; {each.todo}" for each in caught.value.findings]


def test_required_parameter_that_is_missing_is_told_with_its_meaning(tmp_path):
    policy = "  - {name: A, type: SERVICE_CONTROL_POLICY, guardrail: approved-images, attach: {root: true}}"
    (said,) = refusal(tmp_path, policy)
    assert said.startswith("1:")
    assert said.endswith(
        "guardrail 'approved-images' needs the parameter 'image_accounts'; add it; it means: "
        "Names of the accounts whose images may be launched once they are approved."
    )


def test_account_that_the_manifest_does_not_have_is_told_with_the_nearest(tmp_path):
    policy = """\
  - name: A
    type: SERVICE_CONTROL_POLICY
    guardrail: approved-images
    parameters:
      image_accounts: [Shopp]
    attach: {root: true}"""
    assert refusal(tmp_path, policy) == [
        "5:24: parameter 'image_accounts' of guardrail 'approved-images': unknown account 'Shopp'; did you mean 'Shop'?"
    ]


def test_parameters_that_would_do_nothing_or_that_aws_refuses_are_told_in_words(tmp_path):
    policies = """\
  - name: A
    type: SERVICE_CONTROL_POLICY
    guardrail: governed-regions
    parameters: {also_allowed: ["*"]}
    attach: {root: true}
  - name: B
    type: DECLARATIVE_POLICY_EC2
    guardrail: ec2-account-settings
    parameters: {image_accounts: [Shop], image_names: ["?a", "gold$"], exception_message: ""}
    attach: {root: true}"""
    assert refusal(tmp_path, policies) == [
        (
            "4:33: parameter 'also_allowed' of guardrail 'governed-regions': "
            "'*' leaves every call open, and the guardrail without effect; name services, like devicefarm:*"
        ),
        (
            "9:56: parameter 'image_names' of guardrail 'ec2-account-settings': '?a' is too short for a name with '?'; "
            "use at least 3 characters"
        ),
        (
            "9:62: parameter 'image_names' of guardrail 'ec2-account-settings': 'gold$' is not a name of images; "
            "use 1 to 128 letters, digits, spaces and ()[]./-'@_*?"
        ),
        (
            "9:91: parameter 'exception_message' of guardrail 'ec2-account-settings' should have at least 1 character, "
            "not ''; it means: What AWS tells people whose call the policy refuses."
        ),
    ]


def test_guardrail_can_stand_in_a_manifest_more_than_once(tmp_path):
    lines = [
        f"  - {{name: R{region}, type: SERVICE_CONTROL_POLICY, guardrail: governed-regions, "
        f"parameters: {{regions: [{region}]}}, attach: {{root: true}}}}"
        for region in ("eu-central-1", "eu-west-1")
    ]
    at = LINES.index("policies:") + 1
    manifest = tmp_path / "organization.yaml"
    manifest.write_text("\n".join([*LINES[:at], *lines, *LINES[at:]]) + "\n")
    policies = {policy.name: policy.content for policy in render_desired(load_manifest(manifest)).policies}
    assert '"aws:RequestedRegion":"eu-west-1"' in policies["Reu-west-1"]
    assert '"aws:RequestedRegion":"eu-central-1"' in policies["Reu-central-1"]


def test_limits_without_an_account_are_told_of_the_parameters_together(tmp_path):
    policy = """\
  - name: A
    type: DECLARATIVE_POLICY_EC2
    guardrail: ec2-account-settings
    parameters: {image_names: ["golden-*"]}
    attach: {root: true}"""
    (said,) = refusal(tmp_path, policy)
    assert said.startswith("4:")
    assert said.endswith(
        "guardrail 'ec2-account-settings': names and ages of images are given, "
        "and no account whose images they are; add image_accounts"
    )
