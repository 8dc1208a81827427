import tracemalloc

import numpy as np
import pytest

from components.trainer import cached_features, feature_store
from components.trainer.cached_features import CachedFeatures, gather


def _matrix(rows=5000, width=40):
    return np.random.default_rng(0).normal(size=(rows, width)).astype(np.float32)


def _split(matrix, folder):
    count = len(matrix)
    features = gather(matrix.shape, folder, lambda rows: matrix[rows])
    ids = np.array([b"%05d" % (count - row) for row in range(count)])
    labels = np.zeros((count, 2), np.float32)
    return CachedFeatures(features, labels, ids, np.argsort(ids), ids)


@pytest.mark.parametrize("limit", [0, 256 << 20])
def test_rows_are_the_same_from_memory_and_from_disk(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(cached_features, "MEMORY_BYTES", limit)
    matrix = _matrix()
    split = _split(matrix, tmp_path)
    assert (len(split), split.width) == matrix.shape
    assert split.take(slice(0, 0)).shape == (0, 40)
    for rows in (np.array([4999, 0, 17, 17]), slice(2040, 2060), split.by_id[:100]):
        taken = split.take(rows)
        assert type(taken) is np.ndarray
        assert taken.dtype == np.float32
        np.testing.assert_array_equal(taken, matrix[rows])
    for size in (1, 999, 5000, 9999):
        chunks = list(split.chunks(size))
        assert max(map(len, chunks)) <= size
        np.testing.assert_array_equal(np.concatenate(chunks), matrix)
    assert list(tmp_path.iterdir()) == []


def test_each_row_is_read_once(tmp_path):
    asked = []
    gather((5000, 3), tmp_path, lambda rows: asked.append(rows) or np.zeros((5000, 3))[rows])
    assert np.concatenate([np.arange(5000)[rows] for rows in asked]).tolist() == list(range(5000))


def _peak(rows, folder):
    """Bytes allocated at the peak, from a store to the end of a pass and of an epoch of batches."""
    width, ids = 256, np.arange(rows)
    keys = ids.astype(feature_store.DIGEST)
    writer = feature_store.PartWriter(folder)
    for start in range(0, rows, 2048):
        values = np.arange(start, start + 2048, dtype=np.float32)
        writer.add(keys[start : start + 2048], np.repeat(values[:, None], width, axis=1))
    store = feature_store.FeatureStore(folder, width)
    order = np.random.default_rng(0).permutation(rows)
    tracemalloc.start()
    try:
        features = gather((rows, width), folder, lambda part: store.read(keys[part]))
        split = CachedFeatures(features, np.zeros((rows, 1), np.float32), ids, ids, ids)
        assert sum(chunk[:, 0].sum(dtype=np.float64) for chunk in split.chunks(1024)) == ids.sum()
        for start in range(0, rows, 256):
            batch = order[start : start + 256]
            np.testing.assert_array_equal(split.take(batch)[:, -1], batch)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_rows_above_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(cached_features, "MEMORY_BYTES", 8 << 20)
    within, above, far_above = (_peak(rows, tmp_path / str(rows)) for rows in (8192, 16384, 65536))
    assert within > 8 << 20
    assert above < within
    # Labels grow, some bytes a row; the features of these rows are 64 MiB.
    assert far_above < above + (1 << 20)
