"""What cfn-lint and its resource schemas tell."""

from __future__ import annotations

import pytest

from org.model import ROOT, AccountName, DesiredOrganization, DesiredStackSet, Region, StackSetSettings
from stacksets.lint import lint_desired, lint_template
from stacksets.replacement import create_only_properties


def test_property_that_does_not_exist_is_an_error_with_its_place():
    template = "Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {Colour: red}}}"
    (finding,) = lint_template(template, ("eu-central-1",))
    assert str(finding) == (
        "E3002 Resources/Topic/Properties/Colour: Additional properties are not allowed ('Colour' was unexpected)"
    )
    assert finding.rule.startswith("E")


def test_text_that_cannot_be_parsed_is_a_finding_too():
    (finding,) = lint_template('{"Resources": ]', ("eu-central-1",))
    assert finding.rule.startswith("E")
    assert str(finding).startswith("E0000 line 1: ")


def test_region_that_cfn_lint_does_not_know_does_not_stop_it():
    assert lint_template("Resources: {Topic: {Type: 'AWS::SNS::Topic'}}", ("xx-nowhere-1",)) == ()


def test_information_is_told_too():
    findings = lint_template("Resources: {Q: {Type: 'AWS::SQS::Queue', DeletionPolicy: Delete}}", ("eu-central-1",))
    assert [finding.rule for finding in findings] == ["I3011", "I3013"]


def test_template_is_linted_the_same_after_another_that_was_wrong():
    wrong = "Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {Colour: red}}}"
    right = "Resources: {Topic: {Type: 'AWS::SNS::Topic'}}"
    assert [len(lint_template(text, ("eu-central-1",))) for text in (right, wrong, right, wrong)] == [0, 1, 0, 1]


@pytest.mark.parametrize("settings", ["ignore_checks: [E3002]\n", "regions: [mars]\n", "not: [valid\n"])
def test_settings_of_cfn_lint_in_the_working_folder_change_nothing(tmp_path, monkeypatch, settings):
    (tmp_path / ".cfnlintrc").write_text(settings)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (finding,) = lint_template(
        "Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {Colour: red}}}", ("eu-west-1",)
    )
    assert finding.rule == "E3002"


def test_findings_of_what_is_desired_are_named_by_the_file_that_synth_writes():
    wrong = StackSetSettings("Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {Colour: red}}}")
    stackset = DesiredStackSet("mine", wrong, units=(ROOT,), regions=(Region("eu-central-1"),))
    desired = DesiredOrganization(Region("eu-central-1"), AccountName("Management"), stacksets=(stackset,))
    ((name, (finding,)),) = lint_desired(desired).items()
    assert name == "stacksets/mine/template.yaml"
    assert finding.rule == "E3002"


def test_properties_that_cannot_change_in_place_are_those_of_the_schemas():
    found = create_only_properties(["AWS::IAM::Role", "AWS::Events::Rule", "AWS::KMS::Key", "AWS::Logs::LogGroup"])
    assert found == {
        "AWS::Events::Rule": {"Name", "EventBusName"},
        "AWS::IAM::Role": {"Path", "RoleName"},
        "AWS::KMS::Key": frozenset(),
        "AWS::Logs::LogGroup": {"LogGroupName"},
    }


def test_type_without_schema_is_left_out():
    assert create_only_properties(["Custom::Thing", "AWS::No::Such"]) == {}
