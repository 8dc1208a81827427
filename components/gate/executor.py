"""The gate's work: read what the nodes before it made, decide, and write down why."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.errors import PostersError
from components.features import Features
from components.gate import accepted, anomalies, basis, culprits, facts, refusals, rules
from components.gate.findings import Finding
from components.gate.report import GateReport
from components.gate.settings import GateSettings
from components.spans import record as spans

#: Custom properties of a report artifact; ML Metadata keeps them with the run.
VERDICT = "verdict"
OVERRIDE = "override"
OVERRIDDEN = "overridden"

_Statistics = Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]


class DataGateExecutor(base_executor.BaseExecutor):
    """Passes, or raises a PostersError that says what is wrong and what to do."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class.

        Args:
          input_dict: `examples`, `statistics`, `schema` and `anomalies`, one artifact each.
          output_dict: `report`, one artifact.
          exec_properties: see `DataGateSpec`.

        Raises:
          PostersError: the data is not fit to train on and nobody overrides it.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = GateSettings(**json.loads(exec_properties["settings"]))
        folder = exec_properties["accepted_folder"]
        window = spans.read(artifact_utils.get_single_uri(input_dict["examples"]))
        report = _judge(input_dict, exec_properties, settings, window)
        if report.verdict == "refused":
            # TFX removes the outputs of a node that fails; this one is for who asks why.
            report.write(refused_folder(folder, report.window))
            raise PostersError(report.refusal())
        artifact = artifact_utils.get_single_instance(output_dict["report"])
        report.write(artifact.uri)
        artifact.set_string_custom_property(VERDICT, report.verdict)
        if report.verdict == "overridden":
            artifact.set_string_custom_property(OVERRIDE, report.override)
            kinds = sorted({finding.rule for finding in report.findings})
            artifact.set_string_custom_property(OVERRIDDEN, ", ".join(kinds))
        statistics = artifact_utils.get_single_uri(input_dict["statistics"])
        reason = report.override if report.verdict == "overridden" else None
        for span in window.new_spans:
            item = accepted.Accepted(span.number, statistics, span.manifest, span.examples, reason)
            accepted.record(folder, item)


def refused_folder(accepted_folder: str, window: Sequence[int]) -> str:
    """Where the gate leaves its reasons if it refuses a window's data."""
    return f"{accepted_folder}/{refusals.FOLDER}{max(window)}"


def _judge(
    inputs: dict[str, list[types.Artifact]],
    properties: dict[str, Any],
    settings: GateSettings,
    window: spans.WindowRecord,
) -> GateReport:
    features = Features(**json.loads(properties["features"]))
    statistics = {
        split: facts.as_trained(found, features, window.labels)
        for split, found in _read_statistics(inputs["statistics"]).items()
    }
    splits = {name: facts.read(item, features.labels) for name, item in statistics.items()}
    whole = _with_the_others(splits, window)
    schema = _read_schema(inputs["schema"])
    before = accepted.before(accepted.read_all(properties["accepted_folder"]), window.new)
    previous, usual = accepted.latest(before), accepted.usual_size(before)
    earlier = previous and {
        split: facts.as_trained(
            _load_statistics(previous.statistics, split), features, window.labels
        )
        for split in statistics
    }
    data = rules.Data(splits, features.labels, window.labels, whole, len(window.new))
    found = rules.check(data, settings, usual)
    found += anomalies.describe(
        _read_anomalies(inputs["anomalies"], splits), settings, features.labels
    )
    apart, distances = _compare(statistics, earlier, previous, schema, settings, features.labels)
    found += apart
    if found:
        folders = {split: _split_uri(inputs["examples"], split) for split in splits}
        found = culprits.name(found, folders, features, window.labels, schema)
    verdict = ("overridden" if settings.override else "refused") if found else "passed"
    return GateReport(
        spans=window.new,
        window=tuple(span.number for span in window.spans),
        verdict=verdict,
        findings=tuple(found),
        override=settings.override,
        splits=splits,
        totals={split: numbers.examples for split, numbers in whole.items()},
        previous=previous,
        usual=usual,
        distances=tuple(distances),
        settings=dataclasses.asdict(settings),
        manifests={span.number: span.manifest for span in window.new_spans},
        basis=basis.digest(settings, features, _schema_bytes(inputs["schema"]), properties["code"]),
    )


