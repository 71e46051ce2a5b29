"""`guardrails lint` on files and manifests, on whole outputs and exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import config
from org.policy.lint import rules
from tests.cli.test_guardrails import write_manifest
from tests.support.command_line import CommandLine

BAD = """\
{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "A", "Effect": "Deny", "Action": "s3:ListBuckets", "Resource": "*"},
    {"Sid": "B", "Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*",
     "Condition": {"StringEquals": {"aws:RequestRegion": "eu-central-1"}}}
  ]
}
"""
GOOD = '{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Deny", "Action": "sqs:*", "Resource": "*"}]}'

NOTE = (
    "organization.yaml:24:19: note: the Deny has no Sid to be named by; add one that says what it protects "
    "[deny-without-sid]"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orgctl: CommandLine) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return orgctl


def test_findings_of_a_file_are_one_a_line_with_their_place(here: CommandLine) -> None:
    Path("bad.json").write_text(BAD, encoding="utf-8")
    said = here("guardrails", "lint", "bad.json")
    assert said.out.splitlines() == [
        "bad.json:4:46: error: unknown action 's3:ListBuckets'; did you mean 's3:ListBucket'? [unknown-action]",
        (
            "bad.json:6:37: error: unknown condition key 'aws:RequestRegion'; did you mean 'aws:RequestedRegion'? "
            "[unknown-key]"
        ),
    ]
    assert (said.code, said.err) == (3, "2 errors\n")


def test_policy_is_read_from_stdin(here: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    said = here("guardrails", "lint", "-")
    assert (said.code, said.out.splitlines()[0][:18]) == (3, "stdin:4:46: error:")


def test_clean_file_exits_with_0(here: CommandLine) -> None:
    Path("good.json").write_text(GOOD, encoding="utf-8")
    said = here("guardrails", "lint", "good.json")
    assert (said.code, said.out, said.err) == (0, "", "no findings\n")


def test_grammar_of_the_kind_that_is_told_holds(here: CommandLine) -> None:
    Path("good.json").write_text(GOOD, encoding="utf-8")
    said = here("guardrails", "lint", "good.json", "--type", "RESOURCE_CONTROL_POLICY", "--format", "json")
    (finding,) = json.loads(said.out)["findings"]
    assert (said.code, finding["rule"], finding["severity"], finding["file"]) == (3, "grammar", "error", "good.json")
    assert here("guardrails", "lint", "good.json", "--type", "identity").code == 0


def test_kind_that_was_only_taken_for_granted_is_told_where_the_grammar_does_not_fit(here: CommandLine) -> None:
    Path("good.json").write_text(GOOD, encoding="utf-8")
    Path("trust.json").write_text(GOOD.replace('"Action"', '"Principal": "*", "Action"'), encoding="utf-8")
    told = "the files were taken for service control policies; tell another kind with --type"
    assert here("guardrails", "lint", "trust.json").err.splitlines()[-1] == told
    assert told not in here("guardrails", "lint", "good.json").err
    assert told not in here("guardrails", "lint", "trust.json", "--type", "SERVICE_CONTROL_POLICY").err


def test_nothing_is_found_in_the_policies_of_the_example(here: CommandLine) -> None:
    """What a guardrail renders is nobody's to correct."""
    manifest = Path(config.__path__[0]) / "examples" / "company" / "organization.yaml"
    said = here("guardrails", "lint", "--strict", "--manifest", str(manifest))
    assert (said.code, said.out, said.err) == (0, "", "no findings\n")


def test_text_that_is_no_json_is_a_finding_and_a_missing_file_an_error(here: CommandLine) -> None:
    Path("broken.json").write_text('{"Version": }', encoding="utf-8")
    said = here("guardrails", "lint", "broken.json")
    assert said.code == 3
    assert said.out.startswith("broken.json:1:13: error: ")
    missing = here("guardrails", "lint", "none.json")
    assert (missing.code, missing.err) == (
        1,
        "error: none.json: cannot be read: No such file or directory; name another file\n",
    )
    Path("latin.json").write_bytes(b'{"a": "\xe9"}')
    assert here("guardrails", "lint", "latin.json").err == "error: latin.json: it is not UTF-8; save it as UTF-8\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_full_disk_is_told_in_one_line(here: CommandLine) -> None:
    Path("bad.json").write_text(BAD, encoding="utf-8")
    words = (sys.executable, "-m", "cli.main", "guardrails", "lint", "bad.json")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        said = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (said.returncode, said.stderr) == (1, "error: output: No space left on device; make room\n")


def test_manifest_is_linted_with_the_places_in_its_files(here: CommandLine, tmp_path: Path) -> None:
    write_manifest(tmp_path)
    clean = here("guardrails", "lint")
    assert (clean.code, clean.out) == (
        0,
        f"{NOTE}\n",
    )
    assert here("guardrails", "lint", "--strict").code == 3
    regions = Path("regions.json").read_text(encoding="utf-8")
    Path("regions.json").write_text(regions.replace("aws:RequestedRegion", "aws:Region"), encoding="utf-8")
    said = here("guardrails", "lint")
    assert said.code == 3
    (error,) = [line for line in said.out.splitlines() if ": error: " in line]
    assert error.startswith("regions.json:10:29: error: unknown condition key 'aws:Region'; ")


