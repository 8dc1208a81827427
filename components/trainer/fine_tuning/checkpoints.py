"""Checkpoints of a fine-tuning: whole or absent, and gone once they are not needed.

    <folder>/epoch-0003/state.json        the history so far
    <folder>/epoch-0003/variables...      a tf.train.Checkpoint

A folder appears by one rename. Kept are the last two epochs and the best one; epoch 0 is what the
first stage gave.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.files import new_folder

#: How many of the last epochs are kept.
_KEPT = 2
_STATE = "state.json"
_VARIABLES = "variables"

History = list[dict[str, Any]]


class Checkpoints:
    """The checkpoints of one fine-tuning, in a folder named for all that its result depends on."""

    def __init__(self, folder: Path, **trackables: Any) -> None:
        """Makes the folder, and clears what a killed run was writing or removing.

        Args:
          folder: of this fine-tuning alone, beside those of others and nothing else.
          **trackables: what is saved and restored, by name: modules, optimizers, lists of
            variables.
        """
        self.folder = folder
        self._checkpoint = tf.train.Checkpoint(**trackables)
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in (*folder.glob(".epoch-*"), *folder.parent.glob(".*")):
            shutil.rmtree(unfinished, ignore_errors=True)

    def path(self, epoch: int) -> Path:
        """Where an epoch's checkpoint is, if it is kept."""
        return self.folder / f"epoch-{epoch:04d}"

    def save(self, history: History) -> None:
        """Saves the last epoch of a history, and removes what is not kept any more."""
        epoch = history[-1]["epoch"]
        with new_folder(self.path(epoch)) as scratch:
            self._checkpoint.write(str(scratch / _VARIABLES))
            (scratch / _STATE).write_text(json.dumps(history), encoding="utf-8")
        best = best_epoch(history)
        for path in self._saved()[:-_KEPT]:
            if path != self.path(best):
                shutil.rmtree(path)

    def resume(self) -> History:
        """Restores the last epoch saved and gives its history; an empty one if there is none."""
        saved = self._saved()
        if not saved:
            return []
        history = json.loads((saved[-1] / _STATE).read_text(encoding="utf-8"))
        self.restore(history[-1]["epoch"])
        return history

    def restore(self, epoch: int) -> None:
        """Gives all that is tracked the values it had after an epoch that is kept."""
        path = str(self.path(epoch) / _VARIABLES)
        self._checkpoint.read(path).assert_existing_objects_matched()

    def remove(self) -> None:
        """Removes the folder in one step: the result is elsewhere."""
        removed = self.folder.with_name(f".{self.folder.name}")
        shutil.rmtree(removed, ignore_errors=True)
        self.folder.rename(removed)
        # Another fine-tuning that begins now may be clearing it too.
        shutil.rmtree(removed, ignore_errors=True)

    def _saved(self) -> Sequence[Path]:
        """The epochs that are kept, in order."""
        return sorted(self.folder.glob("epoch-*"), key=lambda path: int(path.name[6:]))


def best_epoch(history: History) -> int:
    """The epoch of the largest macro AUC on eval, the first of equals; NaN is never better."""
    aucs = [row["eval_macro_auc"] for row in history]
    comparable = [-math.inf if math.isnan(auc) else auc for auc in aucs]
    return history[comparable.index(max(comparable))]["epoch"]


def run_key(facts: Mapping[str, Any]) -> str:
    """Names a fine-tuning by all that its result depends on; 32 hexadecimal digits.

    Args:
      facts: JSON values; their order does not matter.
    """
    content = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]
