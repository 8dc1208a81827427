from pathlib import Path

import pytest

from components import paths
from components.paths import to_path
from components.store_path import StorePath


@pytest.mark.parametrize("text", ["gs://bucket/data", "s3://bucket/data/", "hdfs://data"])
def test_an_address_is_a_path_on_a_store(text):
    path = to_path(text)
    assert path == StorePath(text.rstrip("/"))
    assert str(path / "span-1" / "train") == f"{text.rstrip('/')}/span-1/train"


@pytest.mark.parametrize("text", ["data", "/data/x", "./gs:/x", "C:/x"])
def test_anything_else_is_local(text):
    assert to_path(text) == Path(text)


def test_parts_of_a_store_path_are_those_of_pathlib():
    here, there = Path("/bucket/data/span-1"), StorePath("gs://bucket/data/span-1")
    assert there.name == here.name
    assert there.parent.name == here.parent.name
    assert there.with_name("x").parent == there.parent
    names = ["b", "a/c", "a/b"]
    assert [str(path)[len(str(there)) + 1 :] for path in sorted(there / n for n in names)] == [
        str(path.relative_to(here)) for path in sorted(here / n for n in names)
    ]


def test_sizes_are_of_the_files_that_are_there(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a").write_bytes(b"123")
    names = ["train/a", "train/b", "train"]
    assert paths.sizes(tmp_path, names) == {"train/a": 3}


def test_a_local_file_is_its_own_copy(tmp_path):
    with paths.local_copy(tmp_path / "a") as copy:
        assert copy == tmp_path / "a"
