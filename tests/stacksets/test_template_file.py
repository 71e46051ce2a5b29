"""Templates of the user's own: what is refused, where, and in which words."""

from __future__ import annotations

import pytest

from org.errors import OrgctlError
from stacksets.template_file import load_template_file

AT = "organization.yaml:9:5"


def refusal(tmp_path, text: str | bytes, name: str = "x.yaml") -> str:
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(OrgctlError) as caught:
        load_template_file(name, tmp_path, AT)
    return str(caught.value).removeprefix(f"{tmp_path}/")


def test_text_stays_as_it_is_and_parameters_are_known(tmp_path):
    text = """\
Parameters:
  Required: {Type: String}
  Optional: {Type: String, Default: ""}
Resources:
  Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: !Sub "${Required}-x"}}
"""
    (tmp_path / "x.yaml").write_text(text)
    template = load_template_file("x.yaml", tmp_path, AT)
    assert template.body == text
    assert template.parameters == {"Required": False, "Optional": True}


def test_json_template_is_read_too(tmp_path):
    (tmp_path / "x.json").write_text('{"Parameters": {"A": {"Type": "String", "Default": 1}}, "Resources": {}}')
    assert load_template_file("x.json", tmp_path, AT).parameters == {"A": True}


def test_file_that_is_missing_is_refused_where_it_is_named(tmp_path):
    with pytest.raises(OrgctlError) as caught:
        load_template_file("no.yaml", tmp_path, AT)
    assert str(caught.value) == f"{AT}: there is no file 'no.yaml' in {tmp_path}; check its path"


def test_folder_is_no_template(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(OrgctlError) as caught:
        load_template_file("x", tmp_path, AT)
    assert str(caught.value) == f"{AT}: 'x' is not a file; name a template file"


@pytest.mark.parametrize("name", ["../x.yaml", "/etc/hostname", "link.yaml"])
def test_file_outside_the_folder_is_refused(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "x.yaml").write_text("Resources: {}")
    (folder / "link.yaml").symlink_to(tmp_path / "x.yaml")
    with pytest.raises(OrgctlError) as caught:
        load_template_file(name, folder, AT)
    assert str(caught.value) == f"{AT}: {name!r} leaves the manifest's folder; keep template files below it"


def test_template_over_the_size_is_refused(tmp_path):
    assert refusal(tmp_path, "Resources: {}\n" + "#" * 51_200) == (
        "x.yaml: the template is longer than the 51,200 bytes that CloudFormation takes in a call; "
        "split it into several StackSets"
    )


def test_template_that_is_not_utf8_is_refused(tmp_path):
    assert refusal(tmp_path, b"Resources: {}\n# caf\xe9") == "x.yaml: not UTF-8 (byte 19); save the file as UTF-8"


def test_json_that_does_not_parse_is_refused_with_its_place(tmp_path):
    assert refusal(tmp_path, '{"Resources":\n  {]}', "x.json") == (
        "x.json:2:4: not valid JSON: expecting property name enclosed in double quotes; correct the template"
    )


def test_json_key_that_is_written_twice_is_refused(tmp_path):
    assert refusal(tmp_path, '{"Resources": {}, "Resources": {}}', "x.json") == (
        "x.json: the key 'Resources' is written twice; keep one of them"
    )


def test_yaml_that_does_not_parse_is_refused_with_its_place(tmp_path):
    assert refusal(tmp_path, "Resources:\n  A: [1\n  B: 2\n") == (
        "x.yaml:3:4: not valid YAML: expected ',' or ']', but got ':'; correct the template"
    )


def test_yaml_key_that_is_written_twice_is_refused_with_its_place(tmp_path):
    assert refusal(tmp_path, "Resources: {}\nResources: {}\n") == (
        "x.yaml:2:1: the key 'Resources' is written twice; keep one of them"
    )


def test_yaml_key_that_is_no_text_is_refused(tmp_path):
    assert refusal(tmp_path, "[a, b]: 1\n") == "x.yaml:1:1: a key must be text; correct the template"


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "just words"])
def test_text_that_is_no_mapping_is_refused(tmp_path, text):
    assert refusal(tmp_path, text) == "x.yaml: not a CloudFormation template; begin with Resources:, one key a line"


@pytest.mark.parametrize("text", ["Resources: {A: " + "[" * 20_000, '{"Resources": ' + "[" * 50_000])
def test_template_that_is_nested_without_end_is_refused(tmp_path, text):
    assert refusal(tmp_path, text) == "x.yaml: the template is nested too deeply; correct the template"


def test_template_without_resources_is_refused(tmp_path):
    assert refusal(tmp_path, "Description: nothing\n") == (
        "x.yaml: the template has no Resources; describe at least one resource"
    )


def test_template_with_a_transform_is_refused_since_stacksets_would(tmp_path):
    assert refusal(tmp_path, "Transform: AWS::Serverless-2016-10-31\nResources: {}\n") == (
        "x.yaml:1:1: the template has a Transform, which service-managed StackSets refuse; "
        "write the resources out, or process the template first"
    )
