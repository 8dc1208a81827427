"""The head, and what is refused as an extractor."""

import numpy as np
import pytest
import tensorflow as tf

from components.errors import PostersError
from components.trainer import extractor, fitting, ranking
from components.trainer.cached_features import CachedFeatures
from components.trainer.settings import TrainerSettings

LABELS = 3


def _split(count=400, width=8, seed=0):
    generator = np.random.default_rng(seed)
    features = generator.normal(3, 5, (count, width)).astype(np.float32)
    labels = (features[:, :LABELS] + generator.normal(0, 2, (count, LABELS)) > 4).astype(np.float32)
    ids = np.array([b"%05d" % index for index in range(count)])
    return CachedFeatures(features, labels, ids, np.arange(count), ids)


def _settings(**changes):
    return TrainerSettings(**{"hub_handle": "x", "epochs": 15, "batch_size": 64, **changes})


def _logits(train, settings=None, asked=None):
    settings, asked = settings or _settings(), asked or train
    return fitting.logits(fitting.fit(train, train, settings, lambda row: None).head, asked)


def test_the_head_learns(tmp_path):
    losses, held_out = [], _split(seed=1)
    fitted = fitting.fit(_split(), held_out, _settings(), lambda row: losses.append(row["loss"]))
    assert len(losses) == 15
    assert losses[-1] < 0.6 * losses[0]
    logits = fitting.logits(fitted.head, held_out)
    assert ranking.macro_auc(held_out.labels, logits) > 0.85


def test_the_same_seed_gives_the_same_head_and_another_does_not():
    split = _split()
    first, again, other = (_logits(split, _settings(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_the_head_does_not_depend_on_the_order_of_rows_on_disk():
    split = _split()
    mixed = np.random.default_rng(5).permutation(len(split))
    ids = split.ids[mixed]
    shuffled = CachedFeatures(split.features[mixed], split.labels[mixed], ids, np.argsort(ids), ids)
    first = _logits(split)
    second = _logits(shuffled, asked=split)
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_a_loss_that_is_no_number_stops_training_and_names_the_epoch():
    split = _split()
    split.labels[7, 0] = np.nan
    with pytest.raises(PostersError, match="loss is nan in epoch 1"):
        _logits(split)


def test_a_loss_that_breaks_leaves_the_head_of_the_last_good_epoch():
    split, rows = _split(), []
    head = fitting.new_head(split, _settings())

    def report(row):
        rows.append([variable.numpy() for variable in head.trainable_variables])
        if row["epoch"] == 3:
            split.labels[7, 0] = np.inf

    with pytest.raises(fitting.NotFiniteError, match="in epoch 4") as caught:
        fitting.fit(split, _split(seed=1), _settings(), report, start=head)
    assert caught.value.last_good_epoch == 3
    for variable, value in zip(head.trainable_variables, rows[-1], strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize("changes", [{"epochs": 1}, {"epochs": 1, "ema": 0.9}, {"patience": 2}])
def test_a_last_step_that_breaks_the_head_does_not_pass_for_a_training(changes):
    split, rows = _split(), []
    diverging = {"learning_rate": 1.0, "weight_decay": 1e30, "schedule": "constant"}
    settings = _settings(batch_size=len(split), warmup_epochs=0, **diverging, **changes)
    head = fitting.new_head(split, settings)
    untrained = [variable.numpy() for variable in head.trainable_variables]
    with pytest.raises(fitting.NotFiniteError, match=r"eval after epoch 1: lower") as caught:
        fitting.fit(split, _split(seed=1), settings, rows.append, start=head)
    assert (caught.value.last_good_epoch, rows) == (0, [])
    for variable, value in zip(head.trainable_variables, untrained, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_a_constant_feature_and_an_absent_label_do_no_harm():
    split = _split()
    split.features[:, 3] = 7
    split.labels[:, 1] = 0
    logits = _logits(split)
    assert np.isfinite(logits).all()


class _Module(tf.Module):
    """A SavedModel in the image feature vector form, give or take."""

    def __init__(self, reduce):
        super().__init__()
        self.reduce = reduce

    @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.float32)])
    def __call__(self, images):
        return self.reduce(images)


@pytest.fixture
def module(tmp_path):
    def save(reduce):
        folder = tmp_path / "module"
        tf.saved_model.save(_Module(reduce), str(folder))
        return str(folder)

    return save


def test_an_extractor_of_another_size_names_both(module):
    handle = module(lambda images: tf.reduce_mean(images, (1, 2)))
    assert extractor.load(handle, 32) is not None
    with pytest.raises(PostersError, match=r"64 x 64 pixels; it takes 32 x 32.*image\.size"):
        extractor.load(handle, 64)


def test_a_feature_map_is_no_feature_vector(module):
    handle = module(lambda images: images[:, ::4, ::4])
    with pytest.raises(PostersError, match=r"\(1, 8, 8, 3\) for one image"):
        extractor.load(handle, 32)


def test_a_savedmodel_that_cannot_be_called_is_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "module"))
    with pytest.raises(PostersError, match="image feature vector form"):
        extractor.load(str(tmp_path / "module"), 32)


@pytest.mark.parametrize("content", [None, "empty", "garbage"])
def test_a_folder_that_is_no_savedmodel_is_named(tmp_path, content):
    folder = tmp_path / "module"
    if content:
        folder.mkdir()
    if content == "garbage":
        (folder / "saved_model.pb").write_bytes(b"not a proto")
    with pytest.raises(PostersError, match=f"trainer.hub_handle: .*{folder}"):
        extractor.load(str(folder), 32)


def test_an_address_that_cannot_be_reached_names_the_ways_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    # Port 9 on this machine refuses at once, whatever the network.
    with pytest.raises(PostersError) as caught:
        extractor.load("http://127.0.0.1:9/module/1", 224)
    for words in ("cannot be fetched", "TFHUB_CACHE_DIR", str(tmp_path / "cache"), "embedded"):
        assert words in str(caught.value)


def test_a_changed_extractor_has_another_fingerprint(module, tmp_path):
    handle = module(lambda images: tf.reduce_mean(images, (1, 2)))
    before = extractor.fingerprint(handle)
    (tmp_path / "module" / "saved_model.pb").write_bytes(b"other")
    assert extractor.fingerprint(handle) != before
