"""What YAML itself gets refused for, before anything is known of manifests."""

from pathlib import Path

import pytest

from config.yaml_source import compose
from org.source.findings import Finding
from org.source.nodes import Unusable, plain
from tests.config.manifests import findings_of, refused


def read(text: str) -> tuple[object, list[str]]:
    """The value and what was refused on the way to it."""
    findings: list[Finding] = []
    try:
        value = plain(compose(text, "o.yaml", findings), findings)
    except Unusable as error:
        return None, [*map(str, findings), str(error.finding)]
    return value, list(map(str, findings))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "o.yaml: the file is empty; write a manifest, or let orgctl init write one"),
        ("# only this\n", "o.yaml: the file is empty; write a manifest, or let orgctl init write one"),
        (
            "a: [1\nb: 2\n",
            (
                "o.yaml:2:2: the file is not YAML: did not find expected ',' or ']' while parsing a flow sequence;"
                " correct the line or the one before it"
            ),
        ),
        (
            "a: b: c\n",
            (
                "o.yaml:1:5: the file is not YAML: mapping values are not allowed in this context;"
                " correct the line or the one before it"
            ),
        ),
        (
            "a:\n\tb: 1\n",
            (
                "o.yaml:2:1: the file is not YAML: found character that cannot start any token"
                " while scanning for the next token; correct the line or the one before it"
            ),
        ),
        ("a: 1\nb: x\0y\n", "o.yaml:2:5: the character U+0000 is not allowed; remove it"),
        ("a: \x07\n", "o.yaml:1:4: the character U+0007 is not allowed; remove it"),
        (
            "a: 1\n---\nb: 2\n",
            "o.yaml:2:1: a second document begins here; keep one document per file",
        ),
        ("a: &x [1, *x]\n", "o.yaml:1:11: the alias *x stands within the value that it repeats; write the value out"),
        ("a: *x\n", "o.yaml:1:4: the alias *x repeats nothing; mark the value to repeat with &x before it"),
        ("[" * 100_000, "o.yaml:1:41: values are nested more than 40 deep; nest them less"),
        ("- " * 100_000, "o.yaml:1:81: values are nested more than 40 deep; nest them less"),
        ("{a: " * 100_000, "o.yaml:1:161: values are nested more than 40 deep; nest them less"),
    ],
)
def test_text_that_cannot_be_read_is_refused_with_its_place(text: str, message: str) -> None:
    assert read(text) == (None, [message])


def test_aliases_that_multiply_are_refused_before_they_are_written_out() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    message = "aliases up to here repeat more than 100,000 values; write out what is needed"
    assert read("\n".join(lines)) == (None, [f"o.yaml:5:36: {message}"])


