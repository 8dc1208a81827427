import json
import math

import pytest
import tensorflow as tf

from components.trainer.fine_tuning.checkpoints import Checkpoints, best_epoch, run_key


def _row(epoch, auc):
    return {"epoch": epoch, "eval_macro_auc": auc}


def _saved(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def variable():
    return tf.Variable(0.0)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def _save(checkpoints, variable, aucs):
    history = []
    for epoch, auc in enumerate(aucs):
        variable.assign(float(epoch))
        history.append(_row(epoch, auc))
        checkpoints.save(history)
    return history


def test_the_last_two_and_the_best_are_kept(folder, variable):
    _save(Checkpoints(folder, value=[variable]), variable, [0.5, 0.9, 0.6, 0.7, 0.8])
    assert _saved(folder) == ["epoch-0001", "epoch-0003", "epoch-0004"]


def test_epochs_of_five_digits_are_still_in_order(folder, variable):
    checkpoints = Checkpoints(folder, value=[variable])
    for epoch in (9999, 10000, 10001):
        checkpoints.save([_row(epoch, epoch)])
    assert checkpoints.resume() == [_row(10001, 10001)]
    assert _saved(folder) == ["epoch-10000", "epoch-10001"]


def test_a_new_process_goes_on_from_the_last_epoch(folder, variable):
    history = _save(Checkpoints(folder, value=[variable]), variable, [0.5, 0.6, 0.4])
    other = tf.Variable(-1.0)
    assert Checkpoints(folder, value=[other]).resume() == history
    assert other.numpy() == 2


def test_without_a_checkpoint_nothing_is_resumed(folder, variable):
    variable.assign(7)
    assert Checkpoints(folder, value=[variable]).resume() == []
    assert variable.numpy() == 7


def test_the_best_epoch_can_be_restored(folder, variable):
    checkpoints = Checkpoints(folder, value=[variable])
    history = _save(checkpoints, variable, [0.5, 0.9, 0.6, 0.7])
    checkpoints.restore(best_epoch(history))
    assert variable.numpy() == 1


def test_what_a_killed_run_was_writing_is_cleared_and_not_taken(folder, variable):
    _save(Checkpoints(folder, value=[variable]), variable, [0.5, 0.6])
    unfinished = folder / ".epoch-0002.abc"
    unfinished.mkdir()
    (unfinished / "state.json").write_text(json.dumps([_row(2, 1.0)]))
    checkpoints = Checkpoints(folder, value=[variable])
    assert not unfinished.exists()
    assert checkpoints.resume()[-1]["epoch"] == 1


def test_a_checkpoint_of_something_else_is_not_restored(folder, variable):
    _save(Checkpoints(folder, value=[variable]), variable, [0.5])
    with pytest.raises(AssertionError):
        Checkpoints(folder, other=[variable]).resume()


def test_removed_is_gone(folder, variable, tmp_path):
    checkpoints = Checkpoints(folder, value=[variable])
    _save(checkpoints, variable, [0.5])
    checkpoints.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_was_removing_is_in_nobodys_way(folder, variable, tmp_path):
    half, of_another = tmp_path / ".run" / "epoch-0003", tmp_path / ".other" / "epoch-0001"
    for left in (half, of_another):
        left.mkdir(parents=True)
    checkpoints = Checkpoints(folder, value=[variable])
    assert _saved(tmp_path) == ["run"]
    _save(checkpoints, variable, [0.5])
    half.mkdir(parents=True)
    checkpoints.remove()
    assert _saved(tmp_path) == []


@pytest.mark.parametrize(
    ("aucs", "best"),
    [
        ([0.7], 0),
        ([0.7, 0.6, 0.8, 0.75], 2),
        ([0.7, 0.6], 0),
        ([0.7, 0.7], 0),
        ([0.7, math.nan, 0.8], 2),
        ([math.nan, math.nan], 0),
        ([math.nan, 0.1], 1),
    ],
)
def test_the_first_of_the_largest_is_the_best(aucs, best):
    assert best_epoch([_row(epoch, auc) for epoch, auc in enumerate(aucs)]) == best


def test_a_key_depends_on_every_fact_and_not_on_their_order():
    facts = {"settings": {"seed": 0, "rate": 0.1}, "code": "a"}
    assert run_key(facts) == run_key({"code": "a", "settings": {"rate": 0.1, "seed": 0}})
    others = [{**facts, "code": "b"}, {**facts, "settings": {"seed": 1, "rate": 0.1}}]
    assert len({run_key(each) for each in [facts, *others]}) == 3
