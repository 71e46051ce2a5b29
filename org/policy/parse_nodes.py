"""The shapes that every element of a policy is made of: named members, text, one or several of them."""

from __future__ import annotations

from collections.abc import Iterable

from org.source.findings import Finding, Place, suggest
from org.source.nodes import ListNode, MappingNode, Node, ScalarNode, plain

Members = dict[str, tuple[ScalarNode, Node]]
Text = tuple[str, Place]


def find_repeated_keys(node: Node, findings: list[Finding]) -> None:
    """Add a finding for each key that is written twice, however deep."""
    plain(node, findings)


def read_members(node: MappingNode, valid: Iterable[str], owner: str, findings: list[Finding]) -> Members:
    """Answer the members by name; one whose name is not valid is told of and left out."""
    valid = tuple(valid)
    members: Members = {}
    for key, value in node.pairs:
        if key.text in valid:
            members.setdefault(key.text, (key, value))
        else:
            todo = suggest(key.text, valid, otherwise=f"its elements are {', '.join(valid)}")
            findings.append(Finding(key.place, f"{owner} has no element {key.text!r}", todo))
    return members


def shown(node: Node) -> str:
    """Say what a value is, as far as a reader needs it to find the fault."""
    if isinstance(node, ScalarNode):
        if node.value is None:
            return "null"
        if isinstance(node.value, str):
            return repr(node.text) if node.text else "empty text"
        return text_of(node) or node.text
    return "a list" if isinstance(node, ListNode) else "an object"


def text_of(node: ScalarNode) -> str | None:
    """Answer a scalar as AWS keeps it: numbers and booleans become text; None for null."""
    if node.value is None:
        return None
    return ("true" if node.value else "false") if isinstance(node.value, bool) else node.text


def read_text(node: Node, name: str, findings: list[Finding]) -> str | None:
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return node.value
    findings.append(Finding(node.place, f"{name} is {shown(node)}", "write text in quotes"))
    return None


def read_texts(
    node: Node, name: str, findings: list[Finding], *, scalars: bool = False, empty: bool = False
) -> list[Text]:
    """Answer one text or a list of them, each with its place; faults are told of and left out.

    `scalars`: numbers and booleans may stand for text; `empty`: an empty text, and an empty list, may stand.
    """
    if isinstance(node, ListNode) and not node.items and not empty:
        findings.append(Finding(node.place, f"{name} is an empty list", "write at least one value, or remove it"))
    texts: list[Text] = []
    for item in node.items if isinstance(node, ListNode) else [node]:
        text = text_of(item) if isinstance(item, ScalarNode) else None
        if text is None or not (scalars or (isinstance(item, ScalarNode) and isinstance(item.value, str))):
            wanted = "write text, a number, true or false" if scalars else "write text in quotes"
            findings.append(Finding(item.place, f"{name} holds {shown(item)}", wanted))
        elif not text and not empty:
            findings.append(Finding(item.place, f"{name} holds empty text", "write a value, or remove it"))
        else:
            texts.append((text, item.place))
    return texts
