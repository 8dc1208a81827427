"""Which model a new one is compared with."""

import functools
import itertools
import json
import re

import numpy as np
import pytest
import tensorflow as tf

from components.evaluator import baseline, known_answers, predictions
from components.evaluator.baseline import LatestOtherPushedModel
from components.evaluator.settings import EvaluatorSettings
from components.trainer import export
from tests.evaluating import Answering, evaluate, save
from tests.examples import encode, example, picture, write_records
from tests.model_history import MODELS, ModelHistory


@pytest.fixture
def store(tmp_path):
    """Models with labels, pushed or not."""

    class Store(ModelHistory):
        versions = itertools.count(1)

        def add(self, pushed: bool, labels=("Drama", "Comedy"), described: bool = True):
            folder = tmp_path / str(len(self.models))
            model = self.train(self.artifact("Examples"), "{}", str(folder))
            if described:
                path = folder / "Format-Serving" / export.DESCRIPTION_FILE
                path.parent.mkdir(parents=True)
                path.write_text(json.dumps({"labels": list(labels)}))
            return self.push(model, next(self.versions)) if pushed else model

        def baseline(self, candidate):
            resolved = LatestOtherPushedModel(MODELS).resolve_artifacts(
                self.store,
                {"candidate": [candidate], "model": self.models, "pushed_model": self.pushed()},
            )
            assert resolved["candidate"] == [candidate]
            assert resolved["pushed_model"] == []
            return resolved["model"][0].id if resolved["model"] else None

    return Store()


def test_the_first_model_has_none(store):
    assert store.baseline(store.add(pushed=False)) is None


def test_it_is_the_one_pushed_last_and_not_the_latest(store):
    store.add(pushed=True)
    second = store.add(pushed=True)
    store.add(pushed=False)
    assert store.baseline(store.add(pushed=False)) == second.id


def test_a_pushed_candidate_is_not_compared_with_itself(store):
    first = store.add(pushed=True)
    candidate = store.add(pushed=True)
    assert store.baseline(candidate) == first.id
    assert store.baseline(first) == candidate.id


def test_after_a_rollback_it_is_the_one_rolled_back_to(store):
    first, second, third = (store.add(pushed=True) for _ in range(3))
    store.push(first, next(store.versions))
    assert store.baseline(store.add(pushed=False)) == first.id
    # Run again unchanged, the model that was rolled back from is compared with what serves.
    assert store.baseline(third) == first.id
    assert store.baseline(first) == third.id
    # Of a hundred seconds and of nine, the higher number serves, not the longer word.
    store.push(second, 100)
    store.push(third, 99)
    assert store.baseline(store.add(pushed=False)) == second.id


def test_what_serves_elsewhere_does_not_count(store):
    first = store.add(pushed=True)
    store.push(store.add(pushed=False), 1000, folder="/elsewhere")
    store.push(store.add(pushed=False), 1001, pushed=0)
    assert store.baseline(store.add(pushed=False)) == first.id


def test_one_label_in_common_is_enough(store):
    store.add(pushed=True)
    second = store.add(pushed=True, labels=("War", "Comedy", "Western"))
    assert store.baseline(store.add(pushed=False)) == second.id


def test_a_model_without_a_label_in_common_is_not_comparable(store):
    first = store.add(pushed=True)
    store.add(pushed=True, labels=("War", "Western"))
    assert store.baseline(store.add(pushed=False)) == first.id


def test_a_model_whose_files_are_gone_is_passed_over(store):
    first = store.add(pushed=True)
    store.add(pushed=True, described=False)
    assert store.baseline(store.add(pushed=False)) == first.id


LABELS = ["Drama", "Comedy"]


@pytest.fixture
def saved(tmp_path):
    """Saves a model that answers so, and gives its address."""

    def save_one(answer, labels=LABELS):
        model = Answering(answer, lambda examples: tf.zeros((tf.shape(examples)[0], len(labels))))
        return str(save(model, tmp_path / "model", labels))

    return save_one


def _zeros(examples, width=2):
    return {"scores": tf.zeros((tf.shape(examples)[0], width))}


def _of_another_feature(examples):
    spec = {"cover": tf.io.FixedLenFeature([2], tf.float32)}
    return {"scores": tf.io.parse_example(examples, spec)["cover"]}


EXAMPLE = example("tt1", b"", ["Drama"])


