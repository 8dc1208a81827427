import pytest
from pydantic import ValidationError

from components.trainer import hyperparameters
from components.trainer.settings import HeadSettings, TrainerSettings
from components.tuner import space
from components.tuner.settings import LogRange, SearchSpace, TunerSettings

GIVEN = TrainerSettings(hub_handle="x", loss="macro_soft_f1", head=HeadSettings(dropout=0.5))
NOTHING = SearchSpace(
    loss=(),
    learning_rate=None,
    weight_decay=(),
    label_smoothing=(),
    ema=(),
    hidden_units=(),
    dropout=(),
)


def _parameters(searched=None, given=GIVEN):
    return {found.name: found for found in space.build(searched or SearchSpace(), given).space}


def test_the_default_space_holds_keys_that_the_trainer_takes():
    assert set(_parameters()) == set(hyperparameters.KEYS) - {"epochs"}


def test_the_defaults_are_what_is_given():
    given = TrainerSettings(
        hub_handle="x", loss="asl", learning_rate=0.5, head=HeadSettings(hidden_units=(77, 5))
    )
    defaults = {name: found.default for name, found in _parameters(given=given).items()}
    assert hyperparameters.apply(given, defaults) == given


def test_a_given_value_outside_the_space_is_taken_in():
    given = TrainerSettings(hub_handle="x", learning_rate=0.5, ema=0.5)
    found = _parameters(SearchSpace(learning_rate=LogRange(1e-3, 1e-2)), given)
    assert (found["learning_rate"].min_value, found["learning_rate"].max_value) == (1e-3, 0.5)
    assert found["learning_rate"].sampling == "log"
    assert 0.5 in found["ema"].values


def test_numbers_stand_in_order_and_nothing_twice():
    found = _parameters(SearchSpace(dropout=(0.7, 0.1, 0.7)))
    assert found["head.dropout"].values == [0.1, 0.5, 0.7]


def test_what_has_no_alternative_is_not_searched():
    assert _parameters(NOTHING) == {}
    assert "ema" not in _parameters(SearchSpace(ema=(0.0,)))


def test_losses_are_named_as_in_the_trainers_settings():
    found = _parameters(SearchSpace(loss=("bce", {"bce": 4, "macro_soft_f1": 1})))
    assert found["loss"].values == [
        '{"bce": 1.0}',
        '{"bce": 4.0, "macro_soft_f1": 1.0}',
        '{"macro_soft_f1": 1.0}',
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"trials": 1},
        {"confidence": 1.0},
        {"patience": 0},
        {"budget": 3},
        {"space": {"loss": ["hinge"]}},
        {"space": {"learning_rate": {"low": 0.1, "high": 0.1}}},
        {"space": {"dropout": [1.0]}},
        {"space": {"momentum": [0.9]}},
    ],
)
def test_what_makes_no_sense_is_refused(settings):
    with pytest.raises(ValidationError):
        TunerSettings(**settings)
