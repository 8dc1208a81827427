import io
import json

import numpy as np
from rich.console import Console

from components.tuner.findings import Findings, Tried
from components.tuner.trial import Outcome

GIVEN_VALUES = {"loss": '{"macro_soft_f1": 1.0}', "learning_rate": 0.001}


def _tried(name, score, state="finished", **values):
    outcome = Outcome(state, score, [0.6, 0.7], 1.5, np.zeros((2, 2)))
    return Tried(name, outcome, {**GIVEN_VALUES, **values})


GIVEN = _tried("0", 0.30)
BETTER = _tried("1", 0.32, learning_rate=0.00312345, epochs=6)
WORSE = _tried("2", 0.29, loss='{"bce": 4.0, "asl": 1.0}', epochs=6)
ABANDONED = _tried("3", 0.40, state="abandoned", epochs=6)
ALL = [GIVEN, BETTER, WORSE, ABANDONED]


def test_a_gain_that_is_sure_is_told():
    findings = Findings(ALL, BETTER, 0.97, 0.95)
    assert findings.verdict == "trial 1 it is: +0.0200, sure to 0.97"


def test_a_gain_within_noise_keeps_what_was_given_and_says_so():
    findings = Findings(ALL, GIVEN, 0.8, 0.95)
    assert "given settings stay" in findings.verdict
    assert "+0.0200, sure to 0.80 where tuner.confidence wants 0.95" in findings.verdict


def test_nothing_better_and_nothing_finished():
    assert "none ranks eval better" in Findings([GIVEN, WORSE], GIVEN, 0.0, 0.95).verdict
    assert "came to its end" in Findings([GIVEN, ABANDONED], GIVEN, None, 0.95).verdict


def test_an_abandoned_trial_is_never_the_best():
    assert Findings(ALL, BETTER, 0.97, 0.95).best is BETTER


def test_every_trial_is_kept_as_data():
    content = json.loads(Findings(ALL, BETTER, 0.97, 0.95).to_json())
    assert content["chosen"] == "1"
    assert [trial["state"] for trial in content["trials"]] == [*["finished"] * 3, "abandoned"]
    assert content["trials"][2]["settings"]["loss"] == {"bce": 4.0, "asl": 1.0}


def test_the_table_shows_the_given_the_best_and_what_differs():
    console = Console(file=io.StringIO(), width=120)
    console.print(Findings(ALL, BETTER, 0.97, 0.95).table())
    given, better, worse = (
        line for line in console.file.getvalue().splitlines() if line.startswith("│")
    )
    assert "loss macro_soft_f1, learning_rate 0.001" in given
    assert "1 *" in better
    assert "learning_rate 0.00312, epochs 6" in better
    assert "loss 4 bce + asl, epochs 6" in worse
    assert "0.4000" not in console.file.getvalue()
