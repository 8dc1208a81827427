"""The exported model: from encoded images to scores, as one SavedModel.

Signatures, of N images or serialized tf.Examples, L labels, and features D wide:
  serving_default     `image_bytes` (N,) strings -> `scores` (N, L) float32 in [0, 1], above 0.5
                      gives the label; `probabilities` (N, L), the same calibrated; the label names
                      (N, L) under the label feature's name; `status` (N,) strings.
  serving_examples    `examples` (N,) -> the same.
  bulk_inference      the same with `status` (N, 1): for TFX's BulkInferrer, which cannot take (N,).
  embedding           `image_bytes` (N,) -> `embedding` (N, D) float32, what the head sees: the
                      extractor's features averaged over the views; `status` (N,).
  scores_of_embedding `embedding` (N, D) float32, as `embedding` gives it -> `scores` and
                      `probabilities` (N, L): the head alone, for who keeps embeddings.
  transform_features  `examples` (N,) -> what Transform makes of them: the stored images (N, G), a
                      column a geometry, the multi-hot labels (N, L) and the ids (N, 1) under their
                      transformed names; `status` (N,).
  transform_labels    `examples` (N,) -> of these the labels alone; this is how the Evaluator gets
                      its truth. Decodes no image.
  pixels              `pixels` (N, G, size, size, 3) uint8 RGB, a square a geometry as
                      `components.pixels` cuts and resizes it -> `scores` and `probabilities`. Has
                      no string and no decoder, so that it converts to TensorFlow Lite.

N is free, also 0. Row i of every output belongs to row i of the input, and does not depend on the
other rows. An image that cannot be decoded fails its own row alone: its numbers are NaN, its stored
images black, and `status` says why. Everywhere else `status` is empty.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components import pixels, views
from components.features import Features
from components.model_files import DESCRIPTION_FILE
from components.trainer import decoding, extractor
from components.trainer.calibration import Calibration

SERVING_DEFAULT = "serving_default"
SERVING_EXAMPLES = "serving_examples"
BULK_INFERENCE = "bulk_inference"
EMBEDDING = "embedding"
SCORES_OF_EMBEDDING = "scores_of_embedding"
TRANSFORM_FEATURES = "transform_features"
TRANSFORM_LABELS = "transform_labels"
PIXELS = "pixels"
IMAGE_INPUT = "image_bytes"
EXAMPLE_INPUT = "examples"
STATUS = "status"
#: Views decoded and passed forward at a time: memory does not grow with the size of a request.
_CHUNK_VIEWS = 64


@dataclasses.dataclass(frozen=True)
class ModelParts:
    """Everything the exported model is made of.

    Attributes:
      transform: Transform's layer, raw features -> transformed features.
      raw_feature_spec: the raw examples' parsing specification.
      extractor: a layer or function, (N, size, size, 3) float32 -> (N, D) float32.
      head: a layer or function, (N, D) float32 -> (N, L) logits.
      calibration: one map and threshold a label.
      labels: their names, in order.
      features: the examples' feature names.
      image_size: side in pixels.
      views: what of an image the extractor sees; the features of several are averaged.
    """

    transform: Callable[[dict], dict]
    raw_feature_spec: dict
    extractor: Callable[[tf.Tensor], tf.Tensor]
    head: Callable[[tf.Tensor], tf.Tensor]
    calibration: Calibration
    labels: Sequence[str]
    features: Features
    image_size: int
    views: Sequence[str]


def _shared(function: Callable, spec: tf.TensorSpec) -> Callable:
    """The same as a graph function, which no object graph tracks."""
    graph_function = tf.function(function, input_signature=[spec], autograph=False)
    return lambda given: graph_function(given)


def _traced(name: str) -> Callable[[Callable], Callable]:
    """A graph function of one (N,) string tensor of that name.

    Without autograph: nothing here needs it, and converting the libraries below takes it seconds.
    """
    spec = tf.TensorSpec((None,), tf.string, name=name)
    return tf.function(input_signature=[spec], autograph=False)


class PosterModel(tf.Module):
    """Images in, scores out; see the module's docstring for the signatures."""

    def __init__(self, parts: ModelParts) -> None:
        super().__init__(name="poster_model")
        # What is not tracked as an attribute is not saved: Transform's tables, and all weights. The
        # layers themselves are kept out of sight: Keras would trace each of them again to save it.
        self.transform_tables = parts.transform._saved_model_loader_tracked_dict
        self.extractor_weights = list(getattr(parts.extractor, "weights", ()))
        self.head_weights = list(getattr(parts.head, "variables", ()))
        self._transform = lambda raw: parts.transform(raw)
        self._extractor = lambda images: parts.extractor(images)
        self._head = lambda features: parts.head(features)
        calibration = parts.calibration
        self._slope = tf.constant(calibration.slope, tf.float32)
        self._intercept = tf.constant(calibration.intercept, tf.float32)
        self._score_intercept = tf.constant(calibration.score_intercept, tf.float32)
        self._labels = tf.constant([list(parts.labels)])
        self._names = parts.features
        self._raw_feature_spec = parts.raw_feature_spec
        self._image_size = parts.image_size
        self._views = tuple(parts.views)
        black = tf.zeros((parts.image_size, parts.image_size, 3))
        self._width = extractor.width(parts.extractor, parts.image_size)
        self._black = tf.io.encode_jpeg(tf.cast(black, tf.uint8)).numpy()
        # Several signatures call these. What is a graph function of its own is traced and saved
        # once.
        self._features_of = _shared(self._trace_features, tf.TensorSpec((None,), tf.string))
        self._store = _shared(self._trace_store, tf.TensorSpec((None,), tf.string))
        self._extract = _shared(
            self._trace_extract, tf.TensorSpec((None, *black.shape), tf.float32)
        )
        squares = (None, len(views.geometries(self._views)), *black.shape)
        self.serve_pixels = tf.function(
            self._serve_pixels,
            input_signature=[tf.TensorSpec(squares, tf.uint8, name=PIXELS)],
            autograph=False,
        )
        # Called by the other signatures that answer.
        self.serve_embedding = tf.function(
            self._answer,
            input_signature=[tf.TensorSpec((None, self._width), tf.float32, name=EMBEDDING)],
            autograph=False,
        )

    @_traced(IMAGE_INPUT)
    def serve_images(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """`serving_default`."""
        features, decoded = self._features_of(image_bytes)
        answer = {key: _only(decoded, rows) for key, rows in self.serve_embedding(features).items()}
        return {
            **answer,
            self._names.labels: tf.tile(self._labels, (tf.shape(image_bytes)[0], 1)),
            STATUS: decoding.status(image_bytes, decoded),
        }

    @_traced(EXAMPLE_INPUT)
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """`serving_examples`."""
        return self.serve_images(self._parse(examples, self._names.image)[self._names.image][:, 0])

    @_traced(EXAMPLE_INPUT)
    def infer_in_bulk(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """`bulk_inference`."""
        answer = self.serve_examples(examples)
        return {**answer, STATUS: answer[STATUS][:, tf.newaxis]}

    @_traced(IMAGE_INPUT)
    def embed(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """`embedding`."""
        features, decoded = self._features_of(image_bytes)
        return {
            EMBEDDING: _only(decoded, features),
            STATUS: decoding.status(image_bytes, decoded),
        }

    @_traced(EXAMPLE_INPUT)
    def transform_features(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """`transform_features`."""
        names = self._names
        raw = self._parse(examples, *self._raw_feature_spec)
        images = raw.pop(names.image)[:, 0]
        stored, decoded = self._store(images)
        return {
            names.image_xf: stored,
            STATUS: decoding.status(images, decoded),
            **self._transform(raw),
        }

    @_traced(EXAMPLE_INPUT)
    def transform_labels(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """`transform_labels`; decodes no image."""
        names = self._names
        given = [n for n in (names.labels, names.other_labels) if n in self._raw_feature_spec]
        transformed = self._transform(self._parse(examples, *given))
        return {names.labels_xf: transformed[names.labels_xf]}

    def _serve_pixels(self, squares: tf.Tensor) -> dict[str, tf.Tensor]:
        """`pixels`."""
        images = pixels.of_views(tf.unstack(squares, axis=1), self._views)
        return self.serve_embedding(self._vectors(images))

    def _answer(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Features (N, D) to scores and probabilities, (N, L)."""
        logits = tf.cast(self._head(features), tf.float32) * self._slope
        return {
            "scores": tf.sigmoid(logits + self._score_intercept),
            "probabilities": tf.sigmoid(logits + self._intercept),
        }

    def _trace_features(self, image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(N,) encoded images to features (N, D) and whether each was decoded (N,).

        A bounded number of images at a time, so that memory does not grow with the request.
        """
        images = max(1, _CHUNK_VIEWS // len(self._views))
        starts = tf.range(0, tf.shape(image_bytes)[0], images)
        features, decoded = tf.map_fn(
            lambda start: self._chunk_features(image_bytes[start : start + images]),
            starts,
            fn_output_signature=(
                tf.RaggedTensorSpec((None, self._width), tf.float32, ragged_rank=0),
                tf.RaggedTensorSpec((None,), tf.bool, ragged_rank=0),
            ),
            parallel_iterations=1,
        )
        return tf.reshape(features.flat_values, (-1, self._width)), decoded.flat_values

    def _chunk_features(self, image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        stored, decoded = self._store(image_bytes)
        images = pixels.to_model_views(stored, self._image_size, self._views)
        return self._vectors(images), decoded

    def _vectors(self, images: Sequence[tf.Tensor]) -> tf.Tensor:
        """The views of N images, (N, size, size, 3) each, to features (N, D)."""
        # View after view, so that one split takes the features apart again.
        vectors = self._extract(tf.concat(images, axis=0))
        return tf.add_n(tf.split(vectors, len(images))) / len(images)

    def _trace_extract(self, images: tf.Tensor) -> tf.Tensor:
        """Images (N, size, size, 3) to features (N, D)."""
        vectors = tf.cast(self._extractor(images), tf.float32)
        vectors.set_shape((None, self._width))
        return vectors

    def _trace_store(self, image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(N,) encoded images to what Transform stores of them, (N, G), black where it cannot."""

        def store(image: tf.Tensor) -> tf.Tensor:
            raw = {self._names.image: image[tf.newaxis, tf.newaxis]}
            return self._transform(raw)[self._names.image_xf][0]

        columns = len(views.geometries(self._views))
        return decoding.store_each(store, image_bytes, self._black, columns)

    def _parse(self, examples: tf.Tensor, *names: str) -> dict[str, tf.Tensor | tf.SparseTensor]:
        return tf.io.parse_example(examples, {name: self._raw_feature_spec[name] for name in names})


def _only(decoded: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """The rows (N, ...) of images that were decoded; the others become NaN."""
    return tf.where(decoded[:, tf.newaxis], rows, np.nan)


def export(parts: ModelParts, folder: str, description: dict[str, Any]) -> None:
    """Writes the SavedModel and, beside it, its description.

    Args:
      parts: see `ModelParts`.
      folder: where the SavedModel goes.
      description: more of what a program may want to know, JSON values; the labels, the
        calibration, the image size, the views and the feature names are added.
    """
    model = PosterModel(parts)
    tf.saved_model.save(
        model,
        folder,
        signatures={
            SERVING_DEFAULT: model.serve_images,
            SERVING_EXAMPLES: model.serve_examples,
            BULK_INFERENCE: model.infer_in_bulk,
            EMBEDDING: model.embed,
            SCORES_OF_EMBEDDING: model.serve_embedding,
            TRANSFORM_FEATURES: model.transform_features,
            TRANSFORM_LABELS: model.transform_labels,
            PIXELS: model.serve_pixels,
        },
        # Paths of the machine that trained have no place in what is shipped.
        options=tf.saved_model.SaveOptions(save_debug_info=False),
    )
    calibration = {
        name: np.asarray(values).tolist()
        for name, values in dataclasses.asdict(parts.calibration).items()
    }
    description = {
        **description,
        "labels": list(parts.labels),
        "features": dataclasses.asdict(parts.features),
        "image_size": parts.image_size,
        "views": list(parts.views),
        "calibration": calibration,
    }
    path = f"{folder}/{DESCRIPTION_FILE}"
    tf.io.gfile.makedirs(path.rsplit("/", 1)[0])
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(description, indent=1, ensure_ascii=False))


def read_description(folder: str) -> dict[str, Any]:
    """The description that `export` wrote beside a SavedModel.

    Raises:
      tf.errors.OpError, ValueError: there is none, or it is not JSON.
    """
    with tf.io.gfile.GFile(f"{folder}/{DESCRIPTION_FILE}") as file:
        return json.loads(file.read())
