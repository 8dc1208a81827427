"""`posters compile`: the DAG as one file that Kubeflow Pipelines or Vertex AI runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline import cost, windows
from pipeline.cli.main import OK
from pipeline.runners import kubeflow, logs, resources


def run(options: argparse.Namespace) -> int:
    """Compiles and says what the job holds; nothing is sent."""
    config = configuration.load(options.config, options.overrides)
    with logs.to_file(Path(config.workspace) / "compile.log"):
        copy = options.data
        window = windows.resolve_in_copy(config, copy) if copy else windows.resolve(config)
        job = kubeflow.compile(config, window, options.out, options.scheduled)
    nodes = len(list(resources.containers(job)))
    spans = f"each time the spans of its window ({window} by now)" if options.scheduled else window
    CONSOLE.print(
        f"{options.out}: {config.name}, {spans}, {len(window.labels)} labels, "
        f"{nodes} containers for {kubeflow.runner_of(config).name}",
        markup=False,
    )
    if config.prices:
        cost.estimate(config, job).show(CONSOLE)
    return OK
