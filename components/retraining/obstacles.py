"""Reasons not to train."""

from __future__ import annotations

from components.retraining.reasons import Reason, count
from components.retraining.situation import Situation, posters
from components.spans.words import in_words

UNDER_WAY = "run_under_way"
REFUSED_DATA = "data_gate"
TRIED_IN_VAIN = "tried_in_vain"
NOTHING_NEW = "nothing_new"
TOO_LITTLE = "too_little"
#: Those by which a run would have nothing to learn from.
NOTHING_TO_LEARN = (NOTHING_NEW, TRIED_IN_VAIN)


def under_way(situation: Situation) -> Reason | None:
    """Another run holds the workspace."""
    if situation.under_way is None:
        return None
    sentence = f"a run is under way: {situation.under_way}"
    return Reason(UNDER_WAY, "skip", sentence, {"what": situation.under_way})


def refused_data(situation: Situation) -> Reason | None:
    """The data gate refused a span of the window, and nothing has changed since."""
    if not situation.refusals:
        return None
    numbers = sorted({number for refusal in situation.refusals for number in refusal.spans})
    found = (finding for refusal in situation.refusals for finding in refusal.findings)
    findings = list(dict.fromkeys(found))
    sentence = (
        f"the data gate refused {in_words(numbers)}, and nothing that it looks at has changed "
        f"since: {'; '.join(_first_line(finding) for finding in findings)}. {_remedy(numbers)}"
    )
    return Reason(REFUSED_DATA, "refuse", sentence, {"spans": numbers, "findings": findings})


def _remedy(numbers: list[int]) -> str:
    """What a person can do about spans that the gate refuses."""
    excluded = ", ".join(map(str, numbers))
    return (
        f"Leave {'it' if len(numbers) == 1 else 'them'} out of the window (exclude_spans: "
        f'[{excluded}]), or accept what is known and meant with --allow-anomalies "REASON"'
    )


def tried_in_vain(situation: Situation) -> Reason | None:
    """What is new was trained on already, with these settings, and does not serve."""
    attempt = situation.attempt
    if attempt is None or not (situation.new or situation.dropped) or situation.untried:
        return None
    if set(attempt.spans) & set(situation.excluded):
        return None  # it was another training
    if attempt.verdict == "pushed" and situation.served is None:
        return None  # someone removed what was pushed: a run puts it back
    what = {
        "pushed": "and its model no longer serves: an earlier one was put back",
        "refused": "and its model was refused",
        "held": "and its model waits for approval: posters push",
    }[attempt.verdict]
    sentence = (
        f"run {attempt.name} trained on {in_words(attempt.spans)} with the same settings, "
        f"{what}; nothing is new since"
    )
    figures = {"run": attempt.name, "spans": list(attempt.spans), "verdict": attempt.verdict}
    return Reason(TRIED_IN_VAIN, "skip", sentence, figures)


def nothing_new(situation: Situation) -> Reason | None:
    """The served model was trained on every span of the window that has posters."""
    served = situation.served
    if served is None or served.spans is None or posters(situation.new) or situation.dropped:
        return None
    sentence = (
        f"nothing is new: version {served.version}, which serves, was trained on "
        f"{in_words(served.spans)}, and the window is {in_words(situation.spans)}"
    )
    figures = {"trained_on": list(served.spans), "window": list(situation.spans)}
    return Reason(NOTHING_NEW, "skip", sentence, figures)


def too_little(situation: Situation) -> Reason:
    """No limit is reached."""
    numbers = [span.number for span in situation.new]
    sentence = (
        f"{count(posters(situation.new), 'new poster')} ({in_words(numbers)}) "
        "are no reason yet: no limit is reached"
    )
    figures = {"new_posters": posters(situation.new), "new_spans": numbers}
    return Reason(TOO_LITTLE, "skip", sentence, figures)


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0].rstrip(".")
