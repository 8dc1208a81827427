"""Features of real images by a real extractor: computed once, whatever comes in between."""

import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components import pixels, views
from components.errors import PostersError
from components.trainer import extraction, extractor
from components.trainer.examples import StoredExamples
from tests.examples import (
    FEATURES,
    encode,
    picture,
    transformed_example,
    transformed_spec,
    write_records,
)

SIZE = 96
LABELS = 3
COUNT = 70
FOUR_VIEWS = ("squished", "squished_mirrored", "top", "bottom")


def _records(indexes, names=("squished",), labels=lambda index: [index % 2, index % 3 == 0, 1]):
    images = tf.constant([encode(picture(index)) for index in indexes])
    stored = pixels.materialize(images, SIZE, views.geometries(names)).numpy()
    return [
        transformed_example(f"{index:04d}", row, labels(index))
        for index, row in zip(indexes, stored, strict=True)
    ]


def _source(files, names=("squished",)):
    return extraction.FeatureSource(
        examples=StoredExamples(
            files=[str(file) for file in files],
            feature_spec=transformed_spec(len(views.geometries(names)), LABELS),
            features=FEATURES,
            geometries=views.geometries(names),
        ),
        extractor=extractor.load(extractor.EMBEDDED, SIZE),
        extractor_fingerprint=extractor.fingerprint(extractor.EMBEDDED),
        code="code",
        image_size=SIZE,
        views=names,
    )


def _load(cache, source):
    """The features, and how many views of images were computed for them."""
    done = [0]
    return extraction.load_or_compute(cache, source, done.append), done[-1]


@pytest.fixture(scope="module")
def records():
    return _records(range(COUNT))


@pytest.fixture
def source(records, tmp_path):
    return _source([write_records(tmp_path / "examples-0.gz", records)])


