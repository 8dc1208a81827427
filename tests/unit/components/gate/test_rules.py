import pytest

from components.gate import rules
from components.gate.facts import SplitFacts
from components.gate.settings import GateSettings

VOCABULARY = ("Drama", "War")
GOOD = SplitFacts(100, {"Drama": 80, "War": 40})


USUAL = {"train": 100, "eval": 100, "test": 100}


def _check(settings=None, usual=None, window=None, spans=1, **splits):
    given = {"train": GOOD, "eval": GOOD, "test": GOOD, **splits}
    data = rules.Data(given, "genres", VOCABULARY, window, spans)
    found = rules.check(data, settings or GateSettings(), usual)
    return [(finding.rule, finding.split) for finding in found]


def test_nothing_is_wrong_with_good_data():
    assert _check() == []
    assert _check(usual=USUAL) == []


def test_an_empty_split_is_said_once():
    assert _check(eval=SplitFacts(0, {}), usual=USUAL) == [
        ("EMPTY_SPLIT", "eval"),
        ("SHRUNK", None),
    ]
    loose = GateSettings(min_share_of_previous=0.5)
    assert _check(loose, eval=SplitFacts(0, {}), usual=USUAL) == [("EMPTY_SPLIT", "eval")]


def test_there_must_be_enough_in_all_spans_and_not_in_the_new_ones_alone():
    week = {split: SplitFacts(3, {"Drama": 3}) for split in USUAL}
    assert ("FEW_EXAMPLES", "test") in _check(**week)
    assert ("MISSING_LABEL", "test") in _check(**week)
    window = {split: facts.plus(100, {"Drama": 90, "War": 1}) for split, facts in week.items()}
    assert _check(window=window, **week) == []
    assert window["test"] == SplitFacts(103, {"Drama": 93, "War": 1})
    # What is wrong with the new ones is wrong, however much there was before.
    strange = {**week, "eval": SplitFacts(3, {"Drama": 2, "Wra": 1})}
    assert _check(window=window, **strange) == [("UNKNOWN_LABEL", "eval")]
    without = {split: facts.plus(100, {"Drama": 90}) for split, facts in week.items()}
    assert ("MISSING_LABEL", "train") in _check(window=without, **week)


@pytest.mark.parametrize(("examples", "wrong"), [(9, True), (10, False)])
def test_a_split_has_the_fewest_examples_allowed(examples, wrong):
    few = SplitFacts(examples, {"Drama": 5, "War": 4})
    assert bool(_check(test=few)) == wrong


@pytest.mark.parametrize(("count", "wrong"), [(0, True), (1, True), (2, False)])
def test_a_label_has_the_fewest_examples_allowed(count, wrong):
    settings = GateSettings(min_examples_by_label={"train": 2})
    found = _check(settings, train=SplitFacts(100, {"Drama": 100, "War": count}))
    assert found == ([("MISSING_LABEL", "train")] if wrong else [])


@pytest.mark.parametrize(("count", "wrong"), [(3, False), (4, True)])
def test_unknown_labels_are_counted(count, wrong):
    strange = SplitFacts(100, {"Drama": 80, "War": 40, "A": 2, "B": count - 2})
    found = _check(GateSettings(max_unknown_labels=3), eval=strange)
    assert found == ([("UNKNOWN_LABEL", "eval")] if wrong else [])


@pytest.mark.parametrize(("examples", "wrong"), [(699, True), (700, False), (5000, False)])
def test_a_shrunken_split_is_found(examples, wrong):
    # A span that grew as a whole may still have lost most of one split.
    now = SplitFacts(examples, {"Drama": 50, "War": 20})
    settings = GateSettings(min_share_of_previous=0.7)
    grown = SplitFacts(10_000, {"Drama": 80, "War": 40})
    found = _check(settings, usual={**USUAL, "test": 1000}, test=now, train=grown)
    assert found == ([("SHRUNK", "test")] if wrong else [])


@pytest.mark.parametrize(("examples", "wrong"), [(0, True), (1, True), (80, False)])
def test_a_new_span_that_lost_a_split_is_found_though_the_window_has_it(examples, wrong):
    now = SplitFacts(examples, {"Drama": examples})
    window = dict.fromkeys(USUAL, GOOD)
    found = _check(usual=USUAL, window=window, eval=now, train=SplitFacts(150, {"Drama": 80}))
    assert found == ([("SHRUNK", "eval")] if wrong else [])


def test_a_quiet_week_that_chance_explains_has_not_shrunk():
    usual = {"train": 14, "eval": 3, "test": 3}
    enough = {split: GOOD for split in usual}

    def quiet(train):
        week = {"train": SplitFacts(train, {"Drama": 1}), "eval": SplitFacts(1, {"Drama": 1})}
        return _check(usual=usual, window=enough, test=SplitFacts(1, {"Drama": 1}), **week)

    # Of 20 a week, 12 would be too few at 70 %; that few come by chance.
    assert quiet(10) == []
    assert quiet(1) == []  # 3 in all: four standard errors below 20 is 2
    assert _check(usual=USUAL, window=enough, **{s: SplitFacts(30, {}) for s in USUAL}) == [
        ("SHRUNK", None)
    ]


def test_several_new_spans_are_compared_by_their_mean():
    usual = dict.fromkeys(USUAL, 200)
    both = {split: SplitFacts(300, {"Drama": 9, "War": 9}) for split in usual}
    assert _check(usual=usual, spans=2, **both) == []
    half = {split: SplitFacts(200, {"Drama": 9, "War": 9}) for split in usual}
    assert _check(usual=usual, spans=1, **half) == []
    assert _check(usual=usual, spans=2, **half) == [("SHRUNK", None)]


def test_no_share_of_the_previous_span_is_asked_for_when_off():
    settings = GateSettings(min_share_of_previous=0)
    assert _check(settings, usual={"train": 10**6}) == []


def test_a_long_list_is_cut():
    strange = SplitFacts(100, {"Drama": 80, "War": 40, **{f"L{n}": 1 for n in range(20)}})
    [finding] = rules.check(rules.Data({"train": strange}, "genres", VOCABULARY), GateSettings())
    assert "20 label(s)" in finding.problem
    assert finding.problem.endswith("L7 1 and 12 more")


def test_a_share_of_no_examples_is_zero():
    assert SplitFacts(0, {}).share("Drama") == 0
    assert GOOD.share("Drama") == 0.8
    assert GOOD.share("Comedy") == 0
