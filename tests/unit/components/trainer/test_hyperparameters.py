import dataclasses

import pytest

from components.errors import PostersError
from components.trainer import hyperparameters
from components.trainer.settings import HeadSettings, TrainerSettings

GIVEN = TrainerSettings(
    hub_handle="x",
    loss={"macro_soft_f1": 1, "bce": 4},
    epochs=30,
    seed=7,
    head=HeadSettings(hidden_units=(512, 64), members=3),
)


def test_what_was_read_and_applied_is_what_was_given():
    assert hyperparameters.apply(GIVEN, hyperparameters.read(GIVEN)) == GIVEN


def test_every_key_is_applied_and_nothing_else_changes():
    values = {
        "loss": '{"bce": 1.0}',
        "epochs": 6,
        "learning_rate": 0.003,
        "weight_decay": 0.1,
        "label_smoothing": 0.05,
        "ema": 0.99,
        "head.hidden_units": "[256]",
        "head.dropout": 0.7,
    }
    assert set(values) == set(hyperparameters.KEYS)
    assert hyperparameters.apply(GIVEN, values) == dataclasses.replace(
        GIVEN,
        loss={"bce": 1.0},
        epochs=6,
        learning_rate=0.003,
        weight_decay=0.1,
        label_smoothing=0.05,
        ema=0.99,
        head=dataclasses.replace(GIVEN.head, hidden_units=(256,), dropout=0.7),
    )


def test_a_linear_head_and_whole_numbers_survive():
    used = hyperparameters.apply(GIVEN, {"head.hidden_units": "[]", "ema": 0})
    assert used.head.hidden_units == ()
    assert used.ema == 0


def test_only_what_differs_is_told():
    used = hyperparameters.apply(GIVEN, {"epochs": 6, "head.hidden_units": "[512, 64]"})
    assert hyperparameters.changes(GIVEN, used) == {"epochs": {"given": 30, "used": 6}}
    assert hyperparameters.changes(GIVEN, GIVEN) == {}


def test_the_order_of_losses_is_no_difference():
    other = dataclasses.replace(GIVEN, loss={"bce": 4.0, "macro_soft_f1": 1.0})
    assert hyperparameters.changes(GIVEN, other) == {}


@pytest.mark.parametrize("key", ["seed", "head.members", "tuner/epochs"])
def test_a_key_that_may_not_be_chosen_is_named(key):
    with pytest.raises(PostersError, match=key):
        hyperparameters.apply(GIVEN, {key: 1})
