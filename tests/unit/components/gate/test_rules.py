import pytest

from components.gate import rules
from components.gate.facts import SplitFacts
from components.gate.settings import GateSettings

VOCABULARY = ("Drama", "War")
GOOD = SplitFacts(100, {"Drama": 80, "War": 40})


def _check(settings=None, previous=None, **splits):
    given = {"train": GOOD, "eval": GOOD, "test": GOOD, **splits}
    found = rules.check(
        rules.Data(given, "genres", VOCABULARY), settings or GateSettings(), previous, 3
    )
    return [(finding.rule, finding.split) for finding in found]


def test_nothing_is_wrong_with_good_data():
    assert _check() == []
    assert _check(previous={"train": GOOD, "eval": GOOD, "test": GOOD}) == []


def test_an_empty_split_is_said_once():
    before = {"train": GOOD, "eval": GOOD, "test": GOOD}
    assert _check(eval=SplitFacts(0, {}), previous=before) == [
        ("EMPTY_SPLIT", "eval"),
        ("SHRUNK", None),
    ]
    loose = GateSettings(min_share_of_previous=0.5)
    assert _check(loose, eval=SplitFacts(0, {}), previous=before) == [("EMPTY_SPLIT", "eval")]


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


@pytest.mark.parametrize(("examples", "wrong"), [(69, True), (70, False), (500, False)])
def test_a_shrunken_split_is_found(examples, wrong):
    # A span that grew as a whole may still have lost most of one split.
    before = {"train": SplitFacts(100, {}), "eval": GOOD, "test": GOOD}
    now = SplitFacts(examples, {"Drama": 50, "War": 20})
    settings = GateSettings(min_share_of_previous=0.7)
    grown = SplitFacts(1000, {"Drama": 80, "War": 40})
    found = _check(settings, previous=before, test=now, train=grown)
    assert found == ([("SHRUNK", "test")] if wrong else [])


def test_no_share_of_the_previous_span_is_asked_for_when_off():
    settings = GateSettings(min_share_of_previous=0)
    assert _check(settings, previous={"train": SplitFacts(10**6, {})}) == []


def test_a_long_list_is_cut():
    strange = SplitFacts(100, {"Drama": 80, "War": 40, **{f"L{n}": 1 for n in range(20)}})
    [finding] = rules.check(rules.Data({"train": strange}, "genres", VOCABULARY), GateSettings())
    assert "20 label(s)" in finding.problem
    assert finding.problem.endswith("L7 1 and 12 more")


def test_a_share_of_no_examples_is_zero():
    assert SplitFacts(0, {}).share("Drama") == 0
    assert GOOD.share("Drama") == 0.8
    assert GOOD.share("Comedy") == 0
