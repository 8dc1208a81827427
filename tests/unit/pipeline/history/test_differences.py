import dataclasses
import json

import pytest

from pipeline.history import differences
from pipeline.history.executions import Artifact, Execution, Executions, Run


def _history(state="LIVE"):
    from ml_metadata.proto import metadata_store_pb2

    proto = metadata_store_pb2.Artifact(state=state)
    artifacts = {
        number: Artifact(number, kind, f"/{number}", {}, state, proto)
        for number, kind in ((1, "Model"), (2, "Model"), (3, "ModelEvaluation"))
    }
    settings = {"learning_rate": 0.1, "head": {"hidden_units": [512]}, "code": "0" * 16}
    last = Execution(
        9, "Evaluator", "run", "COMPLETE", 0, 1.0,
        {"settings": json.dumps(settings), "epochs": 3, "empty": ""},
        {"model": [1]}, {"evaluation": [3]},
    )  # fmt: skip
    return Executions([Run("run", {}, [last])], artifacts), settings, last


@pytest.mark.parametrize(
    ("changes", "inputs", "words"),
    [
        ({"learning_rate": 0.2}, {"model": [1]}, ["settings.learning_rate: 0.1 -> 0.2"]),
        ({"code": "1" * 16}, {"model": [1]}, ["settings.code: the code is another"]),
        (
            {"head": {"hidden_units": [64]}},
            {"model": [1]},
            ["settings.head.hidden_units: [512] -> [64]"],
        ),
        ({"new": "x"}, {"model": [1]}, ["settings.new: nothing -> x"]),
        ({}, {"model": [2]}, ["model: Model 1 -> Model 2"]),
        (
            {},
            {"model": [1], "baseline_model": [2]},
            ["baseline_model: nothing -> Model 2"],
        ),
        ({}, {"model": [1]}, ["what it made is no longer where it was, or the node itself"]),
    ],
)
def test_each_difference_is_a_sentence(changes, inputs, words):
    history, settings, _ = _history()
    # The order of keys is no difference, nor a number that ML Metadata keeps no word of.
    told = dict(reversed(list({**settings, **changes}.items())))
    parameters = {"epochs": 3, "settings": json.dumps(told)}
    found = differences.explain(history, "Evaluator", parameters, inputs)
    assert len(found) == len(words)
    assert all(one.startswith(word) for one, word in zip(found, words, strict=True))


def test_what_was_removed_is_said_to_be():
    history, settings, _ = _history("DELETED")
    parameters = {"epochs": 3, "settings": json.dumps(settings)}
    assert differences.explain(history, "Evaluator", parameters, {"model": [1]}) == [
        "what it made was removed"
    ]


def test_a_node_that_never_ran():
    history, *_ = _history()
    assert differences.explain(history, "Tuner", {}, {}) == ["it never ran to its end"]


def test_it_is_compared_with_the_execution_that_differs_least():
    history, settings, last = _history()
    other = dataclasses.replace(last, id=10, properties={"settings": "{}", "epochs": 5})
    history = Executions([*history.runs, Run("next", {}, [other])], history.artifacts)
    told = {**settings, "learning_rate": 0.2}
    parameters = {"epochs": 3, "settings": json.dumps(told)}
    sentence = "settings.learning_rate: 0.1 -> 0.2"
    for inputs in ({"model": [1]}, None):
        assert differences.explain(history, "Evaluator", parameters, inputs) == [sentence]
    parameters["settings"] = json.dumps(settings)
    assert differences.explain(history, "Evaluator", parameters, None) == []
