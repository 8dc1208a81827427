"""The difference of two schemas, in lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import json_format
from tensorflow_metadata.proto.v0 import schema_pb2


def differences(one: schema_pb2.Schema, other: schema_pb2.Schema) -> list[str]:
    """What would have to change in `one` to make it `other`; nothing if they mean the same.

    The order of features and of a domain's values makes no difference.
    """
    lines = list(_between("feature", _features(one), _features(other)))
    lines += _between("domain", _domains(one), _domains(other))
    lines += _compare("schema", _rest(one), _rest(other))
    return lines


def _between(
    what: str, ones: Mapping[str, dict[str, Any]], others: Mapping[str, dict[str, Any]]
) -> Iterator[str]:
    for name in sorted({*ones, *others}):
        if name not in others:
            yield f"- {what} {name}: only in the first"
        elif name not in ones:
            yield f"+ {what} {name}: only in the second"
        else:
            yield from _compare(f"{what} {name}", ones[name], others[name])


def _compare(where: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*one, *other}):
        before, after = one.get(key), other.get(key)
        if before == after:
            continue
        if isinstance(before, frozenset | None) and isinstance(after, frozenset | None):
            added = sorted((after or frozenset()) - (before or frozenset()))
            removed = sorted((before or frozenset()) - (after or frozenset()))
            changes = [f"+{value}" for value in added] + [f"-{value}" for value in removed]
            yield f"~ {where}: {key}: {', '.join(changes)}"
        else:
            yield f"~ {where}: {key}: {_show(before)} -> {_show(after)}"


def _show(value: Any) -> str:
    return "not set" if value is None else str(value)


def _features(schema: schema_pb2.Schema) -> dict[str, dict[str, Any]]:
    return {feature.name: _flatten(_plain(feature)) for feature in schema.feature}


def _domains(schema: schema_pb2.Schema) -> dict[str, dict[str, Any]]:
    return {
        domain.name: {**_flatten(_plain(domain)), "value": frozenset(domain.value)}
        for domain in schema.string_domain
    }


def _rest(schema: schema_pb2.Schema) -> dict[str, Any]:
    rest = _plain(schema)
    rest.pop("feature", None)
    rest.pop("string_domain", None)
    return _flatten(rest)


def _plain(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def _flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys; lists of words become sets, since their order means nothing."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            # An empty message that is there, such as image_domain {}, says something.
            flat |= _flatten(item, f"{prefix}{key}.") or {prefix + key: "set"}
        elif isinstance(item, list) and all(isinstance(part, str) for part in item):
            flat[prefix + key] = frozenset(item)
        else:
            flat[prefix + key] = item
    return flat
