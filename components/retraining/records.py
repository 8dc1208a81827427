"""Decisions as they are kept: one JSON file each, beside the models, on disk or on a store.

A decision is written whole before anything runs, and once more with what came of it. One without
an outcome was skipped or refused, or its run was killed or is still under way.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from components.errors import PostersError
from components.files import write_text
from components.json_numbers import without_nan
from components.paths import AnyPath

#: Grows when a reader of a decision would have to change.
FORMAT = 1
#: Below the workspace, or below a cluster's store.
FOLDER = "decisions"
#: When it was taken, in UTC: a run's id has the same form.
ID = "%Y%m%dT%H%M%S.%fZ"
_FILE = re.compile(r"^(\d{8}T\d{6}\.\d{6}Z)\.json$")

Status = Literal["pushed", "held", "refused", "data refused", "failed", "interrupted"]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of the run that a decision started.

    Attributes:
      status: `refused` of the model, `data refused` if the gate stopped the run, `held` if a
        blessed model waits for a person's approval.
      ended: when, ISO 8601 in UTC.
      run: its id, or None on a cluster.
      pushed: where the model went, or None.
      error: why it failed or was refused, or None.
    """

    status: Status
    ended: str
    run: str | None = None
    pushed: str | None = None
    error: str | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """One decision.

    Attributes:
      id: when it was taken, see `ID`.
      verdict: `run`, `skip` or `refuse`.
      reasons: see `reasons.Reason`, as JSON has it; what decided comes first.
      inputs: see `situation.Situation.to_json`.
      settings: the limits, and for what data and models they were asked.
      outcome: what came of it, or None.
    """

    id: str
    verdict: str
    reasons: tuple[Mapping[str, Any], ...]
    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]
    outcome: Outcome | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values; what is no number is null."""
        return without_nan({"format": FORMAT, **dataclasses.asdict(self)})

    @property
    def sentence(self) -> str:
        """What decided, in words."""
        return str(self.reasons[0]["sentence"]) if self.reasons else ""

    @property
    def spans(self) -> dict[int, str]:
        """The window: SHA-256 of every span's manifest, by number."""
        return {int(span["number"]): span["manifest"] for span in self.inputs["window"]}


def write(folder: AnyPath, record: Record) -> AnyPath:
    """Writes a decision in one step, over what was there of it before.

    Returns:
      Its path.

    Raises:
      OSError: it cannot be written.
    """
    path = folder / f"{record.id}.json"
    write_text(path, json.dumps(record.to_json(), indent=2, ensure_ascii=False) + "\n")
    return path


def read(path: AnyPath) -> Record:
    """Reads one decision.

    Raises:
      PostersError: it is not there, or is something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        outcome = content.pop("outcome")
        record = Record(
            **{**content, "reasons": tuple(content["reasons"])},
            outcome=outcome and Outcome(**outcome),
        )
        _ = record.sentence, record.spans
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise PostersError(f"{path} cannot be read as a decision: {error}.") from error
    return record


def read_all(folder: AnyPath) -> Iterator[Record]:
    """Every decision that can be read, the newest first; damaged ones count for nothing.

    Each is read when it is asked for: a schedule leaves thousands in a year.
    """
    for path in sorted(folder.glob("*.json"), key=lambda path: path.name, reverse=True):
        if _FILE.match(path.name):
            with contextlib.suppress(PostersError):
                yield read(path)
