"""`posters retrain`: one decision and, if it says so, one run."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import gc
import json
from collections.abc import Iterator
from pathlib import Path

from components.errors import PostersError
from components.gate import refusals
from components.paths import to_path
from components.progress import CONSOLE
from components.retraining import asking, records
from components.retraining.question import Question
from components.retraining.records import Outcome, Record
from pipeline import notify, retraining, windows
from pipeline.cli.main import FAILED, INTERRUPTED, OK, REFUSED, SKIPPED
from pipeline.cli.run import perform, read_config
from pipeline.config import Config
from pipeline.metadata_store import place
from pipeline.runners import guard, logs
from pipeline.summary import RunSummary

_HEADLINES = {
    "run": ("Retrain: yes.", "bold green"),
    "skip": ("Retrain: no.", "bold"),
    "refuse": ("Retrain: refused.", "bold red"),
}
_MARKS = {"run": "+", "skip": "-", "refuse": "!", "nothing": " "}
#: Of a decision that no run follows.
_STATUS = {"skip": SKIPPED, "refuse": REFUSED}
#: Of one that a run followed.
_RUN_STATUS = {
    "pushed": OK,
    "held": OK,
    "refused": REFUSED,
    "data refused": REFUSED,
    "failed": FAILED,
    "interrupted": INTERRUPTED,
}


def run(options: argparse.Namespace) -> int:
    """Decides, runs if there is reason to, and writes down both."""
    if options.force is not None and not options.force.strip():
        raise PostersError('--force is empty: say why, such as --force "the extractor changed"')
    config = read_config(options)
    where = place.of(config)
    with _silent(options.json), notify.telling_of_errors(config):
        try:
            with where.only_run():
                record, status = _retrain(config, options)
        except guard.RunUnderWayError:
            # Raised on entering alone: within the block this process holds the workspace.
            record, status = _decide_only(config, options, f"another one is using {where}")
    if options.json:
        print(json.dumps(record.to_json(), ensure_ascii=False))
    return status


def _retrain(config: Config, options: argparse.Namespace) -> tuple[Record, int]:
    """Decides and runs, while nothing else runs."""
    question = retraining.ask_about(config)
    record = _decide(question, config, options)
    if options.dry_run or record.verdict != "run":
        return record, OK if record.verdict == "run" else _STATUS[record.verdict]
    outcome = Outcome("failed", _now(), error="it ended before any node began")
    try:
        summary, status = perform(config, windows.resolve(config), options)
        outcome = _outcome(summary, status, question)
    except PostersError as error:
        outcome = dataclasses.replace(outcome, ended=_now(), error=str(error))
        raise
    except KeyboardInterrupt:
        outcome = Outcome("interrupted", _now())
        raise
    finally:
        record = dataclasses.replace(record, outcome=outcome)
        path = records.write(to_path(question.decisions_folder), record)
    CONSOLE.print(f"{path}: {outcome.status}", markup=False)
    return record, _RUN_STATUS[outcome.status]


def _decide_only(config: Config, options: argparse.Namespace, under_way: str) -> tuple[Record, int]:
    record = _decide(retraining.ask_about(config), config, options, under_way)
    return record, _STATUS[record.verdict]


def _decide(
    question: Question, config: Config, options: argparse.Namespace, under_way: str | None = None
) -> Record:
    """Decides, shows why, and writes it down."""
    with logs.to_file(Path(config.workspace) / "retrain.log"):
        asked = asking.ask(
            question,
            finished=retraining.finished_runs(Path(config.workspace)),
            force=options.force and " ".join(options.force.split()),
            allow_anomalies=options.allow_anomalies is not None,
            under_way=under_way,
        )
        # The served model, if it was asked: as in `run._execute`.
        gc.collect()
    headline, style = _HEADLINES[asked.decision.verdict]
    CONSOLE.print(headline, style=style)
    for reason in asked.decision.reasons:
        CONSOLE.print(f"  {_MARKS[reason.speaks_for]} {reason.sentence}", markup=False)
    record = asked.record(question)
    if not options.dry_run:
        path = records.write(to_path(question.decisions_folder), record)
        CONSOLE.print(str(path), markup=False)
    if not options.dry_run and record.verdict != "run":
        sentences = [reason.sentence for reason in asked.decision.reasons]
        notify.notify(config, notify.of_decision(config, record.verdict, sentences))
    return record


def _outcome(summary: RunSummary, status: int, question: Question) -> Outcome:
    """What came of a run."""
    ended = Outcome("failed", _now(), summary.run_id, summary.pushed, summary.error)
    if status == INTERRUPTED:
        return dataclasses.replace(ended, status="interrupted")
    if summary.status != "failed":
        return dataclasses.replace(ended, status=summary.status, error=_why_not(summary))
    if summary.nodes and summary.nodes[-1].id == "DataGate" and _has_refused(summary, question):
        return dataclasses.replace(ended, status="data refused")
    return ended


def _has_refused(summary: RunSummary, question: Question) -> bool:
    """Whether the gate keeps a refusal of what the run was given, which a crash leaves none of."""
    given = {int(span["number"]): span["manifest"] for span in summary.spans}
    found = refusals.find(question.accepted_folder, question.gate_basis)
    return any(refusal.manifests.items() <= given.items() for refusal in found)


def _why_not(summary: RunSummary) -> str | None:
    """Why a model was refused, or None if it was not."""
    if summary.status != "refused":
        return None
    reasons = [] if summary.verdict.blessed else list(summary.verdict.reasons)
    reasons += list(summary.serving.reasons) if summary.serving and not reasons else []
    return "; ".join(reasons)


@contextlib.contextmanager
def _silent(wanted: bool) -> Iterator[None]:
    """Prints nothing for people, where a program reads the output."""
    before, CONSOLE.quiet = CONSOLE.quiet, wanted or CONSOLE.quiet
    try:
        yield
    finally:
        CONSOLE.quiet = before


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
