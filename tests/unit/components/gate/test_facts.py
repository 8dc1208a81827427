"""Statistics with the labels that count in training."""

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.gate import anomalies, facts
from pipeline import data_nodes
from pipeline.config import load
from tests.examples import FEATURES


def _statistics(labels, others=None, examples=100):
    found = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = found.datasets.add(num_examples=examples)
    for name, counts in (("genres", labels), ("other_genres", others)):
        if counts is None:
            continue
        feature = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
        feature.path.step.append(name)
        feature.string_stats.common_stats.tot_num_values = sum(counts.values())
        feature.string_stats.common_stats.num_non_missing = examples
        for label, count in sorted(counts.items(), key=lambda item: -item[1]):
            feature.string_stats.rank_histogram.buckets.add(label=label, sample_count=count)
            feature.string_stats.top_values.add(value=label, frequency=count)
    return found


def test_other_labels_count_once_the_vocabulary_has_them():
    statistics = _statistics({"Drama": 80, "War": 10}, {"News": 30, "Western": 5})
    before = statistics.SerializeToString(deterministic=True)
    found = facts.as_trained(statistics, FEATURES, ["Drama", "War", "News"])
    assert facts.read(found, "genres").labels == {"Drama": 80, "News": 30, "War": 10}
    assert facts.read(found, "genres").values["genres"] == 120
    assert statistics.SerializeToString(deterministic=True) == before


def test_without_other_labels_nothing_changes():
    statistics = _statistics({"Drama": 80, "War": 10})
    assert facts.as_trained(statistics, FEATURES, ["Drama", "War", "News"]) == statistics
    nothing = statistics_pb2.DatasetFeatureStatisticsList()
    assert facts.as_trained(nothing, FEATURES, ["Drama"]) == nothing


def test_a_label_that_came_into_the_vocabulary_is_no_drift():
    """TFDV measures what it is given: the same posters, before and after the vocabulary grew."""
    vocabulary = ["Drama", "War", "News"]
    before = _statistics({"Drama": 8000, "War": 1000}, {"News": 3000}, 10_000)
    now = _statistics({"Drama": 8000, "War": 1000, "News": 3000}, None, 10_000)
    schema = data_nodes.read_schema(data_nodes.schema_path(load("sample")))

    def drifts(before, now):
        measured = anomalies.drift(now, before, schema)
        both = (facts.read(item, "genres") for item in (now, before))
        return anomalies.describe_drift(measured, "genres", *both, 1)

    assert [finding.rule for finding in drifts(before, now)] == ["DRIFT"]
    assert drifts(facts.as_trained(before, FEATURES, vocabulary), now) == []
