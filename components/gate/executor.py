"""The gate's work: read what the nodes before it made, decide, and write down why."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
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
from components.gate import accepted, anomalies, culprits, facts, rules
from components.gate.findings import Finding
from components.gate.report import GateReport
from components.gate.settings import GateSettings

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
          input_dict: `examples`, `statistics`, `schema` and `anomalies`, one artifact each, and
            `previous_statistics`, one or none.
          output_dict: `report`, one artifact.
          exec_properties: see `DataGateSpec`.

        Raises:
          PostersError: the data is not fit to train on and nobody overrides it.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = GateSettings(**json.loads(exec_properties["settings"]))
        report = _judge(input_dict, exec_properties, settings)
        folder = exec_properties["accepted_folder"]
        if report.verdict == "refused":
            # TFX removes the outputs of a node that fails; this one is for who asks why.
            report.write(f"{folder}/refused-span-{report.span}")
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
        accepted.record(folder, accepted.Accepted(report.span, statistics, reason))


def _judge(
    inputs: dict[str, list[types.Artifact]], properties: dict[str, Any], settings: GateSettings
) -> GateReport:
    features = Features(**json.loads(properties["features"]))
    vocabulary = json.loads(properties["labels"])
    statistics = _read_statistics(inputs["statistics"])
    splits = {name: facts.read(item, features.labels) for name, item in statistics.items()}
    schema = _read_schema(inputs["schema"])
    previous = _previous(properties)
    earlier = _read_earlier(inputs, previous, list(splits)) if previous else None
    earlier_facts = earlier and {
        name: facts.read(item, features.labels) for name, item in earlier.items()
    }
    found = rules.check(
        rules.Data(splits, features.labels, vocabulary),
        settings,
        earlier_facts,
        previous.span if previous else None,
    )
    found += anomalies.describe(
        _read_anomalies(inputs["anomalies"], splits), settings, features.labels
    )
    apart, distances = _compare(statistics, earlier, previous, schema, settings, features.labels)
    found += apart
    if found:
        folders = {split: _split_uri(inputs["examples"], split) for split in splits}
        found = culprits.name(found, folders, features, vocabulary, schema)
    verdict = ("overridden" if settings.override else "refused") if found else "passed"
    return GateReport(
        span=int(properties["span"]),
        verdict=verdict,
        findings=tuple(found),
        override=settings.override,
        splits=splits,
        previous=previous,
        distances=tuple(distances),
        settings=dataclasses.asdict(settings),
    )


def _compare(
    statistics: _Statistics,
    earlier: _Statistics | None,
    previous: accepted.Accepted | None,
    schema: schema_pb2.Schema,
    settings: GateSettings,
    labels_feature: str,
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Train against the previous span's train, and eval and test against train."""
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


def _previous(properties: dict[str, Any]) -> accepted.Accepted | None:
    """The span to compare with, if there is one."""
    if properties["find_previous"]:
        return accepted.latest_before(properties["accepted_folder"], int(properties["span"]))
    return accepted.from_json(properties["previous"]) if properties.get("previous") else None


def _read_earlier(
    inputs: dict[str, list[types.Artifact]], previous: accepted.Accepted, splits: list[str]
) -> _Statistics:
    # An imported artifact does not say which splits it has on every runner.
    artifacts = inputs.get("previous_statistics")
    folder = artifacts[0].uri if artifacts else previous.statistics
    return {split: _load_statistics(folder, split) for split in splits}


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


def _read_schema(artifacts: list[types.Artifact]) -> schema_pb2.Schema:
    folder = artifact_utils.get_single_uri(artifacts)
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))


def _split_uri(artifacts: list[types.Artifact], split: str) -> str:
    return artifact_utils.get_split_uri(artifacts, split)
