"""Training on raw examples: the same features, labels and pictures as on what Transform stores."""

import dataclasses
import types

import numpy as np
import pytest
import tensorflow as tf

from components import views
from components.errors import PostersError
from components.trainer import extraction, extractor, inputs, listing, neighbours
from components.trainer.examples import RawExamples, StoredExamples
from components.transform import preprocessing
from tests.examples import (
    FEATURES,
    encode,
    example,
    odd_images,
    picture,
    transformed_example,
    write_records,
)
from tests.transforming import RAW_SPEC, transform

SIZE = 96
LABELS = ["Drama", "Comedy", "Film-Noir"]
GIVEN = ["Comedy", "Drama", "Comedy", "Unknown"]
VIEWS = ("squished", "squished_mirrored", "top", "bottom")
GEOMETRIES = views.geometries(VIEWS)
CONFIG = {"features": {}, "labels": LABELS, "image_size": SIZE, "geometries": GEOMETRIES}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same images, more than a batch, raw and as a real Transform stores them."""
    folder = tmp_path_factory.mktemp("both")
    images = odd_images() | {f"more {seed}": encode(picture(seed, 60, 90)) for seed in range(60)}
    rows, output = transform(images, GIVEN, CONFIG, folder)
    by_id = {row[FEATURES.id][0].decode(): row for row in rows}
    raw = [example(name, content, GIVEN) for name, content in images.items()]
    stored = [
        transformed_example(name, by_id[name][FEATURES.image_xf], by_id[name][FEATURES.labels_xf])
        for name in images
    ]
    return (
        RawExamples(
            [str(write_records(folder / "raw.tfrecord", raw))],
            output.raw_feature_spec(), FEATURES, LABELS,
        ),
        StoredExamples(
            [str(write_records(folder / "stored.gz", stored))],
            output.transformed_feature_spec(), FEATURES, GEOMETRIES,
        ),
    )  # fmt: skip


def _source(examples, names=VIEWS):
    layer, content = extractor.load(extractor.EMBEDDED, SIZE), extractor.fingerprint("embedded")
    return extraction.FeatureSource(examples, layer, content, "code", SIZE, names)


def _load(cache, source):
    """The features, and how many views of images were computed for them."""
    done = [0]
    return extraction.load_or_compute(cache, source, done.append), done[-1]


def test_features_labels_and_ids_are_those_of_transforms_examples_to_the_bit(both, tmp_path):
    # One cache for both: what one of them keeps must not be taken for the other's.
    (raw, computed), (stored, again) = (_load(tmp_path, _source(one)) for one in both)
    assert computed == 4 * len(raw)
    assert 0 < again < computed  # some odd images differ as files and not as pixels
    np.testing.assert_array_equal(raw.features, stored.features)
    np.testing.assert_array_equal(raw.labels, stored.labels)
    np.testing.assert_array_equal(raw.ids, stored.ids)
    assert raw.labels.dtype == stored.labels.dtype
    assert raw.labels[0].tolist() == [1, 1, 0]


def test_pictures_of_neighbours_are_the_same(both, tmp_path):
    (listed, _) = listings = [listing.read(tmp_path / "kept", [one])[0] for one in both]
    rows = np.flatnonzero(np.isin(listed.ids, [b"tall", b"cmyk jpeg", b"more 7"]))
    raw, stored = (
        neighbours.collect(one, each.files, rows, SIZE, GEOMETRIES)
        for one, each in zip(both, listings, strict=True)
    )
    assert raw == stored
    assert [len(row) for row in raw] == [len(GEOMETRIES)] * 3


def test_a_second_run_parses_nothing_and_a_new_view_computes_itself_alone(both, tmp_path):
    raw, _ = both
    first, _ = _load(tmp_path, _source(raw, ("squished",)))
    other = {**raw.feature_spec, FEATURES.image: tf.io.FixedLenFeature([1], tf.int64)}
    unreadable = dataclasses.replace(raw, feature_spec=other)
    again, computed = _load(tmp_path, _source(unreadable, ("squished",)))
    assert computed == 0
    np.testing.assert_array_equal(first.features, again.features)
    assert _load(tmp_path, _source(raw, ("squished", "top")))[1] == len(first)


def test_another_vocabulary_is_read_anew_and_computes_nothing(both, tmp_path):
    raw, _ = both
    first, _ = _load(tmp_path, _source(raw))
    grown = dataclasses.replace(raw, labels=["Unknown", *LABELS])
    split, computed = _load(tmp_path, _source(grown))
    assert computed == 0
    assert split.labels[0].tolist() == [1, 1, 1, 0]
    np.testing.assert_array_equal(first.features, split.features)


def test_other_code_for_labels_or_pixels_takes_nothing_that_was_kept(both, tmp_path, monkeypatch):
    raw, _ = both
    _load(tmp_path, _source(raw, ("squished",)))
    known = preprocessing.multi_hot
    with monkeypatch.context() as patched:
        patched.setattr(preprocessing, "multi_hot", lambda *given: 1 - known(*given))
        split, computed = _load(tmp_path, _source(raw, ("squished",)))
        assert (computed, split.labels[0].tolist()) == (0, [0, 0, 1])
    monkeypatch.setattr("components.pixels.JPEG_QUALITY", 94)
    assert _load(tmp_path, _source(raw, ("squished",)))[1] == len(split)


def test_labels_that_were_outside_an_earlier_vocabulary_count(tmp_path):
    spec = {**RAW_SPEC, FEATURES.other_labels: tf.io.VarLenFeature(tf.string)}
    records = []
    for name, given, others in (("a", ["Drama"], ["Film-Noir"]), ("b", [], []), ("c", [], ["X"])):
        record = tf.train.Example.FromString(example(name, b"no image", given))
        values = record.features.feature[FEATURES.other_labels].bytes_list.value
        values.extend(label.encode() for label in others)
        records.append(record.SerializeToString())
    file = write_records(tmp_path / "raw.gz", records)
    (listed,) = listing.read(tmp_path / "kept", [RawExamples([str(file)], spec, FEATURES, LABELS)])
    assert listed.labels.tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert listed.digests[0] == listed.digests[1]


def test_an_image_that_cannot_be_decoded_is_named_and_what_was_computed_is_kept(tmp_path):
    output = transform({"a": encode(picture(0))}, GIVEN, CONFIG, tmp_path)[1]
    records = [example(f"{seed:03d}", encode(picture(seed)), GIVEN) for seed in range(150)]
    files = {
        split: write_records(tmp_path / f"Split-{split}" / "data.tfrecord", records)
        for split in ("train", "eval", "test")
    }
    broken = [*records[:140], example("broken", b"\xff\xd8\xff cut", GIVEN)]
    write_records(files["eval"], broken)
    fn_args = types.SimpleNamespace(
        transform_graph_path=output.transform_savedmodel_dir.rpartition("/")[0],
        train_files=[f"{tmp_path}/Split-train/*"],
        eval_files=[f"{tmp_path}/Split-eval/*"],
        custom_config={
            **CONFIG,
            "views": ["squished"],
            "settings": {"hub_handle": extractor.EMBEDDED},
            "feature_cache": str(tmp_path / "features"),
            "materialized": False,
            "fingerprints": {"embedding": "code"},
        },
    )
    with pytest.raises(PostersError) as caught:
        inputs.load(fn_args)
    for words in ("1 image(s) cannot be decoded", "id broken (7 bytes)", str(files["eval"])):
        assert words in str(caught.value)
    assert list((tmp_path / "features").rglob("part-*"))
    write_records(files["eval"], records[:140])
    found = inputs.load(fn_args)
    assert (len(found.train), len(found.evaluation)) == (150, 140)


def test_features_that_other_code_made_are_not_taken(tmp_path, capsys):
    output = transform({"a": encode(picture(0))}, GIVEN, CONFIG, tmp_path)[1]
    file = write_records(tmp_path / "data.tfrecord", [example("a", encode(picture(0)), GIVEN)])

    def computes(code):
        fn_args = types.SimpleNamespace(
            transform_graph_path=output.transform_savedmodel_dir.rpartition("/")[0],
            train_files=[str(file)],
            eval_files=[str(file)],
            custom_config={
                **CONFIG,
                "views": ["squished"],
                "settings": {"hub_handle": extractor.EMBEDDED},
                "feature_cache": str(tmp_path / "features"),
                "materialized": False,
                "fingerprints": {"embedding": code},
            },
        )
        inputs.load(fn_args)
        return "computed before" not in capsys.readouterr().out

    # What a wide image is made into, say: no drawn one would tell.
    assert [computes(code) for code in ("one", "one", "another")] == [True, False, True]
