"""What tells the files of examples from all others, without reading them where ingest has."""

from __future__ import annotations

from collections.abc import Iterable

from components.files import file_digest
from components.paths import to_path
from components.spans import record


def of(files: Iterable[str]) -> dict[str, str]:
    """SHA-256 of files of examples, in hexadecimal, by file.

    Of a span's shard it is what its manifest says, which the record beside the examples repeats: a
    second run need not read it, nor fetch it from a store. Other files are read.

    Args:
      files: paths, `<folder of the artifact>/Split-<name>/<file>`.

    Raises:
      OSError: a file cannot be read.
      PostersError: a record is not one.
    """
    known: dict[str, dict[str, str]] = {}
    found = {}
    for file in files:
        folder, split, name = file.rsplit("/", 2)
        if folder not in known:
            known[folder] = _recorded(folder)
        found[file] = known[folder].get(f"{split}/{name}") or file_digest(to_path(file))
    return found


def _recorded(folder: str) -> dict[str, str]:
    if not (to_path(folder) / record.FILE).exists():
        return {}
    spans = record.read(folder).spans
    return {place: digest for span in spans for place, digest in span.files.items()}
