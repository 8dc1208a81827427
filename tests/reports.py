"""What a run leaves, written here: a page of it needs no training."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.types import standard_artifacts
from tfx.types.experimental import simple_artifacts

from components.evaluator import bootstrap, figures, permutation, predictions, reliability, verdict
from components.evaluator import rules as blessing_rules
from components.evaluator.plan import Plan
from components.evaluator.predictions import Predictions
from components.evaluator.settings import EvaluatorSettings
from components.evaluator.verdict import Bin, Confusion, Rule, Slice, Verdict
from components.gate.facts import SplitFacts
from components.gate.report import GateReport
from components.report.executor import locate
from components.report.sources import Sources
from components.serving_check.report import ServingReport
from components.spans.record import SpanRecord, WindowRecord
from pipeline import config as configuration
from tests.examples import FEATURES, encode, example, picture, write_records

LABELS = ("Drama", "Comedy", "Horror", "War")
SCRIPT = "<script>alert(1)</script>"
SPLITS = ("train", "eval", "test")


def predict(
    examples: int = 120, labels: tuple[str, ...] = LABELS, seed: int = 0, shuffled: bool = False
) -> Predictions:
    """Truth, and scores that know something of it, or those of the same model dealt out anew."""
    generator = np.random.default_rng(seed)
    truth = generator.random((examples, len(labels))) < np.linspace(0.5, 0.15, len(labels))
    noise = generator.random((2, examples, len(labels)))
    scores, before = np.clip(0.45 * truth + 0.7 * noise, 0, 1).astype(np.float32)
    if shuffled:
        scores, before = scores[generator.permutation(examples)], before
    return Predictions(
        labels=labels,
        ids=np.array([f"tt{row:05}" for row in range(examples)]),
        truth=truth,
        scores=scores,
        probabilities=scores**2,
        baseline_labels=labels[:-1],
        baseline_scores=before[:, :-1],
    )


def judge(answers: Predictions, blessed: bool = True) -> Verdict:
    """A verdict with the Evaluator's own figures; the rules are made up."""
    labels = answers.labels
    measured = figures.measure(labels, answers.truth, answers.scores, answers.probabilities)
    p_values = permutation.p_values(answers.truth, answers.scores)
    chance = blessing_rules.chance_of(
        Plan(labels, FEATURES, EvaluatorSettings(), "code"), measured, p_values
    )
    (resampled,) = bootstrap.f1_resamples(answers.truth, [answers.scores > 0.5])
    ends = bootstrap.interval(resampled).T.tolist()
    intervals = {f"f1/{label}": tuple(pair) for label, pair in zip(labels, ends, strict=True)}
    intervals["macro_f1"] = tuple(bootstrap.interval(resampled.mean(axis=1)).tolist())
    intervals["macro_f1_difference"] = (-0.02, 0.03)
    truth, given = answers.truth.astype(int), (answers.scores > 0.5).astype(int)
    baseline = None
    if answers.baseline_labels:
        known = len(answers.baseline_labels)
        scores = answers.baseline_scores
        baseline = figures.measure(labels[:known], answers.truth[:, :known], scores, scores)
    bins = {}
    for label, real, said in zip(labels, truth.T, answers.probabilities.T, strict=True):
        found = reliability.measure(real, said)
        columns = (found.mean_probability, found.share_positive, found.count)
        bins[label] = tuple(map(Bin, *(column.tolist() for column in columns)))
    return Verdict(
        blessed=blessed,
        rules=(
            Rule("finite", True, "every score is a number"),
            Rule("chance", chance.better_than_chance, chance.sentence),
            Rule(
                "label_fall", blessed, "War falls by 0.210", "War", 0.21, 0.1,
                "evaluator.max_label_f1_drop",
            ),
        ),
        labels=labels,
        common_labels=answers.common_labels,
        figures=measured,
        intervals=intervals,
        baseline=baseline,
        confusion=Confusion(
            labels, (truth.T @ truth).tolist(), (given.T @ given).tolist(),
            (truth.T @ given).tolist(),
        ),
        calibration=bins,
        slices=(Slice("decade", "1990s", 40, measured), Slice("decade", "unknown", 7, measured)),
        chance=chance,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Left:
    """Folders of a run's artifacts below one root."""

    root: Path

    @property
    def artifacts(self) -> dict[str, list[types.Artifact]]:
        """The inputs of RunReport."""
        kinds = {
            "examples": standard_artifacts.Examples,
            "statistics": standard_artifacts.ExampleStatistics,
            "gate_report": simple_artifacts.File,
            "model": standard_artifacts.Model,
            "evaluation": standard_artifacts.ModelEvaluation,
            "blessing": standard_artifacts.ModelBlessing,
            "infra_blessing": standard_artifacts.InfraBlessing,
            "pushed_model": standard_artifacts.PushedModel,
        }
        found = {key: kind() for key, kind in kinds.items()}
        for key, artifact in found.items():
            artifact.uri = str(self.root / key)
        found["examples"].split_names = json.dumps(SPLITS)
        found["statistics"].split_names = json.dumps(SPLITS)
        if (self.root / "blessing" / "BLESSED").exists():
            found["pushed_model"].set_int_custom_property("pushed", 1)
            found["pushed_model"].set_string_custom_property("pushed_destination", "/models/17")
        return {key: [artifact] for key, artifact in found.items()}

    def parameters(self, labels: tuple[str, ...] = LABELS) -> dict:
        """What the node is told besides."""
        settings = configuration.load("sample", [f"workspace={self.root}", "data_root=data"])
        return {
            "settings": settings.model_dump(mode="json"),
            "features": FEATURES,
            "labels": labels,
            "fingerprints": {"components.trainer": "0123456789abcdef"},
        }

    def sources(self, labels: tuple[str, ...] = LABELS) -> Sources:
        """All pieces."""
        found = locate(self.artifacts, **self.parameters(labels))
        if found.window is None:
            return found
        # What was left may have been copied since.
        spans = [
            dataclasses.replace(span, folder=str(self.root / f"span-{span.number}"))
            for span in found.window.spans
        ]
        return dataclasses.replace(
            found, window=dataclasses.replace(found.window, spans=tuple(spans))
        )


def leave(root: Path, answers: Predictions, title: str = SCRIPT, blessed: bool = True) -> Left:
    """Writes what a run leaves.

    Args:
      root: an empty folder.
      answers: of its model.
      title: of every example of the test split.
      blessed: whether the model is.
    """
    for folder in ("evaluation", "blessing", "gate_report", "infra_blessing", "pushed_model"):
        (root / folder).mkdir(parents=True)
    predictions.write(str(root / "evaluation"), answers)
    verdict.write(str(root / "evaluation"), judge(answers, blessed))
    ServingReport(True, ("it serves",), 16).write(str(root / "infra_blessing"))
    if blessed:
        (root / "blessing" / "BLESSED").touch()
    write_records(
        root / "examples" / "Split-test" / "data-00000-of-00001.gz",
        [
            example(identifier, encode(picture(row % 7)), ["Drama"], title=title, year=1990)
            for row, identifier in enumerate(answers.ids.tolist())
        ],
    )
    _write_window(root, answers.labels)
    _write_gate(root, answers.labels)
    for split in SPLITS:
        _write_statistics(root / "statistics" / f"Split-{split}")
    _write_model(root / "model" / "Format-Serving", answers.labels)
    _write_span(root / "span-3")
    return Left(root)


def _write_window(root: Path, labels: tuple[str, ...]) -> None:
    spans = [
        SpanRecord(
            number, str(root / f"span-{number}"), f"{number}f" * 32, f"2026-01-{number:02}",
            dict.fromkeys(SPLITS, examples), {},
        )
        for number, examples in ((1, 600), (3, 100))
    ]  # fmt: skip
    WindowRecord(tuple(spans), labels, (3,)).write(str(root / "examples"))


def _write_gate(root: Path, labels: tuple[str, ...]) -> None:
    counts = {label: 40 - 3 * place for place, label in enumerate(labels)}
    distance = {
        "split": "eval", "feature": "genres", "kind": "skew", "measure": "L_INFTY", "value": 0.21,
        "threshold": 0.1,
    }  # fmt: skip
    GateReport(
        spans=(3,),
        window=(1, 3),
        verdict="passed",
        findings=(),
        override=None,
        splits={split: SplitFacts(100, counts) for split in SPLITS},
        totals=dict.fromkeys(SPLITS, 700),
        previous=None,
        usual=None,
        distances=(distance,),
        settings={},
        manifests={3: "digest of the manifest"},
        basis="digest of what it was decided by",
    ).write(str(root / "gate_report"))


def _write_statistics(folder: Path) -> None:
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = statistics.datasets.add(num_examples=100)
    year = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.INT)
    year.path.step.append("year")
    year.num_stats.common_stats.num_non_missing = 75
    year.num_stats.min, year.num_stats.median, year.num_stats.max = 1921, 1990, 2016
    title = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
    title.path.step.append("title")
    title.string_stats.unique = 98
    folder.mkdir(parents=True)
    (folder / "FeatureStats.pb").write_bytes(statistics.SerializeToString())


