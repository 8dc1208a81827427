"""What the gate found and decided: the JSON that it leaves, and how to read it."""

from __future__ import annotations

import dataclasses
import json
import posixpath
from collections.abc import Mapping
from typing import Any, Literal

from tfx.dsl.io import fileio

from components.gate.accepted import Accepted
from components.gate.facts import SplitFacts
from components.gate.findings import Finding
from components.spans.words import in_words

#: Grows when a reader of the report would have to change.
FORMAT = 2
NAME = "gate.json"
Verdict = Literal["passed", "overridden", "refused"]


@dataclasses.dataclass(frozen=True)
class GateReport:
    """One decision.

    Attributes:
      spans: numbers of the spans in question.
      window: numbers of all that is trained on.
      verdict: `overridden` if a person's reason stood against findings.
      findings: everything that was wrong.
      override: the reason that was given, needed or not.
      splits: what the statistics of the spans in question say.
      totals: how many examples each split has in the whole window.
      previous: what they were compared with for drift, if there was something.
      usual: how many examples a span before them has in each split, if that is known.
      distances: every drift and skew measured: feature, split, kind, value and threshold.
      settings: the limits.
      manifests: SHA-256 of the manifest of every span in question, by number.
      basis: digest of what was decided by, besides the data; see `basis`.
    """

    spans: tuple[int, ...]
    window: tuple[int, ...]
    verdict: Verdict
    findings: tuple[Finding, ...]
    override: str | None
    splits: Mapping[str, SplitFacts]
    totals: Mapping[str, int]
    previous: Accepted | None
    usual: Mapping[str, float] | None
    distances: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any]
    manifests: Mapping[int, str]
    basis: str

    def write(self, folder: str) -> None:
        """Writes `gate.json` into a folder, and makes that if need be."""
        fileio.makedirs(folder)
        content = {"format": FORMAT, **dataclasses.asdict(self)}
        with fileio.open(posixpath.join(folder, NAME), "w") as file:
            file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def refusal(self) -> str:
        """The message of a run that it stops."""
        lines = [f"the data of {in_words(self.spans)} is not fit to train on:"]
        lines += [f"  {line}" for item in self.findings for line in item.describe().split("\n")]
        lines.append(
            "If all this is known and meant, go on once and say why; the reason is kept with the "
            'run: posters run --allow-anomalies "REASON"'
        )
        numbers = ", ".join(map(str, self.spans))
        lines.append(f"To train without: exclude_spans: [{numbers}] in the configuration.")
        return "\n".join(lines)


def summarize(content: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict, the reason given, and the findings as text, of what `read` returns."""
    findings = [
        Finding(**{**finding, "examples": tuple(finding["examples"])}).describe()
        for finding in content["findings"]
    ]
    return {"verdict": content["verdict"], "override": content["override"], "findings": findings}


def read(folder: str) -> dict[str, Any]:
    """The content of a report artifact's `gate.json`."""
    with fileio.open(posixpath.join(folder, NAME), "r") as file:
        return json.loads(file.read())
