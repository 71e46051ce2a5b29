"""A manifest that is right: what it becomes, where its values are found again, and how long that takes."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from config.load import load_manifest
from config.manifest import Manifest, walk_units
from org.errors import OrgctlError
from org.model import WantedState
from org.source.findings import SourceErrors
from tests.config.manifests import BASE, account, load, write_manifest

EVERYTHING = {
    "variables": "variables: {PARTITION: aws, PREFIX: [a, b]}\n",
    "organization": BASE["organization"] + "  quarantine_unit: Quarantine\n",
    "units": (
        "units:\n"
        "  - name: Security\n"
        "  - {name: Quarantine, tags: {Team: security, Old: null}}\n"
        "  - name: Workloads\n"
        "    formerly: Apps\n"
        "    units: [{name: Prod}, {name: Dev}]\n"
    ),
    "accounts": BASE["accounts"]
    + (
        "  - name: Old\n"
        "    email: old@example.com\n"
        "    unit: Workloads/Dev\n"
        '    id: "012345678901"\n'
        "    alternate_contacts: {billing: null, security: {name: S, title: T, email: s@example.com, phone: '1'}}\n"
        "    state: quarantined\n"
    ),
    "policies": (
        "policies:\n"
        "  - {name: A, type: TAG_POLICY, file: a.json, attach: {root: true, accounts: [Shop]}}\n"
        "  - {name: B, type: SERVICE_CONTROL_POLICY, guardrail: g, parameters: {regions: '${PREFIX}', n: 1}}\n"
        "  - {name: FullAWSAccess, type: SERVICE_CONTROL_POLICY, aws_managed: true, attach: {root: true}}\n"
    ),
    "stacksets": (
        "stacksets:\n"
        "  - name: base\n"
        "    template: account-baseline\n"
        "    targets: {root: true}\n"
        "    parameters: {List: '${PREFIX}', Text: 'arn:${PARTITION}', Id: '${orgctl:account-id:Audit}', Number: 3}\n"
        "    overrides: [{units: [Workloads], regions: [us-east-1], parameters: {Text: '${PARTITION}'}}]\n"
        "  - {name: own, file: t.yaml, targets: {units: [Workloads], only_accounts: [Shop]}, depends_on: [base]}\n"
    ),
    "delegated": "delegated_administrators: [{service: sso.amazonaws.com, account: Audit}]\n",
}
FILES = {"a.json": '{"tags": {}}', "t.yaml": "Resources: {A: {Type: AWS::SNS::Topic}}\n"}


def test_everything_that_a_manifest_can_say_is_read(tmp_path: Path) -> None:
    manifest = load(tmp_path, EVERYTHING, FILES).manifest
    old = manifest.accounts[-1]
    assert old.state is WantedState.QUARANTINED
    assert old.id == "012345678901"
    assert old.alternate_contacts["billing"] is None
    assert [path for path, _, _ in walk_units(manifest)] == [
        "Security",
        "Quarantine",
        "Workloads",
        "Workloads/Prod",
        "Workloads/Dev",
    ]
    assert manifest.units[1].tags == {"Team": "security", "Old": None}
    assert manifest.lineage.graph.engine == "neptune"


def test_parameters_have_their_variables_filled_and_keep_their_references(tmp_path: Path) -> None:
    loaded = load(tmp_path, EVERYTHING, FILES)
    stackset = loaded.manifest.stacksets[0]
    assert stackset.parameters == {
        "List": ("a", "b"),
        "Text": "arn:aws",
        "Id": "${orgctl:account-id:Audit}",
        "Number": 3,
    }
    assert stackset.overrides[0].parameters == {"Text": "aws"}
    assert loaded.manifest.policies[1].parameters == {"regions": ("a", "b"), "n": 1}


def test_auto_deployment_is_on_unless_accounts_narrow_the_targets(tmp_path: Path) -> None:
    stacksets = load(tmp_path, EVERYTHING, FILES).manifest.stacksets
    assert [stackset.deploys_automatically for stackset in stacksets] == [True, False]
    off = {"stacksets": "stacksets: [{name: s, template: t, targets: {root: true}, auto_deployment: false}]\n"}
    assert load(tmp_path, off).manifest.stacksets[0].deploys_automatically is False


def test_policies_and_templates_with_a_text_of_their_own_have_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, EVERYTHING, FILES)
    assert loaded.policy_texts == {0: '{"tags":{}}'}
    assert loaded.template_texts == {1: FILES["t.yaml"]}


def test_the_place_of_a_value_or_of_the_nearest_above_it_is_known(tmp_path: Path) -> None:
    loaded = load(tmp_path, {})
    path = tmp_path / "organization.yaml"
    assert str(loaded.place()) == f"{path}:1:1"
    assert str(loaded.place("accounts", 4, "email")) == f"{path}:15:25"
    assert str(loaded.place("accounts", 4, "tags", "Team")) == f"{path}:15:5"
    assert str(loaded.place("accounts", 99)) == f"{path}:11:3"
    assert str(loaded.place("stacksets", 0, "name")) == f"{path}:1:1"


def test_places_are_shown_as_the_user_named_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_manifest(tmp_path, account("{name: X, email: x@example.com, unit: Mars}"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceErrors) as caught:
        load_manifest(Path("organization.yaml"))
    assert str(caught.value) == "organization.yaml:16:43: unknown unit 'Mars'; add it under units:"
    assert (caught.value.where, caught.value.what, caught.value.todo) == ("organization.yaml", "1 error", "")


def test_the_digest_changes_with_every_file_and_with_nothing_else(tmp_path: Path) -> None:
    first = load(tmp_path / "a", EVERYTHING, FILES).digest
    assert load(tmp_path / "b", EVERYTHING, FILES).digest == first
    (tmp_path / "a" / "unused.json").write_text("{}")
    assert load(tmp_path / "a", EVERYTHING, FILES).digest == first
    for name, text in FILES.items():
        assert load(tmp_path / "a", EVERYTHING, FILES | {name: text + " "}).digest != first
    assert load(tmp_path / "a", EVERYTHING | {"x": "# a comment\n"}, FILES).digest != first


def test_a_manifest_cannot_be_changed(tmp_path: Path) -> None:
    manifest = load(tmp_path, {}).manifest
    with pytest.raises(ValidationError):
        manifest.accounts[0].name = "Other"


def test_every_field_has_a_description() -> None:
    definitions = Manifest.model_json_schema()["$defs"].values()
    missing = [
        (model["title"], name)
        for model in definitions
        for name, field in model.get("properties", {}).items()
        if not field.get("description")
    ]
    assert missing == []


def accounts(count: int) -> str:
    return BASE["accounts"] + "".join(
        f"  - name: Account {number}\n"
        f"    email: account-{number}@example.com\n"
        f"    unit: Workloads/{'Prod' if number % 2 else 'Dev'}\n"
        f"    tags: {{Team: team-{number % 20}, CostCenter: '{number}'}}\n"
        "    alternate_contacts: {security: {name: S, title: T, email: s@example.com, phone: '+49 1'}}\n"
        for number in range(count)
    )


def test_a_thousand_accounts_are_read_in_little_time(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, {"accounts": accounts(1000)})
    load_manifest(path)
    start = time.perf_counter()
    assert len(load_manifest(path).manifest.accounts) == 1005
    assert time.perf_counter() - start < 5  # about 0.4 s on a quiet machine


def test_a_thousand_wrong_names_are_told_in_little_time(tmp_path: Path) -> None:
    text = accounts(1000).replace("Workloads/", "Workload/")
    start = time.perf_counter()
    with pytest.raises(SourceErrors) as caught:
        load(tmp_path, {"accounts": text})
    assert len(caught.value.findings) == 1001
    assert time.perf_counter() - start < 5


YAML_ISH = st.lists(
    st.sampled_from(
        [
            "version: 1\n",
            "accounts:\n",
            "units: ",
            "policies:\n",
            "organization:\n",
            "include: ",
            "variables: ",
            "stacksets:\n",
            "  - ",
            "name: ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            ": ",
            "\n",
            "  ",
            "&a ",
            "*a",
            "!!str ",
            "!x ",
            "'",
            '"',
            "|\n",
            ">-\n",
            "<<: *a\n",
            "? ",
            "012",
            "yes",
            "~",
            "1e5",
            "0x1",
            "-",
            "#",
            "---\n",
            "...\n",
            "%YAML 1.1\n",
            "\t",
            "\x00",
            "\x85",
            "\ufeff",
            "${X}",
            "${",
            "é",
            "😀",
            "x",
            "inline: ",
            "type: TAG_POLICY\n",
            "email: a@b.de\n",
            "unit: Root\n",
            "targets: ",
            "'*.yaml'",
            "'../x'",
            "file: x\n",
            "parameters: ",
        ]
    )
    | st.text(max_size=3),
    max_size=40,
).map("".join)


def assert_loads_or_says_why(folder: Path, text: str) -> None:
    path = folder / "organization.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_manifest(path)
    except OrgctlError as error:
        assert all(f"{folder}/" in line for line in str(error).splitlines())  # noqa: PT017


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(text=YAML_ISH)
@example(text="a: &a [*a]\n")
@example(text="\ud800")
@example(text="include: ['organization.yaml', '*']\n")
def test_no_text_is_answered_with_anything_but_our_errors(tmp_path: Path, text: str) -> None:
    assert_loads_or_says_why(tmp_path, text)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["Shop", "Root", "${X}", "eu-central-1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "units", "file", "inline", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(key=st.sampled_from(sorted(Manifest.model_fields)), value=PLAIN)
def test_no_value_is_answered_with_anything_but_our_errors(tmp_path: Path, key: str, value: object) -> None:
    import json

    sections = "".join(text for name, text in BASE.items() if name != key)
    assert_loads_or_says_why(tmp_path, f"{sections}{key}: {json.dumps(value)}\n")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    text=st.lists(
        st.sampled_from(
            [
                '{"tags": ',
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                '"',
                "\\",
                "${X}",
                "${",
                "}",
                "1",
                "-",
                "NaN",
                "true",
                "\n",
                " ",
                '"a"',
                "\\u00",
                "é",
            ]
        )
        | st.text(max_size=2),
        max_size=30,
    ).map("".join)
)
@example(text="1" * 5000)
@example(text='{"tags": ' + "1" * 50 + "}")
def test_no_policy_file_is_answered_with_anything_but_our_errors(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    policies = "policies: [{name: P, type: TAG_POLICY, file: p.json}]\n"
    assert_loads_or_says_why(tmp_path, "".join(BASE.values()) + "variables: {X: [1]}\n" + policies)
