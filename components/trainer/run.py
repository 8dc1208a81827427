"""The Trainer node's entry point: features once, head, fine-tuning, calibration, export."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tfx.components.trainer.fn_args_utils import FnArgs

from components import views
from components.errors import PostersError
from components.features import Features
from components.progress import CONSOLE, progress
from components.spans import record
from components.trainer import (
    calibration,
    embedding_fingerprint,
    embedding_samples,
    embedding_summary,
    export,
    fitting,
    folding,
    head_weights,
    hyperparameters,
    inputs,
    neighbours,
    pictures,
    warm_start,
)
from components.trainer.embedding_summary import EmbeddingSummary
from components.trainer.fine_tuning import node as fine_tuning
from components.trainer.fine_tuning.checkpoints import Checkpoints
from components.trainer.head import Head
from components.trainer.learning_curves import LearningCurves
from components.trainer.settings import TrainerSettings
from components.trainer.warm_start import WarmStart


@dataclasses.dataclass(frozen=True)
class _Trained:
    """What training gives, of one stage or of two; logits and labels are of eval, (N, L)."""

    extractor: Any
    head: Head
    eval_logits: np.ndarray
    eval_labels: np.ndarray
    checkpoints: Checkpoints | None = None


def run_fn(fn_args: FnArgs) -> None:
    """Trains the head on cached features, or its extractor too, and exports both as one model.

    Args:
      fn_args: from TFX. `custom_config` holds `settings` (fields of `TrainerSettings`), `features`
        (fields of `Features`), `labels` (the vocabulary), `image_size` (pixels), `views` (names),
        `feature_cache` (a folder), `materialized` (whether the examples are Transform's, and not
        ExampleGen's), and `fingerprints` (of code and extractor: they tell TFX when to train again,
        and a fine-tuning whether checkpoints are its own; `embedding` is of the code that makes
        embeddings of images). `hyperparameters` are the
        Tuner's and `base_model` the model to go on from, where the pipeline has such.

    Raises:
      PostersError: the extractor is unusable, a split is empty, or the loss is not finite.
    """
    config = fn_args.custom_config
    given = TrainerSettings(**config["settings"])
    settings = _tuned(given, fn_args)
    found = inputs.load(fn_args)
    common = {
        "extractor_fingerprint": found.extractor_fingerprint,
        "image_size": config["image_size"],
        "views": list(config["views"]),
    }
    network = fitting.new_head(found.train, settings)
    started = _warm_started(network, fn_args, settings, common)
    with LearningCurves(fn_args.model_run_dir) as curves:
        trained = _trained(found, settings, network, fn_args, curves)
    calibrated = calibration.fit(trained.eval_logits, trained.eval_labels, settings.decision)
    _warn_of_absent(config["labels"], trained.eval_labels)
    description = {
        **common,
        "embedding_fingerprint": embedding_fingerprint.of(
            trained.extractor, common, config["fingerprints"]["embedding"]
        ),
        "trainer": dataclasses.asdict(settings),
        "tuned": hyperparameters.changes(given, settings) if fn_args.hyperparameters else None,
        **(started.description() if started else {}),
        "examples": {"train": len(found.train), "eval": len(found.evaluation)},
        "spans": [span.brief() for span in record.read(fn_args.transform_graph_path).spans],
        "history": curves.history,
        "trained": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
    parts = _parts(found, trained, calibrated, config)
    with ThreadPoolExecutor(1) as pool:
        # An export is Python on one core; pictures and linear algebra have another.
        beside = pool.submit(_write_posters, found, trained, settings, fn_args)
        export.export(parts, fn_args.serving_model_dir, description)
    beside.result()
    head_weights.write(trained.head, fn_args.serving_model_dir)
    if trained.checkpoints:
        trained.checkpoints.remove()


def _parts(
    found: inputs.Inputs,
    trained: _Trained,
    calibrated: calibration.Calibration,
    config: Mapping[str, Any],
) -> export.ModelParts:
    """What the exported model is made of."""
    return export.ModelParts(
        transform=found.transform.transform_features_layer(),
        raw_feature_spec=found.transform.raw_feature_spec(),
        extractor=trained.extractor,
        head=trained.head,
        calibration=calibrated,
        labels=config["labels"],
        features=Features(**config["features"]),
        image_size=config["image_size"],
        views=config["views"],
    )


def _tuned(given: TrainerSettings, fn_args: FnArgs) -> TrainerSettings:
    """The given settings, or those that the Tuner found to be better."""
    if not fn_args.hyperparameters:
        return given
    settings = hyperparameters.apply(given, fn_args.hyperparameters["values"])
    for key, change in hyperparameters.changes(given, settings).items():
        CONSOLE.print(f"    {key}: {change['used']}, says the Tuner", markup=False)
    return settings


def _warm_started(
    network: Head, fn_args: FnArgs, settings: TrainerSettings, common: dict[str, Any]
) -> WarmStart | None:
    """Goes on from the last blessed model, if that is wanted and possible."""
    if not settings.warm_start:
        return None
    labels = fn_args.custom_config["labels"]
    started = warm_start.start(network, labels, fn_args.base_model, common)
    CONSOLE.print(f"    the head {started}", markup=False)
    return started


def _trained(
    found: inputs.Inputs,
    settings: TrainerSettings,
    network: Head,
    fn_args: FnArgs,
    curves: LearningCurves,
) -> _Trained:
    """The head on the frozen extractor's features, and both from pixels if asked for."""
    with progress("epoch", total=settings.epochs) as update:

        def report(row: Mapping[str, float]) -> None:
            curves.add(1, row)
            update(row["epoch"], f"loss {row['loss']:.4f}")

        try:
            fitting.fit(found.train, found.evaluation, settings, report, start=network)
        except fitting.NotFiniteError as error:
            raise PostersError(f"{error} {_kept(network, error, fn_args)}") from error
    if not settings.fine_tune:
        logits = fitting.logits(network, found.evaluation)
        return _Trained(found.extractor, network, logits, found.evaluation.labels)
    tuned = fine_tuning.tune(
        network,
        len(found.train),
        settings,
        fn_args,
        found.transform,
        lambda row: curves.add(2, row),
    )
    flat = folding.flatten(tuned.extractor, fn_args.custom_config["image_size"])
    return _Trained(flat, tuned.head, tuned.eval_logits, tuned.eval_labels, tuned.checkpoints)


