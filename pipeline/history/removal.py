"""Removing what nothing needs, so that ML Metadata is true at every moment.

ML Metadata is told first: what is marked there no run takes for cached. Then the files go, then the
mark becomes `DELETED`. Cut off in between, the marked ones are found and finished the next time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components import paths
from components.errors import PostersError
from components.ingest.job import read_index
from components.ingest.spans import INDEX
from components.spans import reading
from components.trainer import unused_features
from components.trainer.unused_features import Unused
from pipeline.config import Config
from pipeline.history import leftovers, unneeded
from pipeline.history.executions import Artifact, Executions
from pipeline.places import features_folder

#: Kinds of what is removed that are no type of artifact.
LEFT, FEATURES = "left by killed runs", "features of posters in no span"
ANSWERS = "answers and embeddings for models that go"
_MARKED = metadata_store_pb2.Artifact.MARKED_FOR_DELETION
_DELETED = metadata_store_pb2.Artifact.DELETED


@dataclasses.dataclass(frozen=True)
class Plan:
    """What would be removed.

    Attributes:
      artifacts: from ML Metadata, with their folders.
      left: folders that no artifact names.
      answers: what the Evaluator keeps for later runs, see `leftovers.answers`.
      features: see `unused_features`; None if there are no features.
      sizes: by kind, how many there are, and their bytes as far as removing them frees any.
    """

    artifacts: Sequence[Artifact]
    left: Sequence[Path]
    answers: Sequence[Path]
    features: Unused | None
    sizes: Mapping[str, tuple[int, int]]

    @property
    def paths(self) -> list[Path]:
        """Folders and files to remove, in this order."""
        return [*(Path(found.uri) for found in self.artifacts), *self.left, *self.answers]

    @property
    def byte_count(self) -> int:
        """All that would be freed."""
        return sum(byte_count for _, byte_count in self.sizes.values())


def plan(
    history: Executions,
    config: Config,
    keep: int,
    everything: Sequence[metadata_store_pb2.Artifact],
) -> Plan:
    """Looks for what nothing needs; removes nothing.

    Args:
      history: of the configuration's pipeline.
      config: where things lie.
      keep: see `unneeded.artifacts`.
      everything: every artifact that ML Metadata holds, of other pipelines too.

    Raises:
      PostersError: the spans cannot be read.
    """
    artifacts = unneeded.artifacts(history, keep, config.pipeline_root, _accepted(config))
    left = list(leftovers.of_killed_runs(history, config, {found.uri for found in everything}))
    answers = _answers(config, everything, artifacts, left)
    features = _features(config)
    sizes: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for kind, folder in [
        *((found.type, Path(found.uri)) for found in artifacts),
        *((LEFT, folder) for folder in left),
        *((ANSWERS, file) for file in answers),
    ]:
        count, byte_count = sizes[kind]
        sizes[kind] = (count + 1, byte_count + freed_bytes(folder))
    if features and (features.rows or features.listings):
        sizes[FEATURES] = (features.rows, features.byte_count)
    return Plan(artifacts, left, answers, features, dict(sizes))


def remove(
    store: mlmd.MetadataStore, given: Plan, config: Config, done: Callable[[int], None]
) -> None:
    """Removes what was planned.

    Args:
      store: ML Metadata, to which nothing else writes meanwhile.
      given: see `plan`.
      config: where things lie.
      done: called with the number of folders and files removed so far.

    Raises:
      PostersError: a file cannot be removed.
    """
    _mark(store, given.artifacts, _MARKED)
    for count, path in enumerate(given.paths, start=1):
        _remove(path)
        done(count)
    _mark(store, given.artifacts, _DELETED)
    if given.features is not None:
        unused_features.remove(Path(features_folder(config)), given.features)


def freed_bytes(path: Path) -> int:
    """What removing a file or folder would free; what has another name elsewhere frees nothing."""
    if not path.is_dir():
        return _own_bytes(path)
    return sum(
        _own_bytes(Path(folder) / name) for folder, _, names in os.walk(path) for name in names
    )


def _own_bytes(path: Path) -> int:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    return found.st_size if found.st_nlink == 1 else 0


def _mark(store: mlmd.MetadataStore, artifacts: Sequence[Artifact], state: int) -> None:
    protos = []
    for found in artifacts:
        proto = metadata_store_pb2.Artifact()
        proto.CopyFrom(found.proto)
        proto.state = state
        protos.append(proto)
    if protos:
        store.put_artifacts(protos)


def _remove(folder: Path) -> None:
    try:
        if folder.is_dir() and not folder.is_symlink():
            paths.remove_tree(folder)
        else:
            folder.unlink(missing_ok=True)
    except OSError as error:
        raise PostersError(
            f"{error.filename or folder} cannot be removed ({error.strerror}): mend that and run "
            "`posters gc` again; it goes on from there. No run will take what is left for cached."
        ) from error


def _accepted(config: Config) -> set[str]:
    """Addresses in the gate's records: what the next span will be compared with."""
    found: set[str] = set()
    for record in Path(config.workspace).glob("gate/*/span-*.json"):
        with contextlib.suppress(OSError, ValueError):
            found |= {text for text in _texts(json.loads(record.read_text(encoding="utf-8")))}
    return found


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _answers(
    config: Config,
    everything: Sequence[metadata_store_pb2.Artifact],
    artifacts: Sequence[Artifact],
    left: Sequence[Path],
) -> list[Path]:
    removed = {found.uri for found in artifacts}
    kept = [
        found
        for found in everything
        if found.uri not in removed and found.state == metadata_store_pb2.Artifact.LIVE
    ]
    models, examples = (
        {found.uri for found in kept if found.type == kind} for kind in ("Model", "Examples")
    )
    return leftovers.answers(config, models, examples, left)


def _features(config: Config) -> Unused | None:
    folder = Path(features_folder(config))
    return unused_features.find(folder, _known_ids(config)) if folder.is_dir() else None


def _known_ids(config: Config) -> set[bytes]:
    """Ids of the posters in every span of the data root.

    Raises:
      PostersError: there is no span, or one cannot be read: who is in it, nobody could say.
    """
    root = paths.to_path(config.data_root)
    numbers = reading.numbers(root)
    if not numbers:
        raise PostersError(
            f"data_root: {root} holds no span, so every poster would count as gone: name the data "
            "that this workspace trains on (--set data_root=FOLDER)."
        )
    ids: set[bytes] = set()
    for folder in (root / f"span-{number}" for number in numbers):
        try:
            ids |= {line["id"].encode() for line in read_index(folder / INDEX)}
        except (OSError, ValueError, LookupError) as error:
            raise PostersError(
                f"{folder / INDEX} cannot be read ({error}): which posters are in that span is "
                "not known, so nothing was removed. Put the span back, or remove its folder."
            ) from error
    return ids
