"""The gate, tried through the Evaluator on a trained and exported model and on variations of it."""

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.evaluator import predictions
from components.evaluator.settings import EvaluatorSettings
from tests.evaluating import Answering, evaluate, save
from tests.examples import FEATURES, write_records

#: The sample's rarest label has about 20 positives here.
SETTINGS = EvaluatorSettings(min_label_support=15)


def _noise(examples, width):
    """Numbers in [-1, 1] that depend on the example alone."""
    seeds = tf.cast(tf.strings.to_hash_bucket_fast(examples, 100_000), tf.float32)
    return tf.sin(seeds[:, None] * tf.range(1.0, width + 1))


def _collapsed(logits, examples):
    return logits - tf.one_hot(0, logits.shape[1]) * 30


def _not_a_number(logits, examples):
    rare = tf.strings.to_hash_bucket_fast(examples, 50)[:, None] == 0
    return tf.where(rare, np.nan, logits)


#: What becomes of the logits of a good model.
VARIATIONS = {
    "good": lambda logits, examples: logits,
    "slightly_worse": lambda logits, examples: logits + 0.25 * _noise(examples, logits.shape[1]),
    "much_worse": lambda logits, examples: 0.3 * logits + _noise(examples, logits.shape[1]),
    "collapsed": _collapsed,
    "all_positive": lambda logits, examples: logits + 30,
    "not_a_number": _not_a_number,
}


@pytest.fixture(scope="module")
def gate(first_run, tmp_path_factory):
    return _Gate(first_run, tmp_path_factory.mktemp("gate"))


class _Gate:
    """Models by name, all made of the one that the first run exported, and examples to ask."""

    def __init__(self, summary, root):
        self.root = root
        self.labels = list(summary["metrics_by_label"])
        outputs = {node["id"]: node["outputs"] for node in summary["nodes"]}
        (self.model,) = map(Path, outputs["Trainer"]["model"])
        (examples,) = map(Path, outputs["ExampleGen"]["examples"])
        # More than the test split alone has: small splits bless whatever is not much worse.
        splits = ("Split-eval", "Split-test")
        files = [str(path) for split in splits for path in (examples / split).iterdir()]
        self.records = [record.numpy() for record in tf.data.TFRecordDataset(files)]
        self.write("examples", self.records)

    def write(self, name, records):
        write_records(self.root / name / "Split-test" / "data.gz", records)

    def variation(self, name, labels=None):
        """The folder of a model whose scores are altered, or which knows other labels."""
        labels = labels or self.labels
        folder = self.root / f"{name}-{'-'.join(labels)}"
        if folder.exists():
            return folder
        original = tf.saved_model.load(str(self.model / "Format-Serving"))
        # A label that the trained model does not know gets the scores of the first.
        columns = [self.labels.index(label) if label in self.labels else 0 for label in labels]

        def answer(examples):
            scores = original.signatures["serving_examples"](examples=examples)["scores"]
            inner = tf.clip_by_value(scores, 1e-6, 1 - 1e-6)
            logits = tf.math.log(inner / (1 - inner))
            altered = tf.gather(VARIATIONS[name](logits, examples), columns, axis=1)
            return {"scores": tf.sigmoid(altered), "probabilities": tf.sigmoid(altered)}

        def truth(examples):
            return original.signatures["transform_labels"](examples=examples)[FEATURES.labels_xf]

        model = Answering(answer, truth)
        model.original = original  # tracked, so that its variables are saved
        return save(model, folder, labels)

    def judge(self, output, model, baseline=None, examples="examples", **changes):
        """The verdict on a variation, or on the model in a folder."""
        settings = dataclasses.replace(SETTINGS, slices=(), **changes)
        model, baseline = (
            self.variation(given) if isinstance(given, str) else given
            for given in (model, baseline)
        )
        return evaluate(output, self.root / examples, model, self.labels, baseline, settings)


def _unmet(found):
    return {(rule.rule, rule.label) for rule in found.rules if not rule.met}


def _sentence(found, name, label=None):
    (rule,) = (rule for rule in found.rules if (rule.rule, rule.label) == (name, label))
    return rule.sentence


def test_no_baseline_yet(gate, tmp_path):
    found = gate.judge(tmp_path, gate.model)
    assert found.blessed, found.reasons
    assert [rule.rule for rule in found.rules] == ["finite", "floor", "chance", "first_model"]
    assert "no earlier blessed model" in _sentence(found, "first_model")
    assert "better than chance" in _sentence(found, "chance")
    assert found.chance.better_than_chance
    assert found.baseline is None
    assert found.common_labels is None


def test_a_better_one(gate, tmp_path):
    found = gate.judge(tmp_path, gate.model, "much_worse")
    assert found.blessed, found.reasons
    assert re.search(r"is 0\.\d+ above the last blessed model's 0\.4", _sentence(found, "no_fall"))
    assert "none of 8 labels falls" in _sentence(found, "label_fall")
    assert found.intervals["macro_f1_difference"][0] > 0.1
    assert found.baseline["macro_f1"] < found.figures["macro_f1"] - 0.1
    # The examples are the same, and so is the truth.
    assert found.baseline["support/Drama"] == found.figures["support/Drama"]


def test_an_equal_one(gate, tmp_path):
    found = gate.judge(tmp_path, gate.model, "good")
    assert found.blessed, found.reasons
    assert "is equal to the last blessed model's" in _sentence(found, "no_fall")
    assert found.intervals["macro_f1_difference"] == (0, 0)
    assert found.baseline["f1/Drama"] == found.figures["f1/Drama"]


