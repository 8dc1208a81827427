import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import PostersError
from pipeline.runners.kubeflow_local.conditions import holds

_INPUTS = {
    "artifacts": {
        "blessing": {
            "artifacts": [{"name": "a/1", "uri": "/b", "metadata": {"blessed": 1.0, "by": "Ann"}}]
        },
        "baseline": {"artifacts": []},
    },
    "parameter_values": {"rate": 0.5, "warm": True},
}
_BLESSING = "inputs.artifacts['blessing'].artifacts[0]"


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        # As TFX writes them.
        (f"({_BLESSING}.metadata['blessed'] == 1.0)", True),
        (f"!(({_BLESSING}.metadata['blessed'] == 1.0))", False),
        (f"({_BLESSING}.uri == '/b') && ({_BLESSING}.metadata['by'] == 'Bob')", False),
        (f"(({_BLESSING}.uri + '/c') == '/b/c')", True),
        (f"({_BLESSING}.metadata['blessed'] < 2.0) && ({_BLESSING}.name == 'a/1')", True),
        # As kfp does.
        ("inputs.parameter_values['rate'] >= 0.5", True),
        ("inputs.parameter_values['warm'] == true", True),
        ("inputs.parameter_values['rate'] != -1", True),
        ("'it\\'s' == \"it's\"", True),
        ("false || 1 < 2 && !(2 <= 1)", True),
    ],
)
def test_conditions_that_compilers_write(condition, wanted):
    assert holds(condition, _INPUTS) is wanted


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("inputs.artifacts['baseline'].artifacts[0].uri == 'x'", "no item 0.0 among 0"),
        ("inputs.artifacts['model'].artifacts[0].uri == 'x'", "there is no model"),
        (f"{_BLESSING}.metadata['size'] == 1.0", "there is no size"),
        (f"{_BLESSING}.metadata['by'] == 1.0", "different types"),
        ("inputs.parameter_values['rate'] && true", "neither true nor false"),
        ("inputs.parameter_values['rate']", "neither true nor false"),
        ("true + true == true", "cannot be added"),
        ("size(inputs.artifacts) == 0.0", "'size' is not known"),
        ("1 == 1 1", "'1' was not expected"),
        ("(1 == 1", "\\) is missing"),
        ("1 ==", "too early"),
        ("1 = 1", "'=' is not known"),
        ("", "too early"),
    ],
)
def test_what_has_no_answer_is_an_error_that_shows_the_condition(condition, problem):
    with pytest.raises(PostersError, match=problem) as error:
        holds(condition, _INPUTS)
    assert condition in str(error.value)


_LEAVES = st.sampled_from(
    [("(true)", True), ("(false)", False), ("(1.0 < 2.0)", True), ("('a' == 'b')", False)]
)
_SIGNS = {"&&": operator.and_, "||": operator.or_, "==": operator.eq, "!=": operator.ne}


def _joined(left, sign, right):
    return f"({left[0]} {sign} {right[0]})", _SIGNS[sign](left[1], right[1])


_EXPRESSIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda one: (f"!{one[0]}", not one[1])),
        st.builds(_joined, inner, st.sampled_from(list(_SIGNS)), inner),
    ),
)


@settings(deadline=None)
@given(_EXPRESSIONS)
def test_any_nesting_means_what_it_says(expression):
    condition, wanted = expression
    assert holds(condition, {}) is wanted


@settings(deadline=None)
@given(st.text(alphabet="inputs.artifacts['k']()&|!=<>+-01 \"", max_size=30))
def test_whatever_is_written_there_is_an_answer_or_an_error_with_words(condition):
    try:
        assert holds(condition, _INPUTS) in (True, False)
    except PostersError as error:
        assert condition in str(error)
