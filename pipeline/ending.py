"""The end of a process that has loaded TensorFlow."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn


def end(status: int) -> NoReturn:
    """Ends the process with a status, or with 1 in place of 0 if its last words cannot be written.

    The end is Python's but for its last act: to take TensorFlow and TFX apart, object by object,
    takes two to three seconds.
    """
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the disk is full, or whoever read is gone
        status = status or 1
    os._exit(status)
