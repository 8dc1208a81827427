"""TensorFlow Serving's words: each form is read, everything else is refused with a reason."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serving import protocol
from components.serving.request_error import RequestError

INPUTS = {"serving_default": "image_bytes", "serving_examples": "examples"}


def _b64(content: bytes) -> dict:
    return {"b64": _text_of(content)}


def _text_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _parse(content, max_values=4):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return protocol.parse(body, INPUTS, max_values)


@pytest.mark.parametrize(
    ("content", "by_row"),
    [
        ({"instances": [_b64(b"one"), _b64(b"two")]}, True),
        ({"instances": [{"image_bytes": _b64(b"one")}, {"image_bytes": _b64(b"two")}]}, True),
        ({"inputs": [_b64(b"one"), _b64(b"two")]}, False),
        ({"inputs": {"image_bytes": [_b64(b"one"), _b64(b"two")]}}, False),
    ],
)
@pytest.mark.parametrize("signature", [{}, {"signature_name": ""}])
def test_every_form_of_tensorflow_serving_is_read(content, by_row, signature):
    request = _parse({**content, **signature})
    assert request == protocol.PredictRequest("serving_default", (b"one", b"two"), by_row)


def test_another_signature_has_another_input():
    asked = {"signature_name": "serving_examples", "instances": [{"examples": _b64(b"x")}]}
    assert _parse(asked).signature == "serving_examples"


ONE = [_b64(b"x")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"\x00" * 100, "not JSON"),
        (b"<html></html>", "not JSON"),
        (b'{"instances": [NaN]}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"instances": ' + b"9" * 10_000 + b"}", "not JSON"),
        ([], "a JSON object, not a list"),
        ("text", "a JSON object, not a string"),
        (None, "a JSON object, not null"),
        (3, "a JSON object, not a number"),
        ({}, "one of the keys 'instances' and 'inputs'"),
        ({"instances": ONE, "inputs": ONE}, "one of the keys"),
        ({"instance": ONE}, "unknown key 'instance'"),
        ({"instances": ONE, "signature_name": "x"}, "there is no 'x'; there are serving_default"),
        ({"instances": ONE, "signature_name": 7}, "there is no 7"),
        ({"instances": ONE, "signature_name": ["serving_default"]}, "there is no"),
        ({"instances": []}, "instances is empty"),
        ({"instances": None}, "must be a list, not null"),
        ({"instances": {}}, "must be a list, not an object with no key"),
        ({"instances": "x"}, "must be a list, not a string"),
        ({"instances": ONE * 5}, "holds 5 values; 4 are allowed"),
        ({"instances": ["x"]}, "instances[0] must be an object"),
        ({"instances": [*ONE, 3]}, "instances[1] must be an object"),
        ({"instances": [True]}, "not true or false"),
        ({"instances": [[*ONE]]}, "not a list"),
        (
            {"instances": [{"image": ONE[0]}]},
            "must name the input 'image_bytes' alone, not 'im",
        ),
        ({"instances": [{}]}, "must name the input 'image_bytes' alone, not nothing"),
        ({"instances": [{"b64": "eA==", "x": 1}]}, "not an object with 'b64', 'x'"),
        ({"instances": [{"b64": 7}]}, "b64 must be a string, not a number"),
        ({"instances": [{"b64": None}]}, "b64 must be a string, not null"),
        ({"instances": [{"b64": "a"}]}, "not Base64"),
        ({"instances": [{"b64": "eA=="}, {"b64": "e A="}]}, "instances[1].b64 is not Base64"),
        ({"instances": [{"b64": "ä"}]}, "not Base64"),
        ({"instances": [{"b64": "data:image/jpeg;base64,eA=="}]}, "not Base64"),
        ({"inputs": {"other": ONE}}, "must name the input 'image_bytes' alone"),
        ({"inputs": {"image_bytes": ONE[0]}}, "must be a list"),
        ({"inputs": [{"image_bytes": ONE[0]}]}, "inputs[0] must be an object"),
    ],
)
def test_everything_else_is_refused_with_a_reason(content, words):
    with pytest.raises(RequestError) as caught:
        _parse(content)
    assert caught.value.status == 400
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["b64", "instances", "inputs", "image_bytes", "signature_name"]), inner
        )
    ),
    max_leaves=8,
)


@given(content=_JSON)
def test_any_json_is_read_or_refused(content):
    try:
        request = _parse(content)
    except RequestError as error:
        assert error.status == 400
    else:
        assert all(isinstance(value, bytes) for value in request.values)


OUTPUTS = {
    "scores": np.array([[0.5, 0.25], [np.nan, np.inf]], np.float32),
    "genres": np.array([[b"Drama", "Krimi für alle".encode()]] * 2, object),
    "image": np.array([b"\xff\xd8", b""], object),
}


def test_answers_by_row_and_by_column():
    by_row = protocol.PredictRequest("serving_default", (b"", b""), True)
    names = ["Drama", "Krimi für alle"]
    assert json.loads(protocol.render(by_row, OUTPUTS)) == {
        "predictions": [
            {"scores": [0.5, 0.25], "genres": names, "image": {"b64": "/9g="}},
            {"scores": [None, None], "genres": names, "image": ""},
        ]
    }
    by_column = protocol.PredictRequest("serving_default", (b"", b""), False)
    rendered = json.loads(protocol.render(by_column, OUTPUTS))
    assert rendered["outputs"]["genres"] == [names, names]
    alone = {"scores": OUTPUTS["scores"][:1]}
    assert json.loads(protocol.render(by_row, alone)) == {"predictions": [[0.5, 0.25]]}
    assert json.loads(protocol.render(by_column, alone)) == {"outputs": [[0.5, 0.25]]}


def test_an_answer_is_lost_if_no_row_is_left():
    assert protocol.lost({"status": np.array([b"bad", b"worse"], object)}) == "bad"
    assert protocol.lost({"status": np.array([b"bad", b""], object)}) is None
    assert protocol.lost({"labels": np.zeros(3)}) is None


@given(st.one_of(st.text("Aq/+= -\u00e9", max_size=12), st.binary(max_size=9).map(_text_of)))
def test_base64_is_what_the_standard_library_says_it_is(text):
    try:
        wanted = base64.b64decode(text, validate=True)
    except ValueError:
        with pytest.raises(RequestError, match="not Base64"):
            _parse({"instances": [{"b64": text}]})
    else:
        assert _parse({"instances": [{"b64": text}]}).values == (wanted,)
