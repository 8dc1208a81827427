"""What the Evaluator found and decided, as data and as sentences."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

from components import paths
from components.errors import PostersError
from components.files import write_text
from components.json_numbers import without_nan

#: In the Evaluator's `evaluation` folder.
FILE = "verdict.json"
#: Grows when a reader of the file would have to change.
FORMAT = 1
#: By key, `f1/Drama`; NaN is what cannot be said.
Figures = dict[str, float]


@dataclasses.dataclass(frozen=True)
class Rule:
    """One blessing rule, and whether the model met it.

    Attributes:
      rule: `finite`, `floor`, `chance`, `no_fall`, `label_fall`, `first_model` or
        `no_comparison`.
      label: which label it is about, if about one.
      met: whether it lets the model through.
      measured: the number that was compared; of a fall, 0 where it is within noise.
      limit: what with.
      setting: the configuration's key of the limit.
      sentence: all of that in words, for people.
    """

    rule: str
    met: bool
    sentence: str
    label: str | None = None
    measured: float | None = None
    limit: float | None = None
    setting: str | None = None


@dataclasses.dataclass(frozen=True)
class Bin:
    """Examples of like probability, of one label; ten to a label, each a tenth of [0, 1] wide.

    Attributes:
      mean_probability: what the model said, on average; NaN if there is none.
      share_positive: how many have the label, in [0, 1]; NaN if there is none.
      count: how many there are.
    """

    mean_probability: float
    share_positive: float
    count: int


@dataclasses.dataclass(frozen=True)
class Slice:
    """A part of the test split; shown, and never decisive.

    Attributes:
      feature: what it was cut by.
      value: which part.
      examples: how many there are in it.
      figures: the same keys as the whole split's.
    """

    feature: str
    value: str
    examples: int
    figures: Figures


@dataclasses.dataclass(frozen=True)
class Confusion:
    """How often labels go together; each (L, L) counts of examples.

    Attributes:
      labels: names of rows and columns.
      co_occurrence_truth: examples that have both; the support on the diagonal.
      co_occurrence_predicted: examples given both.
      confusion: examples that have the row's label and were given the column's.
    """

    labels: tuple[str, ...]
    co_occurrence_truth: list[list[int]]
    co_occurrence_predicted: list[list[int]]
    confusion: list[list[int]]


@dataclasses.dataclass(frozen=True)
class Chance:
    """Whether the scores have anything to do with the labels.

    Attributes:
      shuffles: how often the examples' labels were dealt out anew.
      macro_auc_p_value: share of these whose macro AUC is no lower than the model's.
      better_than_chance: whether that share is small enough.
      sentence: the same in words.
      p_values: by label, of its AUC.
    """

    shuffles: int
    macro_auc_p_value: float
    better_than_chance: bool
    sentence: str
    p_values: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Figures of one evaluation, and the decision.

    Attributes:
      blessed: whether the model may be pushed.
      rules: every rule that was applied, met or not.
      labels: the vocabulary, in order.
      common_labels: those that the baseline knows too, or None if there was none.
      figures: by key (see `metrics.keys`), of the new model on the test split.
      intervals: 95 % bootstrap intervals (low, high), by the figure's key; with a baseline also
        `macro_f1_difference` and `f1_difference/<label>`, this model less the baseline.
      baseline: figures of the last blessed model over the common labels, or None.
      confusion: see `Confusion`.
      calibration: ten bins a label.
      slices: see `Slice`.
      chance: see `Chance`.
    """

    blessed: bool
    rules: tuple[Rule, ...]
    labels: tuple[str, ...]
    common_labels: tuple[str, ...] | None
    figures: Figures
    intervals: dict[str, tuple[float, float]]
    baseline: Figures | None
    confusion: Confusion
    calibration: dict[str, tuple[Bin, ...]]
    slices: tuple[Slice, ...]
    chance: Chance

    @property
    def reasons(self) -> tuple[str, ...]:
        """Sentences: of the rules met if blessed, of those not met if refused."""
        return tuple(rule.sentence for rule in self.rules if rule.met == self.blessed)

    def by_label(self, labels: Sequence[str]) -> dict[str, Figures]:
        """Every figure of every label, by label and then by figure."""
        return {
            label: {
                key.partition("/")[0]: value
                for key, value in self.figures.items()
                if key.partition("/")[2] == label
            }
            for label in labels
        }


def write(evaluation: str, verdict: Verdict) -> None:
    """Writes the file into an `evaluation` folder, in one step; NaN becomes null.

    Raises:
      OSError: it cannot be written.
    """
    content = {"format": FORMAT, **dataclasses.asdict(verdict)}
    content["baseline"] = verdict.baseline and {"figures": verdict.baseline}
    text = json.dumps(without_nan(content), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(paths.to_path(paths.join(evaluation, FILE)), text + "\n")


def read(evaluation: str, blessing: str) -> Verdict:
    """Reads what the Evaluator wrote, wherever it lies.

    Args:
      evaluation: its `evaluation` artifact's folder.
      blessing: its `blessing` artifact's folder; what TFX wrote there is what counts.

    Raises:
      PostersError: there is no verdict, or one of another format.
    """
    path = paths.join(evaluation, FILE)
    try:
        with paths.open_file(path) as file:
            content = json.loads(file.read())
        if (found := content.pop("format")) != FORMAT:
            raise ValueError(f"it has format {found}, not {FORMAT}")
        blessed = paths.to_path(paths.join(blessing, "BLESSED")).exists()
        return _from_json({**content, "blessed": blessed})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PostersError(
            f"{path}: no verdict can be read ({error}). Run `posters run` again; if it finds the "
            "Evaluator cached, its files were removed: take another workspace."
        ) from error


def _from_json(content: dict[str, Any]) -> Verdict:
    baseline, common = content["baseline"], content["common_labels"]
    chance = content["chance"]
    return Verdict(
        blessed=content["blessed"],
        rules=tuple(Rule(**rule) for rule in content["rules"]),
        labels=tuple(content["labels"]),
        common_labels=None if common is None else tuple(common),
        figures=_numbers(content["figures"]),
        intervals={
            key: (_number(low), _number(high)) for key, (low, high) in content["intervals"].items()
        },
        baseline=baseline and _numbers(baseline["figures"]),
        confusion=Confusion(
            **{**content["confusion"], "labels": tuple(content["confusion"]["labels"])}
        ),
        calibration={
            label: tuple(Bin(**_numbers(values)) for values in bins)
            for label, bins in content["calibration"].items()
        },
        slices=tuple(
            Slice(**{**part, "figures": _numbers(part["figures"])}) for part in content["slices"]
        ),
        chance=Chance(
            **{
                **chance,
                "macro_auc_p_value": _number(chance["macro_auc_p_value"]),
                "p_values": _numbers(chance["p_values"]),
            }
        ),
    )


def _numbers(figures: dict[str, float | None]) -> Figures:
    return {key: _number(value) for key, value in figures.items()}


def _number(value: float | None) -> float:
    return math.nan if value is None else value
