"""A first schema for other data: inferred from one span, with the curated one's choices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.errors import PostersError
from components.features import Features
from components.paths import AnyPath
from pipeline.data import SHARDS

#: Bytes of one image; the curated schema has the same.
_MAX_IMAGE_BYTES = 20 << 20
_LABEL_DRIFT, _LABEL_SKEW = 0.05, 0.1
_YEAR_DRIFT, _YEAR_SKEW = 0.1, 0.2
_HEADER = """\
# A draft, inferred from {source}. Read it before you trust it: what is wrong in
# that data is declared right here. Then name this file in the configuration as schema_path.
# TRAINING is what ingest writes, SERVING what a request carries: the image alone.
"""


def statistics_of(
    folder: AnyPath, split: str, features: Features
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """TFDV's statistics of one split of a span.

    Args:
      folder: the span.
      split: its name.
      features: the features' names; the image's bytes are not looked into.

    Raises:
      PostersError: the records are no examples, or cannot be read.
    """
    schema = schema_pb2.Schema()
    image = schema.feature.add(name=features.image, type=schema_pb2.BYTES)
    image.image_domain.SetInParent()
    try:
        return tfdv.generate_statistics_from_tfrecord(
            str(folder / split / SHARDS), stats_options=tfdv.StatsOptions(schema=schema)
        )
    except Exception as error:  # Beam wraps whatever went wrong into errors of its own
        first_line = str(error).strip().split("\n", 1)[0]
        raise PostersError(
            f"the examples in {folder / split} cannot be read ({first_line}); ingest them again"
        ) from error


def infer(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    features: Features,
    vocabulary: Sequence[str],
) -> schema_pb2.Schema:
    """A schema that the data satisfies.

    Args:
      statistics: of the train split.
      features: the features' names.
      vocabulary: every label that is learned; labels in the data besides are taken in too.

    Raises:
      PostersError: a feature is missing that every example must have.
    """
    schema = tfdv.infer_schema(statistics, infer_feature_shape=False)
    by_name = {feature.name: feature for feature in schema.feature}
    needed = (features.image, features.labels, features.id)
    if missing := [name for name in needed if name not in by_name]:
        raise PostersError(
            f"the examples have no feature {', '.join(missing)}, which the configuration's "
            f"`ingest.features` names; they have {', '.join(sorted(by_name)) or 'none'}."
        )
    inferred = {domain.name: list(domain.value) for domain in schema.string_domain}
    labels = by_name[features.labels]
    seen = inferred.get(labels.domain, [])
    del schema.string_domain[:]
    if features.other_labels not in by_name:
        # Later spans may have them.
        schema.feature.add(name=features.other_labels, type=schema_pb2.BYTES)
    for feature in schema.feature:
        _curate(feature, features)
    schema.string_domain.add(name=features.labels, value=sorted({*seen, *vocabulary}))
    schema.default_environment.extend(["TRAINING", "SERVING"])
    _order(schema, features)
    return schema


def _curate(feature: schema_pb2.Feature, features: Features) -> None:
    if (domain := feature.WhichOneof("domain_info")) and feature.type == schema_pb2.BYTES:
        # A domain of titles or ids seen today, all of them numbers perhaps, would refuse those of
        # tomorrow.
        feature.ClearField(domain)
    if feature.name == features.image:
        feature.image_domain.max_image_byte_size = _MAX_IMAGE_BYTES
    else:
        feature.not_in_environment.append("SERVING")
    if feature.name in (features.image, features.id):
        feature.ClearField("value_count")
        feature.shape.dim.add(size=1)
    if feature.name == features.labels:
        feature.domain = features.labels
        feature.value_count.Clear()
        feature.value_count.min = 1
        feature.drift_comparator.infinity_norm.threshold = _LABEL_DRIFT
        feature.skew_comparator.infinity_norm.threshold = _LABEL_SKEW
    if feature.name in (features.image, features.id, features.labels):
        feature.presence.min_fraction = 1.0
        feature.presence.min_count = 1
    else:
        # That all had it today does not make it necessary.
        feature.presence.Clear()
        feature.presence.min_count = 0
        feature.ClearField("value_count")
        if feature.name != features.other_labels:
            feature.value_count.min, feature.value_count.max = 0, 1
    if feature.name == features.year:
        feature.drift_comparator.jensen_shannon_divergence.threshold = _YEAR_DRIFT
        feature.skew_comparator.jensen_shannon_divergence.threshold = _YEAR_SKEW


def _order(schema: schema_pb2.Schema, features: Features) -> None:
    names = [features.image, features.labels, features.other_labels]
    names += [features.id, features.title, features.year]
    ranks = {name: rank for rank, name in enumerate(names)}
    ordered = sorted(
        schema.feature, key=lambda feature: (ranks.get(feature.name, len(names)), feature.name)
    )
    copies = [schema_pb2.Feature.FromString(feature.SerializeToString()) for feature in ordered]
    del schema.feature[:]
    schema.feature.extend(copies)


def to_text(schema: schema_pb2.Schema, source: str, features: Features) -> str:
    """The schema in text form, with the reason beside each choice.

    Args:
      schema: as `infer` returns it.
      source: what it was inferred from, for the reader.
      features: the features' names.
    """
    notes = {
        features.image: "The encoded image. The size is in bytes.",
        features.labels: (
            "One or more labels of the domain below. Thresholds: the largest change of one label's "
            "share of all labels given, since the previous span (drift) and between splits (skew)."
        ),
        features.other_labels: (
            "Labels that were not in the vocabulary at ingest; they count once it grew by them."
        ),
        features.id: "What an example is called everywhere.",
        features.title: "For people to read.",
        features.year: (
            "Set bounds with int_domain. Thresholds: Jensen-Shannon divergence in bits, since the "
            "previous span (drift) and between splits (skew)."
        ),
    }
    parts = [_HEADER.format(source=source)]
    parts += [f'default_environment: "{name}"\n' for name in schema.default_environment]
    for feature in schema.feature:
        note = notes.get(feature.name, "Not named in `ingest.features`: nothing is trained on it.")
        body = text_format.MessageToString(feature, as_utf8=True, indent=2)
        parts += ["\n", *_comment(note), f"feature {{\n{body}}}\n"]
    for domain in schema.string_domain:
        body = text_format.MessageToString(domain, as_utf8=True, indent=2)
        note = "Every label that may occur; a vocabulary is a part of these."
        parts += ["\n", *_comment(note), f"string_domain {{\n{body}}}\n"]
    return "".join(parts)


def _comment(text: str, width: int = 98) -> Iterable[str]:
    line = "#"
    for word in text.split():
        if len(line) + 1 + len(word) > width:
            yield line + "\n"
            line = "#"
        line += " " + word
    yield line + "\n"
