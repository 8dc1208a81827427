"""The Trainer, as the tutorial has it: a frozen hub layer and a head, fitted by Keras on images."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_transform as tft
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx_bsl.public import tfxio

from components.features import Features

_BATCH = 256
_LEARNING_RATE = 1e-5
_UNITS = 1024


def macro_soft_f1(truth: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """1 - F1 with probabilities for counts, a label at a time, averaged."""
    hits = tf.reduce_sum(scores * truth, axis=0)
    wrong = tf.reduce_sum(scores * (1 - truth) + (1 - scores) * truth, axis=0)
    return tf.reduce_mean(1 - 2 * hits / (2 * hits + wrong + 1e-16))


def run_fn(arguments: FnArgs) -> None:
    """Fits and saves the model, with a signature for raw examples."""
    config = arguments.custom_config
    features = Features(**config["features"])
    transform = tft.TFTransformOutput(arguments.transform_output)

    def dataset(files: list[str]) -> tf.data.Dataset:
        options = tfxio.TensorFlowDatasetOptions(
            batch_size=_BATCH, label_key=features.labels_xf, num_epochs=1
        )
        schema = transform.transformed_metadata.schema
        batches = arguments.data_accessor.tf_dataset_factory(files, options, schema)
        return batches.map(lambda inputs, labels: (inputs[features.image_xf], labels))

    size = config["image_size"]
    model = tf_keras.Sequential(
        [
            hub.KerasLayer(config["extractor"], trainable=False, input_shape=(size, size, 3)),
            tf_keras.layers.Dense(_UNITS, activation="relu"),
            tf_keras.layers.Dense(len(config["labels"]), activation="sigmoid"),
        ]
    )
    model.compile(tf_keras.optimizers.Adam(_LEARNING_RATE), loss=macro_soft_f1)
    model.fit(
        dataset(arguments.train_files),
        validation_data=dataset(arguments.eval_files),
        epochs=config["epochs"],
        verbose=2,
    )
    model.transform_layer = transform.transform_features_layer()
    model.save(
        arguments.serving_model_dir,
        save_format="tf",
        signatures=_signatures(model, transform, features),
    )


def _signatures(
    model: tf_keras.Model, transform: tft.TFTransformOutput, features: Features
) -> dict[str, tf.types.experimental.ConcreteFunction]:
    raw_spec = transform.raw_feature_spec()
    inputs = [tf.TensorSpec([None], tf.string, name="examples")]

    def transformed(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return model.transform_layer(tf.io.parse_example(examples, raw_spec))

    @tf.function(input_signature=inputs)
    def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": model(transformed(examples)[features.image_xf])}

    @tf.function(input_signature=inputs)
    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return transformed(examples)

    return {
        "serving_default": serving_default.get_concrete_function(),
        "transform_features": transform_features.get_concrete_function(),
    }
