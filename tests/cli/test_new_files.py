"""Files that commands make: whole, or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.new_files import fill_folder, write_new
from org.errors import OrgctlError

FULL = OSError(28, os.strerror(28))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each new file take three bytes, and then no more."""
    opened = Path.open

    class Full:
        def __init__(self, file: object) -> None:
            self.file = file

        def __enter__(self) -> Full:
            self.file.__enter__()
            return self

        def __exit__(self, *error: object) -> None:
            self.file.__exit__(*error)

        def write(self, content: bytes) -> None:
            self.file.write(content[:3])
            self.file.flush()
            raise FULL

    monkeypatch.setattr(Path, "open", lambda self, mode="r", **more: Full(opened(self, mode, **more)))


def test_nothing_is_left_of_a_file_for_which_there_is_no_room(tmp_path: Path, full_disk: None) -> None:
    with pytest.raises(OrgctlError, match="cannot be written: No space left on device"):
        write_new(tmp_path / "page.html", b"a page")
    assert not list(tmp_path.iterdir()), "a torn page would be taken for a page, and keep the next from being written"


def test_the_old_file_stays_where_there_is_no_room_for_the_new(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "page.html").write_bytes(b"the page of yesterday")
    request.getfixturevalue("full_disk")
    with pytest.raises(OrgctlError, match="cannot be written"):
        write_new(tmp_path / "page.html", b"a page", force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").stat().st_size == len(b"the page of yesterday")


def test_a_file_is_written_over_only_if_forced(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_new(page, b"one")
    with pytest.raises(OrgctlError, match="there is a file already"):
        write_new(page, b"two")
    assert page.read_bytes() == b"one"
    write_new(page, b"two", force=True)
    write_new(tmp_path / "new.html", b"new", force=True)
    assert page.read_bytes() == b"two"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new.html", "page.html"]


def test_what_a_link_points_to_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "far").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "far")
    write_new(tmp_path / "link", b"new", force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far").read_bytes() == b"new"


def test_a_folder_that_cannot_be_filled_is_empty_again_so_that_the_same_can_be_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "out"

    def fill() -> list[Path]:
        (folder / "things.csv").write_text("half", encoding="utf-8")
        raise FULL

    with pytest.raises(OrgctlError, match="cannot be written: No space left on device"):
        fill_folder(folder, fill)
    assert not list(folder.iterdir())


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(OrgctlError, match="the folder is not empty"):
        fill_folder(tmp_path, list)
    assert (tmp_path / "mine").exists()
