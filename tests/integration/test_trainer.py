"""The Trainer's parts on a real extractor and real transformed examples."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components import pixels
from components.errors import PostersError
from components.evaluator.counts import count
from components.trainer import extractor, feature_cache, fitting
from components.trainer.settings import TrainerSettings
from tests.examples import FEATURES, encode, picture, write_records

SIZE = 96
LABELS = 3
COUNT = 70
SPEC = {
    FEATURES.image_xf: tf.io.FixedLenFeature([], tf.string),
    FEATURES.labels_xf: tf.io.FixedLenFeature([LABELS], tf.float32),
    FEATURES.id: tf.io.FixedLenFeature([1], tf.string),
}


def _record(index: int) -> bytes:
    stored = pixels.materialize(tf.constant([encode(picture(index))]), SIZE).numpy()[0]
    features = {
        FEATURES.image_xf: tf.train.Feature(bytes_list=tf.train.BytesList(value=[stored])),
        FEATURES.labels_xf: tf.train.Feature(
            float_list=tf.train.FloatList(value=[index % 2, index % 3 == 0, 1])
        ),
        FEATURES.id: tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"%04d" % index])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture(scope="module")
def records():
    return [_record(index) for index in range(COUNT)]


@pytest.fixture
def source(records, tmp_path):
    return _source([write_records(tmp_path / "examples-0.gz", records)])


def _source(files, size=SIZE):
    return feature_cache.FeatureSource(
        files=[str(file) for file in files],
        feature_spec=SPEC,
        features=FEATURES,
        extractor=extractor.load(extractor.EMBEDDED, size),
        extractor_fingerprint=extractor.fingerprint(extractor.EMBEDDED),
        image_size=size,
    )


def test_cached_features_are_what_the_extractor_gives(source, records, tmp_path):
    cached = feature_cache.load_or_compute(tmp_path / "cache", source, lambda done: None)
    assert len(cached) == COUNT
    for row in (0, 33, COUNT - 1):
        parsed = tf.io.parse_single_example(records[row], SPEC)
        image = pixels.to_model_input(parsed[FEATURES.image_xf][None], SIZE)
        np.testing.assert_allclose(cached.features[row], source.extractor(image)[0], atol=1e-5)
        np.testing.assert_array_equal(cached.labels[row], parsed[FEATURES.labels_xf])
        assert cached.ids[row] == b"%04d" % row


def test_features_are_computed_once(source, tmp_path):
    done = []
    feature_cache.load_or_compute(tmp_path / "cache", source, done.append)
    assert done[-1] == COUNT
    done.clear()
    feature_cache.load_or_compute(tmp_path / "cache", source, done.append)
    assert done == []


def test_sharding_changes_neither_the_key_nor_the_order_of_ids(records, tmp_path):
    halves = [
        write_records(tmp_path / "b.gz", records[COUNT // 2 :]),
        write_records(tmp_path / "a.gz", records[: COUNT // 2]),
    ]
    source = _source(halves)
    assert feature_cache.cache_key(source) == feature_cache.cache_key(_source(halves[::-1]))
    cached = feature_cache.load_or_compute(tmp_path / "cache", source, lambda done: None)
    assert list(cached.ids[cached.by_id]) == [b"%04d" % index for index in range(COUNT)]


def test_the_key_depends_on_extractor_size_and_examples(source, records, tmp_path):
    keys = {
        feature_cache.cache_key(source),
        feature_cache.cache_key(dataclasses.replace(source, extractor_fingerprint="other")),
        feature_cache.cache_key(dataclasses.replace(source, image_size=64)),
        feature_cache.cache_key(_source([write_records(tmp_path / "fewer.gz", records[1:])])),
    }
    assert len(keys) == 4


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_computation_leaves_no_entry(source, tmp_path, error):
    def stop(done):
        raise error

    with pytest.raises(error):
        feature_cache.load_or_compute(tmp_path / "cache", source, stop)
    assert list((tmp_path / "cache").iterdir()) == []
    assert len(feature_cache.load_or_compute(tmp_path / "cache", source, lambda done: None))


def test_features_that_are_no_numbers_are_refused_and_named(source, tmp_path):
    def broken(images):
        vectors = tf.reduce_mean(images, (1, 2))
        return tf.concat([vectors[:1] / 0.0, vectors[1:]], 0)

    source = dataclasses.replace(source, extractor=broken)
    with pytest.raises(PostersError, match="NaN or infinity for id 0000"):
        feature_cache.load_or_compute(tmp_path / "cache", source, lambda done: None)


def test_an_empty_split_is_an_error_that_names_it(tmp_path):
    source = _source([write_records(tmp_path / "empty.gz", [])])
    with pytest.raises(PostersError, match=r"no example in .*empty\.gz"):
        feature_cache.load_or_compute(tmp_path / "cache", source, lambda done: None)


def _split(count=400, width=8, seed=0):
    generator = np.random.default_rng(seed)
    features = generator.normal(3, 5, (count, width)).astype(np.float32)
    labels = (features[:, :LABELS] + generator.normal(0, 2, (count, LABELS)) > 4).astype(np.float32)
    ids = np.array([b"%05d" % index for index in range(count)])
    return feature_cache.CachedFeatures(features, labels, ids, np.arange(count))


def _settings(**changes):
    return TrainerSettings(**{"hub_handle": "x", "epochs": 15, "batch_size": 64, **changes})


def _fit(split, settings):
    return fitting.fit(split, split, settings, lambda row: None).head


def test_the_head_learns(tmp_path):
    losses = []
    model = fitting.fit(
        _split(), _split(), _settings(), lambda row: losses.append(row["loss"])
    ).head
    assert len(losses) == 15
    assert losses[-1] < 0.6 * losses[0]
    held_out = _split(seed=1)
    scores = 1 / (1 + np.exp(-fitting.logits(model, held_out)))
    assert count(held_out.labels, scores).macro_auc > 0.85


def test_the_same_seed_gives_the_same_head_and_another_does_not():
    split = _split()
    first, again, other = (
        fitting.logits(_fit(split, _settings(seed=seed)), split) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_the_head_does_not_depend_on_the_order_of_rows_on_disk():
    split = _split()
    mixed = np.random.default_rng(5).permutation(len(split))
    shuffled = feature_cache.CachedFeatures(
        split.features[mixed], split.labels[mixed], split.ids[mixed], np.argsort(split.ids[mixed])
    )
    first = fitting.logits(_fit(split, _settings()), split)
    second = fitting.logits(_fit(shuffled, _settings()), split)
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_a_loss_that_is_no_number_stops_training_and_names_the_epoch():
    split = _split()
    split.labels[7, 0] = np.nan
    with pytest.raises(PostersError, match="loss is nan in epoch 1"):
        _fit(split, _settings())


def test_a_constant_feature_and_an_absent_label_do_no_harm():
    split = _split()
    split.features[:, 3] = 7
    split.labels[:, 1] = 0
    logits = fitting.logits(_fit(split, _settings()), split)
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
