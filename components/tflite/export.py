"""Converts, compares, and writes the model with the report, or refuses."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from components.errors import PostersError
from components.features import Features
from components.files import new_folder
from components.tflite import convert, parity
from components.tflite.convert import Quantization
from components.tflite.parity import Parity
from components.trainer import export as saved_model

MODEL = "model.tflite"
REPORT = "parity.json"
LABELS = "labels.txt"


class RefusedError(PostersError):
    """The converted model is too much worse; nothing was written."""


@dataclasses.dataclass(frozen=True)
class Exported:
    """What was converted.

    Attributes:
      parity: the comparison.
      model_bytes: the TensorFlow Lite model's size.
    """

    parity: Parity
    model_bytes: int


def export(
    model: Path,
    out: Path,
    quantization: Quantization,
    records: Iterable[bytes],
    max_drop: float,
    progress: Callable[[int], None] = lambda done: None,
) -> Exported:
    """Writes `model.tflite`, `labels.txt` (a label a line) and `parity.json` into a new folder.

    Args:
      model: a pushed version.
      out: the folder; made in one step.
      quantization: see `convert.Quantization`.
      records: serialized examples of the test split.
      max_drop: how far macro-F1 may fall.
      progress: called with the number of examples compared.

    Raises:
      RefusedError: macro-F1 falls by more, or a score is not a number.
      PostersError: the model cannot be converted, or `out` is there already.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PostersError(f"--out {out} is there already: give a folder that is not.")
    description = saved_model.read_description(str(model))
    content = convert.convert(str(model), quantization)
    found = parity.measure(
        str(model),
        convert.LiteModel(content),
        records,
        description["labels"],
        Features(**description["features"]),
        progress,
    )
    # Also false where it is NaN.
    if not (found.drop <= max_drop and found.largest_difference >= 0):
        raise RefusedError(
            f"macro-F1 falls from {found.macro_f1:.4f} to {found.lite_macro_f1:.4f} on "
            f"{found.examples} examples; at most {max_drop:g} less is allowed (--max-f1-drop). The "
            f"scores differ by up to {found.largest_difference:.3f}. Nothing was written."
        )
    report = {
        "format": 1,
        "model": str(model),
        "model_version": model.name,
        "quantization": quantization,
        "model_bytes": len(content),
        "max_f1_drop": max_drop,
        "score_bound": parity.SCORE_BOUND,
        "within_score_bound": found.within_bound,
        **dataclasses.asdict(found),
    }
    with new_folder(out) as scratch:
        (scratch / MODEL).write_bytes(content)
        (scratch / LABELS).write_text("".join(f"{label}\n" for label in description["labels"]))
        (scratch / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return Exported(found, len(content))
