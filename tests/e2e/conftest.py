"""One drawn sample and one run on it, shared by the tests of whole DAGs."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.sharing import made_once

#: What a workspace keeps of images and of extractors, by their content.
_FROM_POSTERS = ("features", "extractors")


@dataclasses.dataclass(frozen=True)
class World:
    """A folder with a source, the data ingested from it, and a workspace."""

    root: Path

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def models(self) -> Path:
        return self.root / "workspace" / "models"

    def ingest(self, csv: Path, out: Path) -> int:
        return main(
            [
                "ingest", "--config", "sample", "--csv", str(csv),
                "--images", str(self.source / "images"), "--out", str(out),
            ]
        )  # fmt: skip

    def arguments(self, *overrides: str) -> list[str]:
        settings = [f"workspace={self.root / 'workspace'}", f"data_root={self.data}", *overrides]
        return ["run", "--config", "sample", *(f"--set={setting}" for setting in settings)]

    def run(self, *overrides: str) -> tuple[int, dict]:
        """Runs the DAG; its exit status and its summary."""
        status = main(self.arguments(*overrides))
        return status, self.last_summary()

    def last_summary(self) -> dict:
        newest = max((self.root / "workspace" / "runs").iterdir())
        return json.loads((newest / "summary.json").read_text())


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """The sample as it is drawn: a smaller one would be its first posters. Nobody writes to it."""

    def draw(folder: Path) -> None:
        assert main(["sample", "--out", str(folder / "source")]) == 0

    return made_once(tmp_path_factory, "drawn", draw) / "source"


@pytest.fixture(scope="session")
def world(drawn, tmp_path_factory) -> World:
    def ingest(folder: Path) -> None:
        shared = World(folder)
        shared.source.symlink_to(drawn)
        assert shared.ingest(shared.source / "MovieGenre.csv", shared.data) == 0

    shared = World(made_once(tmp_path_factory, "ingested", ingest))
    world = World(tmp_path_factory.mktemp("world"))
    world.source.symlink_to(shared.source)
    world.data.symlink_to(shared.data)
    return world


@pytest.fixture(scope="session")
def share_features(tmp_path_factory) -> Callable[[Path], None]:
    """Gives a new workspace the features that others computed, where these are not what is asked.

    Runs may fill the folders side by side: `test_two_processes_fill_one_store_at_once`. Not for who
    removes what nothing needs, which others' features would be.
    """

    def make(folder: Path) -> None:
        for name in _FROM_POSTERS:
            (folder / name).mkdir()

    def share(workspace: Path) -> None:
        workspace.mkdir(parents=True, exist_ok=True)
        for name in _FROM_POSTERS:
            (workspace / name).symlink_to(common / name)

    common = made_once(tmp_path_factory, "from-posters", make)
    return share


@pytest.fixture(scope="session")
def first_run(world) -> dict:
    """The summary of the first run in a new workspace; what it told of itself is in told.json."""
    status, summary = world.run(f"notify={{command: [tee, '{world.root / 'told.json'}']}}")
    assert status == 0
    return summary
