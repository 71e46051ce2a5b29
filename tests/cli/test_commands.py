"""Commands that need no organization, and the ways to hold the command line wrong."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cli.settings import hoist_global_options
from tests.cli.test_rollout import MANIFEST, write
from tests.support.command_line import CommandLine
from tests.support.full_disk import REASON, full_disk


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orgctl: CommandLine) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return orgctl


def test_init_writes_a_manifest_that_is_valid(here: CommandLine) -> None:
    said = here("init")
    assert (said.code, said.out) == (0, "")
    assert said.err == "wrote organization.yaml; next: orgctl validate, then orgctl plan --sandbox\n"
    checked = here("validate")
    assert (checked.code, checked.out) == (0, "")
    assert checked.err.startswith("organization.yaml: valid: ")


def test_init_does_not_write_over_a_manifest(here: CommandLine) -> None:
    Path("organization.yaml").write_text("mine", encoding="utf-8")
    said = here("init")
    assert (said.code, said.err) == (
        1,
        "error: organization.yaml: there is a manifest already; pass --force to write over it\n",
    )
    assert Path("organization.yaml").read_text(encoding="utf-8") == "mine"
    assert here("init", "--force").code == 0


def test_init_says_why_it_cannot_write(here: CommandLine) -> None:
    Path("file").write_text("", encoding="utf-8")
    said = here("init", "--manifest", "file/organization.yaml")
    assert (said.code, said.err) == (
        1,
        "error: file/organization.yaml: cannot be written: File exists; choose another --manifest\n",
    )


def test_init_leaves_nothing_where_the_disk_is_full(here: CommandLine) -> None:
    for _ in range(2):
        with full_disk():
            said = here("init")
        assert (said.code, said.err) == (
            1,
            f"error: organization.yaml: cannot be written: {REASON}; choose another --manifest\n",
        )
    assert not Path("organization.yaml").exists()


def test_init_takes_no_link_for_what_it_made(here: CommandLine) -> None:
    Path("organization.yaml").symlink_to("nowhere.yaml")
    assert here("init").code == 1
    assert Path("organization.yaml").is_symlink()


def test_validate_prints_every_finding_with_its_place_and_exits_with_3(here: CommandLine) -> None:
    write(MANIFEST.replace("unit: Workloads/Production", "unit: Workloads/Produktion").replace("targets", "target"))
    said = here("validate")
    assert said.code == 3
    assert said.out.splitlines()[0].startswith("organization.yaml:")
    assert said.err == f"{len(said.out.splitlines())} findings\n"
    assert json.loads(here("validate", "--format", "json").out)["findings"] == said.out.splitlines()


def test_missing_manifest_is_told_by_every_command_that_reads_it(here: CommandLine) -> None:
    for command in ("plan", "bootstrap", "synth"):
        said = here(command, "--sandbox")
        assert said.code == 1
        assert said.err.startswith("error: organization.yaml: ")


def test_synth_writes_what_would_be_deployed(here: CommandLine) -> None:
    write()
    said = here("synth", "--out", "out")
    assert said.code == 0
    for line in said.out.splitlines():
        assert Path(line).is_file()
    assert json.loads(Path("out/stacksets/topics/template.json").read_text(encoding="utf-8"))["Resources"]
    assert said.err == f"wrote {len(said.out.splitlines())} files to out; cfn-lint: 0 findings\n"


def test_synth_writes_and_lints_the_lineage_accounts_stacks(here: CommandLine) -> None:
    import config

    example = Path(next(iter(config.__path__))) / "examples" / "minimal" / "organization.yaml"
    said = here("--manifest", str(example), "synth", "--out", "out")
    assert (said.code, said.err.rpartition("; ")[2]) == (0, "cfn-lint: 0 findings\n")
    assert "out/lineage/lineage-api/template.json" in said.out.splitlines()
    assert json.loads(Path("out/lineage/lineage-api/parameters.json").read_text())["name"] == "orgctl-lineage-api"


def test_schema_is_the_committed_one(here: CommandLine) -> None:
    import config

    committed = Path(next(iter(config.__path__))) / "manifest.schema.json"
    assert here("schema").out == committed.read_text(encoding="utf-8")


def test_without_a_sandbox_the_sandbox_option_says_how_to_start_one(here: CommandLine) -> None:
    write()
    said = here("plan", "--sandbox")
    assert (said.code, said.err) == (1, "error: sandbox: is not running; start it with: orgctl sandbox start\n")


def test_profile_and_sandbox_do_not_go_together(here: CommandLine) -> None:
    write()
    said = here("plan", "--sandbox", "--profile", "production")
    assert (said.code, said.err) == (
        1,
        "error: --profile: the sandbox knows no profiles; leave out --profile or --sandbox\n",
    )


def test_without_credentials_plan_says_what_to_do(here: CommandLine) -> None:
    write()
    said = here("plan")
    assert said.code == 1
    assert said.err == (
        "error: sts:GetCallerIdentity: no AWS credentials found; "
        "set AWS_PROFILE or pass --profile, or try it all with --sandbox\n"
    )


def test_profile_that_does_not_exist_is_told(here: CommandLine) -> None:
    write()
    said = here("plan", "--profile", "nobody")
    assert said.code == 1
    assert said.err == (
        "error: AWS session: The config profile (nobody) could not be found; "
        "`aws configure list-profiles` lists the profiles that exist\n"
    )


def test_configuration_of_aws_that_is_broken_is_told(here: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    write()
    Path("config").write_text("[profile nonsense", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", "config")
    said = here("plan")
    assert said.code == 1
    assert said.err == (
        "error: AWS session: Unable to parse config file: config; "
        "correct the file, or name another in AWS_CONFIG_FILE\n"
    )


@pytest.mark.parametrize(
    "words", [("plan", "--nonsense"), ("nonsense",), ("plan", "--format", "xml"), ("sandbox", "x")]
)
def test_wrong_words_are_a_usage_error(here: CommandLine, words: tuple[str, ...]) -> None:
    assert here(*words).code == 2


def test_global_options_stand_before_or_after_the_command(here: CommandLine) -> None:
    write()
    Path("organization.yaml").rename("mine.yaml")
    assert here("--manifest", "mine.yaml", "validate").code == 0
    assert here("validate", "--manifest", "mine.yaml").code == 0
    assert here("validate", "--manifest=mine.yaml").code == 0


def test_what_follows_two_dashes_is_no_option() -> None:
    assert hoist_global_options(["plan", "--", "--sandbox"]) == ["plan", "--", "--sandbox"]
    assert hoist_global_options(["plan", "--format", "json", "-v"]) == ["--format", "json", "-v", "plan"]


def test_version_and_help(here: CommandLine) -> None:
    assert here("--version").out.startswith("orgctl 0.")
    assert "bootstrap" in here("--help").out
    assert here().code == 2


def test_character_that_the_terminal_does_not_know_is_written_as_an_escape(here: CommandLine) -> None:
    message = "User: arn:aws:iam::111122223333:user/J is not authorized to perform: s3:ListBucket on resource: é→ with "
    words = (
        sys.executable,
        "-m",
        "cli.main",
        "guardrails",
        "explain",
        message + "an explicit deny in a session policy",
    )
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    said = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert (said.returncode, said.stderr) == (0, b"")
    assert said.stdout.splitlines()[0] == b"refused  s3:ListBucket on \xe9\\u2192"


def test_sandbox_from_start_to_stop(here: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGCTL_HOME", str(tmp_path / "home"))
    assert here("sandbox", "status").code == 3
    assert here("sandbox", "env").err == "error: sandbox: is not running; start it with: orgctl sandbox start\n"
    assert here("sandbox", "reset").code == 1
    started = here("sandbox", "start")
    try:
        endpoint = started.err.removeprefix("the sandbox answers at ").partition(";")[0]
        assert here("sandbox", "start").err.startswith(f"the sandbox answers already at {endpoint};")
        assert here("sandbox", "status").out.startswith(f"running at {endpoint}, process ")
        assert json.loads(here("sandbox", "status", "--format", "json").out) == {"running": True, "endpoint": endpoint}
        lines = here("sandbox", "env").out.splitlines()
        assert f"export AWS_ENDPOINT_URL={endpoint}" in lines
        assert all(shlex.split(line)[0] in ("export", "unset") for line in lines)
        assert here("sandbox", "reset").err == "the sandbox is empty\n"
    finally:
        assert here("sandbox", "stop").err == "stopped\n"
    assert here("sandbox", "stop").err == "it was not running\n"
