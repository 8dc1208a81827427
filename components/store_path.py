"""A path on a file system that Beam knows (`gs://`, `s3://`, `hdfs://`), with pathlib's verbs.

Only the verbs that are used here. Whatever a store's client raises becomes an `OSError`, as it is
with local files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import io
import re
from collections.abc import Iterator, Sequence
from typing import IO, Any, NamedTuple

from components.errors import PostersError

_CHUNK_BYTES = 1 << 20


class Stat(NamedTuple):
    """What is known of a file: its size in bytes."""

    st_size: int


@dataclasses.dataclass(frozen=True, order=True)
class StorePath:
    """A file or folder of a store. On most stores a folder is there as long as a file is below it.

    Attributes:
      url: `scheme://...` without a slash at its end.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> StorePath:
        return StorePath(f"{self.url.rstrip('/')}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return self.url.rpartition("/")[2]

    @property
    def parent(self) -> StorePath:
        """The folder that it lies in."""
        return StorePath(self.url.rpartition("/")[0])

    def with_name(self, name: str) -> StorePath:
        """Another path in the same folder."""
        return self.parent / name

    def open(
        self, mode: str = "r", encoding: str | None = None, newline: str | None = None
    ) -> IO[Any]:
        """Opens the file for "r", "rb" or "wb"; what is written is there once it is closed.

        Raises:
          OSError: it cannot be opened. On some stores only reading says so.
        """
        uncompressed = {"compression_type": "uncompressed"}
        with as_os_error(self.url):
            if mode == "wb":
                system = self._systems().get_filesystem(self.url)
                if system.has_dirs() and system.exists(self.url):
                    system.delete([self.url])  # HDFS overwrites nothing
                file = self._systems().create(self.url, **uncompressed)
                return io.BufferedWriter(_File(file, self.url), _CHUNK_BYTES)
            file = self._systems().open(self.url, **uncompressed)
        content = io.BufferedReader(_File(file, self.url), _CHUNK_BYTES)
        if mode == "rb":
            return content
        return io.TextIOWrapper(content, encoding or "utf-8", newline=newline)

    def read_bytes(self) -> bytes:
        """The file's content.

        Raises:
          OSError: it cannot be read.
        """
        with self.open("rb") as file:
            return file.read()

    def read_text(self, encoding: str = "utf-8") -> str:
        """The file's content as text.

        Raises:
          OSError: it cannot be read.
        """
        return self.read_bytes().decode(encoding)

    def write_bytes(self, content: bytes) -> None:
        """Writes the file: on object stores it is whole or not there.

        Raises:
          OSError: it cannot be written.
        """
        with self.open("wb") as file:
            file.write(content)

    def exists(self) -> bool:
        """Whether there is such a file.

        Raises:
          OSError: the store cannot be asked.
        """
        with as_os_error(self.url):
            return self._systems().exists(self.url)

    def stat(self) -> Stat:
        """The file's size.

        Raises:
          OSError: it is not there, or the store cannot be asked.
        """
        with as_os_error(self.url):
            return Stat(self._systems().get_filesystem(self.url).size(self.url))

    def entries(self, pattern: str = "*") -> Iterator[tuple[StorePath, int]]:
        """The files just below whose names match, with their sizes, in no order.

        Raises:
          OSError: the store cannot be asked.
        """
        return ((self / name, size) for name, size in self._match(pattern))

    def glob(self, pattern: str) -> Iterator[StorePath]:
        """The files just below whose names match, in no order.

        Raises:
          OSError: the store cannot be asked.
        """
        return (path for path, _ in self.entries(pattern))

    def walk(self) -> list[tuple[str, int]]:
        """Names and sizes of all files below, on a store that has no folders; in no order.

        Raises:
          OSError: the store cannot be asked.
        """
        return self._match("**")

    def folders(self, prefix: str) -> Iterator[StorePath]:
        """The folders just below whose names begin so, in no order.

        Raises:
          OSError: the store cannot be asked.
        """
        # A store without folders has only names with slashes in them.
        rest = "*" if self._has_folders() else "*/**"
        names = {name.partition("/")[0] for name, _ in self._match(prefix + rest)}
        return (self / name for name in names)

    def mkdir(self, parents: bool = True, exist_ok: bool = True) -> None:
        """Makes the folder and those above it, on a store that has folders.

        Raises:
          OSError: it cannot be made.
        """
        with as_os_error(self.url):
            if self._has_folders() and not self.exists():
                self._systems().mkdirs(self.url)

    def unlink(self, missing_ok: bool = True) -> None:
        """Removes the file if it is there.

        Raises:
          OSError: it is there and cannot be removed.
        """
        with as_os_error(self.url):
            if self._systems().exists(self.url):
                self._systems().delete([self.url])

    def remove_tree(self) -> None:
        """Removes every file below.

        Raises:
          OSError: one cannot be removed.
        """
        with as_os_error(self.url):
            if self._has_folders():
                if self.exists():
                    self._systems().delete([self.url])
            elif files := [str(self / name) for name, _ in self.walk()]:
                self._systems().delete(files)

    def move_into(self, folder: StorePath, names: Sequence[str]) -> None:
        """Moves files below this folder to the same names below another, one after the other.

        Raises:
          OSError: one cannot be moved.
        """
        for parent in {(folder / name).parent for name in names}:
            parent.mkdir()
        with as_os_error(self.url):
            self._systems().rename(
                [str(self / name) for name in names], [str(folder / name) for name in names]
            )

    def copy_to(self, target: StorePath) -> None:
        """Copies the file to another place of the same store, which does it without sending it.

        Raises:
          OSError: it cannot be copied.
        """
        target.parent.mkdir()
        with as_os_error(self.url):
            self._systems().copy([self.url], [target.url])

    @property
    def scheme(self) -> str:
        """What the address begins with: `gs` of `gs://...`."""
        return self.url.partition("://")[0]

    def _match(self, pattern: str) -> list[tuple[str, int]]:
        """Names below this folder that match, with sizes; "*" ends at a slash, "**" does not."""
        start = f"{self.url}/"
        # Beam's patterns cannot quote: what would be one in the folder's own name matches anything.
        anything = re.sub(r"[*?[]", "?", start)
        with as_os_error(self.url):
            try:
                (found,) = self._systems().match([anything + pattern])
            except OSError:
                if self._has_folders() and not self.exists():
                    return []  # as on a store without folders
                raise
        return [
            (file.path[len(start) :], file.size_in_bytes)
            for file in found.metadata_list
            if file.path.startswith(start) and file.path != start
        ]

    def _has_folders(self) -> bool:
        return self._systems().get_filesystem(self.url).has_dirs()

    def _systems(self) -> type:
        from apache_beam.io.filesystems import FileSystems

        try:
            FileSystems.get_filesystem(self.url)
        except ValueError as error:
            raise PostersError(
                f"{self.url}: no file system for this address is installed ({error}); copy the "
                "files to this machine, or install Beam's extra for it"
            ) from error
        return FileSystems


class _File(io.RawIOBase):
    """A store's file, whose errors are an `OSError`."""

    def __init__(self, file: IO[bytes], url: str) -> None:
        self._file = file
        self._url = url

    def readable(self) -> bool:
        return self._file.readable()

    def writable(self) -> bool:
        return self._file.writable()

    def write(self, content: memoryview) -> int:
        with as_os_error(self._url):
            self._file.write(bytes(content))
        return len(content)

    def readinto(self, buffer: memoryview) -> int:
        with as_os_error(self._url):
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            super().close()
            with as_os_error(self._url):
                self._file.close()


@contextlib.contextmanager
def as_os_error(url: str) -> Iterator[None]:
    """Makes an `OSError` of whatever a store's client raises; each has kinds of its own."""
    try:
        yield
    except (OSError, PostersError):
        raise
    except Exception as error:
        # Of HDFS the code is not kept, but what its server called it.
        if getattr(error, "code", None) == 404 or (
            getattr(error, "exception", None) == "FileNotFoundException"
        ):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", url) from error
        raise OSError(errno.EIO, str(error) or type(error).__name__, url) from error
