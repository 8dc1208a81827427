"""`posters run`: the DAG from examples to a pushed model, or to the reason why not."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import gc
import json
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from components import loading
from components.errors import PostersError
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline import notify, outcome, places, windows
from pipeline.cli.main import FAILED, INTERRUPTED, OK, REFUSED
from pipeline.history import origin, served
from pipeline.metadata_store import place
from pipeline.runners import failures, guard, logs
from pipeline.runners.reports import NodeFailedError, NodeReport
from pipeline.summary import RunSummary

_MEGABYTE = 1 << 20
#: By how a run ended, the verb that a person goes on with, and what for.
_BY_HAND = {
    "refused": ("bless", "To push it all the same"),
    "held": ("push", "To push it"),
}
_COLORS = {"run": "green", "cached": "cyan", "skipped": "yellow", "failed": "bold red"}


@dataclasses.dataclass(frozen=True)
class _Ran:
    """What came of the nodes: `error` says why not all of them ran."""

    reports: Sequence[NodeReport]
    import_seconds: float
    error: str | None
    interrupted: bool


def run(options: argparse.Namespace) -> int:
    """Runs the DAG on this machine; leaves summary, page and log in the run's folder."""
    config = read_config(options)
    with notify.telling_of_errors(config):
        _, status = perform(config, windows.resolve(config), options, options.runner)
    return status


def read_config(options: argparse.Namespace) -> configuration.Config:
    """The configuration of a run on this machine, as the command line has it."""
    overrides = list(options.overrides)
    if options.allow_anomalies is not None:
        overrides.append(f"gate.override={json.dumps(options.allow_anomalies)}")
    return configuration.load(options.config, overrides).on_this_machine()


def perform(
    config: configuration.Config,
    window: windows.Window,
    options: argparse.Namespace,
    runner: str = "local",
) -> tuple[RunSummary, int]:
    """Makes one run and shows it.

    Args:
      config: the checked configuration.
      window: the data that is trained on.
      options: how the configuration was named, for what a person may do next.
      runner: one of `_RUNNERS`.

    Returns:
      What it came to, and the exit status that says so.

    Raises:
      PostersError: it was refused before any node began; nothing is left of it.
    """
    run_id = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = Path(config.workspace) / "runs" / run_id
    log = folder / "run.log"
    started = time.time()
    try:
        with logs.to_file(log):
            ran = _execute(config, window, folder, _RUNNERS[runner])
    except PostersError:
        # Refused before any node began: there was no run.
        shutil.rmtree(folder)
        raise
    with logs.to_file(log):
        summary = _summarize(config, window, folder, ran, decided_here=runner == "local")
    summary.write(folder / "summary.json")
    summary.show(CONSOLE)
    if _can_go_on_by_hand(summary) and runner == "local":
        verb, words = _BY_HAND[summary.status]
        settings = [f"--set={setting}" for setting in options.overrides]
        command = ["posters", verb, run_id, f"--config={options.config}", *settings]
        CONSOLE.print(f"{words}: {shlex.join(command)} --reason WHY", markup=False)
    if summary.error:
        CONSOLE.print("\nFailed.", style="bold red")
        CONSOLE.print(summary.error, markup=False)
        CONSOLE.print(f"Log: {log}", markup=False)
    CONSOLE.print(str(folder / "summary.json"), markup=False)
    with logs.to_file(log):
        page = _write_page(folder, config, window, summary, started)
        notify.notify(config, notify.of_run(config, summary, page))
    if ran.interrupted:
        return summary, INTERRUPTED
    status = {"pushed": OK, "held": OK, "refused": REFUSED, "failed": FAILED}[summary.status]
    return summary, status


def _can_go_on_by_hand(summary: RunSummary) -> bool:
    # No decision mends a model that does not serve: `posters bless` refuses it.
    serves = summary.serving is None or summary.serving.serves
    return summary.status in _BY_HAND and serves


def _write_page(
    folder: Path,
    config: configuration.Config,
    window: windows.Window,
    summary: RunSummary,
    started: float,
) -> Path | None:
    from pipeline import run_page

    try:
        run_page.gather(folder, config, window, summary.nodes, started)
        page = run_page.write(folder)
        CONSOLE.print(str(page), markup=False)
        return page
    except (PostersError, OSError) as error:
        # The run is what it is; of a full disk, say, the summary has told.
        CONSOLE.print(f"The run's page could not be written: {error}", markup=False)
        return None


