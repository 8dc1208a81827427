"""Learning curves, as programs and as TensorBoard read them."""

import json
import math

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from components.trainer.learning_curves import HISTORY_FILE, LearningCurves


def _row(epoch, **changes):
    row = {
        "epoch": epoch, "loss": 1 / (1 + epoch), "eval_loss": 0.5, "eval_macro_auc": 0.7,
        "learning_rate": 0.001, "seconds": 2.0,
    }  # fmt: skip
    return {**row, **changes}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model_run")
    with LearningCurves(str(folder)) as curves:
        curves.add(1, _row(1))
        curves.add(1, _row(2))
        curves.add(2, _row(0, loss=None, learning_rate=None))
        curves.add(2, _row(1, eval_macro_auc=0.8))
    return folder


def test_the_history_is_one_row_an_epoch_in_order(folder):
    rows = [json.loads(line) for line in (folder / HISTORY_FILE).read_text().splitlines()]
    assert [(row["stage"], row["epoch"]) for row in rows] == [(1, 1), (1, 2), (2, 0), (2, 1)]
    assert rows[1] == {"stage": 1, **_row(2)}


@pytest.mark.parametrize(
    ("run", "chart", "points"),
    [
        ("head/train", "loss", [(1, 1 / 2), (2, 1 / 3)]),
        ("head/eval", "macro_auc", [(1, 0.7), (2, 0.7)]),
        ("fine_tuning/train", "loss", [(1, 1 / 2)]),
        ("fine_tuning/eval", "macro_auc", [(0, 0.7), (1, 0.8)]),
    ],
)
def test_tensorboard_shows_every_epoch(folder, run, chart, points):
    events = EventAccumulator(str(folder / run)).Reload()
    got = [
        (event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors(chart)
    ]
    assert [step for step, _ in got] == [step for step, _ in points]
    assert all(math.isclose(a, b, rel_tol=1e-6) for (_, a), (_, b) in zip(got, points, strict=True))


def test_what_is_no_number_is_null_in_the_history(tmp_path):
    with LearningCurves(str(tmp_path)) as curves:
        curves.add(1, _row(1, eval_macro_auc=math.nan))
    told = json.loads((tmp_path / HISTORY_FILE).read_text(), parse_constant=pytest.fail)
    assert [told] == curves.history == [{"stage": 1, **_row(1, eval_macro_auc=None)}]


def test_what_was_learned_until_a_failure_is_kept(tmp_path):
    with pytest.raises(RuntimeError), LearningCurves(str(tmp_path / "run")) as curves:
        curves.add(1, _row(1))
        raise RuntimeError
    assert len((tmp_path / "run" / HISTORY_FILE).read_text().splitlines()) == 1
