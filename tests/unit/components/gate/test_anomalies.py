import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components.gate import anomalies
from components.gate.facts import SplitFacts
from components.gate.settings import GateSettings

Measurement = anomalies_pb2.DriftSkewInfo.Measurement
BEFORE = SplitFacts(1000, {"Drama": 800, "War": 200}, {"genres": 1000, "year": 1000})
NOW = SplitFacts(1000, {"Drama": 500, "War": 500}, {"genres": 1000, "year": 1000})


def _measured(kind, feature, measure, value, threshold):
    info = anomalies_pb2.DriftSkewInfo()
    info.path.step.append(feature)
    getattr(info, f"{kind}_measurements").add(type=measure, value=value, threshold=threshold)
    return [info]


def _anomalies(**kinds):
    found = anomalies_pb2.Anomalies()
    for feature, kind in kinds.items():
        info = found.anomaly_info[feature]
        info.path.step.append(feature)
        info.reason.add(type=kind, description=f"{feature} is odd.")
    return found


def test_drift_names_the_labels_that_moved_with_their_numbers():
    measured = _measured("drift", "genres", Measurement.L_INFTY, 0.3, 0.05)
    [finding] = anomalies.describe_drift(measured, "genres", NOW, BEFORE, 7)
    assert (finding.rule, finding.split, finding.feature) == ("DRIFT", "train", "genres")
    assert "0.300, above 0.05 (gate.max_label_drift" in finding.problem
    assert "War 200 of 1000 examples (20.0%) in span 7, 500 of 1000 (50.0%)" in finding.problem


def test_skew_names_the_split():
    measured = _measured("skew", "year", Measurement.JENSEN_SHANNON_DIVERGENCE, 0.4, 0.2)
    [finding] = anomalies.describe_skew(measured, "genres", "test", NOW, BEFORE)
    assert (finding.rule, finding.split, finding.feature) == ("SKEW", "test", "year")
    assert "0.400, above 0.2 (the schema's skew_comparator)" in finding.problem


@pytest.mark.parametrize("value", [0.04, 0.05])
def test_a_distance_up_to_the_threshold_is_fine(value):
    measured = _measured("drift", "genres", Measurement.L_INFTY, value, 0.05)
    assert anomalies.describe_drift(measured, "genres", NOW, BEFORE, 7) == []


def test_what_chance_explains_is_no_finding():
    small = SplitFacts(10, {"Drama": 6, "War": 4}, {"genres": 10, "year": 10})
    other = SplitFacts(10, {"Drama": 8, "War": 2}, {"genres": 10, "year": 10})
    for feature, measure in (
        ("genres", Measurement.L_INFTY),
        ("year", Measurement.JENSEN_SHANNON_DIVERGENCE),
    ):
        measured = _measured("skew", feature, measure, 0.2, 0.1)
        assert anomalies.describe_skew(measured, "genres", "test", small, other) == []


def test_a_feature_that_is_gone_is_no_chance():
    gone = SplitFacts(10, {}, {})
    measured = _measured("drift", "year", Measurement.JENSEN_SHANNON_DIVERGENCE, 0.9, 0.1)
    assert len(anomalies.describe_drift(measured, "genres", gone, BEFORE, 7)) == 1


def test_the_configured_limit_replaces_the_schemas_and_nothing_else():
    schema = schema_pb2.Schema()
    for name in ("genres", "year"):
        schema.feature.add(name=name).drift_comparator.infinity_norm.threshold = 0.05
    limited = anomalies.with_limit(schema, "genres", 0.2)
    thresholds = [f.drift_comparator.infinity_norm.threshold for f in limited.feature]
    assert thresholds == [0.2, 0.05]
    assert anomalies.with_limit(schema, "genres", None) == schema
    assert schema.feature[0].drift_comparator.infinity_norm.threshold == 0.05


def test_so_many_anomalies_of_a_kind_are_allowed():
    kind = anomalies_pb2.AnomalyInfo.INT_TYPE_BIG_INT
    by_split = {"train": _anomalies(year=kind), "eval": _anomalies(year=kind)}
    for allowed, count in ((1, 2), (2, 0)):
        settings = GateSettings(allowed_anomalies={"INT_TYPE_BIG_INT": allowed})
        assert len(anomalies.describe(by_split, settings, "genres")) == count
    [first, _] = anomalies.describe(by_split, GateSettings(), "genres")
    assert (first.rule, first.problem) == ("INT_TYPE_BIG_INT", "year is odd")


def test_labels_outside_the_domain_are_left_to_the_vocabulary():
    kind = anomalies_pb2.AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES
    by_split = {"train": _anomalies(genres=kind, country=kind)}
    found = anomalies.describe(by_split, GateSettings(), "genres")
    assert [finding.feature for finding in found] == ["country"]
