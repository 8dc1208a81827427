"""A fine-tuned model serves what was trained: the same scores from the same images."""

import types
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

from components import pixels
from components.trainer import calibration, embedding_samples, export, extractor
from components.trainer.fine_tuning import node
from components.transform.preprocessing import preprocessing_fn
from tests import fine_tuning
from tests.examples import FEATURES, encode, picture, write_records

LABELS = ["Drama", "Comedy", "Film-Noir"]
RAW_SPEC = {
    FEATURES.image: tf.io.FixedLenFeature([1], tf.string),
    FEATURES.labels: tf.io.VarLenFeature(tf.string),
    FEATURES.id: tf.io.FixedLenFeature([1], tf.string),
}
CONFIG = {
    "features": {},
    "labels": LABELS,
    "image_size": fine_tuning.SIZE,
    "views": ["squished"],
    "geometries": ["squished"],
    "fingerprints": {"code": "a", "extractor": "b", "embedding": "c"},
}
TRAIN, EVAL = range(20), range(20, 32)


def _names(index):
    visible = fine_tuning.visible_labels(index)
    return [name.encode() for name, seen in zip(LABELS, visible, strict=True) if seen]


@pytest.fixture(scope="module")
def fn_args(tmp_path_factory):
    """What TFX gives the Trainer: examples and graph of a real Transform, on Beam."""
    folder = tmp_path_factory.mktemp("transform")
    rows = [
        {
            FEATURES.image: np.array([encode(picture(index))], object),
            FEATURES.labels: np.array(_names(index), object),
            FEATURES.id: np.array([b"%04d" % index], object),
        }
        for index in [*TRAIN, *EVAL]
    ]
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(RAW_SPEC))
    with tft_beam.Context(temp_dir=str(tmp_path_factory.mktemp("temp"))):
        (data, transformed), transform_fn = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, CONFIG)
        )
        transform_fn | tft_beam.WriteTransformFn(str(folder))
        raw_metadata = str(folder / tft.TFTransformOutput.RAW_METADATA_DIR)
        metadata_io.write_metadata(metadata, raw_metadata)
    coder = tft.coders.ExampleProtoCoder(transformed.schema)
    by_id = {row[FEATURES.id][0]: coder.encode(row) for row in data}
    for name, indices in (("train", TRAIN), ("eval", EVAL)):
        records = [by_id[b"%04d" % index] for index in indices]
        write_records(folder / name / "examples.gz", records)
    return types.SimpleNamespace(
        transform_graph_path=str(folder),
        train_files=[str(folder / "train" / "*")],
        eval_files=[str(folder / "eval" / "*")],
        base_model=None,
        custom_config={**CONFIG, "feature_cache": str(folder / "workspace" / "features")},
    )


def test_the_exported_model_gives_the_scores_of_training(fn_args, tmp_path, capsys):
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    settings = fine_tuning.settings(epochs=2, learning_rate=1e-2)
    rows = []
    head = fine_tuning.new_head()
    tuned = node.tune(head, len(TRAIN), settings, fn_args, transform, rows.append)
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    assert "fine-tuning step 4/4 epoch 2/2 loss" in capsys.readouterr().out
    assert tuned.kept_epoch > 0
    fitted = calibration.fit(tuned.eval_logits, tuned.eval_labels)
    parts = export.ModelParts(
        transform=transform.transform_features_layer(),
        raw_feature_spec=transform.raw_feature_spec(),
        extractor=tuned.extractor,
        head=tuned.head,
        calibration=fitted,
        labels=LABELS,
        features=FEATURES,
        image_size=fine_tuning.SIZE,
        views=["squished"],
    )
    export.export(parts, str(tmp_path), {})
    encoded = [encode(picture(index)) for index in EVAL]
    served = tf.saved_model.load(str(tmp_path)).signatures
    asked = {export.IMAGE_INPUT: tf.constant(encoded)}
    scores = served["serving_default"](**asked)["scores"]
    np.testing.assert_allclose(scores, fitted.scores(tuned.eval_logits), atol=1e-4)
    stored = pixels.materialize(tf.constant(encoded), fine_tuning.SIZE, ("squished",))[:, 0]
    frozen = extractor.load(extractor.EMBEDDED, fine_tuning.SIZE)
    untuned = tuned.head(frozen(pixels.to_model_input(stored, fine_tuning.SIZE)))
    assert np.abs(fitted.scores(untuned.numpy()) - scores).max() > 1e-2
    # What is kept of eval for later is what the exported model says of it.
    summary = embedding_samples.of_tuned(tuned.extractor, *node.sources(fn_args, transform), 0)
    embedded = summary.project(served["embedding"](**asked)["embedding"].numpy())
    np.testing.assert_allclose(np.sort(summary.reference, 0), np.sort(embedded, 0), atol=1e-3)


def test_the_folder_depends_on_what_the_result_depends_on(fn_args):
    def changed(**changes):
        return types.SimpleNamespace(**{**vars(fn_args), **changes})

    def configured(**changes):
        return changed(custom_config={**fn_args.custom_config, **changes})

    settings = fine_tuning.settings()
    folder = node.run_folder(settings, fn_args)
    others = [
        node.run_folder(fine_tuning.settings(learning_rate=0.5), fn_args),
        node.run_folder(settings, configured(fingerprints={"code": "c", "extractor": "b"})),
        node.run_folder(settings, configured(labels=["other", *LABELS[1:]])),
        node.run_folder(settings, changed(train_files=fn_args.eval_files)),
        node.run_folder(settings, changed(base_model="blessed/7")),
    ]
    assert len({folder, *others}) == 6
    assert folder == node.run_folder(fine_tuning.settings(device_batch_size=1), fn_args)
    assert folder.parent == Path(fn_args.custom_config["feature_cache"]).parent / "fine_tuning"