def test_guardrail_is_linted_as_rendered(here: CommandLine, tmp_path: Path) -> None:
    path = write_manifest(tmp_path)
    guardrail = "    guardrail: governed-regions\n"
    path.write_text(path.read_text(encoding="utf-8").replace("    file: regions.json\n", guardrail), encoding="utf-8")
    said = here("guardrails", "lint")
    assert (said.code, said.out) == (0, f"{NOTE}\n")


def test_manifest_with_faults_is_an_error(here: CommandLine, tmp_path: Path) -> None:
    write_manifest(tmp_path)
    Path("regions.json").write_text("{", encoding="utf-8")
    said = here("guardrails", "lint")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: regions.json:1:")


TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
SARIF = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "pattern": "^https://.*sarif-schema-2.1.0.json$"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "properties": {"type": "object"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id", "shortDescription", "helpUri", "defaultConfiguration"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "shortDescription": TEXT,
                                                "helpUri": {"type": "string", "pattern": "^https://"},
                                                "defaultConfiguration": {
                                                    "properties": {
                                                        "level": {"enum": ["none", "note", "warning", "error"]}
                                                    }
                                                },
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "ruleIndex", "level", "locations", "partialFingerprints"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": TEXT,
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation"],
                                                "additionalProperties": False,
                                                "properties": {
                                                    "artifactLocation": {
                                                        "properties": {
                                                            "uri": {"type": "string", "format": "uri-reference"}
                                                        }
                                                    },
                                                    "region": {
                                                        "additionalProperties": False,
                                                        "properties": {
                                                            "startLine": {"type": "integer", "minimum": 1},
                                                            "startColumn": {"type": "integer", "minimum": 1},
                                                        },
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                                "partialFingerprints": {
                                    "type": "object",
                                    "additionalProperties": {"type": "string"},
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""What the standard demands of the properties that are written, and no others.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""


def test_sarif_holds_every_rule_and_each_finding(here: CommandLine) -> None:
    folder = Path("my policies")
    folder.mkdir()
    (folder / "bad.json").write_text(BAD, encoding="utf-8")
    said = here("guardrails", "lint", "my policies/bad.json", "--format", "sarif")
    assert said.code == 3
    log = json.loads(said.out)
    Draft202012Validator(SARIF).validate(log)
    (run,) = log["runs"]
    written = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert written == [rule.id for rule in rules()]
    first, second = run["results"]
    assert written[first["ruleIndex"]] == first["ruleId"] == "unknown-action"
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "my%20policies/bad.json"},
                "region": {"startLine": 4, "startColumn": 46},
            }
        }
    ]
    assert first["partialFingerprints"] != second["partialFingerprints"]


def test_fingerprints_do_not_change_with_the_place_and_tell_equal_findings_apart(here: CommandLine) -> None:
    def fingerprints(text: str) -> list[str]:
        Path("bad.json").write_text(text, encoding="utf-8")
        results = json.loads(here("guardrails", "lint", "bad.json", "--format", "sarif").out)["runs"][0]["results"]
        return [result["partialFingerprints"]["orgctlFinding/v1"] for result in results]

    before = fingerprints(BAD)
    assert fingerprints("\n\n" + BAD) == before
    twice = fingerprints(BAD.replace('"s3:ListBuckets"', '["s3:ListBuckets", "s3:ListBuckets"]'))
    assert (len(twice) > len(before), len(set(twice)), set(twice) > set(before)) == (True, len(twice), True)


def test_path_in_sarif_is_relative_where_it_can_be(here: CommandLine, tmp_path: Path) -> None:
    """A code host knows the files of the repository by their relative paths alone."""

    def uri(path: Path) -> str:
        (result, *_) = json.loads(here("guardrails", "lint", str(path), "--format", "sarif").out)["runs"][0]["results"]
        return str(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])

    Path("bad.json").write_text(BAD, encoding="utf-8")
    assert uri(tmp_path / "bad.json") == uri(Path("bad.json")) == "bad.json"
    inner = tmp_path / "inner"
    inner.mkdir()
    os.chdir(inner)
    assert uri(tmp_path / "bad.json") == (tmp_path / "bad.json").as_uri()


def test_sarif_without_findings_is_a_whole_log(here: CommandLine) -> None:
    Path("good.json").write_text(GOOD, encoding="utf-8")
    said = here("guardrails", "lint", "good.json", "--format", "sarif")
    log = json.loads(said.out)
    Draft202012Validator(SARIF).validate(log)
    assert (said.code, log["runs"][0]["results"]) == (0, [])
