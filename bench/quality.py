"""How good the default recipe is beside the tutorial's: several seeds, the same fixed splits.

    python -m bench.quality --csv FILE --images DIR --config local --set trainer.hub_handle=MODULE

Ingests the posters as `posters ingest` does (the splits follow from the ids, so they are the same
every time), computes features once, and trains on train, fits decisions on eval and scores test
with every recipe and seed. Prints a table and one JSON object a recipe.

The interval beside each ratio is of a paired bootstrap: test posters are drawn anew, the same for
both recipes, and macro-F1 is averaged over the seeds before the ratio is taken. `--work DIR` keeps
data and features for the next time.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from rich.table import Table
from sklearn.metrics import average_precision_score

from bench import stored
from components.evaluator import counts, reliability
from components.ingest import ingest
from components.progress import CONSOLE, progress
from components.trainer import calibration, extraction, fitting, ranking
from components.trainer.cached_features import CachedFeatures
from components.trainer.settings import TrainerSettings
from components.views import ViewName
from pipeline import config as configuration
from pipeline import data

#: Steps of the tutorial on its own 30,155 posters: 30 epochs of 118.
TUTORIAL_STEPS = 3540
MANY_VIEWS: tuple[ViewName, ...] = ("squished", "squished_mirrored", "top", "bottom")
#: What every recipe is compared with.
TUTORIAL = "tutorial, 30 epochs"
_RESAMPLES = 2000


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What is trained under a name.

    Attributes:
      name: as the table shows it.
      settings: the Trainer's.
      views: see `ImageConfig`.
      steps: train for at least as many, in whole epochs, and not for `settings.epochs`.
    """

    name: str
    settings: TrainerSettings
    views: tuple[ViewName, ...]
    steps: int | None = None

    def seeded(self, seed: int, examples: int) -> TrainerSettings:
        """The settings of one training on so many examples."""
        epochs = self.settings.epochs
        if self.steps is not None:
            epochs = math.ceil(self.steps / math.ceil(examples / self.settings.batch_size))
        return dataclasses.replace(self.settings, seed=seed, epochs=epochs)


@dataclasses.dataclass(frozen=True)
class Scored:
    """One recipe on the test split; means over seeds, but for `decisions`.

    Attributes:
      decisions: (seeds, N, L) bool.
      macro_auc, mean_average_precision: of the scores.
      calibration_error: mean over labels of the expected calibration error, 10 bins of equal width.
      seconds: of fitting one head.
    """

    decisions: np.ndarray
    macro_auc: float
    mean_average_precision: float
    calibration_error: float
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--csv", required=True, help="as `posters ingest` takes it")
    parser.add_argument("--images", required=True, help="its folder of images")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="folder that keeps data and features")
    parser.add_argument("--config", default="local")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args(arguments)
    config = configuration.load(options.config, options.overrides)
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as folder:
        work = options.work or Path(folder)
        ingest(options.csv, options.images, work / "data", config.ingest)
        span = data.find_span(config, work / "data" / "span-1")
        recipes = _recipes(config)
        features = {
            views: _features(config, span, views, work)
            for views in dict.fromkeys(recipe.views for recipe in recipes)
        }
    truth = features[recipes[0].views]["test"].labels > 0
    scored = {}
    with progress("heads", total=len(recipes) * options.seeds) as update:
        for place, recipe in enumerate(recipes):

            def show(seeds: int, place: int = place, name: str = recipe.name) -> None:
                update(place * options.seeds + seeds, name)

            scored[recipe.name] = _score(recipe, features[recipe.views], options.seeds, show)
    _print(truth, recipes, scored)
    return 0


def _recipes(config: configuration.Config) -> list[Recipe]:
    """The tutorial's, at two lengths, and ours, with variations."""
    ours, views = config.trainer, config.image.views
    tutorial = dataclasses.replace(
        configuration.load("tutorial").trainer, hub_handle=ours.hub_handle
    )
    return [
        Recipe(TUTORIAL, tutorial, views),
        Recipe(f"tutorial, {TUTORIAL_STEPS} steps", tutorial, views, TUTORIAL_STEPS),
        Recipe("default, BCE alone", dataclasses.replace(ours, loss={"bce": 1.0}), views),
        Recipe(
            "default, soft-F1 alone", dataclasses.replace(ours, loss={"macro_soft_f1": 1.0}), views
        ),
        Recipe("default", ours, views),
        Recipe(f"default, {len(MANY_VIEWS)} views", ours, MANY_VIEWS),
    ]


