"""Files that the manifest names: what they add, and when they are refused."""

import sys
from pathlib import Path

import pytest

from config.folder import MAX_FILE_BYTES, MAX_TOTAL_BYTES
from tests.config.manifests import findings_of, load, refused, write_manifest

SHOP = "accounts:\n  - {name: Shop 2, email: shop-2@example.com, unit: Workloads/Dev}\n"
BANK = "accounts:\n  - {name: Bank, email: bank@example.com, unit: Workloads/Dev}\n"


def including(names: str) -> dict[str, str]:
    return {"version": f"version: 1\ninclude: {names}\n"}


def test_lists_of_included_files_are_appended_in_order(tmp_path: Path) -> None:
    files = {"accounts/b.yaml": BANK, "accounts/a.yaml": SHOP}
    loaded = load(tmp_path, including('["accounts/*.yaml"]'), files)
    assert [account.name for account in loaded.manifest.accounts][5:] == ["Shop 2", "Bank"]
    assert str(loaded.place("accounts", 6, "email")) == f"{tmp_path}/accounts/b.yaml:2:25"


def test_mappings_of_included_files_are_merged(tmp_path: Path) -> None:
    sections = including("[more.yaml]") | {"variables": "variables: {A: 1}\n"}
    loaded = load(tmp_path, sections, {"more.yaml": "variables: {B: 2}\ntrusted_access: [sso.amazonaws.com]\n"})
    assert loaded.manifest.variables == {"A": 1, "B": 2}
    assert loaded.manifest.trusted_access == ("sso.amazonaws.com",)


def test_a_file_that_two_patterns_find_is_included_once(tmp_path: Path) -> None:
    loaded = load(tmp_path, including('[shop.yaml, "*.yaml"]'), {"shop.yaml": SHOP})
    assert len(loaded.manifest.accounts) == 6


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("[▸../o.yaml]", "the include '../o.yaml' leads out of the manifest's folder; keep all files below it"),
        (
            "[▸a/../../o.yaml]",
            "the include 'a/../../o.yaml' leads out of the manifest's folder; keep all files below it",
        ),
        ('[▸"../*.yaml"]', "the include '../*.yaml' leads out of the manifest's folder; keep all files below it"),
        (
            "[▸/etc/hosts]",
            "the include '/etc/hosts' is not below the manifest's folder; write a path relative to that folder",
        ),
        (
            r"[▸C:\o.yaml]",
            r"the include 'C:\\o.yaml' is not below the manifest's folder; write a path relative to that folder",
        ),
        ("[▸none.yaml]", "the include 'none.yaml' does not exist; correct the name"),
        ('[▸"none/*.yaml"]', "the include 'none/*.yaml' matches no file; correct or remove it"),
        pytest.param(
            '[▸"a**b.yaml"]',
            (
                "the include 'a**b.yaml' is not a pattern of file names: Invalid pattern: '**' can only be "
                "an entire path component; write it like accounts/*.yaml"
            ),
            marks=pytest.mark.skipif(sys.version_info >= (3, 13), reason="from Python 3.13 on it is the same as a*b"),
        ),
        ("[▸organization.yaml]", "the include 'organization.yaml' is this manifest itself; remove it"),
        ("[shop.yaml, ▸shop.yaml]", "the include 'shop.yaml' is already included; remove it"),
        ("[▸folder]", "the include 'folder' is a folder; name a file"),
        ('[▸"a\\0b"]', "the include 'a\\x00b' is not a file name; write a path below the manifest's folder"),
        ('[▸""]', "the include '' is not a file name; write a path below the manifest's folder"),
    ],
)
def test_an_include_that_cannot_be_read_is_refused(tmp_path: Path, names: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    refused(tmp_path, including(names), message, files={"shop.yaml": SHOP})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "▸include: [x.yaml]\n",
            "the key 'include' stands in the included file 'more.yaml'; move it to the manifest that includes the file",
        ),
        (
            "▸version: 1\n",
            "the key 'version' stands in the included file 'more.yaml'; move it to the manifest that includes the file",
        ),
        (
            "▸organization: {}\n",
            (
                "the key 'organization' stands in the included file 'more.yaml'; move it to the manifest "
                "that includes the file"
            ),
        ),
        ("▸acounts: []\n", "unknown key 'acounts'; did you mean 'accounts'?"),
        (
            "units: ▸{name: X}\n",
            (
                "the key 'units' does not hold the same kind of value as at organization.yaml:9:8; write a "
                "list in both or a mapping in both"
            ),
        ),
        ("variables: {▸A: 2}\n", "the key 'A' is already at organization.yaml:16:13; keep one of the two"),
        ("▸[]\n", "the file holds a list and no keys; begin with keys such as accounts:"),
    ],
)
def test_an_included_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, message: str) -> None:
    sections = {"version": "version: 1\n", "variables": "variables: {A: 1}\ninclude: [more.yaml]\n"}
    message = message.replace("at organization", f"at {tmp_path}/organization")
    path = write_manifest(tmp_path, sections, {"more.yaml": text})
    line = next(number for number, part in enumerate(text.splitlines(), 1) if "▸" in part)
    column = text.index("▸") + 1
    assert findings_of(path) == [f"more.yaml:{line}:{column}: {message}".replace(f"{tmp_path}/", "")]


