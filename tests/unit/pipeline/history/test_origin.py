import json
import subprocess
from pathlib import Path

import pipeline
from pipeline import config as configuration
from pipeline.history import origin


def _git(*arguments):
    command = ["git", "-C", str(Path(pipeline.__file__).parent), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def test_what_is_kept_with_a_run():
    found = origin.describe(configuration.load("sample", ["trainer.epochs=7"]))
    assert found[origin.PACKAGE] == pipeline.__version__
    assert json.loads(found[origin.SETTINGS])["trainer"]["epochs"] == 7
    # Of a copy of the sources without its history nothing is said.
    assert found.get(origin.COMMIT) == _git("rev-parse", "HEAD")
    assert all(isinstance(value, str) for value in found.values())


def test_in_an_environment_within_another_checkout_that_commit_is_not_named(tmp_path, monkeypatch):
    package = tmp_path / ".venv" / "pipeline"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(pipeline, "__file__", str(package / "__init__.py"))
    assert origin.COMMIT not in origin.describe(configuration.load("sample"))
