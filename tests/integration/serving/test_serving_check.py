"""The real ServingCheck on real models, good and broken, and the real Pusher after it."""

import shutil
import time

import numpy as np
import psutil
import pytest
import tensorflow as tf
from tfx.proto import pusher_pb2
from tfx.types import Channel, standard_artifacts
from tfx.utils import path_utils, proto_utils

from components.evaluator import predictions
from components.evaluator.predictions import Predictions
from components.pusher.component import AtomicPusherExecutor
from components.serving_check import process, report
from components.serving_check.component import ServingCheck
from components.serving_check.executor import ServingCheckExecutor
from components.serving_check.settings import ServingCheckSettings
from components.trainer import export
from tests.examples import FEATURES, encode, example, picture, write_records
from tests.serving import LABELS


def _artifact(kind, uri):
    artifact = kind()
    artifact.uri = str(uri)
    return artifact


@pytest.fixture(scope="module")
def inputs(model_folder, tmp_path_factory):
    """What the nodes before make: a test split, a model and what the Evaluator got from it."""
    root = tmp_path_factory.mktemp("inputs")
    ids = [f"tt{row}" for row in range(20)]
    records = [
        example(name, encode(picture(seed, 30, 50)), ["Drama"]) for seed, name in enumerate(ids)
    ]
    for half in (0, 1):
        file = root / "examples" / "Split-test" / f"data-0000{half}-of-00002.gz"
        write_records(file, records[10 * half : 10 * half + 10])
    shutil.copytree(model_folder, root / "model" / "Format-Serving")
    model = tf.saved_model.load(str(model_folder))
    answer = model.signatures["serving_examples"](examples=tf.constant(records))
    found = Predictions(
        labels=LABELS,
        ids=np.array(ids),
        truth=np.ones((20, len(LABELS)), bool),
        scores=answer["scores"].numpy(),
        probabilities=answer["probabilities"].numpy(),
    )
    (root / "evaluation").mkdir()
    predictions.write(str(root / "evaluation"), found)
    examples = _artifact(standard_artifacts.Examples, root / "examples")
    examples.split_names = '["test"]'
    return {
        "model": [_artifact(standard_artifacts.Model, root / "model")],
        "examples": [examples],
        "evaluation": [_artifact(standard_artifacts.ModelEvaluation, root / "evaluation")],
    }


def _node(settings):
    return ServingCheck(
        model=Channel(type=standard_artifacts.Model),
        examples=Channel(type=standard_artifacts.Examples),
        evaluation=Channel(type=standard_artifacts.ModelEvaluation),
        settings=settings,
        features=FEATURES,
        labels=LABELS,
        split="test",
        code="",
    )


def _check(inputs, output, settings=None):
    blessing = _artifact(standard_artifacts.InfraBlessing, output / "blessing")
    settings = settings or ServingCheckSettings(posters=12)
    properties = _node(settings).exec_properties
    ServingCheckExecutor().Do(inputs, {"blessing": [blessing]}, properties)
    found = report.read(blessing.uri)
    assert blessing.get_int_custom_property("blessed") == found.serves
    mark = "INFRA_BLESSED" if found.serves else "INFRA_NOT_BLESSED"
    assert (output / "blessing" / mark).exists()
    return found, blessing


def _pushed(inputs, blessing, output):
    evaluated = _artifact(standard_artifacts.ModelBlessing, output / "evaluated")
    evaluated.set_int_custom_property("blessed", 1)
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(output / "models"))
    )
    AtomicPusherExecutor().Do(
        {"model": inputs["model"], "model_blessing": [evaluated], "infra_blessing": [blessing]},
        {"pushed_model": [_artifact(standard_artifacts.PushedModel, output / "pushed")]},
        {"push_destination": proto_utils.proto_to_json(destination)},
    )
    return (output / "models").exists() and len(list((output / "models").iterdir()))


def test_a_good_model_is_blessed_and_pushed(inputs, tmp_path):
    found, blessing = _check(inputs, tmp_path)
    assert found.serves, found.reasons
    assert "the Evaluator's scores for 12 posters" in found.reasons[0]
    assert found.posters == 12
    assert found.latency_ms > 0
    assert found.import_seconds > 0
    assert found.load_seconds > 0
    assert found.peak_memory_bytes > 100 << 20
    assert _pushed(inputs, blessing, tmp_path) == 1


