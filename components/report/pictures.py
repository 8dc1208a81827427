"""The examples that the model got most wrong and most right, as small pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from components.dataset import sheet
from components.dataset.lists import plain
from components.evaluator.counts import DECISION_POINT
from components.evaluator.predictions import Predictions
from components.report.sources import Sources

#: Pictures on the whole page, about; each is some 7 kB.
_PICTURES = 200
#: The fewest and the most of one label and kind.
_FEWEST, _MOST = 1, 4
#: Pixels that a picture fits into.
_BOX = (120, 180)

#: Read at a time: one by one they take longer to hand over than to read.
_BATCH_EXAMPLES = 64

#: Rows of `Predictions` by kind, the most telling first.
Chosen = Mapping[str, Sequence[int]]


@dataclasses.dataclass(frozen=True)
class Picture:
    """One example: its caption, its year and a small JPEG as a data URI, each as far as known."""

    title: str = ""
    year: int | None = None
    image: str | None = None


def choose(answers: Predictions, labels: Sequence[str]) -> dict[str, Chosen]:
    """Which examples to show of each label.

    Args:
      answers: of the whole test split.
      labels: the first of its labels.

    Returns:
      By label: `missed`, which carry it and were scored lowest; `wrong`, which do not and were
      scored highest; `right`, which do and were scored highest.
    """
    each = min(_MOST, max(_FEWEST, _PICTURES // (3 * max(1, len(labels)))))
    chosen = {}
    for place, label in enumerate(labels):
        truth, scores = answers.truth[:, place], answers.scores[:, place]
        given = scores > DECISION_POINT
        chosen[label] = {
            "missed": _first(truth & ~given, scores, each),
            "wrong": _first(~truth & given, -scores, each),
            "right": _first(truth & given, -scores, each),
        }
    return chosen


def read(
    chosen: Mapping[str, Chosen], answers: Predictions, sources: Sources, missing: list[str]
) -> dict[str, Picture]:
    """Looks for the chosen examples in the test split.

    Args:
      chosen: see `choose`.
      answers: whose rows these are.
      sources: where the examples lie.
      missing: takes a sentence if some are not there.

    Returns:
      Pictures by id.
    """
    wanted = {
        str(answers.ids[row])
        for kinds in chosen.values()
        for rows in kinds.values()
        for row in rows
    }
    if sources.test_examples is None:
        missing.append("There are no pictures: the test split's examples are not there.")
        return {}
    # Here, so that a page is made without TensorFlow.
    import tensorflow as tf

    from components import record_files

    features = sources.features
    found: dict[str, Picture] = {}
    try:
        files = sorted(tf.io.gfile.glob(f"{sources.test_examples}/*"))
        for batch in record_files.read(files).batch(_BATCH_EXAMPLES):
            for record in batch.numpy():
                example = tf.train.Example.FromString(record).features.feature
                identifier = _text(example, features.id)
                if identifier in wanted and identifier not in found:
                    found[identifier] = _picture(example, features)
    except (tf.errors.OpError, DecodeError) as error:
        reason = getattr(error, "message", error)
        missing.append(f"The examples in {sources.test_examples} cannot be read: {reason}.")
    if absent := len(wanted - found.keys()):
        missing.append(f"{absent} of {len(wanted)} pictures are not among the test examples.")
    return found


def describe(
    row: int, place: int, answers: Predictions, found: Mapping[str, Picture]
) -> dict[str, Any]:
    """What the page shows of one example under one label."""
    identifier = str(answers.ids[row])
    given = answers.scores[row] > DECISION_POINT
    names = np.array(answers.labels)
    return {
        "id": plain(identifier),
        "score": float(answers.scores[row, place]),
        "probability": float(answers.probabilities[row, place]),
        "has": names[answers.truth[row]].tolist(),
        "given": names[given].tolist(),
        **dataclasses.asdict(found.get(identifier, Picture())),
    }


def _first(among: np.ndarray, order: np.ndarray, count: int) -> list[int]:
    rows = np.flatnonzero(among)
    return rows[np.argsort(order[rows], kind="stable")][:count].tolist()


def _picture(example: Mapping[str, Any], features: Any) -> Picture:
    years = example[features.year].int64_list.value if features.year in example else ()
    content = b"".join(example[features.image].bytes_list.value)
    return Picture(
        title=plain(_text(example, features.title)),
        year=int(years[0]) if years else None,
        image=sheet.data_uri(content, _BOX),
    )


def _text(example: Mapping[str, Any], name: str) -> str:
    values = example[name].bytes_list.value if name in example else ()
    return b"".join(values).decode("utf-8", errors="replace")
