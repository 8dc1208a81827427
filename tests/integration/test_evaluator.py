"""The real Evaluator, on models of known quality: its figures, its gate and its words."""

import json

import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics as sklearn_metrics
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.errors import PostersError
from components.evaluator import verdict
from components.evaluator.component import PosterEvaluatorExecutor
from components.evaluator.eval_config import eval_config
from components.evaluator.settings import EvaluatorSettings
from components.trainer import export
from tests.examples import FEATURES, encode, example, picture, write_records

LABELS = ["Drama", "Comedy", "Horror", "Film-Noir", "News"]
#: One label has no example at all; the count leaves a ragged last batch.
RATES = np.array([0.5, 0.35, 0.15, 0.05, 0.0])
COUNT = 333
SETTINGS = EvaluatorSettings(min_macro_f1_lift=1.1, max_macro_f1_drop=0.02)


class _Scripted(tf.Module):
    """A model that answers with the scores its examples carry: any quality can be had."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self._spec = {column: tf.io.FixedLenFeature([len(LABELS)], tf.float32)}
        self._column = column

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
    def serve_examples(self, examples):
        return {"scores": tf.io.parse_example(examples, self._spec)[self._column]}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
    def transform_labels(self, examples):
        spec = {"truth": tf.io.FixedLenFeature([len(LABELS)], tf.float32)}
        return {FEATURES.labels_xf: tf.io.parse_example(examples, spec)["truth"]}


def _scores(truth: np.ndarray, quality: float, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).random(truth.shape)
    return np.clip(quality * truth + (1 - quality) * noise, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def truth():
    drawn = np.random.default_rng(0).random((COUNT, len(LABELS))) < RATES
    drawn[~drawn.any(axis=1), 0] = True
    return drawn.astype(np.float32)


@pytest.fixture(scope="module")
def scores(truth):
    good = _scores(truth, 0.45)
    good[:40:2, 0] = 0.5  # exactly at the decision point
    nan = good.copy()
    nan[17, 2] = np.nan
    return {
        "good": good,
        "slightly_worse": np.where(np.arange(COUNT)[:, None] % 90 == 0, 1 - good, good),
        "better": _scores(truth, 0.55),
        "worse": _scores(truth, 0.3),
        "all_positive": np.ones_like(good),
        "shuffled": good[np.random.default_rng(2).permutation(COUNT)],
        "nan": nan,
    }


@pytest.fixture(scope="module")
def world(truth, scores, tmp_path_factory):
    """A folder with a model for each kind of scores, and the examples they are asked about."""
    root = tmp_path_factory.mktemp("evaluator")
    image = encode(picture(0))
    records = [
        example(
            str(row),
            image,
            [label for label, has in zip(LABELS, truth[row], strict=True) if has],
            truth=truth[row],
            **{name: values[row] for name, values in scores.items()},
        )
        for row in range(COUNT)
    ]
    write_records(root / "examples" / "Split-test" / "data.gz", records)
    for name in scores:
        model = _Scripted(name)
        folder = str(root / name / "Format-Serving")
        signatures = {
            export.SERVING_EXAMPLES: model.serve_examples,
            export.TRANSFORM_LABELS: model.transform_labels,
        }
        tf.saved_model.save(model, folder, signatures=signatures)
        _describe(folder)
    return root


def _describe(folder: str) -> None:
    path = f"{folder}/{export.DESCRIPTION_FILE}"
    tf.io.gfile.makedirs(path.rsplit("/", 1)[0])
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps({"labels": LABELS, "features": {}}))


def _evaluate(world, output, model, baseline=None):
    examples = standard_artifacts.Examples()
    examples.uri = str(world / "examples")
    examples.split_names = '["test"]'
    inputs = {"examples": [examples], "model": [_model(world, model)]}
    if baseline:
        inputs["baseline_model"] = [_model(world, baseline)]
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(output / "evaluation"), str(output / "blessing")
    PosterEvaluatorExecutor(
        BaseBeamExecutor.Context(tmp_dir=str(output / "tmp"), unique_id="1")
    ).Do(
        inputs,
        {"evaluation": [evaluation], "blessing": [blessing]},
        {
            "eval_config": proto_utils.proto_to_json(eval_config(SETTINGS, LABELS, FEATURES, "")),
            "example_splits": '["test"]',
        },
    )
    return verdict.read(evaluation.uri, blessing.uri)


def _model(world, name):
    model = standard_artifacts.Model()
    model.uri = str(world / name)
    return model


def test_figures_equal_scikit_learns(world, truth, scores, tmp_path):
    found = _evaluate(world, tmp_path, "good")
    decided = scores["good"] > 0.5
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        truth, decided, average=None, zero_division=0
    )
    everything = sklearn_metrics.f1_score(truth, np.ones_like(truth), average=None, zero_division=0)
    by_label = found.by_label(LABELS)
    for index, label in enumerate(LABELS):
        figures = by_label[label]
        assert figures["f1"] == pytest.approx(f1[index], abs=1e-6)
        assert figures["precision"] == pytest.approx(precision[index], abs=1e-6)
        assert figures["recall"] == pytest.approx(recall[index], abs=1e-6)
        assert figures["support"] == support[index]
        assert figures["predicted"] == decided[:, index].sum()
        assert figures["all_positive_f1"] == pytest.approx(everything[index], abs=1e-6)
        if support[index]:
            auc = sklearn_metrics.roc_auc_score(truth[:, index], scores["good"][:, index])
            assert figures["auc"] == pytest.approx(auc, abs=1e-6)
        else:
            assert np.isnan(figures["auc"])
    macro = sklearn_metrics.f1_score(truth, decided, average="macro", zero_division=0)
    micro = sklearn_metrics.f1_score(truth, decided, average="micro")
    assert found.figures["macro_f1"] == pytest.approx(macro, abs=1e-6)
    assert found.figures["micro_f1"] == pytest.approx(micro, abs=1e-6)
    assert found.figures["macro_f1_lift"] == pytest.approx(macro / everything.mean(), abs=1e-6)
    assert found.figures["examples"] == COUNT


@pytest.mark.parametrize(
    ("model", "baseline", "blessed", "words"),
    [
        ("good", None, True, "no earlier blessed model"),
        ("better", "good", True, "does not fall behind"),
        ("good", "good", True, "does not fall behind"),
        ("slightly_worse", "good", True, "does not fall behind"),
        ("worse", "good", False, "below the last blessed model's"),
        ("all_positive", None, False, "only 1.00 times what answering yes to everything"),
        ("shuffled", None, False, "times what answering yes to everything"),
        ("nan", None, False, "not numbers (NaN)"),
        ("nan", "good", False, "not numbers (NaN)"),
        ("good", "nan", False, "last blessed model's"),
    ],
)
def test_the_gate(world, tmp_path, model, baseline, blessed, words):
    found = _evaluate(world, tmp_path, model, baseline)
    assert found.blessed is blessed, found.reasons
    assert any(words in reason for reason in found.reasons), found.reasons
    assert (found.baseline is None) is (baseline is None)
    assert (tmp_path / "blessing" / ("BLESSED" if blessed else "NOT_BLESSED")).exists()


def test_an_image_that_cannot_be_decoded_is_named(world, tmp_path):
    """A model that decodes images fails on one, and the error says which."""

    class Decoding(_Scripted):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
        def serve_examples(self, examples):
            spec = {FEATURES.image: tf.io.FixedLenFeature([], tf.string)}
            images = tf.io.parse_example(examples, spec)[FEATURES.image]
            sizes = tf.map_fn(lambda i: tf.size(tf.io.decode_image(i)), images, tf.int32)
            return {"scores": tf.tile(tf.cast(sizes, tf.float32)[:, None], (1, len(LABELS)))}

    model = Decoding("good")
    folder = str(tmp_path / "decoding" / "Format-Serving")
    tf.saved_model.save(
        model,
        folder,
        signatures={
            export.SERVING_EXAMPLES: model.serve_examples,
            export.TRANSFORM_LABELS: model.transform_labels,
        },
    )
    _describe(folder)
    records = [
        example("tt1", encode(picture(0)), ["Drama"], truth=[1, 0, 0, 0, 0]),
        example("tt2", b"<html>404</html>", ["Drama"], truth=[1, 0, 0, 0, 0]),
    ]
    write_records(tmp_path / "examples" / "Split-test" / "data.gz", records)
    with pytest.raises(PostersError) as caught:
        _evaluate(tmp_path, tmp_path / "out", "decoding")
    assert "1 image(s) cannot be decoded" in str(caught.value)
    assert "id tt2 (16 bytes)" in str(caught.value)
    assert "tt1" not in str(caught.value)
