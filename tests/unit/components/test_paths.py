from pathlib import Path

import pytest
from hdfs.util import HdfsError

from components import paths
from components.paths import to_path
from components.store_path import StorePath, as_os_error


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


@pytest.mark.parametrize(
    ("name", "kind"), [("FileNotFoundException", FileNotFoundError), ("StandbyException", OSError)]
)
def test_what_hdfs_calls_not_found_is_not_found(name, kind):
    with pytest.raises(OSError, match="hdfs://data/x") as caught, as_os_error("hdfs://data/x"):
        raise HdfsError("no luck", exception=name)
    assert type(caught.value) is kind


def test_sizes_are_of_the_files_that_are_there(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a").write_bytes(b"123")
    names = ["train/a", "train/b", "train"]
    assert paths.sizes(tmp_path, names) == {"train/a": 3}


def test_a_local_file_is_its_own_copy(tmp_path):
    with paths.local_copy(tmp_path / "a") as copy:
        assert copy == tmp_path / "a"


@pytest.mark.parametrize("links", [True, False], ids=["a link", "a copy"])
def test_a_file_is_brought_again_and_again_and_its_source_stays(tmp_path, monkeypatch, links):
    source, target = tmp_path / "source", tmp_path / "below" / "target"
    source.write_bytes(b"records")
    paths.bring_file(source, target)
    assert target.samefile(source)
    if not links:

        def refuse(*_):
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(paths.os, "link", refuse)
    paths.bring_file(source, target)
    assert target.samefile(source) == links
    assert (source.read_bytes(), target.read_bytes()) == (b"records", b"records")
    target.unlink()
    assert source.read_bytes() == b"records"


def test_a_link_is_followed(tmp_path):
    (tmp_path / "file").write_bytes(b"records")
    (tmp_path / "link").symlink_to("file")
    paths.bring_file(tmp_path / "link", tmp_path / "target")
    assert not (tmp_path / "target").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"records"
