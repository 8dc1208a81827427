import numpy as np

from components.trainer import embedding_samples
from components.trainer.cached_features import CachedFeatures


def _split(count, seed, order=None):
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(count, 12)).astype(np.float32)
    ids = np.array([f"tt{row:05d}" for row in range(count)], dtype="S")
    rows = np.arange(count) if order is None else order
    ids = ids[rows]
    return CachedFeatures(features[rows], np.zeros((count, 1)), ids, np.argsort(ids), ids)


def _of(train, evaluation=50, order=None):
    return embedding_samples.of_frozen(_split(train, 1, order), _split(evaluation, 2), seed=0)


def test_the_reference_is_eval_and_the_half_of_train_that_no_axis_comes_from():
    small = _of(101)
    assert len(small.reference) == 50 + 50
    large = _of(5000)
    assert len(large.reference) == 1000
    assert len(_of(5000, evaluation=3000).reference) == 1000
    np.testing.assert_allclose(large.components @ large.components.T, np.eye(12), atol=1e-5)


def test_it_does_not_depend_on_how_the_examples_are_sharded():
    plain, shuffled = _of(300), _of(300, order=np.random.default_rng(5).permutation(300))
    np.testing.assert_array_equal(plain.reference, shuffled.reference)
    np.testing.assert_array_equal(plain.components, shuffled.components)
