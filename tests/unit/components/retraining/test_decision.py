import dataclasses
import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.retraining.decision import decide, wants_embeddings
from components.retraining.embedding_drift import EmbeddingDrift
from components.retraining.settings import RetrainSettings
from components.retraining.situation import (
    Attempt,
    GateRefusal,
    Served,
    Situation,
    SpanFacts,
)

NOW = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.timezone.utc)
LABELS = ("Drama", "Comedy")
#: Every limit off.
QUIET = RetrainSettings(
    min_new_posters=None,
    min_new_share=None,
    max_label_drift=None,
    max_embedding_drift=None,
    max_age_days=None,
)


def _span(number, posters=100, drama=0.4, **others):
    labels = {"Drama": round(drama * posters), "Comedy": posters // 2, **others}
    examples = {"train": posters - 2 * (posters // 5)}
    examples |= dict.fromkeys(("eval", "test"), posters // 5)
    return SpanFacts(number, f"digest {number}", "2026-11-01", examples, labels, others)


def _situation(*new, spans=(1,), days=1, **changes):
    """A model that was trained on 1,000 posters serves, and `new` spans came after it."""
    old = _span(1, 1000)
    served = Served("1795487418", LABELS, spans, NOW - datetime.timedelta(days=days))
    window = (old, *new)
    facts = {"served": served, "known": {span.number: span for span in window}, **changes}
    return Situation(
        now=NOW,
        window=window,
        labels=changes.pop("labels", LABELS),
        **{key: value for key, value in facts.items() if key != "labels"},
    )


def _decide(situation, settings=QUIET, least=20):
    return decide(situation, settings, least)


def _first(situation, settings=QUIET):
    found = _decide(situation, settings)
    return found.verdict, found.reasons[0].rule


def test_nothing_serves_yet():
    assert _first(_situation(served=None)) == ("run", "nothing_served")


def test_a_model_that_does_not_say_what_it_saw():
    assert _first(_situation(spans=None)) == ("run", "unknown_training")


def test_nothing_is_new_whatever_the_limits_say():
    strict = RetrainSettings(min_new_posters=1, max_age_days=0.1, max_label_drift=0.001)
    assert _first(_situation(days=400), strict) == ("skip", "nothing_new")
    assert _first(_situation(_span(2, 0), days=400), strict) == ("skip", "nothing_new")


@pytest.mark.parametrize(("posters", "verdict"), [(99, "skip"), (100, "run")])
def test_a_number_of_new_posters(posters, verdict):
    settings = dataclasses.replace(QUIET, min_new_posters=100)
    found = _decide(_situation(_span(2, posters)), settings)
    assert found.verdict == verdict
    (reason,) = (reason for reason in found.reasons if reason.rule == "new_posters")
    assert reason.figures["new"] == posters
    assert "retrain.min_new_posters" in reason.sentence or verdict == "skip"


@pytest.mark.parametrize(("posters", "verdict"), [(49, "skip"), (50, "run")])
def test_a_share_of_new_posters(posters, verdict):
    settings = dataclasses.replace(QUIET, min_new_share=0.05)
    assert _decide(_situation(_span(2, posters)), settings).verdict == verdict


def test_new_posters_of_several_spans_add_up_a_late_one_too():
    settings = dataclasses.replace(QUIET, min_new_posters=100)
    assert _first(_situation(_span(3, 60), _span(2, 40)), settings) == ("run", "new_posters")


@pytest.mark.parametrize(("limit", "verdict"), [(0.29, "run"), (0.35, "skip")])
def test_drift_of_a_labels_frequency(limit, verdict):
    settings = dataclasses.replace(QUIET, max_label_drift=limit)
    situation = _situation(_span(2, 500, drama=0.555))
    found = _decide(situation, settings)
    assert found.verdict == verdict
    (reason,) = (reason for reason in found.reasons if reason.rule == "label_drift")
    assert reason.figures["label"] == "Drama"
    assert reason.figures["h"] == pytest.approx(0.312, abs=0.002)


def test_a_tiny_span_is_no_drift():
    settings = dataclasses.replace(QUIET, max_label_drift=0.3)
    found = _decide(_situation(_span(2, 5, drama=1.0)), settings)
    assert found.verdict == "skip"
    assert any("chance alone may do to so few" in reason.sentence for reason in found.reasons)


def _drift(distance, p_value=1e-9):
    return EmbeddingDrift(distance, p_value, 3, 33, 400, 1000)


@pytest.mark.parametrize(
    ("drift", "verdict"),
    [
        (_drift(0.25), "skip"),
        (_drift(0.26), "run"),
        (_drift(0.26, p_value=0.001), "skip"),
        (_drift(0.26, p_value=0.0009), "run"),
    ],
)
def test_drift_of_the_posters_themselves(drift, verdict):
    settings = dataclasses.replace(QUIET, max_embedding_drift=0.25)
    assert _decide(_situation(_span(2), embeddings=drift), settings).verdict == verdict


@pytest.mark.parametrize(("days", "verdict"), [(29.99, "skip"), (30, "run")])
def test_age_of_the_served_model(days, verdict):
    settings = dataclasses.replace(QUIET, max_age_days=30)
    assert _decide(_situation(_span(2, 1), days=days), settings).verdict == verdict


def test_an_unknown_age_is_no_reason():
    served = Served("7", LABELS, (1,), None)
    settings = dataclasses.replace(QUIET, max_age_days=30)
    assert _decide(_situation(_span(2, 1), served=served), settings).verdict == "skip"


def test_a_label_that_the_vocabulary_gained():
    situation = _situation(_span(2, 1), labels=(*LABELS, "Western"))
    found = _decide(situation)
    assert (found.verdict, found.reasons[0].rule) == ("run", "new_label")
    assert found.reasons[0].figures == {"labels": ["Western"]}


@pytest.mark.parametrize(("posters", "told"), [(19, False), (20, True)])
def test_a_frequent_label_outside_the_vocabulary_is_told_and_no_reason(posters, told):
    found = _decide(_situation(_span(2, 100, Western=posters)))
    assert found.verdict == "skip"
    words = [reason.sentence for reason in found.reasons if reason.rule == "unlearned_label"]
    assert bool(words) == told
    if told:
        assert "Western is on 20 posters" in words[0]
        assert "--grow-vocabulary" in words[0]


def test_a_span_that_was_trained_on_and_is_left_out_now():
    situation = _situation(spans=(1, 3), excluded=(3,))
    assert _first(situation) == ("run", "excluded_span")
    with_it = dataclasses.replace(situation, attempt=Attempt("run", (1, 3), "pushed"))
    assert _first(with_it) == ("run", "excluded_span")
    without = dataclasses.replace(situation, attempt=Attempt("run", (1,), "refused"))
    assert _first(without) == ("skip", "tried_in_vain")


def test_force_runs_with_nothing_new_and_says_why():
    found = _decide(_situation(force="the extractor was changed"))
    assert (found.verdict, found.reasons[0].rule) == ("run", "forced")
    assert found.reasons[0].sentence == "it was forced: the extractor was changed"


def test_a_run_under_way_comes_before_all():
    situation = _situation(
        _span(2), force="now", under_way="process 7", refusals=(GateRefusal((2,), ("bad",)),)
    )
    assert _first(situation) == ("skip", "run_under_way")


def test_data_that_the_gate_refused_is_refused_even_if_forced():
    finding = "[SHRUNK] the whole span: 3 examples.\n    Look for rows."
    found = _decide(_situation(_span(2), force="now", refusals=(GateRefusal((2,), (finding,)),)))
    assert (found.verdict, found.reasons[0].rule) == ("refuse", "data_gate")
    for words in ("[SHRUNK]", "exclude_spans: [2]", "--allow-anomalies", "span 2"):
        assert words in found.reasons[0].sentence


@pytest.mark.parametrize("verdict", ["refused", "held", "pushed"])
def test_what_was_trained_on_and_does_not_serve_is_not_trained_on_again(verdict):
    eager = dataclasses.replace(QUIET, min_new_posters=1)
    tried = _situation(_span(2), attempt=Attempt("20261120T000000.000000Z", (1, 2), verdict))
    assert _first(tried, eager) == ("skip", "tried_in_vain")
    more = _situation(
        _span(2), _span(3, 1), attempt=Attempt("20261120T000000.000000Z", (1, 2), verdict)
    )
    assert _first(more, eager) == ("run", "new_posters")
    forced = dataclasses.replace(tried, force="now")
    assert _first(forced, eager) == ("run", "forced")


def test_a_pushed_model_that_is_gone_is_made_again():
    attempt = Attempt("20261120T000000.000000Z", (1,), "pushed")
    assert _first(_situation(served=None, attempt=attempt)) == ("run", "nothing_served")
    refused = dataclasses.replace(attempt, verdict="refused")
    assert _first(_situation(served=None, attempt=refused)) == ("skip", "tried_in_vain")


def test_posters_are_looked_at_only_if_it_depends_on_them():
    settings = RetrainSettings()
    assert wants_embeddings(_situation(_span(2, 50)), settings, 20)
    assert not wants_embeddings(_situation(_span(2, 100)), settings, 20)
    assert not wants_embeddings(_situation(), settings, 20)
    assert not wants_embeddings(_situation(_span(2, 50), no_embeddings="none"), settings, 20)
    off = dataclasses.replace(settings, max_embedding_drift=None)
    assert not wants_embeddings(_situation(_span(2, 50)), off, 20)


@given(
    spans=st.lists(st.integers(0, 3000), max_size=5),
    trained=st.sets(st.integers(1, 6)) | st.none(),
    tried=st.sets(st.integers(1, 6)),
    verdict=st.sampled_from(["pushed", "refused", "held"]),
    serves=st.booleans(),
    days=st.floats(0, 1000),
    drama=st.floats(0, 1),
    force=st.none() | st.just("because"),
)
def test_every_decision_says_why_and_trains_nothing_for_nothing(
    spans, trained, tried, verdict, serves, days, drama, force
):
    new = [_span(number, posters, drama) for number, posters in enumerate(spans, start=2)]
    situation = _situation(
        *new,
        spans=None if trained is None else tuple(sorted(trained)),
        days=days,
        attempt=Attempt("run", tuple(sorted(tried)), verdict) if tried else None,
        force=force,
        **({} if serves else {"served": None}),
    )
    found = _decide(situation, RetrainSettings(max_embedding_drift=None))
    assert found.because
    assert all(reason.sentence and reason.rule for reason in found.reasons)
    json.dumps([found.to_json(), situation.to_json()])
    if found.verdict == "run" and not force and situation.served and trained:
        assert situation.untried
    if found.verdict == "skip" and serves and trained:
        assert not force
