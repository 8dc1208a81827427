"""Small jobs, run as processes: what the service would do between their containers."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from components.errors import PostersError
from pipeline.runners.reports import NodeFailedError
from tests import kubeflow_jobs as jobs

ROOT = Path(__file__).parents[2]
#: As TFX compiles LatestBlessedModelStrategy: two resolvers, one for the other's answer.
_BLESSING = 'schema_title="tfx.ModelBlessing" AND state=LIVE AND metadata.blessed.number_value=1'
_BLESSED = (
    'schema_title="tfx.Model" AND state=LIVE AND '
    "name=\"{{$.inputs.artifacts['input'].metadata['current_model_id']}}\""
)


def _training(rate=0.1, blessed=1):
    """A DAG like the pipeline's: a model, compared with the last blessed one, and pushed."""
    return jobs.job(
        {
            "Examples": jobs.container('made("examples", "posters")', {"examples": "Examples"}),
            "Trainer": jobs.container(
                'made("model", uri("examples").joinpath("content").read_text() '
                '+ str(parameters["rate"]))',
                {"model": "Model"},
                inputs={**jobs.takes(examples="Examples.examples"), **jobs.constants(rate=rate)},
            ),
            "Blessing": jobs.resolver({"blessing": _BLESSING}),
            "Baseline": jobs.resolver(
                {"model": _BLESSED}, inputs=jobs.takes(input="Blessing.blessing")
            ),
            "Evaluator": jobs.container(
                """
                baseline = inputs["artifacts"].get("baseline", {}).get("artifacts", [])
                made("blessing", baseline[0]["uri"] if baseline else "none",
                     blessed=parameters["blessed"],
                     current_model_id=inputs["artifacts"]["model"]["artifacts"][0]["name"])
                """,
                {"blessing": "ModelBlessing"},
                inputs={
                    **jobs.takes(model="Trainer.model", baseline="Baseline.model"),
                    **jobs.constants(blessed=blessed),
                },
            ),
        }
    )  # fmt: skip


def _content(reports, node, key):
    (artifact,) = next(report for report in reports if report.id == node).outputs[key]
    return Path(artifact.uri, "content").read_text()


def test_tasks_hand_each_other_artifacts_and_parameters(tmp_path):
    reports = jobs.execute(_training(), tmp_path, "1")
    assert list(jobs.states(reports).items()) == [
        ("Blessing", "run"), ("Baseline", "run"), ("Examples", "run"), ("Trainer", "run"),
        ("Evaluator", "run"),
    ]  # fmt: skip
    assert _content(reports, "Trainer", "model") == "posters0.1"
    assert _content(reports, "Evaluator", "blessing") == "none"


def test_the_last_blessed_model_is_found_and_the_rest_is_cached(tmp_path):
    first = jobs.execute(_training(), tmp_path, "1")
    # The first model is the last blessed one now, so that there is something to compare with.
    second = jobs.execute(_training(), tmp_path, "2")
    assert jobs.states(second) == {
        "Blessing": "run", "Baseline": "run", "Examples": "cached", "Trainer": "cached",
        "Evaluator": "run",
    }  # fmt: skip
    third = jobs.states(jobs.execute(_training(), tmp_path, "3"))
    # The second run blessed once more what it found blessed.
    assert third == {**dict.fromkeys(third, "cached"), "Blessing": "run"}
    refused = jobs.execute(_training(rate=0.2, blessed=0), tmp_path, "4")
    assert jobs.states(refused)["Examples"] == "cached"
    assert jobs.states(refused)["Trainer"] == "run"
    last = jobs.execute(_training(rate=0.3), tmp_path, "5")
    (model,) = next(report for report in first if report.id == "Trainer").outputs["model"]
    assert _content(last, "Evaluator", "blessing") == model.uri


def test_outputs_that_someone_removed_are_made_again(tmp_path):
    first = jobs.execute(_training(), tmp_path, "1")
    (model,) = next(report for report in first if report.id == "Trainer").outputs["model"]
    subprocess.run(["rm", "-r", Path(model.uri).parent], check=True)
    second = jobs.execute(_training(), tmp_path, "2")
    assert jobs.states(second)["Examples"] == "cached"
    assert jobs.states(second)["Trainer"] == "run"


def test_each_container_starts_in_an_empty_folder_with_its_own_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OF_THE_SHELL", "seen")
    task = jobs.container(
        """
        import os
        made("result", json.dumps({"files": os.listdir(), "variables": dict(os.environ)}))
        """,
        {"result": "Model"},
    )
    task["executor"]["container"]["env"] = [{"name": "OF_THE_JOB", "value": "1"}]
    reports = jobs.execute(jobs.job({"Task": task}), tmp_path, "1")
    found = json.loads(_content(reports, "Task", "result"))
    assert found["files"] == []
    assert found["variables"]["OF_THE_JOB"] == "1"
    assert "OF_THE_SHELL" not in found["variables"]
    assert not Path(found["variables"]["HOME"]).exists()


