import dataclasses

import numpy as np
import pytest

from components.evaluator import figures, gate_figures, permutation, rules
from components.evaluator.plan import Plan
from components.evaluator.predictions import Predictions
from components.evaluator.settings import EvaluatorSettings
from components.features import Features

LABELS = ("Drama", "Comedy", "War")
PLAN = Plan(LABELS, Features(), EvaluatorSettings(), "")


def _predictions(noise=0.3, baseline_noise=None, seed=0):
    """Two frequent labels and a rare one; the less noise the better the model."""
    generator = np.random.default_rng(seed)
    truth = generator.random((300, 3)) < [0.5, 0.3, 0.03]

    def scores(level):
        noise = generator.normal(size=truth.shape)
        return np.clip(0.2 + 0.6 * truth + level * noise, 0, 1).astype(np.float32)

    own = scores(noise)
    return Predictions(
        LABELS,
        np.arange(300).astype(str),
        truth,
        own,
        own,
        None if baseline_noise is None else LABELS,
        None if baseline_noise is None else scores(baseline_noise),
    )


def _judge(predictions, plan=PLAN, unusable=None):
    """The rules, with TFMA's part done by hand: which figures are outside their limits."""
    measured = {
        **figures.measure(
            plan.labels, predictions.truth, predictions.scores, predictions.probabilities
        ),
        **gate_figures.measure(predictions, plan),
    }
    failed = {
        key
        for key, limits in gate_figures.limits(plan).items()
        if not (
            (-np.inf if limits.low is None else limits.low)
            <= measured[key]
            <= (np.inf if limits.high is None else limits.high)
        )
    }
    p_values = permutation.p_values(predictions.truth, predictions.scores)
    chance = rules.chance_of(plan, measured, p_values)
    comparison = gate_figures.compare(predictions, plan)
    plan = dataclasses.replace(plan, baseline_labels=predictions.baseline_labels)
    return rules.judge(plan, measured, failed, chance, comparison, unusable)


def _by_name(found):
    return {(rule.rule, rule.label): rule for rule in found}


def test_every_limit_has_a_figure_that_is_always_measured():
    measured = {*figures.keys(LABELS), *gate_figures.measure(_predictions(), PLAN)}
    assert set(gate_figures.limits(PLAN)) <= measured
    assert set(gate_figures.keys(LABELS)) <= measured


def test_a_rule_says_what_was_held_against_what():
    found = _by_name(_judge(_predictions(baseline_noise=0.3)))
    assert all(rule.met for rule in found.values())
    floor = found["floor", None]
    assert floor.measured > floor.limit == 1.1
    assert f"{floor.measured:.2f} times" in floor.sentence
    chance = found["chance", None]
    assert (chance.measured, chance.limit) == (1 / 1001, 0.01)
    assert chance.sentence.endswith("1000 of 1000 shuffles of the labels: better than chance")
    assert found["label_fall", None].sentence == (
        "none of 2 labels falls by more than 0.100 beyond noise; fewer than 30 positives, so not "
        "judged: War"
    )


@pytest.mark.parametrize(
    ("noise", "limit", "met", "words"),
    [
        (0.34, 0.5, True, ": 0.500 less is allowed"),
        (0.34, 0.0, True, ": within noise"),
        (0.9, 0.01, False, ": at most 0.010 less is allowed (evaluator.max_macro_f1_drop)"),
        (0.1, 0.01, True, ")"),
    ],
)
def test_a_fall_is_judged_by_its_size_and_by_noise(noise, limit, met, words):
    settings = EvaluatorSettings(max_macro_f1_drop=limit)
    found = _judge(_predictions(noise, 0.29, seed=3), dataclasses.replace(PLAN, settings=settings))
    rule = _by_name(found)["no_fall", None]
    assert rule.met is met
    assert rule.sentence.endswith(words)
    assert rule.measured <= limit if met else rule.measured > limit
    side = "above" if noise < 0.2 else "below"
    assert f" {side} the last blessed model's" in rule.sentence


def test_a_label_that_falls_is_named():
    given = _predictions(0.1, 0.1)
    given.scores[:, 1] = 0
    falls = [rule for rule in _judge(given) if rule.rule == "label_fall"]
    assert [(rule.label, rule.met) for rule in falls] == [("Comedy", False)]
    assert falls[0].measured > 0.9 > falls[0].limit == 0.1
    assert falls[0].setting == "evaluator.max_label_f1_drop"
    assert "F1 of Comedy falls from" in falls[0].sentence


def test_one_nan_is_said_alone_and_counted():
    given = _predictions(0.3, 0.3)
    given.scores[5, 2] = np.nan  # scores and probabilities are one array here
    (rule,) = _judge(given)
    assert (rule.rule, rule.met) == ("finite", False)
    assert rule.sentence.startswith("2 of the model's 1800 scores and probabilities are not")
    assert rule.measured == pytest.approx(1 - 2 / 1800)


def test_where_nothing_can_be_ranked_chance_is_not_beaten():
    given = dataclasses.replace(_predictions(), truth=np.ones((300, 3), bool))
    rule = _by_name(_judge(given))["chance", None]
    assert not rule.met
    assert "nothing says that the model beats chance" in rule.sentence


def test_without_a_baseline_it_is_said_why():
    assert _judge(_predictions())[-1].rule == "first_model"
    rule = _judge(_predictions(), unusable="it is gone")[-1]
    assert (rule.rule, rule.met) == ("no_comparison", True)
    assert rule.sentence == "nothing was compared: it is gone"
