"""The plan of a batch: which posters go into which file, kept so that another run goes on with it.

plan.json             what the batch is made from and of how many files; written last of these
plan/00000.jsonl      one shard each, read by the worker that does it
predictions-00000-of-00012.jsonl
manifest.json         that all is there; the plan is removed then
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from components.batch.source import Shard, size_of
from components.errors import PostersError
from components.files import write_lines, write_text
from components.paths import AnyPath, remove_tree

PLAN = "plan.json"
MANIFEST = "manifest.json"
_SHARDS = "plan"
_FORMAT = 1


class Plan(NamedTuple):
    """A plan as its file tells of it.

    Attributes:
      folder: where the predictions go.
      origin: what tells this batch from another: source, model, how it is cut.
      shards: how many files.
      posters: how many posters, or None if nobody counted: of examples.
    """

    folder: AnyPath
    origin: dict[str, Any]
    shards: int
    posters: int | None

    def shard(self, number: int) -> Shard:
        """Reads one shard."""
        return Shard.from_line(shard_path(self.folder, number).read_text(encoding="utf-8"))

    def output(self, number: int) -> AnyPath:
        """The file of a shard's predictions."""
        return output_path(self.folder, number, self.shards)

    def missing(self) -> list[int]:
        """Shards whose predictions are not there yet."""
        there = {path.name for path in self.folder.glob("predictions-*.jsonl")}
        return [n for n in range(self.shards) if self.output(n).name not in there]


def shard_path(folder: AnyPath, number: int) -> AnyPath:
    """Where the plan keeps a shard."""
    return folder / _SHARDS / f"{number:05d}.jsonl"


def output_path(folder: AnyPath, number: int, shards: int) -> AnyPath:
    """Where a shard's predictions go."""
    return folder / f"predictions-{number:05d}-of-{shards:05d}.jsonl"


def make(folder: AnyPath, shards: Iterable[Shard], origin: dict[str, Any]) -> Plan:
    """The plan that lies in a folder, if it is of the same batch, or else a new one.

    Args:
      folder: where the predictions go; made if absent.
      shards: the work, as it is found now.
      origin: model and settings; the source's digest is added.

    Raises:
      PostersError: the folder holds another batch, or something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = _read(folder)
    if earlier is None:
        _refuse_others(folder)
        plan = _write(folder, shards, origin)
        content = {"origin": plan.origin, "shards": plan.shards, "posters": plan.posters}
        write_text(folder / PLAN, json.dumps({"format": _FORMAT, **content}, indent=1) + "\n")
        return plan
    digest, _, _ = _digest(shards)
    wanted = {**origin, "source_sha256": digest}
    if wanted != earlier.origin:
        raise PostersError(f"--out {folder} holds {_difference(earlier.origin, wanted)}")
    return earlier


def finish(plan: Plan, content: dict[str, Any]) -> None:
    """Writes the manifest, and removes the plan."""
    made = {"format": _FORMAT, "origin": plan.origin, "shards": plan.shards, **content}
    write_text(plan.folder / MANIFEST, json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    clear(plan.folder)


def clear(folder: AnyPath) -> None:
    """Removes the plan of a batch that is finished, as far as it is still there."""
    if (folder / PLAN).exists():
        remove_tree(folder / _SHARDS)
        (folder / PLAN).unlink()


def read_manifest(folder: AnyPath) -> dict[str, Any] | None:
    """What `finish` wrote, or None if the batch is not finished."""
    try:
        return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _read(folder: AnyPath) -> Plan | None:
    for name in (MANIFEST, PLAN):
        try:
            content = json.loads((folder / name).read_text(encoding="utf-8"))
            posters = content.get("posters")
            return Plan(folder, content["origin"], content["shards"], posters)
        except FileNotFoundError:
            continue
        except (ValueError, KeyError) as error:
            raise PostersError(f"{folder / name} is not what a batch writes: {error}") from error
    return None


def _write(folder: AnyPath, shards: Iterable[Shard], origin: dict[str, Any]) -> Plan:
    def kept() -> Iterable[Shard]:
        for number, shard in enumerate(shards):
            path = shard_path(folder, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_lines(path, [shard.to_line()])
            yield shard

    digest, count, posters = _digest(kept())
    if not count:
        raise PostersError("there is no poster to ask about")
    return Plan(folder, {**origin, "source_sha256": digest}, count, posters or None)


def _digest(shards: Iterable[Shard]) -> tuple[str, int, int]:
    """Of all that is asked about, by name: SHA-256, shards, posters."""
    digest, count, posters = hashlib.sha256(), 0, 0
    for shard in shards:
        digest.update(f"{shard.to_line()}\0{size_of(shard)}\0".encode())
        count += 1
        posters += len(shard.posters)
    return digest.hexdigest(), count, posters


def _refuse_others(folder: AnyPath) -> None:
    """A plan that was not finished is made anew; anything else is somebody's."""
    if not isinstance(folder, Path):
        return
    names = {path.name for path in folder.iterdir()} - {_SHARDS}
    if strange := sorted(name for name in names if not name.startswith(".")):
        raise PostersError(
            f"--out {folder} holds {', '.join(strange[:5])}: give a folder that is empty or not "
            "there, or the one of a batch that was cut off."
        )
    if (folder / _SHARDS).exists():
        remove_tree(folder / _SHARDS)


def _difference(earlier: dict[str, Any], wanted: dict[str, Any]) -> str:
    # Of how it is cut the source's digest depends too: said last.
    changed = [key for key in wanted if wanted[key] != earlier.get(key)]
    if changed == ["source_sha256"]:
        words = "the batch of other posters: files or rows came or went"
    else:
        changed = [key for key in changed if key != "source_sha256"]
        words = "a batch with " + ", ".join(
            f"{key} {earlier.get(key)} where {wanted[key]} is wanted" for key in changed
        )
    return f"{words}. Give another folder, or what that one was begun with."
