"""What runs and compiled jobs leave behind holds no secret, not even one that lies about."""

import json

import pytest

from pipeline import secrets
from pipeline.cli.main import OK, main

#: As a person's shell may have them.
PLANTED = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYEXAMPLEKEY",
    "KF_PIPELINES_TOKEN": "planted-" + "0123456789abcdef",
    "MYSQL_PASSWORD": "hunter2-" + "planted",
}


@pytest.fixture
def planted(monkeypatch):
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)


def assert_clean(path) -> None:
    """No planted value anywhere, and nothing in the form of a secret."""
    text = path.read_text(encoding="utf-8", errors="replace")
    assert not [name for name, value in PLANTED.items() if value in text], path
    content = json.loads(text) if path.suffix == ".json" else text.splitlines()
    assert not list(secrets.find(content)), path


def test_run_leaves_none(world, first_run, planted):
    world.run()  # again, from the cache
    runs = world.root / "workspace" / "runs"
    written = sorted(path for path in runs.rglob("*") if path.is_file())
    assert {"summary.json", "run.log"} <= {path.name for path in written}
    for path in written:
        assert_clean(path)


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_compiled_job_holds_none(world, planted, tmp_path, ending):
    out = tmp_path / f"job.{ending}"
    settings = [f"--set=workspace={tmp_path / 'workspace'}", f"--set=data_root={world.data}"]
    assert main(["compile", "--config", "sample", *settings, "--out", str(out)]) == OK
    assert out.stat().st_size > 10_000
    assert_clean(out)
    for path in (tmp_path / "workspace").rglob("*.log"):
        assert_clean(path)