def _with_the_others(
    splits: Mapping[str, facts.SplitFacts], window: spans.WindowRecord
) -> dict[str, facts.SplitFacts]:
    """The facts of the whole window: of what was let through before, as its manifests tell."""
    others = [span for span in window.spans if span.number not in window.new]
    return {
        split: numbers.plus(
            spans.total(others, split),
            {label: spans.total(others, split, label) for label in window.labels},
        )
        for split, numbers in splits.items()
    }


def _compare(
    statistics: _Statistics,
    earlier: _Statistics | None,
    previous: accepted.Accepted | None,
    schema: schema_pb2.Schema,
    settings: GateSettings,
    labels_feature: str,
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Train against the train that was accepted last, and eval and test against train."""
    numbers = {name: facts.read(item, labels_feature) for name, item in statistics.items()}
    train, found, distances = statistics["train"], [], []
    if not numbers["train"].examples:
        return found, distances
    before = facts.read(earlier["train"], labels_feature) if earlier else None
    if before and before.examples:
        limited = anomalies.with_limit(schema, labels_feature, settings.max_label_drift)
        measured = anomalies.drift(train, earlier["train"], limited)
        found += anomalies.describe_drift(
            measured, labels_feature, numbers["train"], before, previous.span
        )
        distances += _plain("train", measured)
    for split in statistics:
        if split != "train" and numbers[split].examples:
            measured = anomalies.skew(train, statistics[split], schema)
            found += anomalies.describe_skew(
                measured, labels_feature, split, numbers[split], numbers["train"]
            )
            distances += _plain(split, measured)
    return found, distances


def _plain(split: str, measured: Any) -> list[dict[str, Any]]:
    return [
        {
            "split": split,
            "feature": ".".join(info.path.step),
            "kind": kind,
            "measure": anomalies_pb2.DriftSkewInfo.Measurement.Type.Name(item.type),
            "value": item.value,
            "threshold": item.threshold,
        }
        for info in measured
        for kind in ("drift", "skew")
        for item in getattr(info, f"{kind}_measurements")
    ]


def _read_statistics(artifacts: list[types.Artifact]) -> _Statistics:
    names = artifact_utils.decode_split_names(artifacts[0].split_names)
    return {name: _load_statistics(artifacts[0].uri, name) for name in names}


def _load_statistics(uri: str, split: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    path = f"{uri}/Split-{split}/FeatureStats.pb"
    try:
        return tfdv.load_stats_binary(path)
    except Exception as error:  # of TensorFlow's many file errors, each says the same here
        raise PostersError(
            f"the statistics {path} cannot be read ({type(error).__name__}): if files were removed "
            "by hand, remove the workspace's metadata.sqlite too, and run again"
        ) from error


def _read_anomalies(
    artifacts: list[types.Artifact], splits: Mapping[str, facts.SplitFacts]
) -> dict[str, anomalies_pb2.Anomalies]:
    by_split = {}
    for split, numbers in splits.items():
        if numbers.examples:  # of an empty split every feature is missing: `rules` says it once
            path = f"{_split_uri(artifacts, split)}/SchemaDiff.pb"
            with fileio.open(path, "rb") as file:
                by_split[split] = anomalies_pb2.Anomalies.FromString(file.read())
    return by_split


def _schema_bytes(artifacts: list[types.Artifact]) -> bytes:
    file = io_utils.get_only_uri_in_dir(artifact_utils.get_single_uri(artifacts))
    with fileio.open(file, "rb") as content:
        return content.read()


def _read_schema(artifacts: list[types.Artifact]) -> schema_pb2.Schema:
    folder = artifact_utils.get_single_uri(artifacts)
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))


def _split_uri(artifacts: list[types.Artifact], split: str) -> str:
    return artifact_utils.get_split_uri(artifacts, split)
