"""The second stage on a real extractor and drawn pictures."""

import dataclasses
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components import pixels
from components.errors import PostersError
from components.trainer import extractor
from components.trainer.fine_tuning import images
from components.trainer.fine_tuning.learner import Learner
from components.trainer.fine_tuning.stage import fine_tune
from components.trainer.fine_tuning.top import top_positions
from tests import fine_tuning
from tests.examples import write_records

ROOT = Path(__file__).parents[2]
MOBILENET = ROOT.parent / "shared" / "data" / "hub" / "mobilenet_v2_035_224"


def _run(folder, splits, show=lambda done, detail: None, head=None, **changes):
    # TensorFlow adds its own to every seed of a data set; tests of this process may have set it.
    tf.random.set_seed(0)
    head = head or fine_tuning.new_head()
    return fine_tune(head, splits, fine_tuning.settings(**changes), folder / "run", show)


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return fine_tuning.splits(tmp_path_factory.mktemp("splits"))


@pytest.fixture(scope="module")
def shown():
    return []


@pytest.fixture(scope="module")
def tuned(splits, shown, tmp_path_factory):
    def show(done, detail):
        shown.append((done, detail))

    return _run(tmp_path_factory.mktemp("tuned"), splits, show, epochs=3)


def test_the_loss_on_train_falls_and_every_epoch_has_its_row(tuned):
    assert [row["epoch"] for row in tuned.history] == [0, 1, 2, 3]
    assert tuned.history[-1]["loss"] < tuned.history[1]["loss"]
    assert tuned.history[0]["loss"] is None
    for row in tuned.history:
        assert 0 <= row["eval_macro_auc"] <= 1
    for row in tuned.history[1:]:
        assert row["images_a_second"] > 0
    rates = [row["learning_rate"] for row in tuned.history[1:]]
    assert 1e-3 > rates[0] > rates[1] > rates[2] >= 0
    assert tuned.history[tuned.kept_epoch]["eval_macro_auc"] == max(
        row["eval_macro_auc"] for row in tuned.history
    )


def test_only_the_top_moves_and_batch_normalisation_does_not(tuned):
    before = extractor.load_copy(extractor.EMBEDDED, trainable=False).variables
    moved = [
        old.name
        for old, new in zip(before, tuned.extractor.variables, strict=True)
        if not np.array_equal(old.numpy(), new.numpy())
    ]
    kernels = [variable.name for variable in before if "kernel" in variable.name]
    assert len(kernels) == 11
    assert moved == kernels[-4:]  # three tenths of 11, rounded up


def test_the_extractor_that_others_share_is_not_touched(tuned):
    seen = tf.random.stateless_uniform((4, 96, 96, 3), (0, 0))
    shared = extractor.load(extractor.EMBEDDED, 96)(seen)
    fresh = extractor.load_copy(extractor.EMBEDDED, trainable=False)(seen)
    np.testing.assert_allclose(shared, fresh, atol=1e-5)
    assert np.abs(tuned.extractor(seen) - fresh).max() > 1e-3


def test_progress_counts_steps_over_all_epochs(tuned, shown):
    assert [done for done, _ in shown] == list(range(1, 10))
    assert shown[3][1].startswith("epoch 2/3 loss 0.")


def test_the_logits_on_eval_are_those_of_the_tuned_extractor_and_head(tuned, splits):
    stored, labels = [], []
    for batch, truth in images.scoring_batches(splits.evaluation, 8):
        stored.append(batch)
        labels.append(truth)
    features = tuned.extractor(pixels.normalize(tf.concat(stored, 0)))
    np.testing.assert_allclose(tuned.head(features), tuned.eval_logits, atol=1e-4)
    np.testing.assert_array_equal(np.concatenate(labels), tuned.eval_labels)


def test_where_fine_tuning_does_harm_the_first_stages_model_is_kept(tuned, splits, tmp_path):
    head = fine_tuning.new_head()
    _copy(tuned.head, head)
    misled = dataclasses.replace(
        splits, train=fine_tuning.source(tmp_path / "train.gz", range(40), wrong=True)
    )
    worse = _run(tmp_path, misled, head=head)
    aucs = [row["eval_macro_auc"] for row in worse.history]
    assert aucs[0] > aucs[1] > aucs[2]
    assert worse.kept_epoch == 0
    for old, new in zip(tuned.head.variables, worse.head.variables, strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())
    untouched = extractor.load_layer(extractor.EMBEDDED, 96)
    for old, new in zip(untouched.variables, worse.extractor.variables, strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())


def _copy(source, target):
    for old, new in zip(source.variables, target.variables, strict=True):
        new.assign(old)


def test_a_loss_that_is_no_number_names_epoch_step_and_the_weights_that_are_kept(tmp_path):
    source = fine_tuning.source(tmp_path / "train.gz", range(20))
    broken = tf.train.Example.FromString(fine_tuning.record(1))
    broken.features.feature["genres_xf"].float_list.value[0] = float("nan")
    records = [fine_tuning.record(index) for index in range(19)] + [broken.SerializeToString()]
    write_records(Path(source.files[0]), records)
    splits = fine_tuning.splits(tmp_path / "other")
    splits = dataclasses.replace(splits, train=source, train_examples=20)
    with pytest.raises(PostersError, match=r"nan in epoch 1, step \d of 2.*epoch-0000") as caught:
        _run(tmp_path, splits)
    kept = Path(str(caught.value).split("kept in ")[1].rstrip("."))
    assert (kept / "state.json").is_file()


