import numpy as np
import pytest

from components.evaluator import figures

LABELS = ("Drama", "War")
TRUTH = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], bool)
SCORES = np.array([[0.9, 0.1], [0.2, 0.1], [0.6, 0.1], [0.1, 0.7]])


def test_figures_by_hand():
    found = figures.measure(LABELS, TRUTH, SCORES, SCORES)
    assert list(found) == figures.keys(LABELS)
    assert found["f1/Drama"] == pytest.approx(0.5)
    assert found["f1/War"] == 0
    assert found["macro_f1"] == pytest.approx(0.25)
    assert found["predicted/Drama"] == 2
    assert found["predicted_rate/Drama"] == 0.5
    assert found["all_positive_f1/Drama"] == pytest.approx(2 / 3)
    assert found["macro_f1_lift"] == pytest.approx(0.25 / (1 / 3))
    assert found["micro_precision"] == pytest.approx(1 / 3)
    assert found["examples"] == 4
    # No poster has it: there is nothing to rank, and the mean is over what there is.
    assert np.isnan(found["auc/War"])
    assert found["macro_auc"] == found["auc/Drama"] == pytest.approx(0.75)
    assert found["macro_best_f1"] == found["best_f1/Drama"] == pytest.approx(0.8)


@pytest.mark.parametrize("where", ["scores", "probabilities"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_makes_all_but_the_truth_nan(where, value):
    answers = {"scores": SCORES, "probabilities": SCORES}
    answers[where] = SCORES.copy()
    answers[where][3, 1] = value
    found = figures.measure(LABELS, TRUTH, **answers)
    assert set(found) == set(figures.keys(LABELS))
    known = {key for key, number in found.items() if not np.isnan(number)}
    assert known == {
        "examples", "all_positive_macro_f1",
        *(f"{name}/{label}" for name in ("support", "all_positive_f1") for label in LABELS),
    }  # fmt: skip
