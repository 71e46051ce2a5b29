"""Our writer of GraphBinary answers, to the byte, what the driver's own does."""

from __future__ import annotations

import pytest
from gremlin_python.process.traversal import Direction, T
from gremlin_python.structure.io.graphbinaryV1 import GraphBinaryWriter
from hypothesis import given
from hypothesis import strategies as st

from handlers.lineage.gremlin.storage import Form, upsert
from handlers.lineage.gremlin.writer import quick_writer
from handlers.lineage.model import Relation
from tests.support.lineage import fact, image, note

NAMES = st.one_of(st.text(), st.sampled_from([*T, *Direction]))
VALUES = st.recursive(
    st.one_of(st.none(), NAMES, st.booleans(), st.integers(-(2**31), 2**31 - 1)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(NAMES, inner)),
)


@given(VALUES)
def test_a_value_is_written_as_the_driver_writes_it(value: object) -> None:
    assert _written(quick_writer(), value) == _written(GraphBinaryWriter(), value)


@pytest.mark.parametrize("form", Form)
def test_a_batch_is_written_as_the_driver_writes_it(form: Form) -> None:
    facts = [fact(Relation.COPIED_FROM, image("b"), image("a"), 1, encrypted="yes"), note(image("ä"), 2, name="ü")]
    made = upsert(facts, {}, form).bytecode
    assert _written(quick_writer(), made) == _written(GraphBinaryWriter(), made)


def test_what_is_no_text_is_refused_as_by_the_driver() -> None:
    with pytest.raises(UnicodeEncodeError):
        _written(quick_writer(), {"name": "\ud800"})


def _written(writer: GraphBinaryWriter, value: object) -> bytes:
    out = bytearray()
    writer.to_dict(value, out)
    return bytes(out)
