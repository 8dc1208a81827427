"""Whether the files of an artifact are still as large as its node wrote them.

TFX's cache looks whether an artifact's folder is there, not at what is in it: one that lost a file,
or a part of one, would be taken again by every run to come.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.orchestration import metadata

from components.paths import sizes

#: Custom property: sizes in bytes of an artifact's files by name, as JSON.
FILES = "file_sizes"
#: What stood in its place before: SHA-256 over the same, which does not say what is missing.
_DIGEST = "files"
#: What TensorFlow, Beam and zlib say of a file whose content is not what was written.
_DAMAGE = (
    "corrupted record",
    "truncated record",
    "data loss",
    "dataloss",
    "checksum does not match",
    "not a valid tfrecord",
    "while decompressing data",
    "error parsing message",
    "not a gzipped file",
)


def record(
    store: metadata.Metadata, artifacts: Iterable[types.Artifact], pipeline_root: str
) -> None:
    """Keeps in ML Metadata how large the files are that a node has just written.

    Args:
      store: an open connection.
      artifacts: as they were published; those below `pipeline_root` gain `FILES`, others (what an
        importer names) are not a run's to remove.
      pipeline_root: see there.
    """
    root = Path(pipeline_root).resolve()
    written = [each for each in artifacts if root in Path(each.uri).resolve().parents]
    for artifact in written:
        artifact.set_string_custom_property(FILES, json.dumps(_sizes(Path(artifact.uri))))
    if written:
        store.store.put_artifacts([artifact.mlmd_artifact for artifact in written])


def remove_damaged(store: metadata.Metadata, pipeline_root: str) -> list[str]:
    """Removes artifacts that lack a file or a part of one, so that what made them runs again.

    No file is read, and nothing is removed that was not recorded. What others put into an
    artifact's folder is no damage.

    Args:
      store: an open connection.
      pipeline_root: the artifacts below it alone.

    Returns:
      The folders that were removed.
    """
    root = Path(pipeline_root).resolve()
    kept = [
        artifact
        for artifact in store.store.get_artifacts()
        if artifact.state == metadata_store_pb2.Artifact.LIVE
        and root in Path(artifact.uri).resolve().parents
        and Path(artifact.uri).exists()
    ]
    _record_again(store, kept)
    damaged = [artifact.uri for artifact in kept if _is_damaged(artifact)]
    for uri in damaged:
        shutil.rmtree(uri)
    return damaged


def _record_again(
    store: metadata.Metadata, artifacts: Iterable[metadata_store_pb2.Artifact]
) -> None:
    """Records the sizes where only a digest is, and it says that all is as it was written."""
    whole = []
    for artifact in artifacts:
        found = artifact.custom_properties
        if _DIGEST not in found or FILES in found:
            continue
        by_name = _sizes(Path(artifact.uri))
        if found[_DIGEST].string_value == _digest(by_name):
            found[FILES].string_value = json.dumps(by_name)
            whole.append(artifact)
    if whole:
        store.store.put_artifacts(whole)


def _is_damaged(artifact: metadata_store_pb2.Artifact) -> bool:
    if FILES not in artifact.custom_properties:
        return False
    recorded = json.loads(artifact.custom_properties[FILES].string_value)
    return sizes(Path(artifact.uri), list(recorded)) != recorded


def is_damage(error: BaseException) -> bool:
    """Whether an error, or what it came of, looks like a damaged file."""
    seen: BaseException | None = error
    while seen is not None:
        words = f"{type(seen).__name__}: {seen}".lower()
        if any(damage in words for damage in _DAMAGE):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _sizes(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _digest(by_name: dict[str, int]) -> str:
    lines = [f"{name} {size}\n" for name, size in sorted(by_name.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
