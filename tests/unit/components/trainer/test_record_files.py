"""Files that are gzipped and files that are not."""

import pytest

from components.trainer import record_files
from tests.examples import write_records


def _read(files):
    return [record.numpy() for record in record_files.read(files)]


def test_files_of_both_forms_come_one_after_the_other(tmp_path):
    plain = write_records(tmp_path / "b.tfrecord", [b"1", b"2"])
    packed = write_records(tmp_path / "a.gz", [b"3"])
    assert _read([str(plain), str(packed)]) == [b"1", b"2", b"3"]
    assert _read(str(packed)) == [b"3"]


def test_no_file_is_no_record():
    assert _read([]) == []


@pytest.mark.parametrize("name", ["odd\nname.gz", "x.gz.tfrecord"])
def test_the_end_of_a_name_tells(tmp_path, name):
    assert _read([str(write_records(tmp_path / name, [b"1"]))]) == [b"1"]