def _write_posters(
    found: inputs.Inputs, trained: _Trained, settings: TrainerSettings, fn_args: FnArgs
) -> None:
    """Keeps beside the model what its posters looked like, to it and to people."""
    if settings.neighbours:
        _write_neighbours(found, trained, settings.neighbours, fn_args)
    embedding_summary.write(_seen(found, trained, settings, fn_args), fn_args.serving_model_dir)


def _write_neighbours(found: inputs.Inputs, trained: _Trained, count: int, fn_args: FnArgs) -> None:
    """Keeps some training images beside the model, with the embeddings that it gives them."""
    config = fn_args.custom_config
    rows, files = neighbours.choose(found.train.ids, count), found.train.files
    ids, labels = found.train.ids[rows], found.train.labels[rows]
    examples = inputs.examples(fn_args.train_files, found.transform, config)
    size, geometries = config["image_size"], views.geometries(config["views"])
    if trained.extractor is found.extractor:
        embeddings = found.train.take(rows)

        def stored(places: np.ndarray) -> list[bytes]:
            collected = neighbours.collect(examples, files, rows[places], size, geometries[:1])
            return [row[0] for row in collected]

        folder = Path(config["feature_cache"]).parent / pictures.FOLDER
        words = (examples.image_feature, size, geometries[0])
        drawn = pictures.of(found.train.digests[rows], folder, words, stored)
    else:  # fine-tuned: it sees otherwise than the one whose features are kept
        collected = neighbours.collect(examples, files, rows, size, geometries)
        embeddings = neighbours.embed(collected, trained.extractor, size, config["views"])
        drawn = [pictures.small(row[0]) for row in collected]
    neighbours.write(fn_args.serving_model_dir, ids, labels, embeddings, drawn)


def _seen(
    found: inputs.Inputs, trained: _Trained, settings: TrainerSettings, fn_args: FnArgs
) -> EmbeddingSummary:
    """What the posters looked like to the extractor that is exported."""
    if not settings.fine_tune:
        return embedding_samples.of_frozen(found.train, found.evaluation, settings.seed)
    images = fine_tuning.sources(fn_args, found.transform)
    return embedding_samples.of_tuned(trained.extractor, *images, settings.seed)


def _kept(network: Head, error: fitting.NotFiniteError, fn_args: FnArgs) -> str:
    """Keeps the last good weights outside the node's outputs, which a failure leaves none of."""
    if not error.last_good_epoch:
        return "There is no epoch before it to keep."
    folder = f"{Path(fn_args.custom_config['feature_cache']).parent}/last_good_head"
    head_weights.write(network, folder)
    return (
        f"The head as it was after epoch {error.last_good_epoch} is kept in "
        f"{folder}/{head_weights.FILE}."
    )


def _warn_of_absent(labels: Sequence[str], truth: np.ndarray) -> None:
    absent = [label for label, count in zip(labels, truth.sum(axis=0), strict=True) if not count]
    if absent:
        CONSOLE.print(
            f"    warning: no example of {', '.join(absent)} in eval; their threshold stays at "
            f"{calibration.SAFE_THRESHOLD}",
            markup=False,
        )
