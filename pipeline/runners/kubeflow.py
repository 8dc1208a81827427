"""Compiles the DAG to a job for Kubeflow Pipelines v2 or Vertex AI: one file that says it all.

TFX makes the specification. What it leaves out is added here and read back: resources of every
node, and pipeline root and parameter values where only the specification is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from components.errors import PostersError
from components.files import write_text
from pipeline.config import Config
from pipeline.runners import preflight, requirements, resources
from pipeline.runners.capabilities import KUBEFLOW, KUBEFLOW_LOCAL, VERTEX, Runner
from pipeline.windows import Window

#: What a container of ours runs; TFX's arguments follow.
_COMMAND = ("python", "-m", "pipeline.node")
#: Stands in the job that runs on this machine, where no image is pulled.
_NO_IMAGE = "this-machine:no-image"
#: The first task of a scheduled job.
_DECISION = "RetrainDecision"

Job = dict[str, Any]


def runner_of(config: Config) -> Runner:
    """The runner that a configuration is for."""
    if config.kubeflow:
        return KUBEFLOW
    return VERTEX if config.vertex else KUBEFLOW_LOCAL


def compile(config: Config, window: Window, out: Path, scheduled: bool = False) -> Job:
    """Compiles the DAG and writes the job.

    Args:
      config: the checked configuration. Its section `kubeflow` or `vertex` says what for; with
        neither the job is for this machine, its files in the workspace.
      window: the data it trains on; its spans are fixed in the job.
      out: `.json` for a whole PipelineJob, `.yaml` for its PipelineSpec alone, which is what
        Kubeflow's clients take; either has pipeline root and parameter values.
      scheduled: see `build`.

    Returns:
      The PipelineJob as JSON has it.

    Raises:
      PostersError: the runner cannot do what the configuration asks for, or `out` has another
        ending.
    """
    if out.suffix not in (".json", ".yaml"):
        raise PostersError(f"--out {out}: name a file that ends in .json or .yaml")
    job = build(config, window, runner_of(config), scheduled)
    if out.suffix == ".json":
        write_text(out, json.dumps(job, indent=1, sort_keys=True) + "\n")
    else:
        write_text(out, yaml.safe_dump(job["pipelineSpec"], sort_keys=True, allow_unicode=True))
    return job


def build(config: Config, window: Window, runner: Runner, scheduled: bool = False) -> Job:
    """The PipelineJob of the DAG, checked, as JSON has it.

    Args:
      config: the checked configuration.
      window: the data it trains on.
      runner: what it is for.
      scheduled: whether it is for a schedule, which sends the same job each time: then it decides
        itself, each time, whether there is reason to train and on which spans the configuration's
        window is by then. Only the vocabulary of `window` is fixed in it.

    Raises:
      PostersError: see `compile`.
    """
    requirements.check(config, runner)
    from pipeline import dag

    with _without_clients():
        from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as tfx_runner
    pipeline = dag.create_pipeline(config, window, runner, scheduled)
    settings = tfx_runner.KubeflowV2DagRunnerConfig(
        display_name=f"{config.name}-{'scheduled' if scheduled else window.slug}",
        default_image=_images(config),
        use_pipeline_spec_2_1=True,
        default_commands=list(_COMMAND),
    )
    job = tfx_runner.KubeflowV2DagRunner(settings).run(pipeline, write_out=False)
    # A client that is given the specification alone would lose it.
    job["pipelineSpec"]["defaultPipelineRoot"] = config.pipeline_root
    job["labels"]["window"] = "scheduled" if scheduled else window.slug
    if scheduled:
        _look_each_time(job)
    _check_image_names(job, config)
    resources.write(job, config.resources)
    resources.check(job, config.resources)
    preflight.check(job, runner)
    return job


def _look_each_time(job: Job) -> None:
    """Takes the decision out of the cache: what it looks at lies on the store, and changes."""
    task = job["pipelineSpec"]["root"]["dag"]["tasks"][_DECISION]
    task["cachingOptions"] = {"enableCache": False}


def _images(config: Config) -> Mapping[str, str]:
    """Images by node, as TFX takes them; without the default it takes an image of its own."""
    if config.cluster is None:
        return {"default_image_path": _NO_IMAGE}
    images = config.cluster.images
    return {**images.by_node, "default_image_path": images.default}


def _check_image_names(job: Job, config: Config) -> None:
    names = {name for name, _ in resources.containers(job)}
    if config.cluster and (unknown := sorted(config.cluster.images.by_node.keys() - names)):
        section = runner_of(config).section
        raise PostersError(
            f"{section}.images.by_node: there is no node {', '.join(unknown)} in the pipeline that "
            f"runs in a container; there are {', '.join(sorted(names))}."
        )


@contextlib.contextmanager
def _without_clients() -> Iterator[None]:
    """Keeps kfp from importing its clients, and with them Kubernetes' and Google's."""
    before = os.environ.get("_KFP_RUNTIME")
    os.environ["_KFP_RUNTIME"] = "true"
    try:
        yield
    finally:
        del os.environ["_KFP_RUNTIME"]
        if before is not None:
            os.environ["_KFP_RUNTIME"] = before
