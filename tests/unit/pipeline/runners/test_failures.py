import errno
import os

import pytest

from components.errors import PostersError
from pipeline.runners import failures, guard, usage
from pipeline.runners.reports import NodeFailedError, NodeReport


def _explained(cause, suspects=()):
    reports = [
        NodeReport("Transform", "run", 1.0, usage.NOTHING),
        NodeReport("Trainer", "failed", 1.0, usage.NOTHING),
    ]
    failure = NodeFailedError(reports, suspects)
    failure.__cause__ = cause
    return failures.explain(failure)


def test_what_the_project_raises_speaks_for_itself():
    said = _explained(PostersError("genres.csv, row 17: no title. Give one."))
    assert said == "Trainer: genres.csv, row 17: no title. Give one."


def test_what_a_library_raises_is_named_by_its_first_line():
    assert _explained(KeyError("loss\nat line 9")) == "Trainer: KeyError: 'loss\\nat line 9'"
    assert _explained(ValueError("\n no loss\nat line 9")) == "Trainer: ValueError: no loss"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_known_by_its_words_and_is_no_damage(number):
    words = f"RuntimeError: shard 3\n[Errno] {os.strerror(number)}"
    said = _explained(RuntimeError(words), ("Transform/7",))
    assert said.startswith("Trainer: the disk is full (RuntimeError: shard 3). Free some space")
    assert "--set workspace=FOLDER" in said


def test_a_damaged_file_names_the_folders_to_remove():
    said = _explained(OSError("corrupted record at 12"), ("Transform/7", "Schema/2"))
    assert "a file that it reads is damaged (OSError: corrupted record at 12)" in said
    assert said.endswith(": Transform/7, Schema/2")


def test_a_locked_database_says_what_to_close():
    said = _explained(RuntimeError("Concurrent writes aborted after 60 s"))
    assert "ML Metadata was locked by another program" in said


def test_an_interruption_is_told_whatever_a_library_made_of_it():
    wrapped = RuntimeError("bundle failed")
    wrapped.__cause__ = guard.InterruptedRunError("SIGTERM")
    assert _explained(wrapped).startswith("Trainer was interrupted. What the nodes before it made")
