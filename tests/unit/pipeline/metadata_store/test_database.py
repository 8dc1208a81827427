import contextlib
import sqlite3
import subprocess
import sys

import pytest

from components.errors import PostersError
from pipeline.metadata_store import database

_LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "metadata.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE artifacts (id INTEGER)")
        connection.commit()
    return path


def test_one_that_is_free_or_not_there_is_fine(path):
    before = path.read_bytes()
    database.check(path)
    assert path.read_bytes() == before
    path.unlink()
    database.check(path)
    assert not path.exists()


def test_one_that_another_process_keeps_is_named(path, monkeypatch):
    monkeypatch.setattr(database, "_PATIENCE_SECONDS", 0.01)
    process = subprocess.Popen(
        [sys.executable, "-c", _LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        process.stdout.readline()
        with pytest.raises(PostersError, match=f"{path} is locked: another program"):
            database.check(path)
    finally:
        process.communicate()
    database.check(path)


def test_one_that_is_damaged_is_named(path):
    path.write_bytes(b"no database" + path.read_bytes()[11:])
    with pytest.raises(PostersError, match=f"{path} is damaged"):
        database.check(path)