def test_the_memory_of_a_container_is_that_of_all_its_processes(tmp_path):
    lines = """
    import subprocess, time
    held = bytearray(150_000_000)
    child = "held = bytearray(150_000_000); import time; time.sleep(1)"
    subprocess.run([sys.executable, "-c", child])
    """
    (report,) = jobs.execute(jobs.job({"Task": jobs.container(lines)}), tmp_path, "1")
    assert 300_000_000 < report.used.peak_bytes < 500_000_000


def test_a_condition_skips_a_task_and_what_needs_it(tmp_path):
    def gated(blessed):
        condition = "(inputs.artifacts['blessing'].artifacts[0].metadata['blessed'] == 1.0)"
        return jobs.job(
            {
                "Evaluator": jobs.container(
                    f'made("blessing", blessed={blessed})', {"blessing": "ModelBlessing"}
                ),
                "Pusher": jobs.container(
                    'made("pushed")',
                    {"pushed": "PushedModel"},
                    inputs=jobs.takes(blessing="Evaluator.blessing"),
                    triggerPolicy={"condition": condition},
                ),
                "Report": jobs.container(dependentTasks=["Pusher"]),
            }
        )

    assert jobs.states(jobs.execute(gated(1), tmp_path, "1")) == {
        "Evaluator": "run", "Pusher": "run", "Report": "run",
    }  # fmt: skip
    assert jobs.states(jobs.execute(gated(0), tmp_path, "2")) == {
        "Evaluator": "run", "Pusher": "skipped", "Report": "skipped",
    }  # fmt: skip


