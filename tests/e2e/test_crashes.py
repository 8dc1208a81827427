"""What a crash leaves: killed processes, a full disk, a lock, damage. The served model stays."""

import contextlib
import csv
import dataclasses
import hashlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.cli.main import FAILED, OK, SKIPPED, main
from tests.crashing import Blow, Verb

pytestmark = pytest.mark.slow

#: Rows of the table that each span is made of.
PARTS = {1: (0, 240), 2: (240, 300), 3: (300, 360)}
#: It finds things, and writes nothing.
WRITES_NOTHING = {"BaselineResolver"}


@dataclasses.dataclass(frozen=True)
class Scene:
    """A source, a data root and a workspace, on a disk of their own where that can be had."""

    root: Path
    own_disk: bool

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def models(self) -> Path:
        return self.workspace / "models"

    def settings(self, *overrides: str) -> list[str]:
        given = (
            f"workspace={self.workspace}", f"data_root={self.root / 'data'}", "window=all",
            "trainer.epochs=3", "trainer.head.members=1", "retrain.min_new_posters=40",
            "ingest.min_label_count=8", "evaluator.max_macro_f1_drop=1",
            "evaluator.max_label_f1_drop=1", *overrides,
        )  # fmt: skip
        return ["--config", "sample", *(f"--set={setting}" for setting in given)]

    def ingest(self, part: int) -> None:
        with (self.root / "source" / "MovieGenre.csv").open(encoding="iso-8859-1") as file:
            names, *rows = csv.reader(file)
        table = self.root / f"part-{part}.csv"
        with table.open("w", encoding="iso-8859-1", newline="") as file:
            csv.writer(file).writerows([names, *rows[slice(*PARTS[part])]])
        images = self.root / "source" / "images"
        arguments = ["--csv", str(table), "--images", str(images), "--out", str(self.root / "data")]
        assert main(["ingest", *self.settings(), *arguments]) == OK

    def begin(self, *arguments: str, name: str = "retrain", overrides=(), **more) -> Verb:
        log = self.root / f"{name}.log"
        return Verb(["retrain", *arguments, *self.settings(*overrides)], log, **more)

    def retrain(self, *arguments: str, **more) -> tuple[int, str]:
        return self.begin(*arguments, **more).wait()

    def states(self) -> dict[str, str]:
        """What became of every node of the last run."""
        summary = max((self.workspace / "runs").glob("*/summary.json"))
        return {node["id"]: node["state"] for node in json.loads(summary.read_text())["nodes"]}

    def versions(self) -> dict[str, dict[str, str]]:
        """The versions that a server would find: SHA-256 of every file of each."""
        folders = [path for path in self.models.iterdir() if path.name.isdecimal()]
        return {folder.name: _contents(folder) for folder in folders}

    def check_served(self) -> None:
        """Asserts that every version is, to the byte, a model that was blessed."""
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(self.workspace / "metadata.sqlite")
        config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
        store = metadata_store.MetadataStore(config)
        blessed = [
            blessing.custom_properties["current_model_id"].int_value
            for blessing in store.get_artifacts_by_type("ModelBlessing")
            if blessing.custom_properties["blessed"].int_value == 1
        ]
        models = store.get_artifacts_by_id(blessed)
        contents = [_contents(Path(model.uri) / "Format-Serving") for model in models]
        for version, files in self.versions().items():
            assert files in contents, version


