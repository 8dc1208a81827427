"""Naming the examples that a finding is about; they are looked for only when there is one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence

import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from components import record_files
from components.features import Features
from components.gate.findings import Finding
from components.gate.rules import UNKNOWN_LABEL

#: How many examples a finding names.
_NAMED = 5
#: Whether an example's values of the feature show the fault.
_Shows = Callable[[Sequence[bytes | int | float]], bool]
_ABSENT = frozenset(
    {
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        "FEATURE_TYPE_LOW_NUMBER_PRESENT",
        "FEATURE_TYPE_LOW_NUMBER_VALUES",
        "FEATURE_TYPE_NOT_PRESENT",
        "SCHEMA_MISSING_COLUMN",
    }
)


def name(
    findings: Sequence[Finding],
    folders: Mapping[str, str],
    features: Features,
    vocabulary: Collection[str],
    schema: schema_pb2.Schema,
) -> list[Finding]:
    """The findings, with the ids of a few examples where single examples show the fault.

    Args:
      findings: of any kind.
      folders: by split, where its TFRecord files lie (`.gz` or plain).
      features: the features' names.
      vocabulary: every known label.
      schema: bounds of values.
    """
    by_name = {feature.name: feature for feature in schema.feature}
    labels = {label.encode() for label in vocabulary}
    named = list(findings)
    for split, folder in folders.items():
        wanted = {
            index: shows
            for index, finding in enumerate(findings)
            if finding.split == split
            and finding.feature
            and (shows := _predicate(finding, by_name.get(finding.feature), labels))
        }
        if wanted:
            asked = {index: (findings[index].feature, shows) for index, shows in wanted.items()}
            for index, ids in _search(folder, features.id, asked).items():
                named[index] = dataclasses.replace(findings[index], examples=tuple(ids))
    return named


def _predicate(
    finding: Finding, feature: schema_pb2.Feature | None, labels: Collection[bytes]
) -> _Shows | None:
    if finding.rule == UNKNOWN_LABEL:
        return lambda values: any(value not in labels for value in values)
    if finding.rule in _ABSENT:
        return lambda values: not values
    if feature is None:
        return None
    if finding.rule == "INT_TYPE_BIG_INT":
        return lambda values: any(value > feature.int_domain.max for value in values)
    if finding.rule == "INT_TYPE_SMALL_INT":
        return lambda values: any(value < feature.int_domain.min for value in values)
    if finding.rule == "FEATURE_TYPE_HIGH_NUMBER_VALUES":
        return lambda values: len(values) > feature.value_count.max
    if finding.rule == "MAX_IMAGE_BYTE_SIZE_EXCEEDED":
        limit = feature.image_domain.max_image_byte_size
        return lambda values: any(len(value) > limit for value in values)
    return None


def _search(
    folder: str, id_feature: str, asked: Mapping[int, tuple[str, _Shows]]
) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {index: [] for index in asked}
    for record in record_files.read(sorted(tf.io.gfile.glob(f"{folder}/*"))):
        example = tf.train.Example.FromString(record.numpy()).features.feature
        for index, (feature, shows) in asked.items():
            if len(found[index]) < _NAMED and shows(_values(example, feature)):
                found[index].append(_text(_values(example, id_feature)))
        if all(len(ids) == _NAMED for ids in found.values()):
            return found
    return found


def _values(example: Mapping[str, tf.train.Feature], feature: str) -> list[bytes | int | float]:
    if feature not in example:
        return []
    kind = example[feature].WhichOneof("kind")
    return list(getattr(example[feature], kind).value) if kind else []


def _text(values: Sequence[bytes | int | float]) -> str:
    if not values:
        return "(an example without id)"
    value = values[0]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