def _with_exit_handler(lines):
    handler = jobs.container(
        'made("said", parameters["status"])',
        {"said": "Model"},
        cached=False,
        inputs={"parameters": {"status": {"taskFinalStatus": {"producerTask": "tfx-dag"}}}},
        dependentTasks=["tfx-dag"],
        triggerPolicy={"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
    )
    tasks = {"First": jobs.container(lines), "Second": jobs.container(dependentTasks=["First"])}
    return jobs.job(tasks, {"OnExit": handler})


def test_an_exit_handler_is_told_of_success(tmp_path):
    reports = jobs.execute(_with_exit_handler(""), tmp_path, "1")
    assert list(jobs.states(reports)) == ["First", "Second", "OnExit"]
    assert json.loads(_content(reports, "OnExit", "said"))["state"] == "SUCCEEDED"


def test_an_exit_handler_runs_after_a_failure_and_is_told_why(tmp_path):
    with pytest.raises(NodeFailedError) as failure:
        jobs.execute(_with_exit_handler('sys.exit("no posters today")'), tmp_path, "1")
    reports = failure.value.reports
    assert jobs.states(reports) == {"First": "failed", "OnExit": "run"}
    status = json.loads(_content(reports, "OnExit", "said"))
    assert status["state"] == "FAILED"
    assert "no posters today" in status["error"]["message"]
    assert failure.value.failed.id == "First"


def test_a_task_that_fails_leaves_a_log_and_nothing_else(tmp_path):
    content = _training()
    command = content["pipelineSpec"]["deploymentSpec"]["executors"]["Trainer_executor"]
    lines = 'print("at work")\nmade("model", "half")\nraise ValueError("too few posters")'
    works = command["container"]["command"]
    command["container"]["command"] = jobs.script(lines)
    with pytest.raises(NodeFailedError) as failure:
        jobs.execute(content, tmp_path, "1")
    cause = failure.value.__cause__
    assert isinstance(cause, PostersError)
    assert "status 1" in str(cause)
    assert "ValueError: too few posters" in str(cause)
    log = tmp_path / "logs" / "1" / "Trainer.log"
    assert str(log) in str(cause)
    assert "at work" in log.read_text()
    assert list((tmp_path / "root" / "artifacts" / "Trainer").iterdir()) == []
    assert "Evaluator" not in jobs.states(failure.value.reports)
    command["container"]["command"] = works
    assert jobs.states(jobs.execute(content, tmp_path, "2"))["Examples"] == "cached"


def test_the_last_words_are_few_however_long_the_lines_are(tmp_path):
    lines = 'raise ValueError("no record: " + "0" * 40_000)'
    with pytest.raises(NodeFailedError) as failure:
        jobs.execute(jobs.job({"Task": jobs.container(lines)}), tmp_path, "1")
    assert "ValueError: no record: 000" in str(failure.value.__cause__)
    assert len(str(failure.value.__cause__)) < 1500


def test_an_argument_that_no_kernel_takes_is_refused(tmp_path):
    task = jobs.container(inputs=jobs.constants(labels="x" * 140_000))
    with pytest.raises(NodeFailedError) as failure:
        jobs.execute(jobs.job({"Task": task}), tmp_path, "1")
    assert "Linux takes 131072" in str(failure.value.__cause__)


def test_a_command_that_is_not_there_is_named(tmp_path):
    task = jobs.container()
    task["executor"]["container"]["command"] = ["no-such-program"]
    with pytest.raises(NodeFailedError) as failure:
        jobs.execute(jobs.job({"Task": task}), tmp_path, "1")
    assert "no-such-program is not there" in str(failure.value.__cause__)


def test_an_error_that_a_person_can_mend_comes_out_as_it_is(tmp_path):
    lines = """
    from components.errors import PostersError
    raise PostersError("movies.csv, row 3: no poster\\nadd one")
    """
    with pytest.raises(NodeFailedError) as failure:
        jobs.execute(jobs.job({"Task": jobs.container(lines)}), tmp_path, "1")
    assert str(failure.value.__cause__).startswith("movies.csv, row 3: no poster\nadd one\nIts log")


def test_an_error_that_came_of_one_that_can_be_mended_comes_last(tmp_path):
    lines = """
    from components.errors import PostersError
    try:
        raise PostersError("no poster")
    except PostersError:
        raise KeyError("no way to go on")
    """
    with pytest.raises(NodeFailedError) as failure:
        jobs.execute(jobs.job({"Task": jobs.container(lines)}), tmp_path, "1")
    assert "KeyError: 'no way to go on'" in str(failure.value.__cause__)
    assert str(failure.value.__cause__).startswith("its process ended with status 1")


def test_a_task_that_says_nothing_of_its_output_parameter_fails(tmp_path):
    task = jobs.container(gives=["count"])
    with pytest.raises(NodeFailedError) as failure:
        jobs.execute(jobs.job({"Task": task}), tmp_path, "1")
    assert "output count" in str(failure.value.__cause__)


def test_an_output_parameter_reaches_the_next_task(tmp_path):
    given = {
        "parameters": {
            "count": {
                "taskOutputParameter": {"producerTask": "First", "outputParameterKey": "count"}
            }
        }
    }
    content = jobs.job(
        {
            "First": jobs.container('output["parameterValues"]["count"] = "3"', gives=["count"]),
            "Second": jobs.container(
                'made("said", parameters["count"])', {"said": "Model"}, inputs=given
            ),
        }
    )
    assert _content(jobs.execute(content, tmp_path, "1"), "Second", "said") == "3"
    assert set(jobs.states(jobs.execute(content, tmp_path, "2")).values()) == {"cached"}


def test_what_is_imported_again_is_the_same_artifact(tmp_path):
    def content(**more):
        return jobs.job(
            {
                "Importer": jobs.importer("/somewhere", **more),
                "Task": jobs.container(inputs=jobs.takes(model="Importer.result")),
            }
        )

    assert set(jobs.states(jobs.execute(content(), tmp_path, "1")).values()) == {"run"}
    assert set(jobs.states(jobs.execute(content(), tmp_path, "2")).values()) == {"cached"}
    anew = jobs.execute(content(reimport=True), tmp_path, "3")
    assert set(jobs.states(anew).values()) == {"run"}


_INTERRUPTED = """
import json, sys
from pathlib import Path
from tests import kubeflow_jobs as jobs
from pipeline.runners.reports import NodeFailedError
try:
    jobs.execute(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), "1")
except NodeFailedError as failure:
    print(type(failure.__cause__).__name__, jobs.states(failure.reports))
"""


def _is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_interrupt_ends_the_container_and_all_that_it_started(tmp_path):
    pid_file = tmp_path / "pid"
    lines = f"""
    import os, subprocess, time
    made("model", "half")
    child = subprocess.Popen(["sleep", "600"])
    path = pathlib.Path({str(pid_file)!r})
    path.with_suffix(".new").write_text(str(child.pid))
    path.with_suffix(".new").rename(path)
    time.sleep(600)
    """
    tasks = {
        "First": jobs.container(lines, {"model": "Model"}),
        "Second": jobs.container(dependentTasks=["First"]),
    }
    content = tmp_path / "content.json"
    content.write_text(json.dumps(jobs.job(tasks)))
    process = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED, str(content), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    try:
        while not pid_file.exists():
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "InterruptedRunError {'First': 'failed'}" in said
    assert _is_gone(int(pid_file.read_text()))
    assert list((tmp_path / "root" / "artifacts" / "First").iterdir()) == []


def test_what_a_killed_run_left_is_removed(tmp_path):
    jobs.execute(_training(), tmp_path, "1")
    left = tmp_path / "root" / "artifacts" / "Trainer" / "killed"
    left.mkdir()
    jobs.execute(_training(), tmp_path, "2")
    assert [folder.name for folder in left.parent.iterdir()] == ["1"]
