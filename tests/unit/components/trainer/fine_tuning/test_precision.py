import pytest
import tensorflow as tf

from components.trainer.fine_tuning import precision
from components.trainer.fine_tuning.precision import Precision


def _option():
    return tf.config.optimizer.get_experimental_options().get("auto_mixed_precision", False)


def test_the_option_is_set_inside_and_restored_after_an_error():
    half = Precision(half=True)
    with half.lowered():
        assert _option() is True
    assert _option() is False
    with pytest.raises(KeyError), half.lowered():
        raise KeyError
    assert _option() is False


def test_what_was_set_before_stays_set():
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision": True})
    with Precision(half=True).lowered():
        pass
    assert _option() is True
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision": False})


def test_single_precision_touches_nothing():
    single = Precision(half=False)
    with single.lowered():
        assert _option() is False
    single.accept()
    assert single.scale.numpy() == 1
    assert not single.lower_scale()


def test_an_overflow_halves_the_scale_down_to_one():
    half = Precision(half=True)
    scales = []
    while half.lower_scale():
        scales.append(half.scale.numpy())
    assert scales == [2.0**power for power in range(14, -1, -1)]


def test_good_steps_in_a_row_double_the_scale(monkeypatch):
    monkeypatch.setattr(precision, "_GROWTH_STEPS", 3)
    half = Precision(half=True)
    for _ in range(2):
        half.accept()
    half.lower_scale()
    for expected in (1, 1, 2):
        half.accept()
        assert half.scale.numpy() == 2.0**14 * expected
