"""What the run's data were: counts, statistics, drift, the gate's decision and the rejects."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import paths
from components.dataset import lists
from components.dataset.lists import Lists, Reject
from components.gate import report as gate_report
from components.report.sources import Sources
from components.spans.record import SpanRecord

#: Rejected rows that are shown of each reason.
_REJECTS = 3
_NUMERIC = (statistics_pb2.FeatureNameStatistics.INT, statistics_pb2.FeatureNameStatistics.FLOAT)


def describe(sources: Sources, missing: list[str]) -> dict[str, Any]:
    """The section of the data.

    Args:
      sources: where the pieces lie.
      missing: takes a sentence for each piece that cannot be read.

    Returns:
      `root` (the data root), `spans` (number, date, digest of the manifest, examples by split, and
      whether it is new), `lists` of the new spans together (counts, dropped labels, rejected rows),
      `features` of them (a row a feature and split) and `gate` (see `components.gate.report`), the
      last two None if missing.
    """
    window = sources.window
    if window is None:
        missing.append("Which spans were trained on cannot be read beside the examples.")
    spans = window.spans if window else ()
    found = _lists(window.new_spans if window else (), missing)
    rejects = {
        reason: [dataclasses.asdict(row) for row in rows[:_REJECTS]]
        for reason, rows in found.rejects.items()
    }
    return {
        "root": sources.settings["data_root"],
        "spans": [{**span.brief(), "new": span.number in window.new} for span in spans],
        "lists": {**dataclasses.asdict(found), "rejects": rejects},
        "features": _features(sources, missing),
        "gate": _gate(sources, missing),
    }


def _lists(spans: Sequence[SpanRecord], missing: list[str]) -> Lists:
    """What the lists of several spans say together."""
    counted = {name: Counter() for name in ("counts", "examples", "dropped", "rejected")}
    rejects: dict[str, list[Reject]] = {}
    for span in spans:
        notes: list[str] = []
        found = lists.read(paths.to_path(span.folder), notes)
        missing += [f"Of span {span.number}: {note}" for note in notes]
        for name, counter in counted.items():
            counter.update(getattr(found, name))
        for reason, rows in found.rejects.items():
            rejects.setdefault(reason, []).extend(rows)
    return Lists(**{name: dict(counter) for name, counter in counted.items()}, rejects=rejects)


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
        except (OSError, DecodeError) as error:
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
