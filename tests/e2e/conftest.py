"""One drawn sample and one run on it, shared by the tests of whole DAGs."""

import dataclasses
import json
from pathlib import Path

import pytest

from pipeline.cli.main import main


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
def world(tmp_path_factory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    assert main(["sample", "--out", str(world.source)]) == 0
    assert world.ingest(world.source / "MovieGenre.csv", world.data) == 0
    return world


@pytest.fixture(scope="session")
def first_run(world) -> dict:
    """The summary of the first run in a new workspace; what it told of itself is in told.json."""
    status, summary = world.run(f"notify={{command: [tee, '{world.root / 'told.json'}']}}")
    assert status == 0
    return summary
