"""Files that are gzipped and files that are not."""

import pytest

from components import record_files
from tests.examples import write_records


def _read(files):
    return [record.numpy() for record in record_files.read(files)]


def test_files_of_both_forms_come_one_after_the_other(tmp_path):
    plain = write_records(tmp_path / "b.tfrecord", [b"1", b"2"])
    packed = write_records(tmp_path / "a.gz", [b"3"])
    assert _read([str(plain), str(packed)]) == [b"1", b"2", b"3"]
    assert _read(str(packed)) == [b"3"]


def test_apart_no_batch_is_of_two_files_and_each_says_which_it_is_of(tmp_path):
    files = [
        write_records(tmp_path / "b.tfrecord", [b"1", b"2", b"3"]),
        write_records(tmp_path / "empty.tfrecord", []),
        write_records(tmp_path / "a.gz", [b"4"]),
    ]
    batches = record_files.read_apart([str(file) for file in files], 2)
    assert [(records.tolist(), place) for records, place in batches.as_numpy_iterator()] == [
        ([b"1", b"2"], 0),
        ([b"3"], 0),
        ([b"4"], 2),
    ]


def test_what_is_made_of_them_is_not_tuned(tmp_path):
    """The thread that tunes a data set holds up the end of its iterators."""
    files = [str(write_records(tmp_path / "a.tfrecord", [b"1"]))]
    for records in (record_files.read(files), record_files.read_apart(files, 2)):
        made = records.batch(2).map(lambda *given: given, num_parallel_calls=2).prefetch(1)
        assert made.options().autotune.enabled is False


def test_no_file_is_no_record():
    assert _read([]) == []


@pytest.mark.parametrize("name", ["odd\nname.gz", "x.gz.tfrecord"])
def test_the_end_of_a_name_tells(tmp_path, name):
    assert _read([str(write_records(tmp_path / name, [b"1"]))]) == [b"1"]