def _execute(
    config: configuration.Config, window: windows.Window, folder: Path, launch: _Launch
) -> _Ran:
    started = time.monotonic()
    CONSOLE.print(f"Run {folder.name}: {config.name}, {window}, {len(window.labels)} labels")
    CONSOLE.print("  loading TensorFlow, TFX and Beam ...")
    with loading.without_collecting():
        from components.trainer import extractor
        from pipeline import dag  # noqa: F401 - what takes time to load is loaded here

    import_seconds = time.monotonic() - started
    CONSOLE.print(f"  loaded in {import_seconds:.1f} s")
    error, interrupted = None, False
    try:
        with _collecting_only_what_is_new():
            reports = launch(config, window, folder)
    except NodeFailedError as failure:
        reports = failure.reports
        interrupted = guard.was_interrupted(failure.__cause__)
        error = failures.explain(failure)
    # TensorFlow's graph functions complain on the screen if the interpreter's end finds them.
    extractor.forget()
    gc.collect()
    return _Ran(reports, import_seconds, error, interrupted)


def _summarize(
    config: configuration.Config,
    window: windows.Window,
    folder: Path,
    ran: _Ran,
    decided_here: bool,
) -> RunSummary:
    verdict, pushed = outcome.evaluation(ran.reports)
    held, by_hand, error = outcome.is_held(ran.reports), None, ran.error
    if decided_here and verdict and (held or not verdict.blessed) and not error:
        try:
            by_hand, pushed = outcome.by_hand(ran.reports, place.of(config))
        except PostersError as failure:  # the run is made: once more, and all of it is cached
            error = str(failure)
    return RunSummary(
        run_id=folder.name,
        config=config.model_dump(mode="json"),
        spans=window.brief(),
        labels=window.labels,
        import_seconds=ran.import_seconds,
        nodes=ran.reports,
        gate=outcome.decision(ran.reports),
        verdict=verdict,
        serving=outcome.serving(ran.reports),
        by_hand=by_hand,
        held=held,
        pushed=pushed,
        served=served.version(config.models_folder),
        error=error,
    )


@contextlib.contextmanager
def _collecting_only_what_is_new() -> Iterator[None]:
    """Has the collector pass over what is loaded, which it would search again and again."""
    if gc.get_freeze_count():  # whoever called has seen to it
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _local(config: configuration.Config, window: windows.Window, folder: Path) -> list[NodeReport]:
    from components.trainer import extractor
    from pipeline import dag
    from pipeline.runners import ahead, local

    where = place.of(config)
    where.check()
    kept = extractor.kept_folder(places.features_folder(config))
    extractor.load(config.trainer.hub_handle, config.image.size, kept)
    pipeline = dag.create_pipeline(config, window)
    with ahead.ahead(config.features) as begun:

        def report(node: NodeReport) -> None:
            _report(node)
            begun.done(node)

        return local.run(
            pipeline,
            where,
            _announce,
            report,
            begun.executing,
            run_id=folder.name,
            origin=origin.describe(config),
        )


def _kubeflow_local(
    config: configuration.Config, window: windows.Window, folder: Path
) -> list[NodeReport]:
    from pipeline import data_nodes
    from pipeline.runners import kubeflow

    data_nodes.stage(config)
    kubeflow.compile(config, window, folder / "job.json")
    return _run_job(folder / "job.json", Path(config.workspace), config.name)


def _run_job(compiled: Path, workspace: Path, name: str) -> list[NodeReport]:
    from pipeline.runners.kubeflow_local import run, spec, support
    from pipeline.runners.kubeflow_local.leaf import Places

    job, logs_folder = spec.read(compiled), compiled.parent / "logs"
    CONSOLE.print(f"  compiled to {compiled}; each node's log in {logs_folder}", markup=False)
    for note in support.notes(job):
        CONSOLE.print(f"  {note}", markup=False)
    places = Places(workspace / "kubeflow-local" / name, logs_folder, compiled.parent.name)
    # Features, accepted spans and pushed models are shared with the other runner.
    with guard.only_run(workspace / place.FILE):
        return run.run(job, places, _announce, _report)


#: Runs the DAG on a window, with a folder for what is this run's alone.
_Launch = Callable[[configuration.Config, windows.Window, Path], list[NodeReport]]
_RUNNERS: dict[str, _Launch] = {"local": _local, "kubeflow-local": _kubeflow_local}


def _announce(node: str, place: int, count: int) -> None:
    if CONSOLE.is_terminal:
        CONSOLE.print(f"  [{place}/{count}] {node} ...", markup=False, style="dim")


def _report(node: NodeReport) -> None:
    color = _COLORS[node.state]
    CONSOLE.print(
        f"  {node.id:<18} [{color}]{node.state:<6}[/] {node.seconds:7.1f} s "
        f"{node.used.peak_bytes / _MEGABYTE:7.0f} MB"
    )
    decision = outcome.decision([node])
    if decision and decision["verdict"] == "overridden":
        CONSOLE.print(f"    let through by hand: {decision['override']}", markup=False)
        for line in "\n".join(decision["findings"]).split("\n"):
            CONSOLE.print(f"    {line}", markup=False)
