"""The data root: which spans are published, who may write, and what was left lying about."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components.errors import PostersError
from components.ingest.options import IngestOptions
from components.paths import AnyPath, sizes
from components.store_path import StorePath

#: The form of the span's files; a change that readers or repeated ingests would notice raises it.
FORMAT_VERSION = 2
MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.txt"
REJECTED = "rejected.csv"
#: One JSON object an example: id, SHA-256, perceptual hash, group, split, labels of the source.
INDEX = "index.jsonl"
#: What is downloaded lies here unless the options say otherwise.
DOWNLOADS = ".downloads"
LOCK = ".ingest.lock"
_SPAN = re.compile(r"^span-([1-9][0-9]*)$")
_SCRATCH = re.compile(r"^\.(span-[0-9]+|rejected-span-[0-9]+\.csv)\.")


class Span(NamedTuple):
    """A published span: its number, its folder, and the content of its `manifest.json`."""

    number: int
    folder: AnyPath
    manifest: Mapping[str, Any]


def find_spans(out: AnyPath) -> list[Span]:
    """The published spans in the order of their numbers.

    Raises:
      PostersError: one is damaged, or was not written by ingest.
    """
    if isinstance(out, StorePath):
        # There a span is published by its manifest, the last file written.
        folders = (path for path in out.folders("span-") if (path / MANIFEST).exists())
    else:
        folders = out.iterdir() if out.is_dir() else ()
    numbers = sorted(
        int(match[1])
        for path in folders
        if (match := _SPAN.match(path.name)) and not _is_empty_folder(path)
    )
    return [_read(number, out / f"span-{number}") for number in numbers]


def find_same(
    spans: Sequence[Span], source: Mapping[str, Any], options: IngestOptions
) -> Span | None:
    """The span that holds this very source; None if there is none.

    Raises:
      PostersError: the source was ingested with other options.
    """
    for span in spans:
        if span.manifest["source"] == source:
            differences = _differences(span.manifest["options"], options)
            if differences:
                raise PostersError(
                    f"{span.folder} was ingested from this very source with other options: "
                    f"{'; '.join(differences)}. Spans do not change: choose another --out"
                )
            return span
    return None


def choose_number(out: AnyPath, spans: Sequence[Span], wanted: int | None) -> int:
    """The number of the span to write.

    Raises:
      PostersError: the span wanted is there, made from something else, or below one that is: each
        takes the vocabulary over from the one before it.
    """
    taken = [span.number for span in spans]
    if wanted is None:
        return max(taken, default=0) + 1
    if wanted in taken:
        raise PostersError(
            f"{out / f'span-{wanted}'} is there already, and not from this source. Spans do not "
            f"change: leave out --span to write span-{max(taken) + 1}"
        )
    if wanted < max(taken, default=0):
        raise PostersError(
            f"--span {wanted}: span-{max(taken)} is there, which knows nothing of what would come "
            f"before it. Leave out --span to write span-{max(taken) + 1}"
        )
    return wanted


def check_features(spans: Sequence[Span], options: IngestOptions) -> None:
    """Refuses names of features that the earlier spans do not have.

    Raises:
      PostersError: they differ.
    """
    for span in spans:
        before, now = span.manifest["options"]["features"], options.to_manifest()["features"]
        if _as_named_now(before, now) != now:
            raise PostersError(
                f"ingest.features: {span.folder} has {before}, this ingest {now}; all spans of a "
                "data root have the same. Set them back, or choose another --out"
            )


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Holds the data root for this process, and clears what a killed one left there.

    The operating system lets go of the lock when the process ends, however it ends.

    Raises:
      PostersError: another ingest holds it.
    """
    out.mkdir(parents=True, exist_ok=True)
    handle = _acquire(out / LOCK, out)
    try:
        for path in out.iterdir():
            if _SCRATCH.match(path.name):
                _remove(path)
        yield
    finally:
        # Removed while it is held: whoever opened it meanwhile sees that it is another file.
        (out / LOCK).unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, out: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), path.stat()):
                    os.ftruncate(handle, 0)
                    os.write(handle, f"{os.getpid()}\n".encode())
                    return handle
        except BlockingIOError as error:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise PostersError(
                f"another ingest is writing to {out} (process {holder}); nothing was done. Wait "
                "until it is through, then ingest again"
            ) from error
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _read(number: int, folder: AnyPath) -> Span:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = manifest["format_version"]
        whole = version != FORMAT_VERSION or _is_whole(folder, manifest)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise PostersError(
            f"{folder} exists and is not a span that ingest wrote, or is damaged ({error!r}); "
            "remove it or choose another --out"
        ) from error
    if version != FORMAT_VERSION:
        raise PostersError(
            f"{folder} was written by another version of ingest (format {version}, here "
            f"{FORMAT_VERSION}); choose another --out, or remove it and ingest again"
        )
    if not whole:
        raise PostersError(
            f"{folder} is damaged: a file's size is not the one in its {MANIFEST}; remove it and "
            "ingest again, or choose another --out"
        )
    return Span(number, folder, manifest)


def _is_whole(folder: AnyPath, manifest: Mapping[str, Any]) -> bool:
    wanted = {file["name"]: file["bytes"] for file in [*manifest["shards"], manifest["index"]]}
    return sizes(folder, list(wanted)) == wanted


def _as_named_now(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Names of features, with those that a span of an earlier version does not have as they are."""
    return {**now, **before}


def _differences(before: Mapping[str, Any], options: IngestOptions) -> list[str]:
    now = options.to_manifest()["features"]
    before = {**before, "features": _as_named_now(before.get("features", {}), now)}
    return [
        f"ingest.{name} was {before.get(name)!r}, is {value!r}"
        for name, value in options.to_manifest().items()
        if before.get(name) != value
    ]


def _is_empty_folder(path: AnyPath) -> bool:
    return isinstance(path, Path) and path.is_dir() and not any(path.iterdir())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