def test_a_step_whose_gradients_overflow_is_skipped_and_the_scale_halved():
    head = fine_tuning.new_head()
    settings = dataclasses.replace(fine_tuning.settings(), loss={"macro_soft_f1": 1e6})
    learner = Learner(head, settings, 96, 1, tf.distribute.get_strategy())
    precision = learner.state["precision"]
    precision.half = True  # as on a GPU; here it changes the scale alone
    batch = tf.random.stateless_uniform((4, 96, 96, 3), (0, 0), 0, 255, tf.int32)
    arguments = (tf.cast(batch, tf.uint8), tf.eye(4, fine_tuning.LABELS))
    variables = [*learner.top, *head.trainable_variables]
    before = [variable.numpy() for variable in variables]

    precision.scale.assign(2.0**127)
    assert np.isfinite(learner.step(*arguments, 1))
    assert precision.scale.numpy() == 2.0**126
    assert all(np.array_equal(old, new) for old, new in zip(before, variables, strict=True))

    precision.scale.assign(2.0**10)
    assert np.isfinite(learner.step(*arguments, 2))
    assert precision.scale.numpy() == 2.0**10
    assert not any(np.array_equal(old, new) for old, new in zip(before, variables, strict=True))


class _Module(tf.Module):
    """A SavedModel in the image feature vector form whose kernel a gradient may not reach."""

    def __init__(self, trainable, through):
        super().__init__()
        self.kernel = tf.Variable(tf.ones((3, 4)), name="kernel")
        self.trainable_variables_of_module = [self.kernel] if trainable else []
        self.through = through

    @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.float32)])
    def __call__(self, images):
        return tf.reduce_mean(images, (1, 2)) @ self.through(self.kernel)


def _save(folder, trainable, through):
    module = _Module(trainable, through)
    root = tf.train.Checkpoint()
    root.__call__ = module.__call__
    root.variables = [module.kernel]
    root.trainable_variables = module.trainable_variables_of_module
    root.regularization_losses = []
    tf.saved_model.save(root, str(folder))
    return str(folder)


def test_a_module_that_can_be_trained_is_accepted(tmp_path):
    handle = _save(tmp_path, True, tf.identity)
    assert top_positions(extractor.load_layer(handle, 32), handle, 32, 0.3) == [0]


@pytest.mark.parametrize(
    ("trainable", "through", "reason"),
    [
        (False, tf.identity, "has no trainable variable"),
        (True, tf.stop_gradient, "no gradient comes through"),
    ],
)
def test_a_module_that_cannot_be_trained_is_refused(tmp_path, trainable, through, reason):
    handle = _save(tmp_path, trainable, through)
    with pytest.raises(PostersError, match=rf"trainer\.hub_handle: .*{reason}") as caught:
        top_positions(extractor.load_layer(handle, 32), handle, 32, 0.3)
    assert "remove trainer.fine_tune" in str(caught.value)


@pytest.mark.skipif(not MOBILENET.is_dir(), reason=f"there is no {MOBILENET}")
def test_a_real_module_is_trained_from_its_top():
    settings = dataclasses.replace(
        fine_tuning.settings(batch_size=4, device_batch_size=3, trainable_share=0.1),
        hub_handle=str(MOBILENET),
    )
    head, strategy = fine_tuning.new_head(1280), tf.distribute.get_strategy()
    learner = Learner(head, settings, 224, 1, strategy)
    assert [variable.name for variable in learner.top] == [
        "block_15_depthwise/depthwise_kernel:0",
        "block_15_project/kernel:0",
        "block_16_expand/kernel:0",
        "block_16_depthwise/depthwise_kernel:0",
        "block_16_project/kernel:0",
        "Conv_1/kernel:0",
    ]
    batch = tf.random.stateless_uniform((4, 224, 224, 3), (0, 0), 0, 255, tf.int32)
    labels = tf.eye(4, fine_tuning.LABELS)
    losses = [learner.step(tf.cast(batch, tf.uint8), labels, number) for number in range(1, 7)]
    assert losses[-1] < losses[0]


def _killed_in_epoch_2(folder):
    """The folder of a run of three epochs whose process was killed in the middle of the second."""
    process = multiprocessing.get_context("spawn").Process(
        target=_train_until_killed, args=(folder,)
    )
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    return folder / "run"


def _train_until_killed(folder):
    def show(done, detail):
        if done == 5:
            os.kill(os.getpid(), signal.SIGKILL)

    _run(folder, fine_tuning.splits(folder), show, epochs=3)


def _facts(tuned):
    rows = [(row["loss"], row["eval_macro_auc"]) for row in tuned.history]
    variables = [*tuned.extractor.variables, *tuned.head.variables]
    return rows, tuned.kept_epoch, [variable.numpy().tobytes() for variable in variables]


def test_a_killed_run_goes_on_and_ends_as_one_that_was_not(tuned, splits, tmp_path, capsys):
    kept = _killed_in_epoch_2(tmp_path)
    assert sorted(path.name for path in kept.iterdir()) == ["epoch-0000", "epoch-0001"]
    resumed = _run(tmp_path, splits, epochs=3)
    assert "goes on after epoch 1" in capsys.readouterr().out
    assert _facts(resumed) == _facts(tuned)
