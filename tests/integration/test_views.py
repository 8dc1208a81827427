"""Several views: the served model averages as the Trainer did."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from components import views
from components.trainer import calibration, export, extraction, extractor
from components.trainer.examples import RawExamples
from tests.examples import FEATURES, example, odd_images, write_records
from tests.transforming import transform

SIZE = 96
LABELS = ["Drama", "Comedy", "Film-Noir"]


@pytest.mark.parametrize(
    "names", [("top_mirrored",), ("bottom", "squished_mirrored", "middle", "squished")]
)
def test_scores_from_the_store_are_those_of_the_served_model(tmp_path, names):
    images = odd_images()
    config = {
        "features": {},
        "labels": LABELS,
        "image_size": SIZE,
        "geometries": views.geometries(names),
    }
    _, output = transform(images, LABELS[:2], config, tmp_path)
    records = [example(name, content, LABELS[:2]) for name, content in images.items()]
    layer = extractor.load(extractor.EMBEDDED, SIZE)
    source = extraction.FeatureSource(
        examples=RawExamples(
            files=[str(write_records(tmp_path / "examples.gz", records))],
            feature_spec=output.raw_feature_spec(),
            features=FEATURES,
            labels=LABELS,
        ),
        extractor=layer,
        extractor_fingerprint=extractor.fingerprint(extractor.EMBEDDED),
        code="code",
        image_size=SIZE,
        views=names,
    )
    split = extraction.load_or_compute(tmp_path / "features", source, lambda done: None)
    generator = np.random.default_rng(0)
    kernel = generator.normal(0, 1 / np.sqrt(split.width), (split.width, 3)).astype(np.float32)
    parts = export.ModelParts(
        transform=output.transform_features_layer(),
        raw_feature_spec=output.raw_feature_spec(),
        extractor=layer,
        head=lambda features: tf.matmul(features, kernel),
        calibration=calibration.Calibration(np.ones(3), np.zeros(3), np.full(3, 0.5)),
        labels=LABELS,
        features=FEATURES,
        image_size=SIZE,
        views=names,
    )
    export.export(parts, str(tmp_path / "model"), {})
    assert export.read_description(str(tmp_path / "model"))["views"] == list(names)
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    asked = [images[identifier.decode()] for identifier in split.ids]
    scores = served(image_bytes=tf.constant(asked))["scores"]
    trained = expit(split.take(slice(None)) @ kernel)
    np.testing.assert_allclose(scores, trained, atol=1e-5)
    # Not because all images look alike to this head.
    assert trained.std(axis=0).min() > 1e-3
