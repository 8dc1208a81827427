"""The data root, local or on a store: who may write, where to, and how a span is published."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components import files
from components.errors import PostersError
from components.ingest import claim, spans
from components.paths import AnyPath
from components.store_path import StorePath


class LocalRoot:
    """A folder: locked by the operating system, and a span is published by one rename.

    Args:
      folder: the data root, made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the data root; a failure leaves no trace of one that was not there.

        Raises:
          PostersError: another ingest holds it, or it cannot be written.
        """
        existed = self.folder.exists()
        try:
            with _cannot_write(self.folder), spans.locked(self.folder):
                yield
        finally:
            if not existed:
                with contextlib.suppress(OSError):
                    self.folder.rmdir()

    @contextlib.contextmanager
    def scratch(self, number: int) -> Iterator[Path]:
        """A folder to make a span in; what was not published is removed."""
        with files.scratch_folder(self.folder / f"span-{number}") as scratch:
            yield scratch

    def publish(self, scratch: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
        """Makes a whole scratch folder the span.

        Raises:
          OSError: it cannot be written.
        """
        files.publish(scratch, folder)


class StoreRoot:
    """A place on a store, which has no rename of folders: a span is there once its manifest is.

    Workers write below a scratch prefix of this run's own, so that those of a killed run, which may
    go on elsewhere, write into no other's span. Publishing moves the files, the manifest last.

    Args:
      folder: the data root.

    Raises:
      PostersError: its name is a pattern: removing below it could remove from another folder.
    """

    def __init__(self, folder: StorePath) -> None:
        if re.search(r"[*?[]", folder.url):
            raise PostersError(
                f"--out {folder}: a data root on a store has no *, ? or [ in its name, which Beam "
                "would read as a pattern; choose another"
            )
        self.folder = folder
        self._claim: claim.Claim | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the data root, and clears what a killed ingest left there.

        Raises:
          PostersError: another ingest holds it, or it cannot be written.
        """
        with _cannot_write(self.folder), claim.claimed(self.folder / spans.LOCK) as self._claim:
            for folder in self.folder.folders(".span-"):
                folder.remove_tree()
            yield

    @contextlib.contextmanager
    def scratch(self, number: int) -> Iterator[StorePath]:
        """A prefix to make a span below; what was not published is removed."""
        scratch = self.folder / f".span-{number}.{uuid.uuid4().hex}"
        try:
            yield scratch
        finally:
            # What cannot be removed now is by the next ingest.
            with contextlib.suppress(OSError):
                scratch.remove_tree()

    def publish(self, scratch: StorePath, folder: StorePath, manifest: Mapping[str, Any]) -> None:
        """Moves a span's files to where it belongs.

        Raises:
          PostersError: another ingest holds the data root meanwhile.
          OSError: the store cannot be written.
        """
        self._claim.confirm()
        folder.remove_tree()  # an ingest killed right here leaves files without a manifest
        shards = [shard["name"] for shard in manifest["shards"]]
        scratch.move_into(folder, [*shards, spans.INDEX, spans.REJECTED, spans.VOCABULARY])
        self._claim.confirm()
        scratch.move_into(folder, [spans.MANIFEST])


def open_root(out: AnyPath) -> LocalRoot | StoreRoot:
    """The data root of a path."""
    return StoreRoot(out) if isinstance(out, StorePath) else LocalRoot(out)


@contextlib.contextmanager
def _cannot_write(out: AnyPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise PostersError(
            f"cannot write {out}: {where}{error.strerror or error}; nothing was published"
        ) from error
