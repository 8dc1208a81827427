import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from components import files


def test_write_text_replaces_in_one_step(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    files.write_text(path, "one")
    files.write_text(path, "two")
    assert path.read_text() == "two"
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]


def test_threads_that_write_at_once_keep_the_umask(tmp_path, monkeypatch):
    set_umask = os.umask

    def slow(mask):
        before = set_umask(mask)
        time.sleep(1e-4)  # another thread's turn
        return before

    before = set_umask(0o077)
    try:
        monkeypatch.setattr(os, "umask", slow)
        with ThreadPoolExecutor(8) as pool:
            for number in range(50):
                pool.submit(files.write_text, tmp_path / str(number), "")
    finally:
        after = set_umask(before)
    assert after == 0o077
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_failed_write_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", no_space)
    with pytest.raises(OSError, match="No space") as caught:
        files.write_text(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_new_folder_appears_whole(tmp_path):
    with files.new_folder(tmp_path / "out") as scratch:
        (scratch / "a").write_text("a")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "a").read_text() == "a"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_new_folder_leaves_nothing_after_a_failure(tmp_path, error):
    with pytest.raises(error), files.new_folder(tmp_path / "out") as scratch:
        (scratch / "a").write_text("a")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_new_folder_does_not_replace_a_full_one(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").write_text("kept")
    with pytest.raises(OSError), files.new_folder(tmp_path / "out") as scratch:
        (scratch / "a").write_text("a")
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "kept").exists()


def test_folder_digest_sees_names_and_contents(tmp_path):
    for name, content in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(content)
    same = files.folder_digest(tmp_path / "a")
    assert same == files.folder_digest(tmp_path / "b")
    assert same != files.folder_digest(tmp_path / "c")
    (tmp_path / "a" / "file").rename(tmp_path / "a" / "other")
    assert same != files.folder_digest(tmp_path / "a")