def _content(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_features_are_what_the_extractor_gives(source, records, tmp_path):
    split, _ = _load(tmp_path / "cache", source)
    assert len(split) == COUNT
    spec = transformed_spec(1, LABELS)
    for row in (0, 33, COUNT - 1):
        parsed = tf.io.parse_single_example(records[row], spec)
        image = pixels.to_model_input(parsed[FEATURES.image_xf], SIZE)
        np.testing.assert_allclose(split.take(row), source.extractor(image)[0], atol=1e-5)
        np.testing.assert_array_equal(split.labels[row], parsed[FEATURES.labels_xf])
        assert split.ids[row] == b"%04d" % row


def test_features_of_several_views_are_their_mean(tmp_path):
    records = _records(range(9), FOUR_VIEWS)
    source = _source([write_records(tmp_path / "four.gz", records)], FOUR_VIEWS)
    split, computed = _load(tmp_path / "cache", source)
    assert computed == 9 * 4
    stored = tf.io.parse_example(records, transformed_spec(3, LABELS))[FEATURES.image_xf]
    images = pixels.to_model_views(stored, SIZE, FOUR_VIEWS)
    wanted = np.mean([source.extractor(view) for view in images], axis=0)
    np.testing.assert_allclose(split.take(slice(None)), wanted, atol=1e-5)


def test_features_are_computed_once_and_the_second_time_nothing_is_written(source, tmp_path):
    first, computed = _load(tmp_path / "cache", source)
    assert computed == COUNT
    before = _content(tmp_path / "cache")
    again, computed = _load(tmp_path / "cache", source)
    assert computed == 0
    assert _content(tmp_path / "cache") == before
    np.testing.assert_array_equal(first.take(slice(None)), again.take(slice(None)))


def test_a_second_run_does_not_even_parse_the_examples(source, tmp_path):
    _load(tmp_path / "cache", source)
    other = {FEATURES.image_xf: tf.io.FixedLenFeature([1], tf.int64)}  # fits no example
    unreadable = dataclasses.replace(source.examples, feature_spec=other)
    split, _ = _load(tmp_path / "cache", dataclasses.replace(source, examples=unreadable))
    assert len(split) == COUNT


def test_sharding_and_names_of_files_change_neither_rows_nor_their_order(records, tmp_path):
    halves = [
        write_records(tmp_path / "b.gz", records[COUNT // 2 :]),
        write_records(tmp_path / "a.gz", records[: COUNT // 2]),
    ]
    split, _ = _load(tmp_path / "cache", _source(halves))
    assert list(split.ids[split.by_id]) == [b"%04d" % index for index in range(COUNT)]
    renamed = [half.rename(tmp_path / f"c-{half.name}") for half in halves]
    before = _content(tmp_path / "cache")
    again, computed = _load(tmp_path / "cache", _source(renamed[::-1]))
    assert computed == 0
    assert _content(tmp_path / "cache") == before
    np.testing.assert_array_equal(split.ids, again.ids)
    np.testing.assert_array_equal(split.take(slice(None)), again.take(slice(None)))


def test_more_images_other_labels_and_other_splits_compute_only_what_is_new(
    source, records, tmp_path
):
    first, _ = _load(tmp_path / "cache", source)
    relabelled = _records(range(20, COUNT + 4), labels=lambda index: [0, 0, index])
    later = _source([write_records(tmp_path / "later.gz", relabelled)])
    split, computed = _load(tmp_path / "cache", later)
    assert computed == 4
    assert split.labels[:, 2].tolist() == list(range(20, COUNT + 4))
    np.testing.assert_array_equal(split.take(slice(0, 50)), first.take(slice(20, COUNT)))


def test_splits_in_one_pass_are_what_each_is_alone(records, tmp_path):
    shards = [(0, 20), (15, 50), (50, COUNT), (40, 45)]
    files = [write_records(tmp_path / f"{start}.gz", records[start:end]) for start, end in shards]
    train, evaluation = _source(files[:3]), _source(files[3:])
    done = [0]
    found = extraction.of_splits(
        tmp_path / "together", train, [train.examples, evaluation.examples], done.append
    )
    assert done[-1] == COUNT  # what two files or both splits have is computed once
    for split, source in zip(found, (train, evaluation), strict=True):
        alone, _ = _load(tmp_path / "alone", source)
        for name in ("features", "labels", "ids", "by_id", "digests"):
            np.testing.assert_array_equal(getattr(split, name), getattr(alone, name))
        assert split.files == alone.files
        assert dict(split.files).keys() == set(source.examples.files)


def test_files_with_nothing_new_are_not_read(records, tmp_path):
    old, new = (write_records(tmp_path / f"{name}.gz", records[:4]) for name in ("old", "new"))
    write_records(new, records[4:9])
    source = _source([old])
    _load(tmp_path / "cache", source)
    content = old.read_bytes()
    both = _source([old, new])

    class Spoiled(StoredExamples):
        """Whose old file is gone once it is listed."""

        def images(self, files, wanted):
            old.unlink()
            return super().images(files, wanted)

    spoiled = Spoiled(**vars(both.examples))
    split, computed = _load(tmp_path / "cache", dataclasses.replace(both, examples=spoiled))
    assert (computed, len(split)) == (5, 9)
    old.write_bytes(content)
    again, _ = _load(tmp_path / "other", both)
    np.testing.assert_array_equal(split.features, again.features)


def test_an_image_that_is_there_twice_is_computed_once(records, tmp_path):
    twice = [*records[:5], *records[:5]]
    split, computed = _load(tmp_path / "cache", _source([write_records(tmp_path / "2.gz", twice)]))
    assert computed == 5
    assert len(split) == 10
    np.testing.assert_array_equal(split.take(slice(0, 5)), split.take(slice(5, 10)))


def test_more_views_compute_only_those_that_are_new(tmp_path):
    def split(names):
        file = write_records(tmp_path / f"{'-'.join(names)}.gz", _records(range(9), names))
        return _load(tmp_path / "cache", _source([file], names))

    steps = [("squished",), ("squished", "squished_mirrored"), FOUR_VIEWS, ("top", "squished")]
    assert [split(names)[1] for names in steps] == [9, 9, 18, 0]
    fresh, computed = _load(
        tmp_path / "fresh", _source([tmp_path / f"{'-'.join(FOUR_VIEWS)}.gz"], FOUR_VIEWS)
    )
    assert computed == 36
    np.testing.assert_array_equal(split(FOUR_VIEWS)[0].take(slice(None)), fresh.features)


def test_another_extractor_other_code_or_pixels_share_no_feature(source, tmp_path, monkeypatch):
    _load(tmp_path / "cache", source)
    for changed in ({"extractor_fingerprint": "other"}, {"code": "other"}):
        other = dataclasses.replace(source, **changed)
        assert _load(tmp_path / "cache", other)[1] == COUNT
    monkeypatch.setattr(pixels, "normalize", lambda images: tf.cast(images, tf.float32) / 256.0)
    assert _load(tmp_path / "cache", source)[1] == COUNT


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_keeps_what_it_computed(source, tmp_path, error):
    def stop(done):
        raise error

    with pytest.raises(error):
        extraction.load_or_compute(tmp_path / "cache", source, stop)
    split, computed = _load(tmp_path / "cache", source)
    assert computed == COUNT - 64
    fresh, _ = _load(tmp_path / "fresh", source)
    np.testing.assert_array_equal(split.take(slice(None)), fresh.take(slice(None)))


#: Fills a store in a process of its own, in parts of 64 rows; at `halt` views it waits for a line.
_FILL = """
import sys
from pathlib import Path
from components.trainer import extraction, feature_store
from tests.integration.test_extraction import FOUR_VIEWS, _source

feature_store.PART_ROWS = 64

def show(done):
    if done >= halt and not waited:
        waited.append(done)
        print(done, flush=True)
        sys.stdin.readline()

file, cache, halt, waited = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), []
extraction.load_or_compute(cache, _source([file], FOUR_VIEWS), show)
"""


def _filling(file: Path, cache: Path, halt: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", _FILL, str(file), str(cache), str(halt)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A split of 200 images of three geometries, and its features computed in one go."""
    folder = tmp_path_factory.mktemp("many")
    file = write_records(folder / "many.gz", _records(range(200), FOUR_VIEWS))
    split, computed = _load(folder / "cache", _source([file], FOUR_VIEWS))
    assert computed == 800
    return file, split


def test_a_killed_run_is_taken_up_where_it_stopped(many, tmp_path):
    file, whole = many
    process = _filling(file, tmp_path / "cache", halt=300)
    done = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    split, computed = _load(tmp_path / "cache", _source([file], FOUR_VIEWS))
    # Each of the four stores may have lost a part that was not full.
    assert 800 - done <= computed <= 800 - done + 4 * 64
    np.testing.assert_array_equal(split.take(slice(None)), whole.take(slice(None)))
    assert _load(tmp_path / "cache", _source([file], FOUR_VIEWS))[1] == 0


def test_two_processes_fill_one_store_at_once(many, tmp_path):
    file, whole = many
    both = [_filling(file, tmp_path / "cache", halt=1) for _ in range(2)]
    for process in both:
        assert process.stdout.readline()  # on its way, with at most a batch from the other
    for process in both:
        process.stdin.write("go on\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=300)
        assert process.returncode == 0
    keys = (tmp_path / "cache").rglob("digests")
    assert sum(path.stat().st_size for path in keys) / 16 >= 2 * 800 - 64
    split, computed = _load(tmp_path / "cache", _source([file], FOUR_VIEWS))
    assert computed == 0
    np.testing.assert_array_equal(split.take(slice(None)), whole.take(slice(None)))


def _damage(folder, pattern):
    for path in folder.glob(pattern):
        path.write_bytes(path.read_bytes()[:-100])


def test_damage_is_computed_again_and_said(source, tmp_path, capsys):
    cache = tmp_path / "cache"
    first, _ = _load(cache, source)
    _damage(cache, "*/part-*/features.f32")
    again, computed = _load(cache, source)
    assert computed == COUNT
    assert "is damaged" in capsys.readouterr().out
    _damage(cache, "listings/*")
    third, computed = _load(cache, source)
    assert computed == 0
    assert "is damaged" in capsys.readouterr().out
    for split in (again, third):
        np.testing.assert_array_equal(split.take(slice(None)), first.take(slice(None)))
        np.testing.assert_array_equal(split.labels, first.labels)
        np.testing.assert_array_equal(split.ids, first.ids)
    assert _load(cache, source)[1] == 0
    assert capsys.readouterr().out == ""


def test_features_that_are_no_numbers_are_refused_and_named(source, tmp_path):
    def broken(images):
        vectors = tf.reduce_mean(images, (1, 2))
        return tf.concat([vectors[:1] / 0.0, vectors[1:]], 0)

    source = dataclasses.replace(source, extractor=broken)
    with pytest.raises(PostersError, match="NaN or infinity for id 0000"):
        _load(tmp_path / "cache", source)


def test_an_empty_split_is_an_error_that_names_it(tmp_path):
    source = _source([write_records(tmp_path / "empty.gz", [])])
    for _ in range(2):
        with pytest.raises(PostersError, match=r"no example in .*empty\.gz"):
            _load(tmp_path / "cache", source)
    with pytest.raises(PostersError, match="no example in the split"):
        _load(tmp_path / "cache", _source([]))
