"""Which version serves: the newest that loads, also when one is pushed or taken away meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from components.errors import PostersError
from components.serving import versions
from components.serving.model import ServedModel

_LOG = logging.getLogger(__name__)

#: By path, size in bytes and when it was written.
_Files = dict[str, tuple[int, int]]


class ModelHolder:
    """The version that serves, and a thread that looks for another.

    A new version takes over once it has answered a first question; requests in progress keep the
    one they began with. A version that does not load is left alone until its files change. If the
    version that serves is taken away, the newest of the others takes over: a rollback. If all are,
    it goes on serving.
    """

    def __init__(
        self,
        folder: Path,
        poll_seconds: float,
        on_load: Callable[[Path, PostersError | None], None],
    ) -> None:
        """Takes a folder of versions, or a version's own, and loads what is there.

        Args:
          folder: may still be missing.
          poll_seconds: between two looks.
          on_load: called with a version that was loaded, and why it was not if so.
        """
        self._folder = folder
        self._poll_seconds = poll_seconds
        self._on_load = on_load
        self._failed: dict[Path, _Files] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.current: ServedModel | None = None
        self.refresh()

    def refresh(self) -> None:
        """Looks once."""
        folder = self._folder
        for path in [folder] if versions.is_model(folder) else versions.listed(folder):
            if self.current and path == self.current.folder:
                return
            if self._load(path):
                return

    def _load(self, path: Path) -> bool:
        try:
            files = _files(path)
        except FileNotFoundError:  # taken away since it was listed
            return False
        if self._failed.get(path) == files:
            return False
        try:
            model = ServedModel(path)
            # Read now, since its folder may be taken away while it serves.
            _ = model.neighbours, model.metadata
        except PostersError as error:
            self._failed[path] = files
            serving = f"version {self.current.version}" if self.current else "none"
            _LOG.error("%s; what serves: %s", error, serving)
            self._on_load(path, error)
            return False
        self.current = model
        _LOG.info("version %s serves", model.version)
        self._on_load(path, None)
        return True

    def start(self) -> None:
        """Begins to look every now and then."""
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            try:
                self.refresh()
            except OSError as error:  # a folder that cannot be read now may be read later
                _LOG.error("%s: %s", self._folder, error.strerror or error)
            except Exception:  # or else no later version would ever be found
                _LOG.exception("%s", self._folder)


def _files(version: Path) -> _Files:
    """Every file of a version, as it is now: it may be copied here little by little."""
    found = ((file, file.stat()) for file in version.rglob("*"))
    return {str(file): (status.st_size, status.st_mtime_ns) for file, status in found}
