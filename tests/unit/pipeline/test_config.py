import re
from pathlib import Path

import pytest

from components.errors import PostersError
from pipeline import config


def _write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    return str(path)


MINIMAL = "name: mine\nworkspace: w\ndata_root: d\ntrainer: {hub_handle: embedded}\n"


@pytest.mark.parametrize("name", sorted(config.bundled()))
def test_every_bundled_configuration_loads(name):
    loaded = config.load(name)
    assert Path(loaded.workspace).is_absolute()


def test_a_name_and_a_path_load_the_same():
    assert config.load("sample") == config.load(str(config.bundled()["sample"]))


def test_overrides_are_typed_as_yaml(tmp_path):
    loaded = config.load(
        _write(tmp_path, MINIMAL),
        ["trainer.epochs=5", "trainer.learning_rate=1e-5", "window=3", "data_root=/x"],
    )
    assert loaded.trainer.epochs == 5
    assert loaded.trainer.learning_rate == 1e-5
    assert loaded.window == 3
    assert loaded.data_root == "/x"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("trianer: {}", ["trianer: no such key", "did you mean trainer"]),
        ("evaluator: {min_macro_f1: 1}", ["evaluator.min_macro_f1: no such key"]),
        ("evaluator: {min_label_support: 0}", ["evaluator.min_label_support", "greater than"]),
        (
            "evaluator: {slices: [decade, year, decade]}",
            ["evaluator.slices", "decade stands"],
        ),
        ("ingest: {features: {poster: x}}", ["ingest.features.poster: no such key"]),
        ("ingest: {min_lable_count: 3}", ["ingest.min_lable_count", "ingest.min_label_count"]),
        ("image: {size: big}", ["image.size", "'big'"]),
        ("image: {size: 3}", ["image.size", "16"]),
        ("image: {views: []}", ["image.views", "at least 1 item"]),
        ("image: {views: top}", ["image.views", "'top'"]),
        ("image: {views: [top, left]}", ["image.views.1", "'top_mirrored'", "not 'left'"]),
        ("image: {views: [top, middle, top]}", ["image.views", "top stands twice"]),
        ("tuner: {trial: 5}", ["tuner.trial: no such key", "did you mean tuner.trials"]),
        ("tuner: {space: {los: [bce]}}", ["tuner.space.los: no such key", "tuner.space.loss"]),
        ("tuner: {space: {loss: [hinge]}}", ["tuner.space.loss.0", "'sigmoid_f1', not 'hinge'"]),
        ("tuner: {space: {learning_rate: {low: 1, high: 0.1}}}", ["low must be less than high"]),
        ("window: newest", ["window", "latest, all", "not 'newest'"]),
        ("window: 0", ["window", "whole number from 1"]),
        ("window: [3, 3]", ["window", "each once"]),
        ("window: {last: 0}", ["window", "last must be a whole number from 1"]),
        ("window: {last: 3, since: 2026-01-01}", ["window", "{last: n}, or {since"]),
        ("window: {since: soon}", ["window", "since must be a date such as 2026-01-31"]),
        ("window: {since: 2026-02-01, until: 2026-01-01}", ["window", "before `since`"]),
        ("beam: {by_node: {Transform: 3}}", ["beam.by_node.Transform"]),
        ("window: {since: 2026-13-01}", ["2026-13-01: month must be in 1..12", "line 5"]),
        ("1: 2", ["1: a key is text, not 1"]),
        ("yes: 1", ["True: a key is text, not True"]),
        ("image: {2026-01-31: 1}", ["image.2026-01-31: a key is text, not datetime.date"]),
        ("? [a, b]", ["a key is text, not ['a', 'b']", "line 5"]),
        ("image: {? {a: b} : 1}", ["a key is text, not {'a': 'b'}", "line 5"]),
    ],
)
def test_a_mistake_names_its_key(tmp_path, line, words):
    with pytest.raises(PostersError) as caught:
        config.load(_write(tmp_path, MINIMAL + line + "\n"))
    for word in ["my.yaml", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("trainer.epoch=5", ["trainer.epoch: no such key", "trainer.epochs"]),
        ("trainer.epochs=many", ["trainer.epochs", "'many'"]),
        ("trainer.epochs=2.5", ["trainer.epochs"]),
        ("trainer.epochs=-1", ["trainer.epochs", "greater than 0"]),
        ("trainer.epochs", ["key=value"]),
        ("name.x=1", ["name holds a value"]),
        ("name=Bad_Name", ["name", "'Bad_Name'"]),
        ("trainer.epochs=[", ["not YAML"]),
    ],
)
def test_a_wrong_override_says_so(tmp_path, override, words):
    with pytest.raises(PostersError) as caught:
        config.load(_write(tmp_path, MINIMAL), [override])
    for word in words:
        assert word in str(caught.value)


