"""Learning curves as they come: rows for programs, and events for TensorBoard.

<folder>/history.jsonl                  one row an epoch, of both stages
<folder>/{head,fine_tuning}/{train,eval}  TensorBoard's events: loss, learning_rate, macro_auc
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping

import tensorflow as tf

from components.json_numbers import without_nan

HISTORY_FILE = "history.jsonl"
#: What each stage's events lie under, by its number in the history.
_STAGES = {1: "head", 2: "fine_tuning"}
#: Where a column of the history is drawn: the run and its chart.
_CHARTS = {
    "loss": ("train", "loss"),
    "learning_rate": ("train", "learning_rate"),
    "eval_loss": ("eval", "loss"),
    "eval_macro_auc": ("eval", "macro_auc"),
}


class LearningCurves(contextlib.AbstractContextManager):
    """Keeps the history of a training, and shows it to whoever watches the folder.

    Attributes:
      history: the rows so far: `stage` (1 is the head, 2 fine-tuning) and what the stage measures,
        see `fitting.Fitted` and `stage.FineTuned`, with None for NaN.
    """

    def __init__(self, folder: str) -> None:
        """Begins with no row.

        Args:
          folder: the `model_run` artifact's; made if absent, local or on a store.
        """
        self.history: list[dict[str, float | None]] = []
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def __exit__(self, *exception: object) -> None:
        for writer in self._writers.values():
            writer.close()
        tf.io.gfile.makedirs(self._folder)
        with tf.io.gfile.GFile(f"{self._folder}/{HISTORY_FILE}", "w") as file:
            file.write("".join(f"{json.dumps(row)}\n" for row in self.history))

    def add(self, stage: int, row: Mapping[str, float | None]) -> None:
        """Takes the row of one epoch."""
        # An eval split whose examples all have the same labels has no macro AUC.
        self.history.append(without_nan({"stage": stage, **row}))
        for column, (run, chart) in _CHARTS.items():
            if row[column] is not None:
                with self._writer(f"{_STAGES[stage]}/{run}").as_default():
                    tf.summary.scalar(chart, row[column], step=int(row["epoch"]))
        for writer in self._writers.values():
            writer.flush()

    def _writer(self, run: str) -> tf.summary.SummaryWriter:
        if run not in self._writers:
            self._writers[run] = tf.summary.create_file_writer(f"{self._folder}/{run}")
        return self._writers[run]
