"""YAML text to nodes that know their place, refusing what YAML readers disagree about; makes no AWS call.

The parser's events are composed here and not by PyYAML, whose C composer crashes the process on deep nesting and
knows neither duplicate keys nor a bound on what aliases expand to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from io import StringIO

import yaml

from org.source.findings import Finding, Place
from org.source.nodes import MAX_DEPTH, ListNode, MappingNode, Node, Plain, ScalarNode, Unusable, size_of

MAX_ALIASED_VALUES = 100_000
"""As many values may aliases repeat in all; a manifest that is written out has no such bound."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD_TAG = "tag:yaml.org,2002:"


def compose(text: str, file: str, findings: list[Finding], composer: type[Composer] | None = None) -> Node:
    """Answer the one document's top node; what can be refused and read past is added to `findings`.

    Raises Unusable where nothing more can be read.
    """
    if (match := _NOT_ALLOWED.search(text)) is not None:
        place = Place(file, text.count("\n", 0, match.start()) + 1, match.start() - text.rfind("\n", 0, match.start()))
        raise Unusable(Finding(place, f"the character U+{ord(match.group()):04X} is not allowed", "remove it"))
    try:
        return (composer or Composer)(text, file, findings).document()
    except yaml.MarkedYAMLError as error:
        raise Unusable(_syntax_error(error, file)) from error
    except yaml.YAMLError as error:
        raise Unusable(Finding(Place(file), f"the file is not YAML: {error}", "correct it")) from error


_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _syntax_error(error: yaml.MarkedYAMLError, file: str) -> Finding:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    context = f" {error.context}" if error.context else ""
    return Finding(place, f"the file is not YAML: {error.problem}{context}", "correct the line or the one before it")