def test_an_alias_repeats_its_value() -> None:
    assert read("a: &x [1, {b: c}]\nd: *x\n") == ({"a": (1, {"b": "c"}), "d": (1, {"b": "c"})}, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "o.yaml:3:1: the key 'a' is already at o.yaml:1:1; keep one of the two"),
        (
            "a: !!python/name:os.system\n",
            "o.yaml:1:4: the tag !!python/name:os.system is not allowed; remove it, and put text in quotes",
        ),
        ("a: !Ref b\n", "o.yaml:1:4: the tag !Ref is not allowed; remove it, and put text in quotes"),
        ("a: !!int '1'\n", "o.yaml:1:4: the tag !!int is not allowed; remove it, and put text in quotes"),
        ("a: !!str [1]\n", "o.yaml:1:4: the tag !!str is not allowed; remove it, and put text in quotes"),
        (
            "<<: {a: 1}\n",
            "o.yaml:1:1: the merge key << is not supported; write the keys out, or repeat a whole value with *",
        ),
        ("? [a]\n: 1\n", "o.yaml:1:3: a list or a mapping cannot be a key; write text before the colon"),
        ("'': 1\n", "o.yaml:1:1: a key is empty; write text before the colon"),
        ("!!str a: 1\n", "o.yaml:1:1: the key 'a' has a tag or an anchor; write the key alone"),
        ("a: no\n", 'o.yaml:1:4: YAML reads no as false; write false, or put text in quotes: "no"'),
        ("a: [ON]\n", 'o.yaml:1:5: YAML reads ON as true; write true, or put text in quotes: "ON"'),
        (
            "id: 012345670123\n",
            'o.yaml:1:5: YAML reads 012345670123 as the octal number 1402433619; put it in quotes: "012345670123"',
        ),
        (
            "id: 012345678901\n",
            (
                "o.yaml:1:5: some readers of YAML take 012345678901 for a number and others for text; put it "
                'in quotes: "012345678901"'
            ),
        ),
        (
            "a: 0x1F\n",
            'o.yaml:1:4: some readers of YAML take 0x1F for a number and others for text; put it in quotes: "0x1F"',
        ),
        (
            "a: 12:30\n",
            'o.yaml:1:4: some readers of YAML take 12:30 for a number and others for text; put it in quotes: "12:30"',
        ),
        (
            "a: 1_000\n",
            'o.yaml:1:4: some readers of YAML take 1_000 for a number and others for text; put it in quotes: "1_000"',
        ),
        (
            "a: .inf\n",
            'o.yaml:1:4: some readers of YAML take .inf for a number and others for text; put it in quotes: ".inf"',
        ),
        (
            "a: 1e999\n",
            'o.yaml:1:4: some readers of YAML take 1e999 for a number and others for text; put it in quotes: "1e999"',
        ),
    ],
)
def test_what_is_ambiguous_is_refused_and_the_rest_is_read(text: str, message: str) -> None:
    value, messages = read(text)
    assert messages == [message]
    assert isinstance(value, dict)


def test_plain_text_keeps_its_meaning() -> None:
    text = """
    date: 2012-10-17
    number: 12
    fraction: 1.5
    quoted: "012"
    tagged: !!str 012
    truth: true
    nothing: ~
    empty:
    on: a key
    plus: "+49 30"
    version: 1.2.3
    """
    assert read(text) == (
        {
            "date": "2012-10-17",
            "number": 12,
            "fraction": 1.5,
            "quoted": "012",
            "tagged": "012",
            "truth": True,
            "nothing": None,
            "empty": None,
            "on": "a key",
            "plus": "+49 30",
            "version": "1.2.3",
        },
        [],
    )


def test_a_duplicate_key_of_a_manifest_names_both_lines(tmp_path: Path) -> None:
    units = "units: []\n▸units: []\n"
    place = f"{tmp_path}/organization.yaml:9:1"
    refused_message = f"the key 'units' is already at {place}; keep one of the two"
    path = tmp_path / "organization.yaml"
    refused(tmp_path, {"units": units}, refused_message.replace(f"{tmp_path}/", ""))
    assert path.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"version: 1\nx: \xff\n",
            (
                "organization.yaml: the file is not UTF-8: the byte at line 2, column 4 is 0xff; "
                "save it with the encoding UTF-8"
            ),
        ),
        (
            "version: 1".encode("utf-16"),
            (
                "organization.yaml: the file is not UTF-8: the byte at line 1, column 1 is 0xff; "
                "save it with the encoding UTF-8"
            ),
        ),
        (b"", "organization.yaml: the file is empty; write a manifest, or let orgctl init write one"),
        (b"- a\n", "organization.yaml:1:1: the file holds a list and no keys; begin with keys such as accounts:"),
        (
            b"text\n",
            "organization.yaml:1:1: the file holds a single value and no keys; begin with keys such as accounts:",
        ),
        (
            b"#" * (1024 * 1024 + 1),
            "organization.yaml: the file is larger than 1,048,576 bytes; split it and name the parts in include:",
        ),
    ],
)
def test_a_file_that_cannot_be_a_manifest_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "organization.yaml"
    path.write_bytes(data)
    assert findings_of(path) == [message]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "organization.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 2\n")
    assert "organization.yaml:1:10: 'version' cannot be 2; write 1" in findings_of(path)
