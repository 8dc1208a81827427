import os
import shutil
import time

import numpy as np
import pytest

from components.errors import PostersError
from components.trainer import feature_store
from components.trainer.feature_store import DIGEST, FeatureStore, PartWriter

WIDTH = 5


def _keys(*numbers):
    # A digest may end in zeros, which NumPy drops when it shows one.
    return np.array([number.to_bytes(2, "big") + bytes(14) for number in numbers], DIGEST)


def _rows(*numbers):
    return np.array(numbers, np.float32)[:, None] + np.arange(WIDTH, dtype=np.float32) / 8


def _write(folder, *parts):
    folder.mkdir(exist_ok=True)
    for numbers in parts:
        writer = PartWriter(folder)
        writer.add(_keys(*numbers), _rows(*numbers))
        writer.publish()
    return FeatureStore(folder, WIDTH)


def _parts(folder):
    return sorted(folder.glob("part-*"))


def test_rows_come_back_by_key_in_any_order(tmp_path):
    store = _write(tmp_path / "store", [7, 3, 900], [5, 256], [1])
    wanted = [256, 1, 7, 7, 900, 5, 3]
    np.testing.assert_array_equal(store.read(_keys(*wanted)), _rows(*wanted))
    assert store.holds(_keys(1, 2, 0, 65535, 256)).tolist() == [True, False, False, False, True]


def test_an_empty_store_holds_nothing(tmp_path):
    store = FeatureStore(tmp_path / "store", WIDTH)
    assert len(store) == 0
    assert not store.holds(_keys(0, 1)).any()
    assert store.read(_keys()).shape == (0, WIDTH)


def test_a_row_that_is_there_twice_does_no_harm(tmp_path):
    store = _write(tmp_path / "store", [1, 2], [2, 3], [2])
    assert len(store) == 5
    np.testing.assert_array_equal(store.read(_keys(1, 2, 3)), _rows(1, 2, 3))


def test_asking_for_a_row_that_is_gone_is_an_error_that_names_the_store(tmp_path):
    store = _write(tmp_path / "store", [1])
    with pytest.raises(PostersError, match=f"gone from {tmp_path / 'store'}"):
        store.read(_keys(1, 2))


def test_a_writer_publishes_full_parts_and_in_the_end_the_rest(tmp_path):
    writer = PartWriter(tmp_path)
    for start in range(0, 5000, 100):
        numbers = range(start, start + 100)
        writer.add(_keys(*numbers), _rows(*numbers))
        assert len(_parts(tmp_path)) == (start + 100) // 2100
    writer.publish()
    writer.publish()
    assert len(_parts(tmp_path)) == 3
    store = FeatureStore(tmp_path, WIDTH)
    np.testing.assert_array_equal(store.read(_keys(*range(5000))), _rows(*range(5000)))


def test_a_slow_extractors_part_is_published_by_its_age(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_store, "PART_SECONDS", -1.0)
    writer = PartWriter(tmp_path)
    for number in (1, 2):
        writer.add(_keys(number), _rows(number))
        assert len(_parts(tmp_path)) == number


def _cut(name, size):
    def damage(part):
        content = (part / name).read_bytes()
        (part / name).write_bytes(content[:size])

    return damage


def _written(name, content):
    return lambda part: (part / name).write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        _cut("features.f32", -1),
        _cut("features.f32", WIDTH * 4),
        _cut("features.f32", 0),
        _cut("digests", -1),
        _cut("digests", 16),
        _cut("digests", 0),
        lambda part: (part / "features.f32").unlink(),
        lambda part: (part / "digests").unlink(),
        _written("features.f32", _rows(1, 2, 3).tobytes()),
        _written("features.f32", _rows(1, 2)[:, 1:].tobytes()),
        _written("digests", _keys(1, 2, 3).tobytes()),
        lambda part: (_cut("digests", 0)(part), _cut("features.f32", 0)(part)),
        lambda part: (_cut("digests", 17)(part), _cut("features.f32", WIDTH * 4)(part)),
        lambda part: (shutil.rmtree(part), part.write_bytes(b"")),
    ],
)
def test_a_damaged_part_is_set_aside_and_the_others_serve(tmp_path, capsys, damage):
    folder = tmp_path / "store"
    _write(folder, [1, 2])
    (broken,) = _parts(folder)
    damage(broken)
    store = _write(folder, [3])
    assert store.holds(_keys(1, 2, 3)).tolist() == [False, False, True]
    assert broken not in _parts(folder)
    (aside,) = folder.glob(".damaged-*")
    printed = capsys.readouterr().out.replace("\n", "")
    assert f"{broken} is damaged" in printed
    assert aside.name in printed
    FeatureStore(folder, WIDTH)
    assert capsys.readouterr().out == ""


def test_a_part_that_vanishes_while_it_is_opened_counts_as_missing(tmp_path, capsys):
    part = tmp_path / "part-x"
    feature_store.set_aside(part, "gone")
    assert capsys.readouterr().out == ""


def test_old_leftovers_are_swept_and_young_ones_left(tmp_path):
    store = _write(tmp_path / "store", [1, 2])
    folder = tmp_path / "store"
    day = 24 * 3600
    for name, age in (("old", day + 60), ("young", day - 60)):
        scratch = folder / f".part-{name}.abc"
        scratch.mkdir()
        (scratch / "features.f32").write_bytes(b"half")
        file = folder / f".file-{name}"
        file.write_bytes(b"half")
        for path in (scratch, file):
            os.utime(path, (time.time() - age,) * 2)
    os.utime(_parts(folder)[0], (0, 0))
    store = FeatureStore(folder, WIDTH)
    assert sorted(path.name for path in folder.glob(".*")) == [".file-young", ".part-young.abc"]
    assert store.holds(_keys(1, 2)).all()


def test_what_is_set_aside_is_kept_for_a_day_whatever_its_age(tmp_path):
    folder = tmp_path / "store"
    _write(folder, [1, 2])
    (part,) = _parts(folder)
    (part / "digests").write_bytes(b"")
    os.utime(part, (0, 0))
    FeatureStore(folder, WIDTH)
    FeatureStore(folder, WIDTH)
    assert len(list(folder.glob(".damaged-*"))) == 1
