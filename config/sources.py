"""Joins the manifest with the files that it includes into one tree of nodes; reads files and makes no AWS call."""

from __future__ import annotations

from config.folder import Folder, Unreadable
from config.yaml_source import compose
from org.source.findings import Finding, Place
from org.source.nodes import ListNode, MappingNode, Node, ScalarNode, Unusable

_MAIN_FILE_ONLY = ("version", "include", "organization")


def load_nodes(folder: Folder, findings: list[Finding]) -> MappingNode | None:
    """Answer the top mapping of the manifest with all includes; None where a file could not be used at all."""
    main = Place(folder.shown(folder.manifest))
    try:
        text = folder.read(folder.manifest)
    except Unreadable as error:
        findings.append(Finding(main, f"the file {error.what}", error.todo))
        return None
    top = _compose_mapping(text, main.file, findings)
    if top is None:
        return None
    known, complete = {folder.manifest}, True
    for entry in _include_entries(top):
        for name, node in _included(folder, entry, known, findings):
            if node is None:
                complete = False
            else:
                _merge(top, node, name, findings)
    return top if complete else None


def _compose_mapping(text: str, file: str, findings: list[Finding]) -> MappingNode | None:
    try:
        node = compose(text, file, findings)
    except Unusable as error:
        findings.append(error.finding)
        return None
    if not isinstance(node, MappingNode):
        what = f"the file holds {'a list' if isinstance(node, ListNode) else 'a single value'} and no keys"
        findings.append(Finding(node.place, what, "begin with keys such as accounts:"))
        return None
    return node


def _include_entries(top: MappingNode) -> list[ScalarNode]:
    """Answer the entries that are text; the types of the others are refused with those of all values."""
    lists = [node for key, node in top.pairs if key.text == "include" and isinstance(node, ListNode)]
    return [
        item for node in lists for item in node.items if isinstance(item, ScalarNode) and isinstance(item.value, str)
    ]


def _included(
    folder: Folder, entry: ScalarNode, known: set[str], findings: list[Finding]
) -> list[tuple[str, MappingNode | None]]:
    """Read the files that one entry of `include` names, but for those that an earlier pattern found."""
    pattern = entry.text
    try:
        names = list(folder.expand(pattern))
    except Unreadable as error:
        findings.append(Finding(entry.place, f"the include {pattern!r} {error.what}", error.todo))
        return [(pattern, None)]
    if names == [pattern] and pattern in known:
        again = "is this manifest itself" if pattern == folder.manifest else "is already included"
        findings.append(Finding(entry.place, f"the include {pattern!r} {again}", "remove it"))
        return []
    read: list[tuple[str, MappingNode | None]] = []
    for name in names:
        if name in known:
            continue
        known.add(name)
        try:
            text = folder.read(name)
        except Unreadable as error:
            findings.append(Finding(entry.place, f"the include {name!r} {error.what}", error.todo))
            read.append((name, None))
        else:
            read.append((name, _compose_mapping(text, folder.shown(name), findings)))
    return read


def _merge(top: MappingNode, included: MappingNode, name: str, findings: list[Finding]) -> None:
    """Append the lists and mappings of an included file to those of the manifest."""
    for key, node in included.pairs:
        if key.text in _MAIN_FILE_ONLY:
            what = f"the key {key.text!r} stands in the included file {name!r}"
            findings.append(Finding(key.place, what, "move it to the manifest that includes the file"))
            continue
        index = next((index for index, (other, _) in enumerate(top.pairs) if other.text == key.text), None)
        if index is None:
            top.pairs.append((key, node))
            continue
        joined = _joined(top.pairs[index][1], node)
        if joined is None:
            what = f"the key {key.text!r} does not hold the same kind of value as at {top.pairs[index][1].place}"
            findings.append(Finding(node.place, what, "write a list in both or a mapping in both"))
        else:
            top.pairs[index] = (top.pairs[index][0], joined)


def _joined(one: Node, other: Node) -> Node | None:
    # New nodes, since an alias may repeat the old ones elsewhere.
    if isinstance(one, ListNode) and isinstance(other, ListNode):
        return ListNode(one.place, [*one.items, *other.items], one.size + other.size)
    if isinstance(one, MappingNode) and isinstance(other, MappingNode):
        return MappingNode(one.place, [*one.pairs, *other.pairs], one.size + other.size)
    return None