class Composer:
    """Turns the events of one file into nodes; a subclass may read scalars, tags and aliases otherwise."""

    if_empty = "write a manifest, or let orgctl init write one"

    def __init__(self, text: str, file: str, findings: list[Finding]) -> None:
        self._events = self._parse(text)
        self._file = file
        self._findings = findings
        self._anchors: dict[str, Node] = {}
        self._open_anchors: set[str] = set()
        self._aliased = 0

    @staticmethod
    def _parse(text: str) -> Iterator[yaml.Event]:
        loader = _Loader(StringIO(text))
        try:
            while (event := loader.get_event()) is not None and not isinstance(event, yaml.StreamEndEvent):
                yield event
        finally:
            loader.dispose()

    def document(self) -> Node:
        next(self._events)  # the start of the stream
        start = next(self._events, None)
        if start is None:
            raise Unusable(Finding(Place(self._file), "the file is empty", self.if_empty))
        node = self._node(next(self._events), 0)
        next(self._events)  # the end of the document
        second = next(self._events, None)
        if second is not None:
            raise Unusable(Finding(self.place(second), "a second document begins here", "keep one document per file"))
        return node

    def place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _refuse(self, event: yaml.Event, what: str, todo: str) -> None:
        self._findings.append(Finding(self.place(event), what, todo))

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        self.check_tag(event)
        if isinstance(event, yaml.ScalarEvent):
            node: Node = self.scalar(event)
        else:
            node = self._collection(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None and event.tag not in _ALLOWED_TAGS[type(event)]:
            tag = event.tag.replace(_STANDARD_TAG, "!!")
            self._refuse(event, f"the tag {tag} is not allowed", "remove it, and put text in quotes")

    def alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor in self._open_anchors:
            what = f"the alias *{event.anchor} stands within the value that it repeats"
            raise Unusable(Finding(self.place(event), what, "write the value out"))
        if event.anchor not in self._anchors:
            what = f"the alias *{event.anchor} repeats nothing"
            raise Unusable(Finding(self.place(event), what, f"mark the value to repeat with &{event.anchor} before it"))
        node = self._anchors[event.anchor]
        self._aliased += size_of(node)
        if self._aliased > MAX_ALIASED_VALUES:
            what = f"aliases up to here repeat more than {MAX_ALIASED_VALUES:,} values"
            raise Unusable(Finding(self.place(event), what, "write out what is needed"))
        return node

    def _collection(self, event: yaml.CollectionStartEvent, depth: int) -> ListNode | MappingNode:
        if depth >= MAX_DEPTH:
            what = f"values are nested more than {MAX_DEPTH} deep"
            raise Unusable(Finding(self.place(event), what, "nest them less"))
        if event.anchor is not None:
            self._open_anchors.add(event.anchor)
        if isinstance(event, yaml.SequenceStartEvent):
            node: ListNode | MappingNode = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        self._open_anchors.discard(event.anchor)
        return node

    def _sequence(self, event: yaml.Event, depth: int) -> ListNode:
        node = ListNode(self.place(event))
        while not isinstance(child := next(self._events), yaml.SequenceEndEvent):
            item = self._node(child, depth + 1)
            node.items.append(item)
            node.size += size_of(item)
        return node

    def _mapping(self, event: yaml.Event, depth: int) -> MappingNode:
        node = MappingNode(self.place(event))
        while not isinstance(child := next(self._events), yaml.MappingEndEvent):
            key = self._key(child, depth)
            value = self._node(next(self._events), depth + 1)
            node.size += size_of(value) + 1
            if key is not None:
                node.pairs.append((key, value))
        return node

    def _key(self, event: yaml.Event, depth: int) -> ScalarNode | None:
        """Answer the key as it is written: `on:` is a good key, though YAML 1.1 would read it as `true`."""
        if not isinstance(event, yaml.ScalarEvent):
            self._node(event, depth + 1)
            self._refuse(event, "a list or a mapping cannot be a key", "write text before the colon")
            return None
        if event.value == "<<" and event.implicit[0]:
            self._refuse(
                event, "the merge key << is not supported", "write the keys out, or repeat a whole value with *"
            )
            return None
        if not event.value:
            self._refuse(event, "a key is empty", "write text before the colon")
            return None
        if event.tag is not None or event.anchor is not None:
            self._refuse(event, f"the key {event.value!r} has a tag or an anchor", "write the key alone")
        return ScalarNode(self.place(event), event.value, event.value)

    def scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        text, place = event.value, self.place(event)
        if not event.implicit[0] or (text[:1] not in _FIRST_OF_NUMBER and text not in _WORDS):
            return ScalarNode(place, text, text)
        if text in _YES_OR_NO:
            meant = "true" if text.lower() in ("yes", "on") else "false"
            self._refuse(event, f"YAML reads {text} as {meant}", f'write {meant}, or put text in quotes: "{text}"')
            return ScalarNode(place, text, meant == "true")
        if (why := _why_ambiguous(text)) is not None:
            self._refuse(event, why, f'put it in quotes: "{text}"')
            return ScalarNode(place, text, text)
        return ScalarNode(place, text, _WORDS[text] if text in _WORDS else _number_or_text(text))


_ALLOWED_TAGS: dict[type, tuple[str, ...]] = {
    yaml.ScalarEvent: ("!", _STANDARD_TAG + "str"),
    yaml.SequenceStartEvent: ("!", _STANDARD_TAG + "seq"),
    yaml.MappingStartEvent: ("!", _STANDARD_TAG + "map"),
}
_FIRST_OF_NUMBER = frozenset("+-.0123456789")
_YES_OR_NO = frozenset(["yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"])
_WORDS: dict[str, bool | None] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys(_YES_OR_NO)
)
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_OCTAL = re.compile(r"[-+]?0o?_*[0-7][0-7_]*")
# Numbers in one version of YAML and text in another, or numbers that nobody means as such.
_OTHER_NUMBER = re.compile(
    r"[-+]?(?:0x[0-9a-fA-F_]+|0b[01_]+|0[0-9]+|[0-9][0-9_]*_[0-9_]*|[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?|[0-9]{19,}"
    r"|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)


def _why_ambiguous(text: str) -> str | None:
    if len(text) <= 40 and _OCTAL.fullmatch(text):
        return f"YAML reads {text} as the octal number {int(re.sub('[_o]', '', text), 8)}"
    if _OTHER_NUMBER.fullmatch(text) or (_FRACTION.fullmatch(text) and math.isinf(float(text))):
        shown = text if len(text) <= 40 else text[:40] + "…"
        return f"some readers of YAML take {shown} for a number and others for text"
    return None


def _number_or_text(text: str) -> Plain:
    """Answer what the text means; a date stays text, so that `Version: 2012-10-17` needs no quotes."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text