def test_one_slightly_worse_within_noise(gate, tmp_path):
    found = gate.judge(tmp_path, "slightly_worse", "good", max_macro_f1_drop=0.001)
    low, high = found.intervals["macro_f1_difference"]
    assert low < -0.001 < 0 < high
    assert found.blessed, found.reasons
    assert "within noise" in _sentence(found, "no_fall")


def test_a_much_worse_one(gate, tmp_path):
    found = gate.judge(tmp_path, "much_worse", "good")
    assert not found.blessed
    assert ("no_fall", None) in _unmet(found)
    words = _sentence(found, "no_fall")
    assert re.search(r"macro-F1 0\.4\d+ is 0\.2\d+ below the last blessed model's 0\.6", words)
    assert "at most 0.010 less is allowed (evaluator.max_macro_f1_drop)" in words
    # It is refused by comparison: by itself it would do.
    assert not {rule for rule, _ in _unmet(found)} & {"finite", "floor", "chance"}


def test_scores_that_are_not_numbers(gate, tmp_path):
    found = gate.judge(tmp_path, "not_a_number", "good")
    assert not found.blessed
    assert _unmet(found) == {("finite", None)}
    assert len(found.reasons) == 1
    assert re.match(r"\d+ of the model's 3696 scores and .* are not numbers", found.reasons[0])
    assert np.isnan(found.figures["macro_f1"])


def test_one_label_collapsed(gate, tmp_path):
    # One of eight labels: the average alone would let it through.
    found = gate.judge(tmp_path, "collapsed", "good", max_macro_f1_drop=0.2)
    assert not found.blessed
    assert _unmet(found) == {("label_fall", "Drama")}
    words = _sentence(found, "label_fall", "Drama")
    assert re.match(r"F1 of Drama falls from 0\.7\d+ to 0\.000, by 0\.7\d+", words)
    assert "at most 0.100 is allowed (evaluator.max_label_f1_drop)" in words


def test_a_label_with_little_support_refuses_nothing(gate, tmp_path):
    found = gate.judge(tmp_path, "collapsed", "good", max_macro_f1_drop=0.2, min_label_support=120)
    assert found.blessed, found.reasons
    assert "fewer than 120 positives, so not judged: Drama" in _sentence(found, "label_fall")


def test_yes_to_everything(gate, tmp_path):
    found = gate.judge(tmp_path, "all_positive")
    assert not found.blessed
    assert _unmet(found) == {("floor", None), ("chance", None)}
    assert "only 1.00 times what answering yes to everything" in _sentence(found, "floor")
    assert "evaluator.min_macro_f1_lift" in _sentence(found, "floor")
    assert "no better than chance" in _sentence(found, "chance")


def test_labels_shuffled_against_scores(gate, tmp_path):
    """No threshold then beats answering yes to everything, and the verdict says why."""
    order = np.random.default_rng(4).permutation(len(gate.records))
    examples = [tf.train.Example.FromString(record) for record in gate.records]
    labels = [list(e.features.feature[FEATURES.labels].bytes_list.value) for e in examples]
    for example, other in zip(examples, order, strict=True):
        example.features.feature[FEATURES.labels].bytes_list.value[:] = labels[other]
    gate.write("shuffled", [example.SerializeToString() for example in examples])
    found = gate.judge(tmp_path, gate.model, examples="shuffled")
    assert not found.blessed
    assert ("chance", None) in _unmet(found)
    assert "the model is no better than chance" in found.chance.sentence
    assert not found.chance.better_than_chance
    assert found.chance.macro_auc_p_value > 0.01
    for label in gate.labels:
        excess = found.figures[f"best_f1/{label}"] - found.figures[f"all_positive_f1/{label}"]
        # What is left is the luck of the best of 231 thresholds.
        assert -1e-9 < excess < 0.06, label
        assert found.figures[f"best_f1/{label}"] < 0.1 + found.figures[f"all_positive_f1/{label}"]


def test_a_baseline_with_fewer_labels_and_one_of_its_own(gate, tmp_path):
    labels = ["Western", *gate.labels[4:1:-1]]
    found = gate.judge(tmp_path, gate.model, gate.variation("much_worse", labels))
    assert found.blessed, found.reasons
    assert found.common_labels == tuple(gate.labels[2:5])
    assert "over the 3 labels that both know" in _sentence(found, "no_fall")
    assert {key for key in found.intervals if key.startswith("f1_difference")} == {
        f"f1_difference/{label}" for label in gate.labels[2:5]
    }
    kept = predictions.read(str(tmp_path / "evaluation"))
    assert kept.baseline_labels == tuple(labels)
    assert kept.baseline_scores.shape == (len(gate.records), 4)
    decided = kept.baseline_scores[:, labels.index(gate.labels[3])] > 0.5
    truth = kept.truth[:, 3]
    f1 = 2 * (decided & truth).sum() / (decided.sum() + truth.sum())
    assert found.baseline[f"f1/{gate.labels[3]}"] == pytest.approx(f1)


def _without_variables(gate, folder):
    shutil.copytree(gate.model, folder / "cut")
    shutil.rmtree(folder / "cut" / "Format-Serving" / "variables")
    return folder / "cut"


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        (lambda gate, folder: gate.model, "is this very one"),
        (lambda gate, folder: gate.variation("not_a_number"), "scores that are not numbers"),
        (_without_variables, "does not answer"),
    ],
)
def test_a_baseline_that_cannot_be_asked_is_left_out_and_said(gate, tmp_path, baseline, words):
    """It would refuse or break every run after it, for only a run blesses another."""
    found = gate.judge(tmp_path, gate.model, baseline(gate, tmp_path))
    assert found.blessed, found.reasons
    assert found.baseline is None
    assert words in _sentence(found, "no_comparison")
    assert found.reasons[-1].startswith("nothing was compared: the last blessed model")
