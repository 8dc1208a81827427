import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.history import layout


@st.composite
def graphs(draw):
    count = draw(st.integers(0, 12))
    pairs = st.tuples(st.integers(0, 30), st.integers(0, 30))
    # From a lower number to a higher one: no way leads round in a circle.
    found = draw(st.lists(pairs, max_size=30))
    arrows = {(str(a % count), str(b % count)) for a, b in found if count and a % count < b % count}
    return [str(number) for number in range(count)], arrows


@given(graphs())
def test_every_arrow_leads_down_and_nothing_lies_on_anything(graph):
    names, arrows = graph
    found = layout.arrange(names, arrows)
    assert set(found.places) == set(names)
    assert set(found.bends) == arrows
    for begin, end in arrows:
        layers = [layer for layer, _ in found.bends[begin, end]]
        assert layers == list(range(found.places[begin][0] + 1, found.places[end][0]))
    taken = [*found.places.values(), *(bend for bends in found.bends.values() for bend in bends)]
    assert len(set(taken)) == len(taken)
    for layer, place in found.places.values():
        assert 0 <= layer < found.layers
        assert 0.5 <= place <= found.width - 0.5


def test_neighbours_lie_above_each_other():
    # a and b cross unless the lower layer is turned round.
    found = layout.arrange(["a", "b", "c", "d"], [("a", "d"), ("b", "c")])
    assert found.places["d"][1] < found.places["c"][1]


def test_a_circle_is_refused():
    with pytest.raises(ValueError, match="between a, b lead round"):
        layout.arrange(["a", "b"], [("a", "b"), ("b", "a")])
