"""Drift in use: when it is a reason, and what is said where it is none."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.retraining.decision import decide, wants_embeddings, wants_requests
from components.retraining.embedding_drift import EmbeddingDrift
from components.retraining.in_use import InUse
from components.retraining.label_drift import LabelDrift
from components.retraining.settings import InUseSettings, RetrainSettings
from components.retraining.situation import Attempt
from tests.unit.components.retraining.test_decision import QUIET, _situation, _span

ON = dataclasses.replace(QUIET, in_use=InUseSettings("/log"))


def _in_use(distance=0.1, h=0.1, p_value=1e-9, by_chance=0.05, **changes):
    found = InUse(
        folder="/log",
        version="1795487418",
        logged=900,
        images=500,
        first="2026-11-25T00:00:00+00:00",
        last="2026-11-27T00:00:00+00:00",
        embeddings=EmbeddingDrift(distance, p_value, 3, 33, 500, 1000),
        labels=LabelDrift("Drama", h, by_chance, 0.4, 0.7),
        posters=400,
    )
    return dataclasses.replace(found, **changes)


def _decide(*new, settings=ON, **facts):
    return decide(_situation(*new, **facts), settings, 20)


def _reason(found, rule):
    (reason,) = (reason for reason in found.reasons if reason.rule == rule)
    return reason


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "skip"),
        ({"distance": 0.25}, "skip"),
        ({"distance": 0.26}, "run"),
        ({"distance": 0.26, "p_value": 0.001}, "skip"),
        ({"h": 0.3}, "skip"),
        ({"h": 0.31}, "run"),
        ({"h": 0.31, "by_chance": 0.32}, "skip"),
    ],
)
def test_a_limit_must_be_exceeded_and_chance_too(changes, verdict):
    assert _decide(_span(2), in_use=_in_use(**changes)).verdict == verdict


def test_each_limit_is_switched_off_alone():
    moved = _in_use(distance=0.9, h=2)
    for key, left in (
        ("max_embedding_drift", "label_drift_in_use"),
        ("max_label_drift", "embedding_drift_in_use"),
    ):
        settings = dataclasses.replace(QUIET, in_use=InUseSettings("/log", **{key: None}))
        found = _decide(_span(2), in_use=moved, settings=settings)
        assert [reason.rule for reason in found.because] == [left]
    assert _decide(_span(2), in_use=moved, settings=QUIET).verdict == "skip"


def test_reason_and_figures_say_how_much_of_what():
    found = _decide(_span(2), in_use=_in_use(distance=0.4, h=0.62))
    posters = _reason(found, "embedding_drift_in_use")
    assert posters.sentence == (
        "the Kolmogorov-Smirnov distance of 500 images that version 1795487418 was asked about "
        "(900 logged) from those trained on is 0.40, on axis 4 of 33, above 0.25 "
        "(retrain.in_use.max_embedding_drift)"
    )
    assert posters.figures["logged"] == 900
    assert (posters.figures["distance"], posters.figures["limit"]) == (0.4, 0.25)
    answers = _reason(found, "label_drift_in_use")
    assert answers.sentence == (
        "version 1795487418 gives Drama to 70.0% of 500 images that it was asked about and to "
        "40.0% of 400 posters of its own data: Cohen's h is 0.62, above 0.3 "
        "(retrain.in_use.max_label_drift)"
    )
    assert (answers.figures["h"], answers.figures["images"]) == (0.62, 500)


def test_what_was_not_compared_or_left_out_is_told_and_is_no_reason():
    few = InUse("/log", "7", 9, 3, not_compared=("3 images",), left_out=("/log/a: cut", "/log/b"))
    found = _decide(_span(2), in_use=few)
    assert found.verdict == "skip"
    reason = _reason(found, "requests_not_compared")
    assert (reason.sentence, reason.speaks_for) == ("3 images", "nothing")
    assert reason.figures == {"version": "7", "logged": 9, "images": 3, "limit": 200}
    left_out = _reason(found, "requests_left_out")
    assert left_out.sentence.startswith("2 files of /log were left out")
    assert "such as /log/a: cut" in left_out.sentence
    assert left_out.figures == {"files": ["/log/a: cut", "/log/b"]}


@pytest.mark.parametrize(
    "facts",
    [{}, {"attempt": Attempt("20261120T000000.000000Z", (1, 2), "refused")}],
    ids=["nothing new", "tried in vain"],
)
def test_with_nothing_new_to_train_on_it_is_told_and_no_reason(facts):
    new = [_span(2)] if facts else []
    found = _decide(*new, in_use=_in_use(distance=0.9, h=2), **facts)
    assert found.verdict == "skip"
    for rule in ("embedding_drift_in_use", "label_drift_in_use"):
        reason = _reason(found, rule)
        assert reason.speaks_for == "nothing"
        assert reason.sentence.endswith("; it would take posters like those to train on")


def test_requests_are_looked_at_only_where_nothing_else_trains():
    def wants(*new, settings=ON, **facts):
        return wants_requests(_situation(*new, **facts), settings, 20)

    assert wants(_span(2))
    assert wants()
    assert wants(_span(2), attempt=Attempt("run", (1, 2), "refused"))
    assert not wants(_span(2), settings=QUIET)
    assert not wants(_span(2), settings=dataclasses.replace(ON, min_new_posters=100))
    assert not wants(_span(2), force="now")
    assert not wants(_span(2), under_way="process 7")
    assert not wants(_span(2), served=None)
    assert not wants(_span(2), in_use=_in_use())
    # Where requests settled it, the new posters need no look.
    both = dataclasses.replace(RetrainSettings(), in_use=InUseSettings("/log"))
    assert wants_embeddings(_situation(_span(2, 50), in_use=_in_use()), both, 20)
    assert not wants_embeddings(_situation(_span(2, 50), in_use=_in_use(h=1)), both, 20)


@given(
    posters=st.lists(st.integers(0, 300), max_size=3),
    tried=st.booleans(),
    distance=st.floats(0, 1),
    p_value=st.floats(0, 1),
    h=st.floats(0, 3.1),
    by_chance=st.floats(0.01, 3),
    compared=st.tuples(st.booleans(), st.booleans()),
    left_out=st.lists(st.text(max_size=9), max_size=3),
)
def test_it_speaks_for_a_run_only_beyond_limit_and_chance_with_something_to_learn_from(
    posters, tried, distance, p_value, h, by_chance, compared, left_out
):
    new = [_span(number, count) for number, count in enumerate(posters, start=2)]
    found = _in_use(distance, h, p_value, by_chance, left_out=tuple(left_out))
    if not compared[0]:
        found = dataclasses.replace(found, embeddings=None)
    if not compared[1]:
        found = dataclasses.replace(found, labels=None)
    spans = tuple(range(1, len(new) + 2))
    attempt = Attempt("run", spans, "refused") if tried else None
    situation = _situation(*new, in_use=found, attempt=attempt)
    decision = decide(situation, ON, 20)
    moved = (compared[0] and distance > 0.25 and p_value < 0.001) or (
        compared[1] and h > 0.3 and h > by_chance
    )
    assert (decision.verdict == "run") == (moved and sum(posters) > 0 and not tried)
    told = {reason.rule for reason in decision.reasons}
    assert ("embedding_drift_in_use" in told, "label_drift_in_use" in told) == compared
    assert ("requests_left_out" in told) == bool(left_out)
    assert all("  " not in reason.sentence or left_out for reason in decision.reasons)
    json.dumps([decision.to_json(), situation.to_json()])