def test_a_model_that_answers_can_be_compared_with(saved):
    uri = saved(_zeros)
    assert baseline.why_silent(uri, EXAMPLE) is None
    for labels in (LABELS, ["War", "Drama", "News"]):
        assert baseline.why_not_comparable(uri, labels) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_of_another_feature, "does not answer"),
        (lambda examples: {"answers": _zeros(examples)["scores"]}, "does not answer"),
        (lambda examples: _zeros(examples, 3), r"scores of the shape \(1, 3\)"),
    ],
)
def test_why_a_model_does_not_answer(saved, answer, words):
    uri = saved(answer)
    reason = baseline.why_silent(uri, EXAMPLE)
    assert re.search(words, reason)
    assert uri in reason


def test_a_model_without_a_common_label_is_not_comparable(saved):
    reason = baseline.why_not_comparable(saved(_zeros), ["War", "News"])
    assert "none of this model's labels" in reason


def test_a_model_that_lies_there_no_longer_is_named(tmp_path):
    gone = str(tmp_path / "gone")
    reason = baseline.why_not_comparable(gone, LABELS)
    assert reason == f"the last blessed model cannot be read at {gone}"


COUNT = 60


def _scores_from(feature):
    spec = {feature: tf.io.FixedLenFeature([2], tf.float32)}

    def answer(examples):
        scores = tf.io.parse_example(examples, spec)[feature]
        return {"scores": scores, "probabilities": scores}

    return answer


def _truth(examples):
    spec = {"truth": tf.io.FixedLenFeature([2], tf.float32)}
    return tf.io.parse_example(examples, spec)["truth"]


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory):
    """One baseline, asked, known, and known with other examples; and a folder of answers."""
    root = tmp_path_factory.mktemp("baseline")
    generator = np.random.default_rng(3)
    truth = generator.random((COUNT, 2)) < 0.5
    scores = {
        name: (weight * truth + (1 - weight) * generator.random(truth.shape)).astype(np.float32)
        for name, weight in (("better", 0.6), ("worse", 0.3))
    }
    image = encode(picture(0))
    records = [
        example(f"tt{row}", image, ["Drama"], truth=truth[row].astype(np.float32),
                **{name: values[row] for name, values in scores.items()})
        for row in range(COUNT)
    ]  # fmt: skip
    for name, chosen in (("examples", records), ("fewer", records[1:])):
        write_records(root / name / "Split-test" / "data.gz", chosen)
    before, now = (
        save(Answering(_scores_from(name), _truth), root / name, LABELS)
        for name in ("better", "worse")
    )
    answers = str(root / "answers")
    run = functools.partial(
        evaluate, labels=LABELS, settings=EvaluatorSettings(slices=("label",), min_label_support=5)
    )
    asked = run(root / "asked", root / "examples", now, baseline=before)
    run(root / "first", root / "examples", before, answers_folder=answers)
    known = run(root / "known", root / "examples", now, baseline=before, answers_folder=answers)
    return asked, known, scores, root, run


def test_a_baseline_that_is_known_is_compared_with_as_one_that_is_asked(evaluations):
    asked, known, scores, root, _ = evaluations
    assert known == asked
    assert known.baseline is not None
    assert not known.blessed
    kept = predictions.read(str(root / "known" / "evaluation"))
    rows = [int(name.removeprefix("tt")) for name in kept.ids]
    np.testing.assert_array_equal(kept.baseline_scores, scores["better"][rows])


def test_a_baseline_that_is_known_is_not_asked(evaluations):
    """What is kept counts, though the model would say otherwise."""
    *_, root, run = evaluations
    examples = known_answers.examples_digest([str(root / "examples" / "Split-test")])
    answers = root / "other answers"
    kept = known_answers.read(
        str(root / "answers" / known_answers.name(str(root / "better"), examples))
    )
    path = answers / known_answers.name(str(root / "better"), examples)
    known_answers.keep(str(path), LABELS, kept.ids, np.zeros_like(kept.scores))
    found = run(
        root / "not asked", root / "examples", root / "worse",
        baseline=root / "better", answers_folder=str(answers),
    )  # fmt: skip
    assert found.baseline["macro_f1"] == 0


@pytest.mark.parametrize("spoil", ["other examples", "damaged"])
def test_a_baseline_that_is_not_known_is_asked_and_kept(evaluations, spoil):
    asked, *_, root, run = evaluations
    folder = root / ("fewer" if spoil == "other examples" else "examples")
    digest = known_answers.examples_digest([str(folder / "Split-test")])
    path = root / "answers" / known_answers.name(str(root / "better"), digest)
    if spoil == "damaged":
        path.write_bytes(path.read_bytes()[:-40])
    assert not known_answers.is_known(str(path), LABELS)
    found = run(
        root / spoil, folder, root / "worse",
        baseline=root / "better", answers_folder=str(root / "answers"),
    )  # fmt: skip
    assert found.baseline is not None
    assert (found == asked) == (spoil == "damaged")
    assert known_answers.is_known(str(path), LABELS)
