"""The two ways in which CloudTrail writes the members of a call, read by one accessor.

Older calls of EC2 have `requestParameters.instanceId` and lists as `{"items": […]}`; newer ones have
`requestParameters.<Call>Request.InstanceId`, `responseElements.<Call>Response.instanceId`, and lists as they come out
of XML: `{"tag": 1, "content": "i-1"}` or `{"tag": 1, "InstanceId": "i-1"}`, a list of these, or one alone without a
list, or `""` for none. Other services have plain JSON. Which call speaks which way is not documented [H], so every
member is looked for by its name in lower case, in all of these shapes.

CloudTrail leaves out what exceeds the size of a field, and says so by `"omitted": true`
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html); where in
the field is not documented [H], so it is recognised at every object that is read, and becomes a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

from handlers.lineage.events.outcome import EventError

MAX_TEXT = 4096
"""Longer than any name, tag, ARN or parameter's name that AWS allows."""

HIDDEN = frozenset({"HIDDEN_DUE_TO_SECURITY_REASONS", "<sensitiveDataRemoved>", "***", "****"})
"""What CloudTrail writes in place of a secret: as good as absent."""

_LISTS = ("items", "item", "member")
_BESIDE = frozenset({"tag", "xmlns"})


class Node:
    """One object of an event. Names are given in lower case; of several, the first that is there counts.

    Whatever is not of the asked shape raises `EventError`; absent, null, and hidden are the same.
    """

    __slots__ = ("_gaps", "_members", "path")

    def __init__(self, value: dict[str, object], path: str, gaps: list[str]) -> None:
        members = {name.lower(): member for name, member in value.items()}
        if len(members) != len(value):
            # `tag` is the place in a list, `Tag` is what a TagSpecification puts.
            members = {name.lower(): member for name, member in value.items() if name != "tag"}
            if "tag" not in value or len(members) != len(value) - 1:
                raise EventError(path, "two members differ in case only")
        if "omitted" in members and (members["omitted"] is True or members["omitted"] == "true"):
            gaps.append(f"{path} was too large for CloudTrail and is left out")
        self._members = members
        self._gaps = gaps
        self.path = path

    def _find(self, names: Sequence[str]) -> tuple[object, str]:
        for name in names:
            value = self._members.get(name)
            if value is not None:
                return value, name
        return None, names[0]

    def has(self, *names: str) -> bool:
        return self._find(names)[0] is not None

    def hides(self, name: str) -> bool:
        """Answer whether CloudTrail has hidden a value that was there."""
        value = self._members.get(name)
        return isinstance(value, str) and value in HIDDEN

    def text(self, *names: str) -> str | None:
        """Answer a text or number as text; empty is absent."""
        for name in names:
            value = self._members.get(name)
            if value is not None:
                # Nearly all are such; the rest takes the long way.
                if type(value) is str and len(value) <= MAX_TEXT and value.isascii() and value not in HIDDEN:
                    return value or None
                return self._text(value, name) or None
        return None

    def need(self, *names: str) -> str:
        """Answer a text that must be there."""
        found = self.text(*names)
        if found is None:
            raise EventError(f"{self.path}.{names[0]}", "is missing", absent=True)
        return found

    def words(self, *names: str) -> str:
        """Answer a text for which empty is a value, as a tag has it; absent is empty too."""
        value, name = self._find(names)
        return "" if value is None else self._text(value, name)

    def flag(self, *names: str) -> bool | None:
        value, name = self._find(names)
        if value is None or isinstance(value, bool):
            return value
        if value in {"true", "false"} if isinstance(value, str) else False:
            return value == "true"
        raise EventError(f"{self.path}.{name}", "is neither true nor false")

    def said_false(self, name: str) -> bool:
        """Answer whether a call answered false; some answer a text in the same member."""
        return self._members.get(name) in (False, "false")

    def plain(self) -> dict[str, object]:
        """Answer the members as they are."""
        return self._members

    def node(self, *names: str) -> Node:
        """Answer an object; absent is one without members."""
        value, name = self._find(names)
        path = f"{self.path}.{name}"
        if isinstance(value, list) and len(value) == 1:
            (value,) = value
        if value is None or value == "":
            return Node({}, path, self._gaps)
        if not isinstance(value, dict):
            raise EventError(path, "is not an object")
        return Node(value, path, self._gaps)

    def rows(self, *names: str) -> list[Node]:
        """Answer the objects of a list in whichever dialect; absent is none."""
        value, name = self._find(names)
        if value is None or value == {}:
            return []
        path = f"{self.path}.{name}"
        rows = []
        for each in _items(value, path):
            if not isinstance(each, dict):
                raise EventError(path, "holds something that is not an object")
            rows.append(Node(each, path, self._gaps))
        return rows

    def texts(self, *names: str) -> list[str]:
        """Answer the texts of a list in whichever dialect; absent is none, empty ones are left out."""
        value, name = self._find(names)
        if value is None:
            return []
        found = (self._text(each, name) for each in _items(value, f"{self.path}.{name}"))
        return [each for each in found if each]

    def _text(self, value: object, name: str) -> str:
        if isinstance(value, dict):
            value = value.get("content", value)
        if isinstance(value, str):
            return "" if value in HIDDEN else self._clean(value, name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value) if abs(value) < 10**18 else self._bad(name, "is out of range")
        if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
            return str(int(value))
        return self._bad(name, "is not a text")

    def _clean(self, value: str, name: str) -> str:
        if len(value) > MAX_TEXT:
            self._bad(name, f"is longer than {MAX_TEXT} characters")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                self._bad(name, "holds half of a character")
        return value

    def _bad(self, name: str, what: str) -> str:
        raise EventError(f"{self.path}.{name}", what)


def _items(value: object, path: str) -> list[object]:
    for _ in range(3):
        if isinstance(value, list):
            return [each for each in value if each is not None]
        if value is None or value == "":
            return []
        if not isinstance(value, dict):
            return [value]
        if not value:
            return []
        inner = [name for name in value if name.lower() in _LISTS]
        if len(inner) != 1 or not all(name in inner or name.lower() in _BESIDE for name in value):
            return [value]
        value = value[inner[0]]
    raise EventError(path, "is nested too deeply")


def open_call(value: object, wrapper: str, path: str, gaps: list[str]) -> Node:
    """Answer the members of a call's request or response; `wrapper`: what newer calls put around them."""
    if value is None:
        return Node({}, path, gaps)
    if not isinstance(value, dict):
        raise EventError(path, "is not an object")
    node = Node(value, path, gaps)
    return node.node(wrapper) if node.has(wrapper) else node
