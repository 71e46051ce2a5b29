"""Write what batches are made of as GraphBinary, to the byte as the driver would, in half of its time.

The driver dispatches several times for each text and works out the name of each enum's member anew; a batch has
thousands of both. https://tinkerpop.apache.org/docs/3.7.3/dev/io/#graphbinary
"""

from __future__ import annotations

from struct import Struct
from typing import Any

from gremlin_python.process.traversal import Direction, T
from gremlin_python.structure.io.graphbinaryV1 import TIO, DirectionIO, GraphBinaryWriter

_HEAD = Struct(">BBi")
"""The type, that it is not null, and how long it is."""
_TEXT, _MAP = 0x03, 0x0A


class _Texts:
    @staticmethod
    def dictify(text: str, writer: Any, out: bytearray) -> bytearray:  # noqa: ANN401, ARG004 - the driver's signature
        said = text.encode()
        out += _HEAD.pack(_TEXT, 0, len(said))
        out += said
        return out


class _Maps:
    @staticmethod
    def dictify(entries: dict[Any, Any], writer: Any, out: bytearray) -> bytearray:  # noqa: ANN401
        out += _HEAD.pack(_MAP, 0, len(entries))
        for name, value in entries.items():
            writer.to_dict(name, out)
            writer.to_dict(value, out)
        return out


class _Members:
    """Of one enum, each written once."""

    def __init__(self, enum: Any, driver: Any) -> None:  # noqa: ANN401
        self._written = {member: bytes(driver.dictify(member, None, bytearray())) for member in enum}

    def dictify(self, member: Any, writer: Any, out: bytearray) -> bytearray:  # noqa: ANN401, ARG002
        out += self._written[member]
        return out


def quick_writer() -> GraphBinaryWriter:
    """Answer a writer for the driver's serializer."""
    members = {T: _Members(T, TIO), Direction: _Members(Direction, DirectionIO)}
    return GraphBinaryWriter({str: _Texts, dict: _Maps, **members})
