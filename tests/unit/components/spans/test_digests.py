"""Digests of examples' files: a span's from its record, others from their content."""

import hashlib

import pytest

from components.errors import PostersError
from components.spans import digests
from components.spans.record import SpanRecord, WindowRecord

SHARD, OTHER = "Split-train/span-00001-data", "Split-train/none.tfrecord"


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def examples(tmp_path):
    """An artifact with a shard that is in the record and a file that is not."""
    for name, content in ((SHARD, b"shard"), (OTHER, b"other")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    _record(tmp_path, {SHARD: "as the manifest says"})
    return tmp_path


def _record(folder, files):
    span = SpanRecord(1, "data/span-1", "f" * 64, None, {}, {}, files)
    WindowRecord((span,), ("Drama",), (1,)).write(str(folder))


def test_a_shard_in_the_record_is_not_read_and_another_file_is(examples):
    files = [str(examples / name) for name in (SHARD, OTHER)]
    (examples / SHARD).unlink()
    wanted = ["as the manifest says", _sha256(b"other")]
    assert digests.of(files) == dict(zip(files, wanted, strict=True))


def test_without_a_record_all_is_read(examples):
    (examples / "window.json").unlink()
    file = str(examples / SHARD)
    assert digests.of([file]) == {file: _sha256(b"shard")}


def test_a_record_from_before_digests_were_kept_is_one(examples):
    _record(examples, {})
    path = examples / "window.json"
    path.write_text(path.read_text().replace('"files": {}', '"x": 0').replace(',\n   "x": 0', ""))
    assert "files" not in path.read_text()
    file = str(examples / SHARD)
    assert digests.of([file]) == {file: _sha256(b"shard")}


def test_a_record_that_is_none_is_named(examples):
    (examples / "window.json").write_text("{")
    with pytest.raises(PostersError, match=r"window\.json cannot be read"):
        digests.of([str(examples / SHARD)])
