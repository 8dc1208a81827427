"""Writing a store's file only if nobody else wrote it meanwhile.

Google Cloud Storage checks and writes in one step, by the file's generation. Beam's clients of the
other stores cannot: there the file is read before and after, which finds all others but those of
the same moment.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from components.store_path import StorePath, as_os_error


class Found(NamedTuple):
    """A file's content, and what changes whenever it is written: the generation, or itself."""

    content: bytes
    version: str


def read(path: StorePath) -> Found | None:
    """What is there; None if nothing is.

    Raises:
      OSError: the store cannot be asked.
    """
    if not _has_generations(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        return Found(content, content.decode(errors="replace"))
    from google.api_core.exceptions import NotFound, PreconditionFailed

    with as_os_error(path.url):
        blob = _blob(path)
        while True:
            try:
                blob.reload()
                version = str(blob.generation)
                return Found(blob.download_as_bytes(if_generation_match=int(version)), version)
            except PreconditionFailed:
                continue  # it was written anew between the two questions
            except NotFound:
                return None


def write(path: StorePath, content: bytes, version: str | None) -> str | None:
    """Writes the file if it still is of a version; None stands for one that is not there.

    Returns:
      The new version, or None if it was another and nothing was written.

    Raises:
      OSError: the store cannot be asked.
    """
    if _has_generations(path):
        return _write_generation(path, content, version)
    before = read(path)
    if (before and before.version) != version:
        return None
    path.write_bytes(content)
    after = read(path)
    return after.version if after is not None and after.content == content else None


def remove(path: StorePath, version: str) -> None:
    """Removes the file if it still is of a version.

    Raises:
      OSError: the store cannot be asked.
    """
    if not _has_generations(path):
        if (found := read(path)) is not None and found.version == version:
            path.unlink()
        return
    from google.api_core.exceptions import NotFound, PreconditionFailed

    with as_os_error(path.url), contextlib.suppress(NotFound, PreconditionFailed):
        _blob(path).delete(if_generation_match=int(version))


def _write_generation(path: StorePath, content: bytes, version: str | None) -> str | None:
    from google.api_core.exceptions import PreconditionFailed

    with as_os_error(path.url):
        blob = _blob(path)
        try:
            blob.upload_from_string(content, if_generation_match=int(version or 0))
            return str(blob.generation)
        except PreconditionFailed:
            # The client tries again when an answer is lost: the one before may have been heard.
            found = read(path)
            return found.version if found is not None and found.content == content else None


def _has_generations(path: StorePath) -> bool:
    return path.url.startswith("gs://")


def _blob(path: StorePath):
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.io.gcp.gcsio import GcsIO, parse_gcs_path

    bucket, name = parse_gcs_path(path.url)
    return GcsIO(pipeline_options=FileSystems._pipeline_options).client.bucket(bucket).blob(name)
