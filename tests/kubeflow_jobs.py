"""Small jobs in Kubeflow's form, whose containers are a few lines of Python each."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.runners.kubeflow_local import run, spec
from pipeline.runners.kubeflow_local.leaf import Places
from pipeline.runners.reports import NodeReport

#: Before a container's own lines: what it is given, and what it says of what it made.
_PROLOGUE = """\
import json, pathlib, sys
given = json.loads(sys.argv[1])
inputs, outputs = given.get("inputs", {}), given["outputs"]
parameters = inputs.get("parameterValues", {})
output = {"artifacts": {}, "parameterValues": {}}
def uri(key):
    return pathlib.Path(inputs["artifacts"][key]["artifacts"][0]["uri"])
def made(key, text="", **metadata):
    path = pathlib.Path(outputs["artifacts"][key]["artifacts"][0]["uri"])
    path.mkdir(parents=True)
    (path / "content").write_text(text)
    output["artifacts"][key] = {"artifacts": [{"metadata": metadata}]}
"""
_EPILOGUE = 'pathlib.Path(outputs["outputFile"]).write_text(json.dumps(output))\n'


def script(lines: str) -> list[str]:
    """The command and arguments of a container that runs some lines."""
    program = _PROLOGUE + textwrap.dedent(lines) + "\n" + _EPILOGUE
    return ["python", "-c", program, "{{$}}"]


def type_of(title: str) -> dict[str, str]:
    return {"instanceSchema": f"title: tfx.{title}\ntype: object\n"}


def container(
    lines: str = "",
    makes: Mapping[str, str] | None = None,
    cached: bool = True,
    gives: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A task that is a container.

    Args:
      lines: what it runs.
      makes: types of its outputs by key.
      cached: whether the cache is asked.
      gives: names of its output parameters.
      more: of the task: `inputs`, `dependentTasks`, `triggerPolicy`.
    """
    executor = {"container": {"image": "image:1", "command": script(lines)}}
    task = {"cachingOptions": {"enableCache": cached}, **more}
    return {"task": task, "executor": executor, "outputs": _outputs(makes or {}, gives)}


def resolver(queries: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """A task that looks artifacts up, by key."""
    filters = {key: {"filter": query} for key, query in queries.items()}
    return {
        "task": more,
        "executor": {"resolver": {"outputArtifactQueries": filters}},
        "outputs": _outputs(dict.fromkeys(queries, "Model"), ()),
    }


def importer(uri: str, title: str = "Model", reimport: bool = False) -> dict[str, Any]:
    """A task that takes what lies at an address as an artifact `result`."""
    executor = {
        "artifactUri": {"constant": uri}, "typeSchema": type_of(title), "reimport": reimport,
    }  # fmt: skip
    return {
        "task": {},
        "executor": {"importer": executor},
        "outputs": _outputs({"result": title}, ()),
    }


def takes(**sources: str) -> dict[str, Any]:
    """Inputs of a task: `model="Trainer.model"`."""
    return {
        "artifacts": {
            key: {
                "taskOutputArtifact": dict(
                    zip(("producerTask", "outputArtifactKey"), source.split("."), strict=True)
                )
            }
            for key, source in sources.items()
        }
    }


def constants(**values: Any) -> dict[str, Any]:
    """Inputs of a task that are parameters."""
    return {
        "parameters": {key: {"runtimeValue": {"constant": value}} for key, value in values.items()}
    }


def job(
    tasks: Mapping[str, Mapping[str, Any]],
    handlers: Mapping[str, Mapping[str, Any]] | None = None,
    root: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A whole job.

    Args:
      tasks: by name, see `container`, `resolver` and `importer`.
      handlers: tasks beside them; then the others are a DAG `tfx-dag` of their own, as TFX has it.
      root: more of the outermost component: its parameters.
      parameters: values of the job's parameters.
    """
    components, executors = {}, {}
    for name, parts in {**tasks, **(handlers or {})}.items():
        components[name] = {"executorLabel": f"{name}_executor", **parts["outputs"]}
        executors[f"{name}_executor"] = parts["executor"]
    dag = {name: _task(name, parts) for name, parts in tasks.items()}
    if handlers:
        components["tfx-dag"] = {"dag": {"tasks": dag}}
        dag = {"tfx-dag": {"componentRef": {"name": "tfx-dag"}}}
        dag |= {name: _task(name, parts) for name, parts in handlers.items()}
    return {
        "pipelineSpec": {
            "pipelineInfo": {"name": "posters"},
            "schemaVersion": "2.1.0",
            "components": components,
            "deploymentSpec": {"executors": executors},
            "root": {"dag": {"tasks": dag}, **(root or {})},
        },
        "runtimeConfig": {"parameterValues": parameters or {}},
    }


def read(content: Mapping[str, Any], folder: Path) -> spec.Job:
    """The job as it is read from a file."""
    path = folder / "job.json"
    path.write_text(json.dumps(content))
    return spec.read(path)


def execute(content: Mapping[str, Any], folder: Path, run_id: str) -> list[NodeReport]:
    """Runs a job; what it keeps for the next run lies below the folder."""
    places = Places(folder / "root", folder / "logs" / run_id, run_id)
    return run.run(read(content, folder), places, lambda *_: None, lambda _: None)


def states(reports: Sequence[NodeReport]) -> dict[str, str]:
    return {report.id: report.state for report in reports}


def _task(name: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"taskInfo": {"name": name}, "componentRef": {"name": name}, **parts["task"]}


def _outputs(makes: Mapping[str, str], gives: Sequence[str]) -> dict[str, Any]:
    return {
        "outputDefinitions": {
            "artifacts": {key: {"artifactType": type_of(title)} for key, title in makes.items()},
            "parameters": {key: {"parameterType": "STRING"} for key in gives},
        }
    }
