import pytest
from pydantic import ValidationError

from components.features import Features
from components.ingest import IngestOptions


def test_the_defaults_are_valid():
    assert sum(IngestOptions().split_shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("split_shares", {"train": 0.9, "eval": 0.1}),
        ("split_shares", {"train": 0.9, "eval": 0.1, "test": 0.0}),
        ("split_shares", {"train": 0.9, "eval": 0.1, "test": 0.1}),
        ("split_shares", {"train": float("nan"), "eval": 0.1, "test": 0.1}),
        ("split_shares", {"train": 0.8, "eval": 0.1, "validation": 0.1}),
        ("min_label_count", 0),
        ("shard_bytes", 0),
        ("max_hash_distance", 17),
        ("download_workers", 0),
        ("download_timeout", 0),
        ("table_format", "xml"),
        ("max_image_pixels", -1),
        ("max_rejected_share", 1.5),
        ("max_rejected_share", float("nan")),
        ("column_separator", ", "),
        ("column_separator", '"'),
        ("label_separator", ""),
        ("encoding", "latin-one"),
        ("encoding", "base64"),
        ("id_column", ""),
        ("min_label_cuont", 3),
        ("features", Features(image="image", labels="image")),
    ],
)
def test_a_value_out_of_range_is_an_error_that_names_the_option(name, value):
    with pytest.raises(ValidationError, match=rf"(?m)^{name}$"):
        IngestOptions(**{name: value})
