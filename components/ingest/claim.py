"""Who may write to a data root on a store: one ingest at a time, as long as it shows signs of life.

A store knows nothing of processes, so no lock there ends with one. The claim is a small file that
its holder writes anew every few seconds. One that stays the same for long enough is of an ingest
that was killed, and is taken over. Nobody's clock is compared with another's.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator

from components.errors import PostersError
from components.ingest import conditional
from components.store_path import StorePath

#: Seconds between two signs of life.
BEAT = 10.0
#: Seconds without one after which an ingest counts as killed.
SILENCE = 60.0
_LOOK_EVERY = 1.0


@contextlib.contextmanager
def claimed(path: StorePath) -> Iterator[Claim]:
    """Holds the claim for the block.

    Args:
      path: the claim's file.

    Raises:
      PostersError: another ingest holds it.
      OSError: the store cannot be asked.
    """
    claim = Claim(path)
    claim.take()
    stop = threading.Event()
    thread = threading.Thread(target=claim.keep, args=[stop], name="claim", daemon=True)
    thread.start()
    try:
        yield claim
    finally:
        stop.set()
        thread.join()
        claim.release()


class Claim:
    """The claim of this process on a data root.

    Args:
      path: the claim's file.
    """

    def __init__(self, path: StorePath) -> None:
        self._path = path
        self._who = {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "token": uuid.uuid4().hex,
        }
        self._beats = 0
        self._version: str | None = None
        self._lock = threading.Lock()

    def take(self) -> None:
        """Waits until it is clear whether another ingest lives, and takes the claim if none does.

        Raises:
          PostersError: one does.
          OSError: the store cannot be asked.
        """
        while not self._write(None):
            found = conditional.read(self._path)
            if found is None:
                continue  # it was let go this moment
            deadline = time.monotonic() + SILENCE
            while time.monotonic() < deadline:
                time.sleep(min(_LOOK_EVERY, SILENCE))
                now = conditional.read(self._path)
                if now is None:
                    break
                if now.version != found.version:
                    raise self._refusal(now.content)
            else:
                if self._write(found.version):
                    return

    def confirm(self) -> None:
        """Makes sure that the claim is still this process's.

        Raises:
          PostersError: another ingest took it over.
          OSError: the store cannot be asked.
        """
        with self._lock:
            lost = not self._renew()
        if lost:
            raise PostersError(
                f"another ingest took {self._path.parent} over, for this one gave no sign of life "
                f"for {SILENCE:g} seconds; nothing was published. Ingest again"
            )

    def keep(self, stop: threading.Event) -> None:
        """Gives signs of life until told to stop."""
        while not stop.wait(BEAT):
            with self._lock, contextlib.suppress(OSError):  # the next beat tries again
                if not self._renew():
                    return

    def release(self) -> None:
        """Lets the claim go, if it is still this process's."""
        # If the store cannot be asked, its silence lets it go.
        with self._lock, contextlib.suppress(OSError):
            if self._version is not None:
                conditional.remove(self._path, self._version)

    def _renew(self) -> bool:
        if self._version is None or self._write(self._version):
            return self._version is not None
        # The store may have heard the last one though its answer was lost.
        found = conditional.read(self._path)
        ours = found is not None and self._who["token"].encode() in found.content
        return ours and self._write(found.version)

    def _write(self, version: str | None) -> bool:
        self._beats += 1
        content = json.dumps({**self._who, "beat": self._beats}).encode()
        self._version = conditional.write(self._path, content, version)
        return self._version is not None

    def _refusal(self, content: bytes) -> PostersError:
        try:
            who = json.loads(content)
            holder = f"process {who['process']} on {who['host']}"
        except (ValueError, LookupError, TypeError):
            holder = "unknown"
        return PostersError(
            f"another ingest is writing to {self._path.parent} ({holder}); nothing was done. Wait "
            "until it is through, then ingest again"
        )
