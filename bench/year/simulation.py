"""Runs the year: every week through `posters ingest` and `posters retrain`, on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.year.plan import LIMITS, Delivery, Retrain, Week
from bench.year.posters import Studio
from components.errors import PostersError
from components.progress import CONSOLE
from components.retraining import records
from pipeline.cli.main import OK, main

#: The Monday of week 1.
_FIRST_DAY = datetime.date(2025, 1, 6)
#: The node before the one in which a run is killed.
_KILL_AFTER = "Transform"


class SurpriseError(PostersError):
    """A week came to something else than the plan says."""


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What one `posters retrain` came to.

    Attributes:
      status: what it exited with; -9 if it was killed.
      verdict, rule, sentence: of the decision, and the reason that came first.
      outcome: what came of the run, or None.
      version: the version that it pushed, or None.
      macro_f1: of its model, or None.
      nodes: of its run, with state and seconds of each.
      trained_on: the window's spans.
      seconds: it took.
    """

    status: int
    verdict: str
    rule: str
    sentence: str
    outcome: str | None
    version: str | None
    macro_f1: float | None
    nodes: dict[str, tuple[str, float]]
    trained_on: tuple[int, ...]
    seconds: float


@dataclasses.dataclass(frozen=True)
class Lived:
    """What a week came to.

    Attributes:
      number: of the week, from 1.
      event: see `plan.Week`.
      posters: how many came in.
      spans: those that were written, by number, with their dates.
      attempts: in their order.
      served: the version that serves after it, and which of the pushed ones that is, from 1.
      served_macro_f1: its macro-F1 when it was pushed.
      seconds: the whole week took.
    """

    number: int
    event: str
    posters: int
    spans: dict[int, str]
    attempts: tuple[Attempt, ...]
    served: str
    pushed: int
    served_macro_f1: float
    seconds: float


