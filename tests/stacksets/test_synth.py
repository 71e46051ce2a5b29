"""What `orgctl synth` leaves in a folder, and which folders it leaves alone."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from org.errors import OrgctlError
from org.model import (
    ROOT,
    AccountName,
    DesiredOrganization,
    DesiredPolicy,
    DesiredStackSet,
    ParameterOverride,
    PolicyType,
    Region,
    StackSetSettings,
    Target,
    TargetKind,
    UnitPath,
)
from stacksets.synth import synth

SCP = PolicyType("SERVICE_CONTROL_POLICY")
YAML = "Resources: {Topic: {Type: AWS::SNS::Topic}}  # kept\n"


def policy(name="Deny", type=SCP, **settings) -> DesiredPolicy:
    return DesiredPolicy(type, name, '{"Version":"2012-10-17","Statement":[]}', **settings)


def stackset(name="baseline", template='{"Resources":{}}') -> DesiredStackSet:
    return DesiredStackSet(
        name,
        StackSetSettings(template, parameters={"A": "${orgctl:organization-id}"}),
        units=(ROOT,),
        regions=(Region("eu-central-1"),),
        overrides=(ParameterOverride({"A": "b"}, units=(UnitPath("Workloads"),)),),
    )


def organization(policies=(), stacksets=()) -> DesiredOrganization:
    return DesiredOrganization(
        Region("eu-central-1"), AccountName("Management"), policies=tuple(policies), stacksets=tuple(stacksets)
    )


def written(out: Path) -> dict[str, str]:
    return {str(path.relative_to(out)): path.read_text() for path in sorted(out.rglob("*")) if path.is_file()}


def refusal(desired, out) -> str:
    with pytest.raises(OrgctlError) as caught:
        synth(desired, out)
    return str(caught.value)


def test_every_template_and_policy_has_its_files(tmp_path):
    root = Target(TargetKind.ROOT, "Root")
    paths = synth(organization([policy(targets=(root,))], [stackset()]), tmp_path / "out")
    assert [str(path.relative_to(tmp_path / "out")) for path in paths] == [
        "stacksets/baseline/template.json",
        "stacksets/baseline/parameters.json",
        "policies/SERVICE_CONTROL_POLICY/Deny.json",
        "policies/SERVICE_CONTROL_POLICY/Deny.template.json",
        "index.json",
    ]
    assert json.loads(paths[-1].read_text()) == {
        "made_by": "orgctl synth",
        "format": 1,
        "home_region": "eu-central-1",
        "stacksets": ["baseline"],
        "lineage": [],
        "policies": [{"type": SCP, "name": "Deny", "aws_managed": False, "targets": ["the root"]}],
        "files": sorted(str(path.relative_to(tmp_path / "out")) for path in paths[:-1]),
    }


def test_parameters_say_where_the_stackset_goes_and_what_differs_there(tmp_path):
    synth(organization(stacksets=[stackset()]), tmp_path)
    deployment = json.loads((tmp_path / "stacksets/baseline/parameters.json").read_text())
    assert deployment["parameters"] == {"A": "${orgctl:organization-id}"}
    assert deployment["units"] == ["Root"]
    assert deployment["regions"] == ["eu-central-1"]
    assert deployment["overrides"] == [
        {"parameters": {"A": "b"}, "units": ["Workloads"], "accounts": [], "regions": []}
    ]
    assert "template" not in deployment


def test_template_of_the_users_own_stays_letter_by_letter(tmp_path):
    synth(organization(stacksets=[stackset(template=YAML)]), tmp_path)
    assert (tmp_path / "stacksets/baseline/template.yaml").read_text() == YAML


def test_policy_is_also_a_cloudformation_template_even_of_a_type_that_troposphere_does_not_know(tmp_path):
    type = PolicyType("SECURITYHUB_POLICY")
    synth(organization([policy(type=type, description="why", tags={"A": "b", "Gone": None})]), tmp_path)
    template = json.loads((tmp_path / f"policies/{type}/Deny.template.json").read_text())
    assert template["Resources"]["Policy"] == {
        "Type": "AWS::Organizations::Policy",
        "Properties": {
            "Name": "Deny",
            "Type": type,
            "Description": "why",
            "Content": {"Version": "2012-10-17", "Statement": []},
            "Tags": [{"Key": "A", "Value": "b"}],
        },
    }


def test_policy_that_aws_manages_has_no_text(tmp_path):
    full = DesiredPolicy(SCP, "FullAWSAccess", "", aws_managed=True)
    assert [path.name for path in synth(organization([full]), tmp_path)] == ["index.json"]


def test_policy_names_become_file_names_that_every_system_takes_and_never_meet(tmp_path):
    names = ["Deny", "deny", "../../etc/passwd", "a/b", "a b", "Ünits", "..."]
    synth(organization([policy(name) for name in names]), tmp_path)
    files = {path.name for path in (tmp_path / "policies" / SCP).iterdir()}
    assert len({file.casefold() for file in files}) == 2 * len(names)
    assert all(set(file) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") for file in files)


def test_same_manifest_gives_the_same_files(tmp_path):
    desired = organization([policy()], [stackset()])
    synth(desired, tmp_path / "a")
    synth(desired, tmp_path / "b")
    synth(desired, tmp_path / "b")
    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_files_of_an_earlier_synth_that_are_no_more_are_removed(tmp_path):
    synth(organization([policy("Old"), policy("Kept")], [stackset("old")]), tmp_path)
    (tmp_path / "policies" / SCP / "note.txt").write_text("mine")
    synth(organization([policy("Kept")]), tmp_path)
    assert sorted(written(tmp_path)) == [
        "index.json",
        f"policies/{SCP}/Kept.json",
        f"policies/{SCP}/Kept.template.json",
        f"policies/{SCP}/note.txt",
    ]
    assert not (tmp_path / "stacksets").exists()


@pytest.mark.parametrize(
    ("name", "text"), [("notes.txt", "mine"), ("index.json", "{}"), ("index.json", "[1"), ("index.json", "[]")]
)
def test_folder_with_files_of_others_is_refused_and_left_alone(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert refusal(organization([policy()]), tmp_path) == (
        f"{tmp_path}: the folder holds files that orgctl synth did not write; choose an empty folder"
    )
    assert written(tmp_path) == {name: text}


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    assert refusal(organization(), tmp_path / "out") == (
        f"{tmp_path}/out: this is a file, not a folder; choose another folder"
    )


def test_index_that_was_tampered_with_removes_nothing_outside(tmp_path):
    out = tmp_path / "out"
    (tmp_path / "mine.txt").write_text("mine")
    synth(organization(), out)
    index = json.loads((out / "index.json").read_text())
    index["files"] = ["../mine.txt", str(tmp_path / "mine.txt"), 7]
    (out / "index.json").write_text(json.dumps(index))
    synth(organization(), out)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_symbolic_link_out_of_the_folder_is_not_followed(tmp_path):
    out = tmp_path / "out"
    synth(organization(), out)
    (tmp_path / "elsewhere").mkdir()
    (out / "policies").symlink_to(tmp_path / "elsewhere")
    assert refusal(organization([policy()]), out) == (
        f"{out}/policies/{SCP}/Deny.json: a symbolic link leads out of the folder; remove it or choose another folder"
    )
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "what"), [(errno.ENOSPC, "No space left on device"), (errno.EACCES, "Permission denied")]
)
def test_disk_that_is_full_or_closed_is_said(tmp_path, monkeypatch, number, what):
    def fail(self, *args, **settings):
        raise OSError(number, what, str(self))

    monkeypatch.setattr(Path, "write_text", fail)
    assert refusal(organization(), tmp_path) == (
        f"{tmp_path}/index.json: cannot write: {what}; free space or choose another folder"
    )


def test_run_that_broke_off_can_be_repeated(tmp_path, monkeypatch):
    write, left = Path.write_text, [3]

    def run_out(self, *args, **settings):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return write(self, *args, **settings)

    desired = organization([policy("A"), policy("B")])
    monkeypatch.setattr(Path, "write_text", run_out)
    assert "No space left on device" in refusal(desired, tmp_path)
    monkeypatch.undo()
    synth(desired, tmp_path)
    synth(desired, tmp_path / "fresh" / "folder")
    assert {name: text for name, text in written(tmp_path).items() if not name.startswith("fresh/")} == written(
        tmp_path / "fresh" / "folder"
    )
