import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main

VERBS = (
    "sample", "ingest", "data", "schema", "run", "bless", "runs", "compare", "report", "lineage",
    "push", "rollback", "gc", "predict", "serve", "doctor", "retrain", "decisions", "schedule",
)  # fmt: skip
#: Takes seconds to import, so no verb may load it before it needs it.
HEAVY = (
    "tensorflow",
    "tfx",
    "apache_beam",
    "tensorflow_hub",
    "google.api_core",
    "numpy",
    "pydantic",
)


@pytest.mark.parametrize("arguments", [["--help"], *[[verb, "--help"] for verb in VERBS]])
def test_help_loads_nothing_heavy(arguments):
    script = (
        "import sys\n"
        "from pipeline.cli.main import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as stop:\n"
        "    assert stop.code == 0\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: posters" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["nothing"], ["ingest"], ["run", "--sets", "x"], ["run", "--runner", "cloud"], ["schema"]],
)
def test_wrong_usage_exits_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main.main(arguments)
    assert stop.value.code == main.USAGE
    assert "usage: posters" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["serve"], ["export", "--out", "lite"]])
def test_a_model_that_is_read_on_this_machine_cannot_lie_on_a_store(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main.main([*arguments, "--model", "gs://bucket/models"])
    assert stop.value.code == main.USAGE
    assert "--model: gs://bucket/models lies on a store" in capsys.readouterr().err


def test_an_error_a_person_can_mend_has_no_traceback(capsys):
    assert main.main(["run", "--config", "nowhere"]) == main.FAILED
    error = capsys.readouterr().err
    assert error.startswith("posters: there is no configuration nowhere")
    assert "Traceback" not in error


def test_predict_without_a_model_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main.main(["predict", "poster.jpg"]) == main.FAILED
    assert "posters run" in capsys.readouterr().err


def _as_command(verb, **streams):
    """A process of its own that does what the lines of `verb` say, as a command of this project."""
    script = f"""if True:
        import atexit, sys, threading, time
        from pipeline.cli import main
        def verb():
            {verb}
            return main.SKIPPED
        main.main = verb
        main.command()
    """
    return subprocess.run([sys.executable, "-c", script], text=True, **streams)


def test_a_command_ends_as_python_does():
    done = _as_command(
        "atexit.register(print, 'the end');"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('a thread'))).start()",
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (main.SKIPPED, "")
    assert done.stdout.splitlines() == ["a thread", "the end"]


def test_words_that_cannot_be_written_are_a_failure():
    with Path("/dev/full").open("w") as full:
        done = _as_command("main.SKIPPED = main.OK; print('x')", stdout=full)
    assert done.returncode == main.FAILED