def _features(
    config: configuration.Config, span: data.Span, views: Sequence[ViewName], work: Path
) -> dict[str, CachedFeatures]:
    found = {}
    for split in data.SPLITS:
        file = work / f"{'-'.join(views)}-{config.image.size}-{split}.gz"
        source = stored.source(config, _rows(config, span, split), file, views, config.features)
        what = f"features of {split}, {len(views)} view(s)"
        with progress(what) as update:
            found[split] = extraction.load_or_compute(work / "features", source, update)
    return found


def _rows(config: configuration.Config, span: data.Span, split: str) -> Iterator[stored.Row]:
    names = config.features
    files = sorted(str(path) for path in (span.folder / split).glob(data.SHARDS))
    for record in tf.data.TFRecordDataset(files).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        given = {value.decode() for value in feature[names.labels].bytes_list.value}
        labels = np.array([label in given for label in span.labels], np.float32)
        yield (
            feature[names.id].bytes_list.value[0],
            feature[names.image].bytes_list.value[0],
            labels,
        )


def _score(
    recipe: Recipe,
    splits: Mapping[str, CachedFeatures],
    seeds: int,
    show: Callable[[int], None],
) -> Scored:
    truth, rows = splits["test"].labels, []
    for seed in range(seeds):
        started = time.monotonic()
        settings = recipe.seeded(seed, len(splits["train"]))
        head = fitting.fit(splits["train"], splits["eval"], settings, lambda row: None).head
        seconds = time.monotonic() - started
        fitted = calibration.fit(
            fitting.logits(head, splits["eval"]), splits["eval"].labels, settings.decision
        )
        logits = fitting.logits(head, splits["test"])
        rows.append(
            (
                fitted.scores(logits) > counts.DECISION_POINT,
                ranking.macro_auc(truth, logits),
                average_precision_score(truth, logits, average="macro"),
                _calibration_error(truth, fitted.probabilities(logits)),
                seconds,
            )
        )
        show(seed + 1)
    decisions, *figures = zip(*rows, strict=True)
    return Scored(np.array(decisions), *(float(np.mean(figure)) for figure in figures))


def _calibration_error(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over labels, as the Evaluator measures it."""
    pairs = zip(truth.T, probabilities.T, strict=True)
    return float(np.mean([reliability.measure(*p).expected_calibration_error for p in pairs]))


def macro_f1(truth: np.ndarray, decisions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Macro-F1 of resamples: (R,).

    Args:
      truth: (N, L) bool.
      decisions: (N, L) bool.
      weights: (R, N), how often each example was drawn.
    """
    hits = weights @ (truth & decisions).astype(float)
    totals = weights @ (truth.astype(float) + decisions)
    return np.mean(2 * hits / np.maximum(totals, 1), axis=1)


def _print(truth: np.ndarray, recipes: Sequence[Recipe], scored: Mapping[str, Scored]) -> None:
    generator = np.random.default_rng(0)
    drawn = generator.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), _RESAMPLES)
    weights = np.vstack([np.ones(len(truth)), drawn])  # the first is the test split itself
    f1 = {
        name: np.mean([macro_f1(truth, each, weights) for each in found.decisions], axis=0)
        for name, found in scored.items()
    }
    table = Table(title=f"{len(truth)} test posters, {truth.shape[1]} labels", title_justify="left")
    table.add_column("recipe")
    for column in ("macro-F1 at 0.5", "over the tutorial's", "AUC", "mAP", "ECE", "seconds a head"):
        table.add_column(column, justify="right")
    everything = macro_f1(truth, np.ones_like(truth), weights[:1])[0]
    table.add_row("everything positive", f"{everything:.3f}", *[""] * 5)
    for recipe in recipes:
        found, ratios = scored[recipe.name], f1[recipe.name] / f1[TUTORIAL]
        low, high = np.quantile(ratios[1:], [0.025, 0.975])
        figures = {
            "macro_f1": round(float(f1[recipe.name][0]), 4),
            "over_tutorial": round(float(ratios[0]), 3),
            "over_tutorial_95": [round(float(low), 3), round(float(high), 3)],
            "macro_auc": round(found.macro_auc, 4),
            "mean_average_precision": round(found.mean_average_precision, 4),
            "expected_calibration_error": round(found.calibration_error, 4),
            "seconds": round(found.seconds, 1),
        }
        CONSOLE.print_json(json.dumps({"recipe": recipe.name, **figures}), indent=None)
        table.add_row(
            recipe.name,
            f"{figures['macro_f1']:.3f}",
            f"{ratios[0]:.2f} ({low:.2f} to {high:.2f})",
            *(f"{value:.3f}" for value in list(figures.values())[3:6]),
            f"{found.seconds:.1f}",
        )
    CONSOLE.print(table)


if __name__ == "__main__":
    sys.exit(main())
