"""What a run did, as data (`summary.json`) and as a page of text."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.files import write_text
from components.json_numbers import without_nan

if TYPE_CHECKING:
    from components.evaluator.verdict import Verdict
    from components.serving_check.report import ServingReport
    from pipeline.runners.reports import NodeReport

#: Grows when a reader of `summary.json` would have to change.
FORMAT = 2


@dataclasses.dataclass(frozen=True)
class RunSummary:
    """One run.

    Attributes:
      run_id: when it began, in UTC; also its folder's name.
      config: every setting that took effect, JSON values.
      spans: what it trained on: number, date, digest of the manifest and examples of each.
      labels: the vocabulary, in order.
      import_seconds: spent loading TensorFlow, TFX and Beam.
      nodes: one report a node, in order.
      gate: what DataGate decided, in words, or None if it stopped the run.
      verdict: the evaluation, or None if the run failed before it.
      serving: whether the model serves, or None if the run failed before that was checked.
      by_hand: who blessed or pushed the model by hand, when and why, or None; see `by_hand`.
      held: whether the model was blessed and waits for `posters push`.
      pushed: folder of the version it pushed, or None.
      served: the version that serves at the run's end, or None.
      error: why it failed, or None.
    """

    run_id: str
    config: dict[str, Any]
    spans: Sequence[Mapping[str, Any]]
    labels: Sequence[str]
    import_seconds: float
    nodes: Sequence[NodeReport]
    gate: dict[str, Any] | None = None
    verdict: Verdict | None = None
    serving: ServingReport | None = None
    by_hand: dict[str, str] | None = None
    held: bool = False
    pushed: str | None = None
    served: str | None = None
    error: str | None = None

    @property
    def status(self) -> str:
        """`pushed`, `held` (blessed, waits for `posters push`), `refused` or `failed`."""
        if self.error or self.verdict is None:
            return "failed"
        serves = self.serving is None or self.serving.serves
        passed = (self.verdict.blessed and serves) or self.by_hand
        if not passed:
            return "refused"
        return "held" if self.held and not self.by_hand else "pushed"

    def write(self, path: Path) -> None:
        """Writes `summary.json`; figures that are not numbers become null."""
        verdict = self.verdict
        content = {
            "format": FORMAT,
            "run_id": self.run_id,
            "status": self.status,
            "error": self.error,
            "spans": list(self.spans),
            "import_seconds": round(self.import_seconds, 3),
            "seconds": round(sum(node.seconds for node in self.nodes), 3),
            "peak_memory_bytes": max((node.used.peak_bytes for node in self.nodes), default=0),
            "nodes": [
                {
                    "id": node.id,
                    "state": node.state,
                    "seconds": round(node.seconds, 3),
                    "peak_memory_bytes": node.used.peak_bytes,
                    "cpu_seconds": round(node.used.cpu_seconds, 3),
                    "outputs": {
                        key: [artifact.uri for artifact in artifacts]
                        for key, artifacts in node.outputs.items()
                    },
                }
                for node in self.nodes
            ],
            "gate": self.gate,
            "verdict": verdict and {"blessed": verdict.blessed, "reasons": list(verdict.reasons)},
            "serving": self.serving and dataclasses.asdict(self.serving),
            "by_hand": self.by_hand,
            "metrics": verdict and _overall(verdict.figures),
            "metrics_by_label": verdict and verdict.by_label(self.labels),
            "intervals": verdict and verdict.intervals,
            "baseline_metrics": verdict and verdict.baseline and _overall(verdict.baseline),
            "pushed_path": self.pushed,
            "served_version": self.served,
            "config": self.config,
        }
        write_text(path, json.dumps(without_nan(content), indent=2, ensure_ascii=False) + "\n")

    def show(self, console: Console) -> None:
        """Prints the table by label, the verdict and where the model went."""
        if self.verdict is None:
            return
        console.print()
        console.print(_table(self.verdict, self.labels))
        console.print(_headline(self.verdict), style="bold")
        for reason in self.verdict.reasons:
            console.print(f"  - {reason}", markup=False)
        if self.serving:
            console.print("Serves." if self.serving.serves else "Does not serve.", style="bold")
            for reason in self.serving.reasons:
                console.print(f"  - {reason}", markup=False)
        if self.by_hand:
            what = "Pushed" if self.by_hand["kind"] == "push" else "Blessed"
            words = "{user} on {time}: {reason}".format(**self.by_hand)
            console.print(f"{what} by hand, by {words}", markup=False)
        if self.pushed:
            console.print(f"Pushed to {self.pushed}", markup=False)
            if self.served and Path(self.pushed).name != self.served:
                console.print(f"What serves is {self.served}: `posters lineage` says why.")
        elif self.status == "refused":
            console.print("Not pushed: what served before still serves.")
        elif self.status == "held":
            console.print("Held back for a person: what served before still serves.")


def _headline(verdict: Verdict) -> str:
    return "Blessed." if verdict.blessed else "Refused."


def _table(verdict: Verdict, labels: Sequence[str]) -> Table:
    figures, baseline = verdict.figures, verdict.baseline
    title = "On the test split, decided at a score of 0.5; intervals of 95 %"
    table = Table(title=title, title_justify="left")
    table.add_column("label")
    table.add_column("F1, interval")
    columns = ["precision", "recall", "AUC", "AP", "support", "all-positive F1"]
    for column in [*columns, *(["last blessed F1"] if baseline else [])]:
        table.add_column(column, justify="right")
    by_label = ("precision", "recall", "auc", "average_precision")
    for label in labels:
        row = [_with_interval(verdict, f"f1/{label}")]
        row += [_number(figures[f"{figure}/{label}"]) for figure in by_label]
        row += [f"{figures[f'support/{label}']:.0f}", _number(figures[f"all_positive_f1/{label}"])]
        before = (baseline or {}).get(f"f1/{label}", math.nan)
        table.add_row(Text(label), *row, *([_number(before)] if baseline else []))
    table.add_section()
    macro = [_with_interval(verdict, "macro_f1")]
    macro += [_number(figures[f"macro_{figure}"]) for figure in by_label]
    macro += [f"{figures['examples']:.0f}", _number(figures["all_positive_macro_f1"])]
    table.add_row("macro", *macro, *([_number(baseline["macro_f1"])] if baseline else []))
    micro = [_number(figures[f"micro_{figure}"]) for figure in ("f1", "precision", "recall")]
    table.add_row("micro", *micro)
    return table


def _with_interval(verdict: Verdict, key: str) -> str:
    number = _number(verdict.figures[key])
    if key not in verdict.intervals:
        return number
    low, high = verdict.intervals[key]
    return f"{number} {low:.2f}-{high:.2f}"


def _overall(figures: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in figures.items() if "/" not in key}


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