def test_views_are_one_squished_one_or_those_named_in_their_order(tmp_path):
    path = _write(tmp_path, MINIMAL)
    assert config.load(path).image.views == ("squished",)
    several = config.load(path, ["image.views=[top, squished, top_mirrored]"])
    assert several.image.views == ("top", "squished", "top_mirrored")


def test_without_a_section_there_is_no_tuner_and_an_empty_one_has_defaults(tmp_path):
    path = _write(tmp_path, MINIMAL)
    assert config.load(path).tuner is None
    assert config.load(path, ["tuner={}"]).tuner.trials == 50


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(PostersError, match="workspace: missing"):
        config.load(_write(tmp_path, "name: mine\ndata_root: d\ntrainer: {hub_handle: x}\n"))


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("sample", "workspace"),
        ("sample", "data_root"),
        ("kubeflow", "kubeflow.store"),
        ("vertex", "vertex.store"),
    ],
)
@pytest.mark.parametrize("folder", ["/My [1]/x", "/x/a*", "/x/wh?", "/x/back\\slash"])
def test_a_folder_whose_name_is_a_pattern_is_refused(source, key, folder):
    told = f"{key} {folder}: TensorFlow and Beam read *, ?, [ and \\ in a path as a pattern; choose"
    with pytest.raises(PostersError, match=re.escape(told)):
        config.load(source, [f"{key}='{folder}'"])


def test_brackets_that_are_no_pattern_are_taken(tmp_path):
    loaded = config.load(_write(tmp_path, MINIMAL), ["workspace='/x/{a} b]'"])
    assert loaded.workspace == "/x/{a} b]"


def test_a_repeated_key_is_an_error(tmp_path):
    with pytest.raises(PostersError, match="name stands twice"):
        config.load(_write(tmp_path, MINIMAL + "name: other\n"))


@pytest.mark.parametrize("text", ["a: [", "just words", "\x00", "- 1\n- 2\n"])
def test_what_is_no_mapping_is_an_error(tmp_path, text):
    with pytest.raises(PostersError, match=r"my\.yaml"):
        config.load(_write(tmp_path, text))


def test_an_unknown_configuration_lists_those_there_are():
    with pytest.raises(PostersError, match="sample"):
        config.load("nowhere")


def test_local_handles_become_absolute_and_addresses_stay(tmp_path):
    path = _write(tmp_path, MINIMAL)
    assert config.load(path).trainer.hub_handle == "embedded"
    address = "https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5"
    assert config.load(path, [f"trainer.hub_handle={address}"]).trainer.hub_handle == address
    local = config.load(path, ["trainer.hub_handle=some/module"]).trainer.hub_handle
    assert local == str(Path("some/module").resolve())


def test_fine_tuning_takes_one_view_that_is_not_mirrored():
    fine_tuned = "trainer.fine_tune={}"
    assert config.load("sample", [fine_tuned, "image.views=[top]"]).trainer.fine_tune
    for views in ("[squished, top]", "[squished_mirrored]"):
        with pytest.raises(PostersError, match=r"image\.views has squished"):
            config.load("sample", [fine_tuned, f"image.views={views}"])


def test_the_tutorials_recipe_is_one_configuration_away():
    trainer = config.load("tutorial").trainer
    assert trainer.loss == {"macro_soft_f1": 1.0}
    assert (trainer.epochs, trainer.learning_rate, trainer.schedule) == (30, 1e-5, "constant")
    assert trainer.weight_decay == trainer.warmup_epochs == trainer.head.dropout == 0
    assert not trainer.head.standardize
    assert not trainer.head.prior_bias
    assert trainer.head.members == 1
    assert (trainer.decision.calibration, trainer.decision.thresholds) == ("none", "half")
