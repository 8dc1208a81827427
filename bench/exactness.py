"""How far optimisations move a model's figures, beside what one bit moves them by.

    python -m bench.exactness --csv FILE --images DIR --set trainer.hub_handle=MODULE

The same head on the extractor's folded graph and on its module: what folding does to a model. Then
other heads: by tf_keras's own optimiser in place of the two-pass one; from features of the module,
for a training amplifies rounding; and, beside that, with one feature of one poster larger by its
last bit. Prints one JSON object of the largest and the macro differences of the test split's
figures.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from bench import running
from components.evaluator import figures
from components.trainer import calibration, extraction, extractor, fitting, optimizer
from components.trainer.cached_features import CachedFeatures
from components.trainer.calibration import Calibration
from components.trainer.examples import RawExamples
from components.trainer.head import Head
from pipeline import config as configuration
from pipeline import dag, data, training_nodes

_MACRO = ("macro_f1", "macro_auc", "macro_average_precision", "expected_calibration_error")


@dataclasses.dataclass(frozen=True)
class _Model:
    """A head and its calibration."""

    head: Head
    calibration: Calibration

    def measure(self, labels: Sequence[str], test: CachedFeatures) -> dict[str, float]:
        """Its figures on a split, as the Evaluator measures them."""
        logits = fitting.logits(self.head, test)
        scores, said = self.calibration.scores(logits), self.calibration.probabilities(logits)
        return figures.measure(labels, test.labels > 0, scores, said)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.exactness", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="as `posters ingest` takes it")
    parser.add_argument("--images", type=Path, required=True, help="its folder of images")
    parser.add_argument("--config", default="local")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args(arguments)
    config = configuration.load(options.config, options.overrides)
    with tempfile.TemporaryDirectory(prefix="posters-exactness-") as name:
        folder = Path(name)
        given = [f"--config={options.config}", *running.sets(options.overrides)]
        running.ingest(folder, given, options.csv, options.images)
        span = data.find_span(config, folder / "data" / "span-1")
        flat = _features(config, span, folder / "flat")
        with _as_modules():
            module = _features(config, span, folder / "module")
    labels, test = span.labels, flat["test"]
    model = _train(config, flat)
    first = model.measure(labels, test)
    with _kerass_own():
        by_keras = _train(config, flat).measure(labels, test)
    by_module = _train(config, module).measure(labels, module["test"])
    nudged = _train(config, {**flat, "train": _nudged(flat["train"])}).measure(labels, test)
    found = {
        "posters": len(test),
        "figures": len(first),
        "largest_feature_difference": float(np.abs(test.features - module["test"].features).max()),
        "same_head_on_the_module": _differences(first, model.measure(labels, module["test"])),
        "trained_by_tf_keras": _differences(first, by_keras),
        "trained_on_the_module": _differences(first, by_module),
        "trained_with_one_bit_changed": _differences(first, nudged),
    }
    print(json.dumps(found))
    return 0


@contextlib.contextmanager
def _as_modules() -> Iterator[None]:
    """Extractors are used as their modules are."""
    load = extractor.load
    extractor.load = lambda handle, image_size, kept=None: extractor.load_layer(handle, image_size)
    try:
        yield
    finally:
        extractor.load = load


@contextlib.contextmanager
def _kerass_own() -> Iterator[None]:
    """Heads are trained by tf_keras's AdamW."""
    ours = optimizer._AdamW
    optimizer._AdamW = tf_keras.optimizers.AdamW
    try:
        yield
    finally:
        optimizer._AdamW = ours


def _features(
    config: configuration.Config, span: data.Span, cache: Path
) -> dict[str, CachedFeatures]:
    names, handle = config.features, config.trainer.hub_handle
    spec = {
        names.image: tf.io.FixedLenFeature([1], tf.string),
        names.id: tf.io.FixedLenFeature([1], tf.string),
        names.labels: tf.io.VarLenFeature(tf.string),
    }
    examples = [
        RawExamples(
            sorted(str(path) for path in (span.folder / split).glob(data.SHARDS)),
            spec,
            names,
            span.labels,
        )
        for split in data.SPLITS
    ]
    source = extraction.FeatureSource(
        examples=examples[0],
        extractor=extractor.load(handle, config.image.size),
        extractor_fingerprint=extractor.fingerprint(handle),
        code=training_nodes.embedding_code(dag.PIXEL_CODE),
        image_size=config.image.size,
        views=config.image.views,
    )
    found = extraction.of_splits(cache, source, examples, lambda done: None)
    return dict(zip(data.SPLITS, found, strict=True))


def _train(config: configuration.Config, splits: dict[str, CachedFeatures]) -> _Model:
    settings, evaluation = config.trainer, splits["eval"]
    head = fitting.fit(splits["train"], evaluation, settings, lambda row: None).head
    fitted = calibration.fit(fitting.logits(head, evaluation), evaluation.labels, settings.decision)
    return _Model(head, fitted)


def _nudged(split: CachedFeatures) -> CachedFeatures:
    """The same with one feature of one poster larger by its last bit."""
    features = np.array(split.features)
    row, column = np.unravel_index(features.argmax(), features.shape)
    features[row, column] = np.nextafter(features[row, column], np.float32(np.inf))
    return dataclasses.replace(split, features=features)


def _differences(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    apart = {key: abs(one[key] - other[key]) for key in one}
    largest = max(apart, key=lambda key: np.nan_to_num(apart[key]))
    return {"largest": apart[largest], "of": largest, **{key: apart[key] for key in _MACRO}}


if __name__ == "__main__":
    sys.exit(main())