def _contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[bool]:
    """A small disk at a folder; whether it could be had, for that takes root."""
    command = ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def scene(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crashes")
    with _disk(folder) as own_disk:
        scene = Scene(folder, own_disk)
        (folder / "source").symlink_to(drawn)
        scene.ingest(1)
        status, printed = scene.retrain()
        assert status == OK, printed
        yield scene


def test_killed_at_any_node_it_leaves_what_serves_and_the_next_run_goes_on(scene):
    nodes = list(scene.states())
    scene.ingest(2)
    first = scene.versions()
    assert len(first) == 1
    # All else is new with the span: without this it would be cached, and never write.
    shutil.rmtree(next((scene.workspace / "artifacts").glob("**/ImportSchemaGen")))
    for place, node in enumerate(nodes):
        for writing in (False, True)[: 1 if node in WRITES_NOTHING else 2]:
            blow = Blow(node, writing, scene.models)
            status, printed = scene.retrain("--force", "until it is through", blow=blow)
            assert status == -9, (blow, printed)
            # What was done before is not done again.
            shown = [line.split() for line in printed.splitlines()]
            done = {line[0]: line[1] for line in shown if line and line[0] in nodes}
            assert list(done) == nodes[:place], (blow, printed)
            again = [name for name in nodes[: max(0, place - 1)] if done[name] != "cached"]
            assert not again, (blow, printed)
            scene.check_served()
            assert scene.versions().items() >= first.items()
    status, printed = scene.retrain("--force", "nothing stops it")
    assert status == OK, printed
    states = scene.states()
    assert states.pop("RunReport") == "run"
    assert set(states.values()) == {"cached"}
    scene.check_served()
    assert len(scene.versions()) > 1


def test_a_full_disk_is_told_and_of_two_at_once_one_recovers(scene):
    scene.ingest(3)
    before = scene.versions()
    filler = scene.root / "filler"
    if scene.own_disk:
        free = shutil.disk_usage(scene.root).free
        filler.write_bytes(bytes(max(0, free - (1 << 20))))
        status, printed = scene.retrain()
    else:
        status, printed = scene.retrain(largest_file=1 << 20)
    filler.unlink(missing_ok=True)
    assert status == FAILED, printed
    assert "Free some space" in printed
    assert scene.versions() == before
    both = [scene.begin(name=f"retrain-{number}") for number in (1, 2)]
    ended = sorted(verb.wait() for verb in both)
    assert [status for status, _ in ended] == [OK, SKIPPED], ended
    scene.check_served()
    assert len(scene.versions()) == len(before) + 1


def test_a_locked_or_damaged_database_is_named(scene):
    before = scene.versions()
    path = scene.workspace / "metadata.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("BEGIN EXCLUSIVE")
        status, printed = scene.retrain("--force", "though it is locked")
        database.rollback()
    assert status == FAILED, printed
    assert f"{path} is locked" in printed.replace("\n", " ")
    whole = path.read_bytes()
    path.write_bytes(b"no database" + whole[11:])
    status, printed = scene.retrain("--force", "though it is damaged")
    path.write_bytes(whole)
    assert status == FAILED, printed
    assert f"{path} is damaged" in printed.replace("\n", " ")
    assert scene.versions() == before


def test_damaged_artifacts_are_named_or_made_again_and_lost_features_too(scene):
    before = scene.versions()
    shards = (scene.workspace / "artifacts").glob("**/ExampleGen/examples/*/Split-train/*-of-*")
    shard = max(shards, key=lambda path: (int(path.parents[1].name), path.name))
    shutil.rmtree(scene.workspace / "features")
    whole = shard.read_bytes()
    shard.unlink()  # it is a link to the span's, which stays as it is
    middle = len(whole) // 2
    shard.write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :])
    arguments, rate = ("--force", "another rate"), ("trainer.learning_rate=0.002",)
    status, printed = scene.retrain(*arguments, overrides=rate)
    assert status == FAILED, printed
    assert "Trainer: a file that it reads is damaged" in printed
    assert str(shard.parents[1]) in printed.replace("\n", "")
    assert scene.versions() == before
    shard.write_bytes(whole[:-100])
    status, printed = scene.retrain(*arguments, overrides=rate)
    assert status == OK, printed
    states = scene.states()
    assert states["ImportSchemaGen"] == "cached"
    assert {states[node] for node in ("ExampleGen", "Transform", "Trainer", "Pusher")} == {"run"}
    scene.check_served()
