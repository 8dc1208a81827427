"""What TFDV finds with the schema: anomalies, drift and skew, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, path_pb2, schema_pb2, statistics_pb2

from components.gate import chance
from components.gate.facts import SplitFacts
from components.gate.findings import Finding
from components.gate.settings import GateSettings

DRIFT = "DRIFT"
SKEW = "SKEW"
#: The vocabulary is a part of the schema's domain: `rules` finds these labels, and more.
_OUTSIDE_DOMAIN = "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
#: How many labels a sentence about drift names.
_NAMED = 3
_Type = anomalies_pb2.AnomalyInfo.Type
_Measurement = anomalies_pb2.DriftSkewInfo.Measurement
_MEASURES = {
    _Measurement.L_INFTY: "the largest change of one value's share (L-infinity)",
    _Measurement.JENSEN_SHANNON_DIVERGENCE: "the Jensen-Shannon divergence",
    _Measurement.NORMALIZED_ABSOLUTE_DIFFERENCE: "the normalised absolute difference",
}


def describe(
    by_split: Mapping[str, anomalies_pb2.Anomalies], settings: GateSettings, labels_feature: str
) -> list[Finding]:
    """The anomalies that ExampleValidator wrote down, less those that are allowed.

    Args:
      by_split: of every split that has examples.
      settings: the limits.
      labels_feature: its values outside the domain are left to `rules`.
    """
    found = [
        finding
        for split, anomalies in by_split.items()
        for finding in _of_split(split, anomalies)
        if not (finding.rule == _OUTSIDE_DOMAIN and finding.feature == labels_feature)
    ]
    counts = Counter(finding.rule for finding in found)
    allowed = settings.allowed_anomalies
    return [finding for finding in found if counts[finding.rule] > allowed.get(finding.rule, 0)]


def _of_split(split: str, anomalies: anomalies_pb2.Anomalies) -> Iterator[Finding]:
    infos = [(_name(info.path, key), info) for key, info in anomalies.anomaly_info.items()]
    if anomalies.HasField("dataset_anomaly_info"):
        infos.append((None, anomalies.dataset_anomaly_info))
    for feature, info in sorted(infos, key=lambda item: item[0] or ""):
        for reason in info.reason:
            kind = _Type.Name(reason.type)
            remedy = (
                "Mend the source and ingest again, or adapt the schema (schema_path) if the data "
                f"is right; gate.allowed_anomalies.{kind} allows a number of them"
            )
            yield Finding(kind, split, feature, reason.description.rstrip(". "), remedy)


def drift(
    now: statistics_pb2.DatasetFeatureStatisticsList,
    before: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
) -> Sequence[anomalies_pb2.DriftSkewInfo]:
    """How far the schema's drift comparators put two sets apart, one of them earlier."""
    return tfdv.validate_statistics(now, schema, previous_statistics=before).drift_skew_info


def skew(
    train: statistics_pb2.DatasetFeatureStatisticsList,
    other: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
) -> Sequence[anomalies_pb2.DriftSkewInfo]:
    """How far the schema's skew comparators put two sets apart that should be alike."""
    return tfdv.validate_statistics(train, schema, serving_statistics=other).drift_skew_info


def with_limit(
    schema: schema_pb2.Schema, labels_feature: str, limit: float | None
) -> schema_pb2.Schema:
    """The schema with another drift threshold on the labels, unless `limit` is None."""
    changed = schema_pb2.Schema()
    changed.CopyFrom(schema)
    for feature in changed.feature:
        if limit is not None and feature.name == labels_feature:
            feature.drift_comparator.infinity_norm.threshold = limit
    return changed


def describe_drift(
    measured: Iterable[anomalies_pb2.DriftSkewInfo],
    labels_feature: str,
    now: SplitFacts,
    before: SplitFacts,
    previous_span: int,
) -> list[Finding]:
    """A finding for each drift beyond its threshold, in train since `previous_span`."""
    limits = {labels_feature: "gate.max_label_drift, or the schema's drift_comparator"}
    findings = []
    for feature, measurement in _beyond(measured, "drift", now, before):
        problem = _problem(measurement, f"from span {previous_span}", feature, limits, "drift")
        if feature == labels_feature:
            problem += "; " + _changed(now, before, f"in span {previous_span}")
        remedy = (
            "Find out what changed in the source; if the world did, accept it once, and later "
            "spans are compared with this one"
        )
        findings.append(Finding(DRIFT, "train", feature, problem, remedy))
    return findings


def describe_skew(
    measured: Iterable[anomalies_pb2.DriftSkewInfo],
    labels_feature: str,
    split: str,
    facts: SplitFacts,
    train: SplitFacts,
) -> list[Finding]:
    """A finding for each skew beyond its threshold, between train and `split`."""
    findings = []
    for feature, measurement in _beyond(measured, "skew", facts, train):
        problem = _problem(measurement, "from train", feature, {}, "skew")
        if feature == labels_feature:
            problem += "; " + _changed(facts, train, "in train")
        remedy = (
            "The splits should be alike: look at how the source was split; a small split needs "
            "more examples, or a larger threshold in the schema"
        )
        findings.append(Finding(SKEW, split, feature, problem, remedy))
    return findings


def _beyond(
    measured: Iterable[anomalies_pb2.DriftSkewInfo], kind: str, one: SplitFacts, other: SplitFacts
) -> Iterator[tuple[str, _Measurement]]:
    """The distances beyond their thresholds and beyond what chance explains."""
    for info in measured:
        feature = _name(info.path, "")
        for measurement in getattr(info, f"{kind}_measurements"):
            bound = max(measurement.threshold, _by_chance(measurement, feature, one, other))
            if measurement.value > bound:
                yield feature, measurement


def _by_chance(
    measurement: _Measurement, feature: str, one: SplitFacts, other: SplitFacts
) -> float:
    sizes = one.values.get(feature, 0), other.values.get(feature, 0)
    if not all(sizes):
        return 0.0  # all values of a feature are gone: that is no chance
    if measurement.type == _Measurement.JENSEN_SHANNON_DIVERGENCE:
        return chance.divergence(*sizes)
    if measurement.type == _Measurement.L_INFTY and (one.labels and other.labels):
        return chance.largest_share_change(one.labels, other.labels)
    return 0.0


def _problem(
    measurement: _Measurement, whence: str, feature: str, limits: Mapping[str, str], kind: str
) -> str:
    measure = _MEASURES.get(measurement.type, "the distance")
    limit = limits.get(feature, f"the schema's {kind}_comparator")
    numbers = f"{measurement.value:.3f}, above {measurement.threshold:g}"
    return f"{measure} {whence} is {numbers} ({limit})"


def _changed(now: SplitFacts, before: SplitFacts, when: str) -> str:
    changes = {
        label: abs(now.share(label) - before.share(label))
        for label in sorted({*now.labels, *before.labels})
    }
    by_change = sorted(changes, key=changes.get, reverse=True)
    return "; ".join(
        f"{label} {before.labels.get(label, 0)} of {before.examples} examples "
        f"({before.share(label):.1%}) {when}, {now.labels.get(label, 0)} of {now.examples} "
        f"({now.share(label):.1%}) here"
        for label in by_change[:_NAMED]
    )


def _name(path: path_pb2.Path, otherwise: str) -> str:
    return ".".join(path.step) or otherwise
