"""The real Evaluator's figures, on a model whose answers are known, against scikit-learn."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics as sklearn_metrics

from components.errors import PostersError
from components.evaluator import predictions
from components.evaluator.component import PosterEvaluatorExecutor
from components.evaluator.settings import EvaluatorSettings
from tests.evaluating import BY_BEAM, Answering, evaluate, save, written
from tests.examples import FEATURES, encode, example, picture, write_records

LABELS = ["Drama", "Comedy", "Horror", "Film-Noir", "News"]
#: One label has no example at all; the count leaves a ragged last batch.
RATES = np.array([0.5, 0.35, 0.15, 0.05, 0.0])
COUNT = 333
YEARS = [1987, 1990, 1999, 2004, None]
SIZES = [(40, 60), (200, 130), (600, 800)]
SETTINGS = EvaluatorSettings(slices=("label", "decade", "label_count", "image_size", "country"))


def _column(name, examples):
    spec = {name: tf.io.FixedLenFeature([len(LABELS)], tf.float32)}
    return tf.io.parse_example(examples, spec)[name]


def _scripted(folder):
    """A model that answers with what its examples carry."""
    return save(
        Answering(
            lambda examples: {
                name: _column(name, examples) for name in ("scores", "probabilities")
            },
            lambda examples: _column("truth", examples),
        ),
        folder,
        LABELS,
    )


@pytest.fixture(scope="module")
def given():
    generator = np.random.default_rng(0)
    truth = generator.random((COUNT, len(LABELS))) < RATES
    truth[~truth.any(axis=1), 0] = True
    scores = 0.45 * truth + 0.55 * generator.random(truth.shape)
    scores[:40:2, 0] = 0.5  # exactly at the decision point
    scores[:, 1] = scores[:, 1].round(1)  # many ties
    return {
        "truth": truth,
        "scores": scores.astype(np.float32),
        "probabilities": (scores**2).astype(np.float32),
    }


@pytest.fixture(scope="module")
def evaluated(given, tmp_path_factory):
    """The verdict, and the folder of the evaluation."""
    root = tmp_path_factory.mktemp("evaluator")
    images = [encode(picture(0, *size)) for size in SIZES]
    records = []
    for row in range(COUNT):
        has = [label for label, yes in zip(LABELS, given["truth"][row], strict=True) if yes]
        record = tf.train.Example.FromString(
            example(
                str(row), images[row % 3], has, year=YEARS[row % 5],
                **{name: values[row] for name, values in given.items()},
            )
        )  # fmt: skip
        if row % 7 == 0:
            record.features.feature["country"].bytes_list.value.extend([b"FR", b"IT"])
        records.append(record.SerializeToString())
    write_records(root / "examples" / "Split-test" / "data.gz", records)
    model = _scripted(root / "model")
    return evaluate(root, root / "examples", model, LABELS, settings=SETTINGS), root / "evaluation"


def test_beam_writes_the_same(evaluated, tmp_path):
    found, evaluation = evaluated
    root = evaluation.parent
    by_beam = evaluate(
        tmp_path, root / "examples", root / "model", LABELS, settings=SETTINGS, beam_options=BY_BEAM
    )
    assert _text(by_beam) == _text(found)
    here, beam = written(root), written(tmp_path)
    assert len(here["by_slice"]["load_metrics"]) == len(found.slices) + 1
    for key in here:
        np.testing.assert_equal(here[key], beam[key])


def test_beam_is_not_set_up_where_it_would_have_one_worker(evaluated, tmp_path, monkeypatch):
    def refuse(self):
        raise AssertionError("Beam was set up")

    monkeypatch.setattr(PosterEvaluatorExecutor, "_make_beam_pipeline", refuse)
    root = evaluated[1].parent
    given = (root / "examples", root / "model", LABELS)
    evaluate(tmp_path / "here", *given, settings=SETTINGS)
    with pytest.raises(AssertionError, match="Beam was set up"):
        evaluate(tmp_path / "beam", *given, settings=SETTINGS, beam_options=BY_BEAM)


def _text(found):
    """A verdict as it is kept, in which NaN equals NaN."""
    return json.dumps(dataclasses.asdict(found), sort_keys=True)


def _slices(truth):
    """Every slice, and the rows in it."""
    rows = np.arange(COUNT)
    yield from ((("label", label), truth[:, i]) for i, label in enumerate(LABELS) if i != 4)
    decades = ["1980s", "1990s", "1990s", "2000s", "unknown"]
    yield from ((("decade", at), np.array(decades)[rows % 5] == at) for at in set(decades))
    counts = truth.sum(axis=1)
    yield from ((("label_count", str(n)), counts == n) for n in set(counts.tolist()))
    sides = ["0 to 127 px", "128 to 255 px", "512 px and more"]
    yield from ((("image_size", side), rows % 3 == i) for i, side in enumerate(sides))
    yield from ((("country", code), rows % 7 == 0) for code in ("FR", "IT"))


def _assert_equal_scikit_learns(figures, truth, scores, probabilities):
    decided, everything = scores > 0.5, np.ones_like(truth)
    for average in (None, "macro", "micro"):
        found = sklearn_metrics.precision_recall_fscore_support(
            truth, decided, average=average, zero_division=0
        )
        for name, expected in zip(("precision", "recall", "f1"), found, strict=False):
            if average:
                assert figures[f"{average}_{name}"] == pytest.approx(expected, abs=1e-6)
            else:
                own = [figures[f"{name}/{label}"] for label in LABELS]
                np.testing.assert_allclose(own, expected, atol=1e-6)
    all_positive = sklearn_metrics.f1_score(truth, everything, average=None, zero_division=0)
    references = {
        "auc": sklearn_metrics.roc_auc_score,
        "average_precision": sklearn_metrics.average_precision_score,
    }
    rankings = {name: [] for name in references}
    for index, label in enumerate(LABELS):
        column = truth[:, index], scores[:, index]
        assert figures[f"support/{label}"] == column[0].sum()
        assert figures[f"predicted/{label}"] == decided[:, index].sum()
        assert figures[f"predicted_rate/{label}"] == pytest.approx(decided[:, index].mean())
        assert figures[f"all_positive_f1/{label}"] == pytest.approx(all_positive[index], abs=1e-6)
        known = {"auc": 0 < column[0].mean() < 1, "average_precision": column[0].any()}
        for name, measure in references.items():
            if known[name]:
                assert figures[f"{name}/{label}"] == pytest.approx(measure(*column), abs=1e-6)
                rankings[name].append(measure(*column))
            else:
                assert np.isnan(figures[f"{name}/{label}"])
    for name, expected in rankings.items():
        macro = np.mean(expected) if expected else np.nan
        assert figures[f"macro_{name}"] == pytest.approx(macro, abs=1e-6, nan_ok=True)
    lift = figures["macro_f1"] / all_positive.mean()
    assert figures["macro_f1_lift"] == pytest.approx(lift, abs=1e-6)
    assert figures["examples"] == len(truth)
    errors = [
        np.average(
            np.abs([truth[at, i].mean() - probabilities[at, i].mean() for at in bins]),
            weights=[at.sum() for at in bins],
        )
        for i in range(len(LABELS))
        for bins in [_bins(probabilities[:, i])]
    ]
    own = [figures[f"expected_calibration_error/{label}"] for label in LABELS]
    np.testing.assert_allclose(own, errors, atol=1e-6)


def _bins(probabilities):
    places = np.minimum((probabilities.astype(float) * 10).astype(int), 9)
    return [places == place for place in np.unique(places)]


def test_figures_equal_scikit_learns_for_every_label_and_slice(given, evaluated):
    found, _ = evaluated
    _assert_equal_scikit_learns(found.figures, **given)
    slices = {(part.feature, part.value): part for part in found.slices}
    expected = dict(_slices(given["truth"]))
    assert set(slices) == set(expected)
    for key, rows in expected.items():
        assert slices[key].examples == rows.sum()
        parts = {name: values[rows] for name, values in given.items()}
        _assert_equal_scikit_learns(slices[key].figures, **parts)


def test_slices_come_in_the_order_of_the_settings_and_of_their_values(evaluated):
    found, _ = evaluated
    names = [part.feature for part in found.slices]
    assert sorted(names, key=SETTINGS.slices.index) == names
    assert [part.value for part in found.slices if part.feature == "decade"] == [
        "1980s", "1990s", "2000s", "unknown",
    ]  # fmt: skip


def test_the_answers_are_kept_beside_their_ids(given, evaluated):
    _, evaluation = evaluated
    kept = predictions.read(str(evaluation))
    assert kept.labels == tuple(LABELS)
    assert sorted(kept.ids) == kept.ids.tolist()
    rows = kept.ids.astype(int)
    assert sorted(rows) == list(range(COUNT))
    np.testing.assert_array_equal(kept.truth, given["truth"][rows])
    np.testing.assert_array_equal(kept.scores, given["scores"][rows])
    np.testing.assert_array_equal(kept.probabilities, given["probabilities"][rows])
    assert kept.baseline_labels is None
    assert kept.baseline_scores is None


def test_intervals_pairs_and_calibration_are_in_the_verdict(given, evaluated):
    found, _ = evaluated
    assert set(found.intervals) == {"macro_f1", *(f"f1/{label}" for label in LABELS)}
    for key, (low, high) in found.intervals.items():
        assert low <= found.figures[key] <= high
    truth, decided = given["truth"].astype(int), (given["scores"] > 0.5).astype(int)
    assert found.confusion.co_occurrence_truth == (truth.T @ truth).tolist()
    assert found.confusion.co_occurrence_predicted == (decided.T @ decided).tolist()
    assert found.confusion.confusion == (truth.T @ decided).tolist()
    for label in LABELS:
        assert len(found.calibration[label]) == 10
        assert sum(part.count for part in found.calibration[label]) == COUNT


def test_an_image_that_cannot_be_decoded_is_named(tmp_path):
    """A model that decodes images fails on one, and the error says which."""

    def decode(examples):
        spec = {FEATURES.image: tf.io.FixedLenFeature([], tf.string)}
        images = tf.io.parse_example(examples, spec)[FEATURES.image]
        sizes = tf.map_fn(lambda i: tf.size(tf.io.decode_image(i)), images, tf.int32)
        answer = tf.tile(tf.cast(sizes, tf.float32)[:, None], (1, len(LABELS)))
        return {"scores": answer, "probabilities": answer}

    decoding = Answering(decode, lambda examples: _column("truth", examples))
    model = save(decoding, tmp_path / "model", LABELS)
    records = [
        example("tt1", encode(picture(0)), ["Drama"], truth=[1, 0, 0, 0, 0]),
        example("tt2", b"<html>404</html>", ["Drama"], truth=[1, 0, 0, 0, 0]),
    ]
    write_records(tmp_path / "examples" / "Split-test" / "data.gz", records)
    with pytest.raises(PostersError) as caught:
        evaluate(tmp_path / "out", tmp_path / "examples", model, LABELS)
    assert "1 image(s) cannot be decoded" in str(caught.value)
    assert "id tt2 (16 bytes)" in str(caught.value)
    assert "tt1" not in str(caught.value)


def test_an_empty_split_says_what_to_do(tmp_path):
    model = _scripted(tmp_path / "model")
    write_records(tmp_path / "examples" / "Split-test" / "data.gz", [])
    with pytest.raises(PostersError, match="the test split holds no example"):
        evaluate(tmp_path / "out", tmp_path / "examples", model, LABELS)
