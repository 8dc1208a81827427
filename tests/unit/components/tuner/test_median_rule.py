from components.tuner.median_rule import MedianRule

PAST = [[0.6, 0.7, 0.80], [0.6, 0.7, 0.81], [0.6, 0.7, 0.82], [0.6, 0.7, 0.83], [0.6, 0.7, 0.84]]


def _rule(curves=PAST, patience=2):
    rule = MedianRule(patience)
    for curve in curves:
        rule.add(curve)
    return rule


def test_below_the_median_is_hopeless_and_at_it_is_not():
    assert _rule().hopeless([0.5, 0.6, 0.819])
    assert not _rule().hopeless([0.5, 0.6, 0.82])


def test_the_best_so_far_counts_not_the_last():
    assert not _rule().hopeless([0.5, 0.9, 0.4])


def test_every_trial_is_left_its_first_epochs():
    assert not _rule().hopeless([0.1])
    assert _rule().hopeless([0.1, 0.1])
    assert not _rule(patience=3).hopeless([0.1, 0.1])


def test_few_trials_make_no_median():
    assert not _rule(PAST[:4]).hopeless([0.1, 0.1])
    assert not MedianRule(1).hopeless([0.0])


def test_trials_are_compared_as_they_were_at_the_same_epoch():
    abandoned = [[0.6, 0.7]] * 5
    assert not _rule(abandoned).hopeless([0.1, 0.1, 0.1])
    assert _rule([*abandoned, [0.6, 0.7, 0.8]]).hopeless([0.5, 0.6, 0.79])