def _processes():
    return [
        child.pid for child in psutil.Process().children() if "asking.py" in str(child.cmdline())
    ]


def test_a_process_that_was_begun_ahead_is_the_one_that_asks(inputs, tmp_path):
    with process.ahead() as serving:
        serving.begin()
        (begun,) = _processes()
        found, _ = _check(inputs, tmp_path)
        assert not psutil.pid_exists(begun)
    assert found.serves, found.reasons


def test_a_model_that_was_loaded_ahead_is_the_one_that_is_asked(inputs, tmp_path):
    with process.ahead() as serving:
        serving.begin()
        serving.load(path_utils.serving_model_path(inputs["model"][0].uri), FEATURES.image)
        (begun,) = _processes()
        found, _ = _check(inputs, tmp_path)
        assert not psutil.pid_exists(begun)
    assert found.serves, found.reasons


def test_a_process_that_was_told_of_another_model_is_not_asked(inputs, tmp_path):
    with process.ahead() as serving:
        serving.begin()
        serving.load(str(tmp_path / "another"), FEATURES.image)
        found, _ = _check(inputs, tmp_path)
    assert found.serves, found.reasons


def test_a_process_that_died_is_replaced(inputs, tmp_path):
    with process.ahead() as serving:
        serving.begin()
        (begun,) = map(psutil.Process, _processes())
        begun.kill()
        while begun.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        serving.load(path_utils.serving_model_path(inputs["model"][0].uri), FEATURES.image)
        found, _ = _check(inputs, tmp_path)
    assert found.serves, found.reasons


def test_a_process_that_nobody_needs_ends(inputs):
    with process.ahead() as serving:
        assert not _processes()
        serving.load("/no/such/model", "image")
        assert not _processes()
        serving.begin()
        serving.load(path_utils.serving_model_path(inputs["model"][0].uri), FEATURES.image)
        assert len(_processes()) == 1
    assert not _processes()


def test_what_cannot_be_loaded_is_refused_and_not_pushed(inputs, tmp_path):
    shutil.copytree(inputs["model"][0].uri, tmp_path / "model")
    graph = tmp_path / "model" / "Format-Serving" / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:5000])
    broken = {**inputs, "model": [_artifact(standard_artifacts.Model, tmp_path / "model")]}
    found, blessing = _check(broken, tmp_path)
    assert not found.serves
    assert found.reasons[0].startswith("it cannot be loaded and asked: ")
    assert not _pushed(broken, blessing, tmp_path)


class _Broken(tf.Module):
    """Has one signature, which fails if one of the images is none."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="image_bytes")])
    def serve(self, image_bytes):
        sizes = tf.map_fn(lambda i: tf.size(tf.io.decode_image(i)), image_bytes, tf.int32)
        scores = tf.tile(tf.cast(sizes, tf.float32)[:, None], (1, len(LABELS)))
        words = {"genres": image_bytes, "status": image_bytes}
        return {"scores": scores, "probabilities": scores, **words}


def test_a_model_made_elsewhere_is_refused_for_all_that_it_lacks(inputs, tmp_path):
    model, folder = _Broken(), str(tmp_path / "model" / "Format-Serving")
    tf.saved_model.save(model, folder, signatures={export.SERVING_DEFAULT: model.serve})
    broken = {**inputs, "model": [_artifact(standard_artifacts.Model, tmp_path / "model")]}
    found, _ = _check(broken, tmp_path)
    assert not found.serves
    text = "\n".join(found.reasons)
    for name in (export.SERVING_EXAMPLES, export.EMBEDDING, export.TRANSFORM_LABELS):
        assert f"the signature {name} is missing" in text
    assert "serving_default fails: " in text


def test_a_model_that_takes_for_ever_is_given_up(inputs, tmp_path):
    found, _ = _check(inputs, tmp_path, ServingCheckSettings(timeout_s=0.05))
    assert not found.serves
    assert found.reasons == ("it gave no answer within 0.05 seconds (serving_check.timeout_s)",)
