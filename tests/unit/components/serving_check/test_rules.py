"""Each thing that can be wrong with a model's answers is found, and named for what it is."""

import dataclasses

import numpy as np
import pytest

from components.serving_check import rules
from components.serving_check.process import Answers
from components.serving_check.settings import ServingCheckSettings

LABELS = ["Drama", "Comedy", "Sci-Fi"]
IDS = ["tt1", "tt2"]
SCORES = np.array([[0.1, 0.9, 0.5], [0.2, 0.3, 1.0]], np.float32)
NUMBERS = {"scores": "float32", "probabilities": "float32"}
SCORED = {**NUMBERS, "genres": "string", "status": "string"}
SIGNATURES = {
    "serving_default": {"inputs": {"image_bytes": "string"}, "outputs": SCORED},
    "serving_examples": {"inputs": {"examples": "string"}, "outputs": SCORED},
    "bulk_inference": {"inputs": {"examples": "string"}, "outputs": SCORED},
    "embedding": {
        "inputs": {"image_bytes": "string"},
        "outputs": {"embedding": "float32", "status": "string"},
    },
    "scores_of_embedding": {"inputs": {"embedding": "float32"}, "outputs": NUMBERS},
    "transform_features": {
        "inputs": {"examples": "string"},
        "outputs": {"poster_xf": "string", "status": "string"},
    },
    "transform_labels": {"inputs": {"examples": "string"}, "outputs": {"genres_xf": "float32"}},
    "pixels": {"inputs": {"pixels": "uint8"}, "outputs": NUMBERS},
}


def _answers(**changes) -> Answers:
    outputs = {}
    for signature in ("serving_default", "serving_examples"):
        rows = np.concatenate([SCORES, np.full((1, 3), np.nan, np.float32)])
        outputs[f"{signature}/scores"] = rows
        outputs[f"{signature}/probabilities"] = rows.copy()
        outputs[f"{signature}/genres"] = np.array([[n.encode() for n in LABELS]] * 3)
        outputs[f"{signature}/status"] = np.array([b"", b"", b"not an image"])
    good = Answers(SIGNATURES, outputs, {}, 2.0, 1.0, [0.03, 0.02, 0.5], 600 << 20)
    return dataclasses.replace(good, **changes)


def _check(answers, **settings):
    evaluated = dict(zip(IDS, SCORES, strict=True))
    return rules.check(answers, IDS, LABELS, "genres", evaluated, ServingCheckSettings(**settings))


def test_a_good_model_has_no_finding():
    assert _check(_answers()) == []


def _without(name):
    return {key: value for key, value in SIGNATURES.items() if key != name}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_missing_signature_is_named(name):
    assert _check(_answers(signatures=_without(name))) == [f"the signature {name} is missing"]


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("serving_default", {"inputs": {"bytes": "string"}}, "takes bytes (string) where"),
        ("serving_default", {"inputs": {}}, "takes nothing where it should take image_bytes"),
        ("serving_examples", {"outputs": {}}, "does not give genres, probabilities, scores"),
        ("embedding", {"outputs": {"status": "string"}}, "does not give embedding"),
        (
            "scores_of_embedding",
            {"inputs": {"embedding": "float64"}},
            "takes embedding (float64) where it should take embedding (float32) alone",
        ),
        ("pixels", {"inputs": {"pixels": "float32"}}, "it should take pixels (uint8) alone"),
        ("bulk_inference", {"outputs": NUMBERS}, "does not give genres, status"),
        (
            "serving_default",
            {"outputs": {**SCORED, "scores": "string"}},
            "gives scores as string, not as float32",
        ),
    ],
)
def test_a_changed_signature_is_named(name, changes, words):
    changed = {**SIGNATURES, name: {**SIGNATURES[name], **changes}}
    [finding] = _check(_answers(signatures=changed))
    assert finding.startswith(name)
    assert words in finding


def test_a_signature_that_fails_says_why():
    answers = _answers(errors={"serving_default": "Unknown image file format."})
    assert _check(answers) == ["serving_default fails: Unknown image file format."]


@pytest.mark.parametrize(
    ("output", "row", "value", "words"),
    [
        ("scores", 1, np.nan, "scores of 1 of 2 posters are not in [0, 1], such as [nan"),
        ("scores", 0, 1.1, "of tt1"),
        ("probabilities", 0, -0.1, "probabilities of 1 of 2"),
        ("scores", 0, SCORES[0] + 2e-4, "the Evaluator got"),
        ("scores", 1, SCORES[1][::-1], "the score of tt2 for Drama is 1.000000"),
        ("genres", slice(None), [[b"Comedy", b"Drama", b"Sci-Fi"]], "another's"),
        ("genres", 1, [b"Comedy", b"Drama", b"Sci-Fi"], "another's"),
        ("status", 0, b"what?", "it says of tt1, which is an image: what?"),
        ("status", 2, b"", "no word in `status`"),
        ("scores", 2, 0.5, "bytes that are no image get a score"),
    ],
)
@pytest.mark.parametrize("signature", ["serving_default", "serving_examples"])
def test_a_wrong_output_is_named(signature, output, row, value, words):
    answers = _answers()
    answers.outputs[f"{signature}/{output}"][row] = value
    [finding] = _check(answers)
    assert finding.startswith(f"{signature}: ")
    assert words in finding


def test_a_wrong_shape_is_named():
    answers = _answers()
    answers.outputs["serving_default/scores"] = np.zeros((3, 2), np.float32)
    [finding] = _check(answers)
    assert "scores of 3 images and 3 labels have the shape (3, 2)" in finding


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_latency_ms": 29}, "one poster takes 30 ms, the median of 3 requests; 29 are"),
        ({"max_memory_mb": 599}, "takes 600 MB; 599 are allowed"),
    ],
)
def test_a_budget_that_is_exceeded_is_named(settings, words):
    [finding] = _check(_answers(), **settings)
    assert words in finding
    assert next(iter(settings)) in finding
    assert _check(_answers(), **{key: value + 1 for key, value in settings.items()}) == []
