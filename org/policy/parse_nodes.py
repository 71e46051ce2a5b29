"""The shapes that every element of a policy is made of: named members, text, one or several of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from org.source.findings import Finding, Place, suggest
from org.source.nodes import ListNode, MappingNode, Node, ScalarNode, plain

Members = dict[str, tuple[ScalarNode, Node]]
Text = tuple[str, Place]


@dataclass(slots=True)
class Faults:
    """What is wrong with a policy, told apart by whether it can be read all the same."""

    unclear: list[Finding] = field(default_factory=list)
    """There is no telling what is meant."""
    refused: list[Finding] = field(default_factory=list)
    """AWS refuses it today, as far as is known; in a policy that is in force, it means what was read."""

    @property
    def all(self) -> list[Finding]:
        return self.unclear + self.refused

    def puzzle(self, place: Place, what: str, todo: str) -> None:
        self.unclear.append(Finding(place, what, todo))

    def refuse(self, place: Place, what: str, todo: str) -> None:
        self.refused.append(Finding(place, what, todo))


def find_repeated_keys(node: Node, faults: Faults) -> None:
    """Tell of each key that is written twice, however deep."""
    plain(node, faults.unclear)


def read_members(node: MappingNode, valid: Iterable[str], owner: str, faults: Faults) -> Members:
    """Answer the members by name; one whose name is not valid is told of and left out.

    One whose name is valid but for its case is told of and kept, unless that name is there as well.
    """
    valid = tuple(valid)
    by_folded = {name.lower(): name for name in valid}
    written = {key.text for key, _ in node.pairs}
    members: Members = {}
    for key, value in node.pairs:
        name = by_folded.get(key.text.lower(), "")
        what = f"{owner} has no element {key.text!r}"
        if key.text in valid:
            members.setdefault(key.text, (key, value))
        elif name and name not in written and name not in members:
            faults.refuse(key.place, what, suggest(key.text, valid, otherwise=f"write {name!r}"))
            members[name] = (key, value)
        else:
            todo = suggest(key.text, valid, otherwise=f"its elements are {', '.join(valid)}")
            faults.puzzle(key.place, what, todo)
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


def read_text(node: Node, name: str, faults: Faults) -> str | None:
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return node.value
    faults.puzzle(node.place, f"{name} is {shown(node)}", "write text in quotes")
    return None


def read_texts(node: Node, name: str, faults: Faults, *, scalars: bool = False, empty: bool = False) -> list[Text]:
    """Answer one text or a list of them, each with its place; faults are told of and left out.

    `scalars`: numbers and booleans may stand for text; `empty`: an empty text, and an empty list, may stand.
    """
    if isinstance(node, ListNode) and not node.items and not empty:
        faults.refuse(node.place, f"{name} is an empty list", "write at least one value, or remove it")
    texts: list[Text] = []
    for item in node.items if isinstance(node, ListNode) else [node]:
        text = text_of(item) if isinstance(item, ScalarNode) else None
        if text is None or not (scalars or (isinstance(item, ScalarNode) and isinstance(item.value, str))):
            wanted = "write text, a number, true or false" if scalars else "write text in quotes"
            faults.puzzle(item.place, f"{name} holds {shown(item)}", wanted)
        elif not text and not empty:
            faults.refuse(item.place, f"{name} holds empty text", "write a value, or remove it")
        else:
            texts.append((text, item.place))
    return texts
