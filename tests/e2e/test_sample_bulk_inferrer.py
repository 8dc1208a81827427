"""TFX's BulkInferrer in a real run, on the run's own examples and on some of their own."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.evaluator import predictions
from tests.examples import FEATURES


def _outputs(summary):
    return {node["id"]: node["outputs"] for node in summary["nodes"]}


def _read(pattern):
    """Records of gzipped TFRecord files."""
    files = sorted(map(str, Path(pattern).parent.glob(Path(pattern).name)))
    assert files
    return [r.numpy() for r in tf.data.TFRecordDataset(files, compression_type="GZIP")]


@pytest.fixture(scope="module")
def golden(first_run):
    found = predictions.read(_outputs(first_run)["Evaluator"]["evaluation"][0])
    return dict(zip(found.ids.tolist(), found.scores, strict=True))


def test_examples_come_back_with_the_evaluators_scores(world, first_run, golden):
    _, summary = world.run("bulk_inferrer={}")
    states = {node["id"]: node["state"] for node in summary["nodes"]}
    assert states["BulkInferrer"] == "run"
    assert states["Trainer"] == "cached"
    folder = _outputs(summary)["BulkInferrer"]["output_examples"][0]
    found = {}
    for record in _read(f"{folder}/Split-test/*"):
        feature = tf.train.Example.FromString(record).features.feature
        identifier = feature[FEATURES.id].bytes_list.value[0].decode()
        found[identifier] = list(feature["scores"].float_list.value)
        assert feature["status"].bytes_list.value[0] == b""
        assert feature[FEATURES.image].bytes_list.value[0][:2] == b"\xff\xd8"
    assert found.keys() == golden.keys()
    for identifier, scores in golden.items():
        np.testing.assert_allclose(found[identifier], scores, atol=1e-5)


def test_examples_of_their_own_and_logs(world, first_run, golden):
    folder = world.data / "span-1" / "test"
    settings = f"bulk_inferrer={{examples: {folder}, output: prediction_logs}}"
    _, summary = world.run(settings)
    outputs = _outputs(summary)
    assert outputs["InferenceExampleGen"]["examples"]
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in _read(f"{outputs['BulkInferrer']['inference_result'][0]}/*.gz")
    ]
    assert len(logs) == len(golden)
    response = logs[0].predict_log.response
    assert response.model_spec.signature_name == "bulk_inference"
    wanted = np.stack(list(golden.values()))
    for log in logs:
        row = tf.make_ndarray(log.predict_log.response.outputs["scores"])
        assert np.abs(wanted - row).max(axis=1).min() < 1e-5
