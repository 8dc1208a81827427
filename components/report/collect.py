"""Gathers everything that a run's page shows, from what the run left."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
from typing import Any

import components
from components.report import ahead, data, training
from components.report.content import FORMAT, Content
from components.report.sources import Sources
from components.serving_check import report as serving_report
from components.spans.words import in_words

_LIBRARIES = ("tfx", "tensorflow", "tensorflow-model-analysis", "apache-beam", "numpy")


def collect(sources: Sources) -> Content:
    """Reads every piece that is there and draws the charts.

    Returns:
      `data`, `training` and `evaluation` (see the modules of these names) and `serving` (fields of
      `ServingReport`), each None where a run did not come so far; what the run was; `spans` in
      words; and `missing`, a sentence for each piece that should be there and is not.
    """
    missing: list[str] = []
    # May be under way in another thread, beside which nothing may be drawn; it is told of last.
    unmeasured: list[str] = []
    evaluated = ahead.describe(sources, unmeasured)
    described = data.describe(sources, missing), training.describe(sources, missing)
    missing += unmeasured
    return {
        "format": FORMAT,
        "written": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "name": sources.settings["name"],
        "spans": _spans(sources),
        "labels": list(sources.labels),
        "settings": sources.settings,
        "code": {
            "version": components.__version__,
            "fingerprints": dict(sources.fingerprints),
            "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        },
        "data": described[0],
        "training": described[1],
        "evaluation": evaluated,
        "serving": _serving(sources.serving, missing),
        "pushed_to": sources.pushed_to,
        "missing": missing,
    }


def _serving(folder: str | None, missing: list[str]) -> dict[str, Any] | None:
    if folder is None:
        return None
    try:
        return dataclasses.asdict(serving_report.read(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        missing.append(f"what ServingCheck found, in {folder}: {error}")
        return None


def _spans(sources: Sources) -> str:
    if sources.window is None:
        return "unknown spans"
    return in_words([span.number for span in sources.window.spans])
