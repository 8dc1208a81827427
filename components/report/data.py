"""What the run's data were: counts, statistics, drift, the gate's decision and the rejects."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2

from components import paths
from components.dataset import lists
from components.files import file_digest
from components.gate import report as gate_report
from components.report.sources import Sources

#: Rejected rows that are shown of each reason.
_REJECTS = 3
_NUMERIC = (statistics_pb2.FeatureNameStatistics.INT, statistics_pb2.FeatureNameStatistics.FLOAT)


def describe(sources: Sources, missing: list[str]) -> dict[str, Any]:
    """The section of the data.

    Args:
      sources: where the pieces lie.
      missing: takes a sentence for each piece that cannot be read.

    Returns:
      `folder`, `manifest` (its digest), `lists` (counts, dropped labels, rejected rows), `features`
      (a row a feature and split) and `gate` (see `components.gate.report`), the last two None if
      missing.
    """
    folder = paths.to_path(sources.data_folder)
    notes: list[str] = []
    found = lists.read(folder, notes)
    missing += [f"Of the span: {note}" for note in notes]
    try:
        digest = file_digest(folder / "manifest.json")
    except OSError:
        digest = None  # the notes say so
    rejects = {
        reason: [dataclasses.asdict(row) for row in rows[:_REJECTS]]
        for reason, rows in found.rejects.items()
    }
    return {
        "folder": str(folder),
        "manifest": digest,
        "lists": {**dataclasses.asdict(found), "rejects": rejects},
        "features": _features(sources, missing),
        "gate": _gate(sources, missing),
    }


def _gate(sources: Sources, missing: list[str]) -> dict[str, Any] | None:
    if sources.gate_report is None:
        missing.append("The data gate left no decision: the run ended before it.")
        return None
    try:
        with paths.open_file(paths.join(sources.gate_report, gate_report.NAME)) as file:
            content = json.loads(file.read())
        return {**content, **gate_report.summarize(content)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        missing.append(f"The gate's report in {sources.gate_report} cannot be read: {error}.")
        return None


def _features(sources: Sources, missing: list[str]) -> list[dict[str, Any]] | None:
    if sources.statistics is None:
        missing.append("There are no statistics: the run ended before StatisticsGen was done.")
        return None
    rows = []
    folder = paths.to_path(sources.statistics)
    for split in ("train", "eval", "test"):
        path = folder / f"Split-{split}" / "FeatureStats.pb"
        try:
            with path.open("rb") as file:
                read = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())
        except (OSError, ValueError) as error:
            missing.append(f"The statistics {path} cannot be read: {error}.")
            continue
        for dataset in read.datasets:
            rows += [_feature(split, feature, dataset) for feature in dataset.features]
    return sorted(rows, key=lambda row: row["name"])


def _feature(
    split: str,
    feature: statistics_pb2.FeatureNameStatistics,
    dataset: statistics_pb2.DatasetFeatureStatistics,
) -> dict[str, Any]:
    common = getattr(feature, feature.WhichOneof("stats")).common_stats
    row = {
        "name": ".".join(feature.path.step),
        "split": split,
        "values": common.tot_num_values,
        "missing_share": 1 - common.num_non_missing / max(1, dataset.num_examples),
    }
    if feature.type in _NUMERIC:
        numbers = feature.num_stats
        row["range"] = [numbers.min, numbers.median, numbers.max]
    elif feature.type == statistics_pb2.FeatureNameStatistics.STRING:
        row["distinct"] = feature.string_stats.unique
    return row
