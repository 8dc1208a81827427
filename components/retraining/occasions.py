"""Reasons to train."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from components.retraining import in_use, label_drift
from components.retraining.reasons import Reason, beside_limit, count
from components.retraining.settings import RetrainSettings
from components.retraining.situation import Situation, count_label, posters
from components.spans.words import in_words

FORCED = "forced"
NOTHING_SERVED = "nothing_served"
UNKNOWN_TRAINING = "unknown_training"
EXCLUDED_SPAN = "excluded_span"
NEW_LABEL = "new_label"
NEW_POSTERS = "new_posters"
LABEL_DRIFT = "label_drift"
EMBEDDING_DRIFT = "embedding_drift"
AGE = "age"
UNLEARNED_LABEL = "unlearned_label"

_DAY = datetime.timedelta(days=1)


def forced(situation: Situation) -> Reason | None:
    """A person wants it."""
    if situation.force is None:
        return None
    return Reason(FORCED, "run", f"it was forced: {situation.force}", {"why": situation.force})


def nothing_served(situation: Situation) -> Reason | None:
    """There is no model yet, or one of which nobody knows what it has seen."""
    served = situation.served
    if served is None:
        return Reason(NOTHING_SERVED, "run", "no model serves yet")
    if served.spans is None:
        sentence = f"version {served.version}, which serves, does not say what it was trained on"
        return Reason(UNKNOWN_TRAINING, "run", sentence, {"version": served.version})
    return None


def limits(situation: Situation, settings: RetrainSettings) -> list[Reason]:
    """Every limit, reached or not; something is new, and what the served model saw is known."""
    return [
        *_excluded_span(situation),
        *_new_label(situation),
        *_new_posters(situation, settings),
        *_label_drift(situation, settings),
        *_embedding_drift(situation, settings),
        *in_use.limits(situation.in_use, settings.in_use),
        *_age(situation, settings),
    ]


def unlearned_labels(situation: Situation, least: int) -> list[Reason]:
    """Labels that are frequent by now and outside the vocabulary: a run would not learn them."""
    labels = {label for span in situation.window for label in span.in_train}
    counts = {
        label: sum(span.in_train.get(label, 0) for span in situation.window)
        for label in labels - set(situation.labels)
    }
    return [
        Reason(
            UNLEARNED_LABEL,
            "nothing",
            f"{label} is on {counts[label]} posters of train and outside the vocabulary, so that "
            "no run learns it: ingest the next span with --grow-vocabulary",
            {"label": label, "posters": counts[label], "limit": least},
        )
        for label in sorted(counts, key=lambda label: (-counts[label], label))
        if counts[label] >= least
    ]


def _excluded_span(situation: Situation) -> Iterator[Reason]:
    if dropped := situation.dropped:
        sentence = (
            f"version {situation.served.version}, which serves, was trained on "
            f"{in_words(dropped)}, which the configuration leaves out now (exclude_spans)"
        )
        yield Reason(EXCLUDED_SPAN, "run", sentence, {"spans": list(dropped)})


def _new_label(situation: Situation) -> Iterator[Reason]:
    known = set(situation.served.labels)
    if new := [label for label in situation.labels if label not in known]:
        sentence = f"the vocabulary has {', '.join(new)}, which the served model does not know"
        yield Reason(NEW_LABEL, "run", sentence, {"labels": new})


def _new_posters(situation: Situation, settings: RetrainSettings) -> Iterator[Reason]:
    new, seen = posters(situation.new), posters(situation.seen)
    if not new:
        return
    least, share = settings.min_new_posters, settings.min_new_share
    figures = {"new": new, "seen": seen, "limit": least, "share_limit": share}
    spans = in_words([span.number for span in situation.new])
    sentence = f"{count(new, 'poster')} are new ({spans})"
    if least is not None and new >= least:
        yield Reason(
            NEW_POSTERS, "run", f"{sentence}; {least} are enough (retrain.min_new_posters)", figures
        )
    elif share is not None and new >= share * seen:
        of_seen = f"{new / seen:.1%} of {seen}" if seen else "and none is known of those before"
        words = f"{sentence}, {of_seen}; {share:.1%} is enough (retrain.min_new_share)"
        yield Reason(NEW_POSTERS, "run", words, figures)
    else:
        wanted = [f"{least}"] if least is not None else []
        wanted += [f"{share:.1%} of {seen}"] if share is not None else []
        words = f"{sentence}; {' or '.join(wanted) or 'no number'} would be enough"
        yield Reason(NEW_POSTERS, "nothing", words, figures)


def _label_drift(situation: Situation, settings: RetrainSettings) -> Iterator[Reason]:
    limit = settings.max_label_drift
    if limit is None:
        return
    seen, new = situation.seen, situation.new
    labels = [label for label in situation.served.labels if label in situation.labels]
    before, now = ({label: count_label(spans, label) for label in labels} for spans in (seen, new))
    found = label_drift.largest(before, posters(seen), now, posters(new))
    if found is None:
        return
    reached = found.exceeds(limit)
    moved = (
        f"{found.label} is on {found.share_now:.1%} of {posters(new)} new posters and was on "
        f"{found.share_before:.1%} of {posters(seen)}: Cohen's h is {found.h:.2f}"
    )
    by_chance, key = f"{found.by_chance:.2f}", "retrain.max_label_drift"
    end = beside_limit(found.h, limit, reached, by_chance, key)
    figures = {
        "label": found.label,
        "h": found.h,
        "limit": limit,
        "by_chance": found.by_chance,
        "share_before": found.share_before,
        "share_now": found.share_now,
    }
    yield Reason(LABEL_DRIFT, "run" if reached else "nothing", f"{moved}, {end}", figures)


def _embedding_drift(situation: Situation, settings: RetrainSettings) -> Iterator[Reason]:
    limit, found = settings.max_embedding_drift, situation.embeddings
    if limit is None:
        return
    if found is None:
        if situation.no_embeddings:
            sentence = f"the posters themselves were not compared: {situation.no_embeddings}"
            yield Reason(EMBEDDING_DRIFT, "nothing", sentence)
        return
    reached = found.exceeds(limit)
    moved = (
        f"the Kolmogorov-Smirnov distance of {count(found.posters, 'new poster')} from those "
        f"trained on is {found.distance:.2f}, on axis {found.axis + 1} of {found.axes}"
    )
    by_chance, key = f"p {found.p_value:.2g}", "retrain.max_embedding_drift"
    end = beside_limit(found.distance, limit, reached, by_chance, key)
    figures = {
        "distance": found.distance,
        "p_value": found.p_value,
        "limit": limit,
        "axis": found.axis,
        "posters": found.posters,
    }
    yield Reason(EMBEDDING_DRIFT, "run" if reached else "nothing", f"{moved}, {end}", figures)


def _age(situation: Situation, settings: RetrainSettings) -> Iterator[Reason]:
    limit, trained = settings.max_age_days, situation.served.trained
    if limit is None:
        return
    if trained is None:
        sentence = "when the served model was trained is not known"
        yield Reason(AGE, "nothing", sentence, {"limit": limit})
        return
    days = (situation.now - trained) / _DAY
    reached = days >= limit and posters(situation.new) > 0
    end = f"{limit:g} are enough" if reached else f"{limit:g} would be enough"
    sentence = f"the served model was trained {days:.1f} days ago; {end} (retrain.max_age_days)"
    yield Reason(AGE, "run" if reached else "nothing", sentence, {"days": days, "limit": limit})