def _write_model(folder: Path, labels: tuple[str, ...]) -> None:
    settings = configuration.load("sample").trainer
    history = [
        {"stage": stage, "epoch": epoch, "loss": 1 / (place + 1) if epoch else None,
         "eval_loss": 1.2 / (place + 1), "eval_macro_auc": 0.6 + place / 100}
        for place, (stage, epoch) in enumerate([(1, 1), (1, 2), (1, 3), (1, 4), (2, 0), (2, 1)])
    ]  # fmt: skip
    description = {
        "extractor_fingerprint": "fe" * 32,
        "image_size": 96,
        "views": ["squished"],
        "trainer": dataclasses.asdict(settings),
        "tuned": None,
        "examples": {"train": 100, "eval": 100},
        "history": history,
        "labels": list(labels),
        "calibration": {"threshold": [0.3] * len(labels)},
    }
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "assets.extra" / "model.json").write_text(json.dumps(description))


def _write_span(folder: Path) -> None:
    folder.mkdir()
    manifest = {
        "counts": {"rows": 301},
        "examples": dict.fromkeys(SPLITS, 100),
        "rejected": {"truncated": 1},
        "labels": {"dropped": {"News": 2}},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "rejected.csv").write_text(
        f"id,source,reason,detail\ntt9,table.csv:9,truncated,{SCRIPT}\n"
    )
