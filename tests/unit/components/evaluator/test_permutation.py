import numpy as np

from components.evaluator import figures, permutation


def _labels(count=300, seed=0):
    return np.random.default_rng(seed).random((count, 4)) < [0.5, 0.2, 0.05, 0.0]


def test_scores_that_rank_beat_every_shuffle():
    truth = _labels()
    scores = truth + np.random.default_rng(1).random(truth.shape)
    found = permutation.p_values(truth, scores)
    assert found.macro_auc == 1 / 1001
    assert found.auc[:3].tolist() == [1 / 1001] * 3
    assert np.isnan(found.auc[3])  # no example has it


def test_scores_that_rank_the_wrong_way_lose_to_every_shuffle():
    truth = _labels()
    found = permutation.p_values(truth, -truth.astype(float))
    assert found.macro_auc == 1


def test_equal_scores_are_no_better_than_chance():
    truth = _labels()
    assert permutation.p_values(truth, np.ones(truth.shape)).macro_auc == 1


def test_false_alarms_are_as_rare_as_the_p_value_says():
    """With labels that have nothing to do with the scores it is below 0.1 one time in ten."""
    generator = np.random.default_rng(2)
    truth = _labels(80)
    found = [permutation.p_values(truth, generator.random(truth.shape)) for _ in range(200)]
    assert 6 <= sum(p.macro_auc <= 0.1 for p in found) <= 36
    assert 6 <= sum(p.auc[0] <= 0.1 for p in found) <= 36


def test_with_labels_shuffled_the_best_f1_falls_to_that_of_yes_to_everything():
    truth = _labels(3000)[:, :3]
    scores = 0.5 * truth + 0.5 * np.random.default_rng(1).random(truth.shape)
    shuffled = truth[np.random.default_rng(3).permutation(len(truth))]
    labels = ("a", "b", "c")
    learned = figures.measure(labels, truth, scores, scores)
    chance = figures.measure(labels, shuffled, scores, scores)
    for label in labels:
        assert learned[f"best_f1/{label}"] > 0.9
        excess = chance[f"best_f1/{label}"] - chance[f"all_positive_f1/{label}"]
        assert 0 <= excess < 0.02
    assert permutation.p_values(shuffled, scores).macro_auc > 0.05


def test_where_nothing_can_be_ranked_there_is_no_p_value():
    truth = _labels()
    scores = np.random.default_rng(1).random(truth.shape)
    scores[3, 1] = np.nan
    for found in (
        permutation.p_values(truth, scores),
        permutation.p_values(np.ones((5, 2), bool), np.ones((5, 2))),
    ):
        assert np.isnan(found.macro_auc)
        assert np.isnan(found.auc).all()


def test_memory_in_small_pieces_changes_nothing(monkeypatch):
    truth = _labels(50)
    scores = np.random.default_rng(1).random(truth.shape)
    whole = permutation.p_values(truth, scores)
    monkeypatch.setattr(permutation, "_CHUNK", 1000)
    pieces = permutation.p_values(truth, scores)
    assert whole.macro_auc == pieces.macro_auc
    np.testing.assert_array_equal(whole.auc, pieces.auc)
