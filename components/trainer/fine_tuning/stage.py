"""The second stage of training: epochs over pixels, of which the best on eval is kept."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.errors import PostersError
from components.progress import CONSOLE, Update
from components.trainer import ranking
from components.trainer.fine_tuning import devices, images
from components.trainer.fine_tuning.checkpoints import Checkpoints, History, best_epoch
from components.trainer.fine_tuning.learner import Learner
from components.trainer.head import Head
from components.trainer.settings import TrainerSettings

if TYPE_CHECKING:
    import tensorflow_hub as hub


@dataclasses.dataclass(frozen=True)
class Splits:
    """What the second stage learns from and is judged by.

    Attributes:
      train, evaluation: the images and labels of both splits.
      train_examples: how many images train has.
    """

    train: images.ImageSource
    evaluation: images.ImageSource
    train_examples: int


@dataclasses.dataclass(frozen=True)
class FineTuned:
    """What the second stage gives.

    Attributes:
      extractor: frozen, with the weights of the epoch that was kept.
      head: the one given, with the weights of that epoch.
      eval_logits, eval_labels: (N, L) of the eval split, from these two.
      history: one row an epoch, from 0, which is the first stage's model: `epoch`, `loss` (mean
        over steps; None for epoch 0, like the rates), `eval_loss`, `eval_macro_auc`,
        `learning_rate` (at the epoch's end), `seconds`, `images_a_second` (training alone; in the
        first epoch of a process, with the time that tracing takes).
      kept_epoch: the epoch of the largest macro AUC on eval.
      checkpoints: to be removed once the model is exported.
    """

    extractor: hub.KerasLayer
    head: Head
    eval_logits: np.ndarray
    eval_labels: np.ndarray
    history: History
    kept_epoch: int
    checkpoints: Checkpoints


def fine_tune(
    head: Head,
    splits: Splits,
    settings: TrainerSettings,
    folder: Path,
    show: Update,
    strategy: tf.distribute.Strategy | None = None,
    report: Callable[[Mapping[str, float | None]], None] = lambda row: None,
) -> FineTuned:
    """Trains the extractor's top and the head on pixels.

    A run that was killed goes on after the last epoch it finished, from `folder`, and ends where it
    would have ended.

    Args:
      head: trained on the frozen extractor's features; it is changed.
      splits: see `Splits`.
      settings: with `fine_tune`.
      folder: for checkpoints; named for all that the result depends on, see `checkpoints.run_key`.
      show: called with the number of steps done so far and words about the last one.
      strategy: the devices; by default all GPUs of this machine, or its processor.
      report: called with the row of every epoch, also of those that a killed run finished.

    Raises:
      PostersError: the extractor cannot be trained, a batch is smaller than the number of devices,
        or the loss is not finite.
    """
    strategy = strategy or devices.choose_strategy()
    devices.check_batch(strategy, settings.fine_tune.batch_size)
    steps = steps_per_epoch(splits.train_examples, settings)
    learner = Learner(head, settings, splits.train.image_size, steps, strategy)
    CONSOLE.print(f"    {_plan(learner, settings, strategy)}")
    checkpoints = Checkpoints(folder, **learner.state)
    epochs = _Epochs(learner, splits, settings, checkpoints, show)
    history = checkpoints.resume()
    if history:
        after = history[-1]["epoch"]
        CONSOLE.print(f"    fine-tuning goes on after epoch {after}: {folder}", markup=False)
    else:
        history.append(epochs.before())
        checkpoints.save(history)
    for row in history:
        report(row)
    for epoch in range(history[-1]["epoch"] + 1, settings.fine_tune.epochs + 1):
        history.append(epochs.run(epoch))
        checkpoints.save(history)
        report(history[-1])
    kept = best_epoch(history)
    reached = " -> ".join(f"{history[epoch]['eval_macro_auc']:.4f}" for epoch in (0, kept))
    CONSOLE.print(f"    kept epoch {kept} of fine-tuning: macro AUC on eval {reached}")
    checkpoints.restore(kept)
    logits, labels = epochs.score()
    return FineTuned(learner.tuned_extractor(), head, logits, labels, history, kept, checkpoints)


def steps_per_epoch(examples: int, settings: TrainerSettings) -> int:
    """Batches of the training split, the last of which may be smaller."""
    return math.ceil(examples / settings.fine_tune.batch_size)


def _plan(learner: Learner, settings: TrainerSettings, strategy: tf.distribute.Strategy) -> str:
    """What is done where, in one line."""
    words = f"fine-tuning {len(learner.top)} of the extractor's variables"
    words += f" on {devices.describe(strategy)}"
    if learner.half_precision:
        return f"{words}, in half precision"
    if settings.fine_tune.mixed_precision:
        return f"{words}, in single precision: half needs a GPU"
    return f"{words}, in single precision"


class _Epochs:
    """The epochs of one fine-tuning, each with its row of the history."""

    def __init__(
        self,
        learner: Learner,
        splits: Splits,
        settings: TrainerSettings,
        checkpoints: Checkpoints,
        show: Callable[[int, str], None],
    ) -> None:
        self._learner, self._splits, self._settings = learner, splits, settings
        self._checkpoints, self._show = checkpoints, show
        self._steps = steps_per_epoch(splits.train_examples, settings)

    def before(self) -> dict[str, float | None]:
        """The row of epoch 0: what the first stage reached."""
        started = time.monotonic()
        row = dict.fromkeys(("loss", "learning_rate", "images_a_second"))
        return {"epoch": 0, **row, **self._judged(started)}

    def run(self, epoch: int) -> dict[str, float | None]:
        """Trains for one epoch, from 1, and gives its row."""
        started = time.monotonic()
        settings, train = self._settings, self._splits.train
        tuning = settings.fine_tune
        batches = images.training_batches(
            train, epoch, settings.seed, tuning.batch_size, tuning.augment
        )
        losses = []
        for step, (batch, labels) in enumerate(batches, start=1):
            number = (epoch - 1) * self._steps + step
            losses.append(self._learner.step(batch, labels, number))
            if not math.isfinite(losses[-1]):
                raise PostersError(self._stopped(epoch, step, losses[-1]))
            self._show(number, f"epoch {epoch}/{tuning.epochs} loss {losses[-1]:.4f}")
        speed = self._splits.train_examples / (time.monotonic() - started)
        return {
            "epoch": epoch,
            "loss": float(np.mean(losses)),
            "learning_rate": self._learner.learning_rate(),
            "images_a_second": speed,
            **self._judged(started),
        }

    def score(self) -> tuple[np.ndarray, np.ndarray]:
        """Logits and labels of eval, (N, L) each."""
        size = self._settings.fine_tune.batch_size
        return self._learner.score(images.scoring_batches(self._splits.evaluation, size))

    def _judged(self, started: float) -> dict[str, float]:
        logits, labels = self.score()
        return {
            "eval_loss": self._learner.loss(labels, logits),
            "eval_macro_auc": ranking.macro_auc(labels, logits),
            "seconds": time.monotonic() - started,
        }

    def _stopped(self, epoch: int, step: int, loss: float) -> str:
        rate = self._settings.fine_tune.learning_rate
        half = (
            ", or set trainer.fine_tune.mixed_precision to false"
            if self._learner.half_precision
            else ""
        )
        return (
            f"fine-tuning: the loss or its gradient is {loss} in epoch {epoch}, step {step} of "
            f"{self._steps}. Lower trainer.fine_tune.learning_rate (it is {rate:g}){half}. The "
            f"weights of epoch {epoch - 1} are kept in {self._checkpoints.path(epoch - 1)}."
        )