class World:
    """A source of posters, a data root, and a workspace that retrains."""

    def __init__(self, root: Path) -> None:
        """Makes a world in a folder of its own."""
        self.root = root
        self.workspace = root / "workspace"
        self.data = root / "data"
        self._studio = Studio()
        self._deliveries = 0
        self._excluded: tuple[int, ...] = ()
        self._pushed: dict[str, float] = {}

    def live(self, number: int, week: Week) -> Lived:
        """Lives through a week.

        Raises:
          SurpriseError: it came to something else than the plan says.
        """
        started = time.monotonic()
        before = self._spans()
        for delivery in week.deliveries:
            self._ingest(number, delivery)
        attempts = tuple(self._retrain(number, wanted) for wanted in week.retrains)
        spans = {span: day for span, day in self._spans().items() if span not in before}
        served = self._check_served(number)
        return Lived(
            number=number,
            event=week.event,
            posters=sum(delivery.posters for delivery in week.deliveries),
            spans=spans,
            attempts=attempts,
            served=served,
            pushed=len(self._pushed),
            served_macro_f1=self._pushed[served],
            seconds=time.monotonic() - started,
        )

    def _ingest(self, number: int, delivery: Delivery) -> None:
        self._deliveries += 1
        folder = self.root / "source" / str(self._deliveries)
        table, images = self._studio.deliver(delivery, folder)
        day = _FIRST_DAY + datetime.timedelta(weeks=number - 1 - delivery.weeks_late)
        before = self._spans()
        with _quiet():
            status = main(
                ["ingest", *self._settings(), "--csv", str(table), "--images", str(images),
                 "--out", str(self.data), "--date", day.isoformat(),
                 *(["--grow-vocabulary"] if delivery.grow else [])]
            )  # fmt: skip
        new = {span: date for span, date in self._spans().items() if span not in before}
        if delivery.damaged:
            _expect(number, "ingest of damaged images", (status, new), (1, {}))
        else:
            wanted = (OK, {len(before) + 1: day.isoformat()})
            _expect(number, "ingest", (status, new), wanted)

    def _retrain(self, number: int, wanted: Retrain) -> Attempt:
        self._excluded += wanted.exclude
        arguments = ["retrain", *self._settings(*wanted.settings)]
        known = len(self._decisions())
        started = time.monotonic()
        if wanted.killed:
            status = _kill(arguments)
        else:
            with _quiet():
                status = main(arguments)
        seconds = time.monotonic() - started
        decisions = self._decisions()
        _expect(number, "decisions", len(decisions), known + 1)
        attempt = self._describe(decisions[-1], status, seconds)
        found = (attempt.verdict, attempt.rule, attempt.outcome, attempt.status)
        expected = (wanted.verdict, wanted.rule, wanted.outcome, wanted.status)
        _expect(number, f"retrain ({attempt.sentence})", found, expected)
        states = {node: attempt.nodes[node][0] for node in wanted.cached}
        _expect(number, "nodes", states, dict.fromkeys(wanted.cached, "cached"))
        if attempt.version:
            self._pushed[attempt.version] = attempt.macro_f1 or 0.0
        return attempt

    def _describe(self, decision: records.Record, status: int, seconds: float) -> Attempt:
        outcome, summary = decision.outcome, {}
        if outcome and outcome.run:
            path = self.workspace / "runs" / outcome.run / "summary.json"
            summary = json.loads(path.read_text())
        return Attempt(
            status=status,
            verdict=decision.verdict,
            rule=str(decision.reasons[0]["rule"]),
            sentence=decision.sentence,
            outcome=outcome.status if outcome else None,
            version=Path(outcome.pushed).name if outcome and outcome.pushed else None,
            macro_f1=(summary.get("metrics") or {}).get("macro_f1"),
            nodes={
                node["id"]: (node["state"], node["seconds"]) for node in summary.get("nodes", ())
            },
            trained_on=tuple(sorted(decision.spans)),
            seconds=seconds,
        )

    def _check_served(self, number: int) -> str:
        """The version that serves: the last that was pushed, among those that were pushed alone."""
        versions = sorted(path.name for path in (self.workspace / "models").iterdir())
        _expect(number, "versions", versions, sorted(self._pushed))
        return max(versions, key=int)

    def _settings(self, *settings: str) -> list[str]:
        given = [f"workspace={self.workspace}", f"data_root={self.data}", *LIMITS]
        if self._excluded:
            given.append(f"exclude_spans=[{', '.join(map(str, self._excluded))}]")
        return ["--config", "sample", *(f"--set={setting}" for setting in (*given, *settings))]

    def _decisions(self) -> list[records.Record]:
        folder = self.workspace / records.FOLDER
        return sorted(records.read_all(folder), key=lambda record: record.id)

    def _spans(self) -> dict[int, str]:
        manifests = self.data.glob("span-*/manifest.json")
        read = {int(path.parent.name[5:]): json.loads(path.read_text()) for path in manifests}
        return {number: manifest["date"] for number, manifest in sorted(read.items())}


def live(weeks: tuple[Week, ...]) -> Iterator[Lived]:
    """Lives through weeks, from the first of the plan on, in a folder that is removed afterwards.

    Raises:
      SurpriseError: one came to something else than the plan says.
    """
    with tempfile.TemporaryDirectory(prefix="posters-year-") as folder:
        world = World(Path(folder))
        for number, week in enumerate(weeks, start=1):
            yield world.live(number, week)


def _kill(arguments: list[str]) -> int:
    """Runs a verb in a process of its own, and kills it while the Trainer works."""
    command = [sys.executable, "-m", "pipeline.cli.main", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            if line.split()[:1] == [_KILL_AFTER]:
                break
    finally:
        process.kill()
        process.communicate()
    return process.returncode


def _expect(week: int, what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise SurpriseError(f"week {week}: {what}: {found}, and the plan says {wanted}.")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    before, CONSOLE.quiet = CONSOLE.quiet, True
    try:
        yield
    finally:
        CONSOLE.quiet = before