def test_an_empty_included_file_is_refused(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, including("[more.yaml]"), {"more.yaml": "# nothing\n"})
    assert findings_of(path) == ["more.yaml: the file is empty; write a manifest, or let orgctl init write one"]


def test_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, including("[a.yaml, b.yaml]"), {"a.yaml": "x: [\n", "b.yaml": "x: *y\n"})
    assert findings_of(path) == [
        (
            "a.yaml:2:1: the file is not YAML: did not find expected node content while parsing a flow node;"
            " correct the line or the one before it"
        ),
        "b.yaml:1:4: the alias *y repeats nothing; mark the value to repeat with &y before it",
    ]


def test_an_included_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, including("[more.yaml]"))
    (tmp_path / "more.yaml").write_bytes("# für\n".encode("latin-1"))
    message = (
        "the include 'more.yaml' is not UTF-8: the byte at line 1, column 4 is 0xfc; save it with the encoding UTF-8"
    )
    assert findings_of(path) == [f"organization.yaml:2:11: {message}"]


def test_a_symbolic_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(SHOP)
    inside = tmp_path / "inside"
    path = write_manifest(inside, including("[link.yaml]"))
    (inside / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    message = (
        "the include 'link.yaml' leads out of the manifest's folder through a symbolic link; copy it into the folder"
    )
    assert findings_of(path) == [f"organization.yaml:2:11: {message}"]


def test_a_symbolic_link_to_itself_is_refused(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, including("[link.yaml]"))
    (tmp_path / "link.yaml").symlink_to("link.yaml")
    message = "the include 'link.yaml' is a symbolic link that leads nowhere; correct it"
    assert findings_of(path) == [f"organization.yaml:2:11: {message}"]


def test_a_symbolic_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, including("[link.yaml]"), {"shop.yaml": SHOP})
    (tmp_path / "link.yaml").symlink_to("shop.yaml")
    assert len(load(tmp_path, including("[link.yaml]")).manifest.accounts) == 6
    assert path.exists()


def test_a_manifest_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    assert findings_of(tmp_path / "none.yaml") == ["none.yaml: the file does not exist; correct the name"]
    (tmp_path / "folder").mkdir()
    assert findings_of(tmp_path / "folder") == ["folder: the file is a folder; name a file"]


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_manifest(tmp_path, {})

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    message = "organization.yaml: the file may not be read; give yourself permission to read it"
    assert findings_of(path) == [message]


def test_a_file_on_a_broken_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_manifest(tmp_path, {})

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    message = "organization.yaml: the file cannot be read: Input/output error; correct the name"
    assert findings_of(path) == [message]


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    import os

    path = tmp_path / "organization.yaml"
    os.mkfifo(path)
    assert findings_of(path) == ["organization.yaml: the file is not a regular file; name a file"]


def test_an_included_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, including("[more.yaml]"), {"more.yaml": "#" * (MAX_FILE_BYTES + 1)})
    message = "the include 'more.yaml' is larger than 1,048,576 bytes; split it and name the parts in include:"
    assert findings_of(path) == [f"organization.yaml:2:11: {message}"]


def test_files_that_are_too_large_together_are_refused(tmp_path: Path) -> None:
    padding = "#" * (MAX_FILE_BYTES - 1) + "\n"
    files = {
        f"{number:02}.yaml": "trusted_access: []\n" + padding[100:]
        for number in range(MAX_TOTAL_BYTES // MAX_FILE_BYTES + 1)
    }
    path = write_manifest(tmp_path, including('["??.yaml"]'), files)
    message = "the include '16.yaml' makes the files larger than 16,777,216 bytes in all; describe fewer things"
    assert findings_of(path) == [f"organization.yaml:2:11: {message}"]


def test_a_pattern_that_matches_too_many_files_is_refused(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, including('["a/*.yaml"]'), {f"a/{number}.yaml": "" for number in range(1001)})
    message = "the include 'a/*.yaml' matches 1,001 files; name at most 1,000"
    assert findings_of(path) == [f"organization.yaml:2:11: {message}"]
