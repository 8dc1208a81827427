"""What is said of a node that failed: what happened, and what a person does next."""

from __future__ import annotations

import errno
import os

from components.errors import PostersError
from pipeline.runners import guard
from pipeline.runners.reports import NodeFailedError

#: What is said of a disk, or of a person's share of one, that has no room.
_FULL = (*map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)), "disk is full")
#: What ML Metadata says where another program keeps its database locked.
_LOCKED = "Concurrent writes aborted"


def explain(failure: NodeFailedError) -> str:
    """Says what became of the node that failed first, in one paragraph.

    Args:
      failure: its cause is what the node raised, or what a library made of that.
    """
    node, cause = failure.failed.id, failure.__cause__
    if guard.was_interrupted(cause):
        return (
            f"{node} was interrupted. What the nodes before it made is kept: the next run goes on "
            "from there."
        )
    if isinstance(cause, PostersError):
        return f"{node}: {cause}"
    first_line = str(cause).strip().split("\n", 1)[0]
    # Beam and ML Metadata pass on the words of an error, not its number.
    if any(words in str(cause) for words in _FULL):
        return (
            f"{node}: the disk is full ({first_line}). Free some space, or choose another folder "
            "with --set workspace=FOLDER, and run again: nothing half-written was kept."
        )
    if failure.suspects:
        return (
            f"{node}: a file that it reads is damaged ({type(cause).__name__}: {first_line}). "
            "Remove the folder with that file and run again, then what wrote it runs once more: "
            f"{', '.join(failure.suspects)}"
        )
    if _LOCKED in str(cause):
        return (
            f"{node}: ML Metadata was locked by another program for as long as was waited. Close "
            "what has its database open to write, and run again: what was done is kept."
        )
    return f"{node}: {type(cause).__name__}: {first_line}"
