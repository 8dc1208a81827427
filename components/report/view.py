"""What the page shows, arranged in the order that it shows it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.report.content import Content
from components.report.words import is_known

_Section = Mapping[str, Any] | None
#: Figures of the whole split and what they are called; the best comes first.
_OVERALL = (
    ("macro_f1", "macro-F1"),
    ("micro_f1", "micro-F1"),
    ("macro_auc", "macro AUC"),
    ("macro_average_precision", "mean average precision"),
    ("expected_calibration_error", "calibration error"),
    ("all_positive_macro_f1", "all-positive macro-F1"),
)
_BY_LABEL = ("precision", "recall", "auc", "average_precision", "all_positive_f1")
_IN_SLICES = ("macro_f1", "micro_f1", "macro_auc")


def headline(content: Content, summary: _Section) -> dict[str, Any]:
    """How the run ended: `state` (good, bad or broken), `title`, and `lines` that say more."""
    evaluation, gate = content["evaluation"], content["data"]["gate"]
    error = (summary or {}).get("error")
    if gate and gate["verdict"] == "refused":
        return {
            "state": "bad",
            "title": "Stopped by the data gate",
            "lines": ["Nothing was trained: the data are not fit to train on."],
        }
    if error:
        return {"state": "broken", "title": "Failed", "lines": error.split("\n")}
    if evaluation is None:
        return {"state": "broken", "title": "Not evaluated", "lines": []}
    if by_hand := (summary or {}).get("by_hand"):
        lines = ["By hand, by {user} on {time}: {reason}".format(**by_hand)]
        lines.append(f"Pushed to {summary['pushed_path']}")
        if by_hand.get("kind") == "push":
            return {"state": "good", "title": "Blessed, then pushed by hand", "lines": lines}
        return {"state": "broken", "title": "Refused, then blessed by hand", "lines": lines}
    if not evaluation["blessed"]:
        line = "Not pushed: what served before still serves."
        return {"state": "bad", "title": "Refused", "lines": [line]}
    serving = (summary or {}).get("serving") or content.get("serving")
    if serving and not serving["serves"]:
        lines = [*serving["reasons"], "Not pushed: what served before still serves."]
        return {"state": "bad", "title": "Blessed, but does not serve", "lines": lines}
    if content["pushed_to"]:
        line = f"Pushed to {content['pushed_to']}"
        return {"state": "good", "title": "Blessed and pushed", "lines": [line]}
    if (summary or {}).get("status") == "held":
        line = "Waits for `posters push`: what served before still serves."
        return {"state": "good", "title": "Blessed, held back", "lines": [line]}
    return {"state": "good", "title": "Blessed, not pushed", "lines": []}


def overall(evaluation: _Section) -> list[dict[str, Any]]:
    """A tile a figure: name, value, interval, the last blessed model's and the difference to it."""
    if evaluation is None:
        return []
    baseline = evaluation["baseline"] or {}
    return [
        {
            "name": name,
            "value": evaluation["figures"][key],
            "interval": evaluation["intervals"].get(key),
            "before": baseline.get(key),
            "difference": evaluation["intervals"].get(f"{key}_difference"),
        }
        for key, name in _OVERALL
        if key in evaluation["figures"]
    ]


def is_by_chance(evaluation: _Section) -> bool:
    """Whether the model is no better than chance; scores that cannot be ranked do not say."""
    if evaluation is None or not is_known(evaluation["chance"]["macro_auc_p_value"]):
        return False
    return not evaluation["chance"]["better_than_chance"]


def label_rows(evaluation: _Section) -> list[dict[str, Any]]:
    """A row a label, and what `bars` draws of it."""
    if evaluation is None:
        return []
    figures, intervals = evaluation["figures"], evaluation["intervals"]
    baseline = evaluation["baseline"] or {}
    broken = {rule["label"] for rule in evaluation["rules"] if not rule["met"] and rule["label"]}
    rows = []
    for label in evaluation["labels"]:
        now, before = figures[f"f1/{label}"], baseline.get(f"f1/{label}")
        known = is_known(now) and is_known(before)
        rows.append(
            {
                "label": label,
                "f1": now,
                "interval": intervals.get(f"f1/{label}"),
                "before": before,
                "difference": now - before if known else None,
                "difference_interval": intervals.get(f"f1_difference/{label}"),
                "support": figures[f"support/{label}"],
                "predicted": figures.get(f"predicted/{label}"),
                **{key: figures.get(f"{key}/{label}") for key in _BY_LABEL},
                "broken": label in broken,
            }
        )
    return rows


def thresholds(training: _Section) -> dict[str, float]:
    """By label, the probability above which it is given."""
    if training is None or "calibration" not in training:
        return {}
    return dict(zip(training["labels"], training["calibration"]["threshold"], strict=True))


def slices(evaluation: _Section) -> list[dict[str, Any]]:
    """The slices by the feature they are cut by, as TFMA ordered them."""
    if evaluation is None:
        return []
    grouped = itertools.groupby(evaluation["slices"], key=lambda part: part["feature"])
    return [
        {
            "feature": feature,
            "parts": [
                {
                    "value": part["value"],
                    "examples": part["examples"],
                    **{key: part["figures"].get(key) for key in _IN_SLICES},
                }
                for part in parts
            ],
        }
        for feature, parts in grouped
    ]


def label_shares(gate: _Section, labels: Sequence[str]) -> dict[str, Any]:
    """Of each split the examples, and by label the count and the share of them."""
    splits = gate["splits"] if gate else {}
    rows = [
        {
            "label": label,
            "cells": [
                {
                    "count": facts["labels"].get(label, 0),
                    "share": facts["labels"].get(label, 0) / max(1, facts["examples"]),
                }
                for facts in splits.values()
            ],
        }
        for label in labels
    ]
    return {"splits": {name: facts["examples"] for name, facts in splits.items()}, "rows": rows}


def nodes(summary: _Section) -> list[dict[str, Any]]:
    """A row a node, with the width of its bar in percent of the slowest."""
    found = (summary or {}).get("nodes", [])
    longest = max((node["seconds"] for node in found), default=0) or 1
    return [{**node, "width": 100 * node["seconds"] / longest} for node in found]


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as dotted keys and JSON values."""
    return list(_flat(values, prefix))


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield prefix + key, shown
