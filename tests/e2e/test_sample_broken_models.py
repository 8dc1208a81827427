"""Models that the Evaluator blesses and that would not serve, in real runs of the whole DAG."""

import shutil
from pathlib import Path

import pytest
import requests
import tensorflow as tf

from components.trainer import export
from pipeline.cli.main import OK, REFUSED
from tests.e2e.conftest import World
from tests.serving_process import ServerProcess

pytestmark = pytest.mark.slow


def _without_embedding(signatures):
    del signatures[export.EMBEDDING]


def _not_a_number(signatures):
    """Only for images: the Evaluator asks with examples."""
    original = signatures[export.SERVING_DEFAULT]

    def answer(image_bytes):
        answer = original(image_bytes=image_bytes)
        return {**answer, "scores": answer["scores"] * float("nan")}

    signatures[export.SERVING_DEFAULT] = _traced(answer, export.IMAGE_INPUT)


def _wrong_order(signatures):
    """Scores as they were, under each other's names."""
    original = signatures[export.SERVING_EXAMPLES]

    def answer(examples):
        answer = original(examples=examples)
        return {**answer, "genres": tf.reverse(answer["genres"], axis=[1])}

    signatures[export.SERVING_EXAMPLES] = _traced(answer, export.EXAMPLE_INPUT)


def _traced(function, name):
    return tf.function(function, input_signature=[tf.TensorSpec((None,), tf.string, name=name)])


#: How the exported model is changed, and what must be said of it.
BROKEN = {
    "signature": ([_without_embedding], ["the signature embedding is missing"]),
    "numbers and order": (
        [_not_a_number, _wrong_order],
        [
            "serving_default: scores of 16 of 16 posters are not in [0, 1]",
            "serving_examples: its label names are",
            "a client would take one label's score for another's",
        ],
    ),
}


#: How well the model does is not asked here.
QUICK = ("trainer.epochs=4", "trainer.head.members=1")


@pytest.fixture(scope="module")
def own(world, share_features, tmp_path_factory):
    """A workspace where nothing else is pushed, on the same data."""
    own = World(tmp_path_factory.mktemp("broken"))
    share_features(own.root / "workspace")
    own.data.symlink_to(world.data)
    return own


@pytest.fixture(scope="module")
def own_run(own):
    status, summary = own.run(*QUICK)
    assert status == OK
    return summary


@pytest.fixture(scope="module")
def server(own, own_run):
    with ServerProcess(own.models, "poll_seconds=0.2") as process:
        yield process


def _check(world, own, own_run, server, status, summary, words):
    """The run ended as refused, says why everywhere, and nothing else serves."""
    assert status == REFUSED
    assert summary["verdict"]["blessed"]
    assert summary["status"] == "refused"
    assert not summary["serving"]["serves"]
    reasons = "\n".join(summary["serving"]["reasons"])
    folder = own.root / "workspace" / "runs" / summary["run_id"]
    page = " ".join((folder / "report.html").read_text().split())
    assert "Blessed, but does not serve" in page
    for sentence in words:
        assert sentence in reasons
        assert sentence.replace("'", "&#39;") in page
    assert summary["pushed_path"] is None
    served = Path(own_run["pushed_path"])
    assert list(own.models.iterdir()) == [served]
    version = requests.get(f"{server.url}/readyz", timeout=30).json()["version"]
    assert version == served.name
    image = next((world.source / "images").iterdir()).read_bytes()
    assert server.predict(image).status_code == 200


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_model_is_refused_and_what_served_still_serves(
    world, own, own_run, server, kind, monkeypatch
):
    changes, words = BROKEN[kind]
    whole = export.export

    def broken(parts, folder, description):
        whole(parts, f"{folder}-whole", description)
        original = tf.saved_model.load(f"{folder}-whole")
        signatures = dict(original.signatures)
        for change in changes:
            change(signatures)
        model = tf.Module()
        model.original = original  # tracked, so that its weights and tables are saved
        tf.saved_model.save(model, folder, signatures=signatures)
        # What the Trainer writes beside an export may be there already.
        extra = f"{folder}/assets.extra"
        shutil.copytree(f"{folder}-whole/assets.extra", extra, dirs_exist_ok=True)
        shutil.rmtree(f"{folder}-whole")

    monkeypatch.setattr(export, "export", broken)
    # Another training by its settings, and the same by its result.
    number = 100 + list(BROKEN).index(kind)
    status, summary = own.run(*QUICK, f"trainer.neighbours={number}")
    _check(world, own, own_run, server, status, summary, words)


def test_one_that_is_too_slow_is_refused_and_what_served_still_serves(world, own, own_run, server):
    status, summary = own.run(*QUICK, "serving_check.max_latency_ms=0.001")
    words = ["0.001 are allowed (serving_check.max_latency_ms)"]
    _check(world, own, own_run, server, status, summary, words)
