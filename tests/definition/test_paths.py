from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipesim.definition.paths import join, position, split

steps = st.lists(st.one_of(st.text(min_size=1, max_size=8), st.integers(0, 99)), min_size=1, max_size=6)


@given(st.text(min_size=1, max_size=8), steps)
def test_splitting_undoes_joining(first, rest):
    assert split(join("", first, *rest)) == (first, *rest)


def test_positions_follow_the_document():
    document = {"b": [{"x": 1}, {"y": 2}], "a": 1}

    assert position(document, "b[0].x") < position(document, "b[1].y") < position(document, "a")
    assert position(document, "a") < position(document, "missing")
