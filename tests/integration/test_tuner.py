"""The search on features, through keras-tuner."""

import dataclasses

import numpy as np
import pytest

from components.errors import PostersError
from components.trainer import fitting, hyperparameters
from components.trainer.cached_features import CachedFeatures
from components.trainer.settings import HeadSettings, TrainerSettings
from components.tuner import component
from components.tuner.precision import macro_average_precision
from components.tuner.search import Search
from components.tuner.settings import LogRange, SearchSpace, TunerSettings
from components.tuner.trial import DIVERGED_SCORE, Bench

SPACE = SearchSpace(
    loss=("bce", "macro_soft_f1"),
    learning_rate=LogRange(1e-3, 1e-1),
    weight_decay=(),
    label_smoothing=(),
    ema=(0.0, 0.9),
    hidden_units=((), (8,)),
    dropout=(),
)
RATES = dataclasses.replace(SPACE, loss=(), ema=(), hidden_units=())


def _split(count, seed, signal=4.0):
    generator = np.random.default_rng(seed)
    features = generator.normal(3, 5, (count, 8)).astype(np.float32)
    noise = generator.normal(0, 2, (count, 3))
    labels = (signal * (features[:, :3] - 3) / 5 + noise > 1).astype(np.float32)
    ids = np.array([b"%05d" % index for index in range(count)])
    return CachedFeatures(features, labels, ids, np.arange(count), ids)


def _given(**changes):
    settings = {
        "loss": "macro_soft_f1", "learning_rate": 1e-2, "warmup_epochs": 0, "weight_decay": 0,
        "epochs": 5, "batch_size": 64, **changes,
    }  # fmt: skip
    head = HeadSettings(hidden_units=(8,), dropout=0.5, members=1)
    return TrainerSettings(hub_handle="x", head=head, **settings)


def _score_of_the_trainers(settings, bench):
    """Of the head that the Trainer makes of these settings."""
    fitted = fitting.fit(_split(300, 0), bench.evaluation, settings, lambda row: None)
    logits = fitting.logits(fitted.head, bench.evaluation)
    return macro_average_precision(bench.evaluation.labels, logits)


@pytest.fixture(scope="module")
def bench():
    return Bench(_split(300, 0), _split(300, 1))


@pytest.fixture
def search(bench, tmp_path):
    def make(given, bench=bench, folder="search", **settings):
        settings = {"trials": 6, "epochs": 3, "space": SPACE, **settings}
        made = Search(bench, given, TunerSettings(**settings), str(tmp_path / folder))
        made.search()
        return made

    return make


def _chosen(searched):
    return searched.get_best_hyperparameters()[0].get_config()["values"]


def test_the_given_settings_are_tried_first_and_as_they_are(search, bench):
    given = _given(seed=3)
    first = search(given, trials=2).tried[0]
    assert hyperparameters.apply(given, first.values) == given
    assert len(first.outcome.curve) == given.epochs
    assert first.outcome.score == _score_of_the_trainers(given, bench)


def test_settings_that_hardly_learn_are_left_and_the_trainer_gets_the_trials_model(search, bench):
    given = _given(learning_rate=1e-6)
    searched = search(given)
    findings = searched.findings()
    assert findings.chosen is findings.best is not searched.tried[0]
    assert findings.confidence > 0.99
    used = hyperparameters.apply(given, _chosen(searched))
    assert used.epochs == 3
    assert used.learning_rate >= 1e-3
    assert findings.chosen.outcome.score == _score_of_the_trainers(used, bench)


def test_where_there_is_nothing_to_learn_the_given_settings_stay(search):
    noise = Bench(_split(300, 0, signal=0.0), _split(300, 1, signal=0.0))
    given = _given()
    searched = search(given, noise, trials=4)
    assert searched.findings().chosen is searched.tried[0]
    assert hyperparameters.apply(given, _chosen(searched)) == given
    assert "given settings" in searched.findings().verdict


def test_the_same_seed_tries_and_chooses_the_same(search):

    def tried(folder, **settings):
        # Of one key alone: three draws at random, then what a Gaussian process proposes.
        settings = {"trials": 4, "epochs": 1, "space": RATES, **settings}
        found = search(_given(), folder=folder, **settings).tried
        return [(each.values, each.outcome.score) for each in found]

    first = tried("a")
    assert tried("b") == first
    assert tried("c", seed=1, trials=2) != first[:2]


def test_what_a_killed_search_left_is_started_over(search):
    """keras-tuner would go on with the trials that it finds in the folder."""
    given = _given()
    assert len(search(given, trials=2, epochs=1).tried) == 2
    assert len(search(given, trials=2, epochs=1).tried) == 2


def test_hopeless_trials_are_abandoned_and_never_chosen(bench):
    asked = []

    def hopeless(curve):
        asked.append(list(curve))
        return len(curve) == 2

    outcome = bench.run(_given(), hopeless)
    assert outcome.state == "abandoned"
    assert asked == [outcome.curve[:1], outcome.curve]
    assert 0 < outcome.score < 1


def test_a_trial_that_diverges_scores_below_all_others(bench, search):
    mad = _given(learning_rate=1.0, loss="bce", weight_decay=1e30)
    outcome = bench.run(mad)
    assert (outcome.state, outcome.score) == ("diverged", DIVERGED_SCORE)
    searched = search(mad, space=dataclasses.replace(SPACE, weight_decay=(0.0,)), seed=1)
    assert searched.tried[0].outcome.state == "diverged"
    assert searched.findings().chosen is not searched.tried[0]


def test_an_eval_split_without_labels_is_refused():
    evaluation = _split(30, 1)
    evaluation.labels[:] = 0
    with pytest.raises(PostersError, match="no example of the eval split has any label"):
        Bench(_split(30, 0), evaluation)


def test_other_errors_come_through(search, bench):
    """keras-tuner notes exceptions of trials and tries the next; an interrupt is none of those."""

    class Interrupted(Exception):
        pass

    class Broken:
        evaluation = bench.evaluation

        def run(self, settings, hopeless=None):
            raise Interrupted

    with pytest.raises(Exception) as caught:
        search(_given(), Broken())
    assert isinstance(caught.value.__cause__, Interrupted)


def test_the_node_fails_with_the_error_itself(search, bench, tmp_path, monkeypatch):
    """So that an interrupt is told from a failure, and a PostersError from a crash."""

    class Broken:
        evaluation = bench.evaluation

        def run(self, settings, hopeless=None):
            raise PostersError("mend this")

    monkeypatch.setattr(
        component.executor, "search", lambda *_, **__: search(_given(), Broken(), trials=2)
    )
    context = component.PosterTunerExecutor.Context(tmp_dir=str(tmp_path), unique_id="1")
    with pytest.raises(PostersError, match="mend this"):
        component.PosterTunerExecutor(context).Do({}, {}, {})
