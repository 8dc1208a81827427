"""What the gate reads out of TFDV's statistics, as plain numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.features import Features


@dataclasses.dataclass(frozen=True)
class SplitFacts:
    """One split of a span.

    Attributes:
      examples: how many there are.
      labels: how often each label occurs, the most frequent first.
      values: how many values each feature has over all examples.
    """

    examples: int
    labels: Mapping[str, int]
    values: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def plus(self, examples: int, labels: Mapping[str, int]) -> SplitFacts:
        """The facts of these examples and of others together; `values` are of these alone."""
        names = {*self.labels, *(label for label, count in labels.items() if count)}
        together = {name: self.labels.get(name, 0) + labels.get(name, 0) for name in names}
        ordered = sorted(together.items(), key=lambda item: (-item[1], item[0]))
        return SplitFacts(self.examples + examples, dict(ordered), self.values)

    def share(self, label: str) -> float:
        """The share of the examples that carry the label, in [0, 1]; 0 of no examples."""
        return self.labels.get(label, 0) / self.examples if self.examples else 0.0


def as_trained(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    features: Features,
    vocabulary: Sequence[str],
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The statistics with the labels that count in training, whichever feature they stand in.

    A span that was ingested before the vocabulary grew has some of its labels beside the others:
    without them it would seem to have drifted.

    Args:
      statistics: of one split, as StatisticsGen writes them; they stay as they are.
      features: the features' names.
      vocabulary: what is learned.

    Returns:
      A copy whose labels have those of the other labels that the vocabulary holds.
    """
    found = statistics_pb2.DatasetFeatureStatisticsList()
    found.CopyFrom(statistics)
    for dataset in found.datasets:
        by_name = {".".join(feature.path.step): feature for feature in dataset.features}
        labels, others = by_name.get(features.labels), by_name.get(features.other_labels)
        if labels is None or others is None:
            continue
        counts = {
            bucket.label: bucket.sample_count
            for bucket in others.string_stats.rank_histogram.buckets
            if bucket.label in vocabulary
        }
        _add(labels.string_stats, counts)
    return found


def _add(stats: statistics_pb2.StringStatistics, counts: Mapping[str, float]) -> None:
    """Adds values to what is known of a feature of words."""
    together = dict(counts)
    for bucket in stats.rank_histogram.buckets:
        together[bucket.label] = together.get(bucket.label, 0) + bucket.sample_count
    ordered = sorted(together.items(), key=lambda item: (-item[1], item[0]))
    top = len(stats.top_values) or len(ordered)
    del stats.rank_histogram.buckets[:], stats.top_values[:]
    for rank, (label, count) in enumerate(ordered):
        stats.rank_histogram.buckets.add(
            low_rank=rank, high_rank=rank, label=label, sample_count=count
        )
    for label, count in ordered[:top]:
        stats.top_values.add(value=label, frequency=count)
    stats.unique = len(ordered)
    stats.common_stats.tot_num_values += round(sum(counts.values()))


def read(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, labels_feature: str
) -> SplitFacts:
    """The facts in one split's statistics; those of an empty split lack everything.

    Args:
      statistics: as StatisticsGen writes them, without slices.
      labels_feature: name of the feature with the labels.
    """
    if not statistics.datasets:
        return SplitFacts(0, {})
    dataset = statistics.datasets[0]
    labels: dict[str, int] = {}
    values: dict[str, int] = {}
    for feature in dataset.features:
        name = ".".join(feature.path.step)
        kind = getattr(feature, feature.WhichOneof("stats"))
        values[name] = kind.common_stats.tot_num_values
        if name == labels_feature:
            # The rank histogram has the first 1,000 values; `top_values` only 20.
            buckets = feature.string_stats.rank_histogram.buckets
            labels = {bucket.label: round(bucket.sample_count) for bucket in buckets}
    return SplitFacts(dataset.num_examples, labels, values)
