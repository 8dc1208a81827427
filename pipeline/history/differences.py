"""How what a node would be told differs from what it was told when it last ran, in words."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.history.executions import Execution, Executions

#: Fingerprints and digests: which they are says nothing to a person.
_DIGEST = re.compile(r"^[0-9a-f]{16,64}$")
_LONGEST = 60
_NOTHING = "nothing"


def explain(
    history: Executions,
    node: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Sequence[int]] | None,
) -> list[str]:
    """Why the cache has nothing for a node, one sentence a difference.

    What it would be told is compared with the execution that it differs from least, the last of
    these.

    Args:
      history: of the pipeline.
      node: its name.
      parameters: what it would be told.
      inputs: ids of the artifacts it would be given, by key; None if some are not there yet.
    """
    earlier = [one for one in history if one.node == node and one.succeeded]
    if not earlier:
        return ["it never ran to its end"]
    found, nearest = min(
        ((_between(history, one, parameters, inputs), one) for one in reversed(earlier)),
        key=lambda pair: len(pair[0]),
    )
    return found or ([] if inputs is None else [_gone(history, nearest)])


def _between(
    history: Executions,
    earlier: Execution,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Sequence[int]] | None,
) -> list[str]:
    found = list(of_parameters(earlier.properties, parameters))
    if inputs is None:
        return found
    for key in sorted(inputs.keys() | earlier.inputs.keys()):
        now, before = list(inputs.get(key, ())), list(earlier.inputs.get(key, ()))
        if now != before:
            found.append(f"{key}: {_artifacts(history, before)} -> {_artifacts(history, now)}")
    return found


def _gone(history: Executions, earlier: Execution) -> str:
    made = (artifact for artifacts in earlier.outputs.values() for artifact in artifacts)
    if any(not history.artifacts[artifact].is_live for artifact in made):
        return "what it made was removed"
    return "what it made is no longer where it was, or the node itself is another"


def of_parameters(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What a node would be told otherwise than before, one sentence a difference."""
    old, new = dict(_leaves(before)), dict(_leaves(now))
    for key in sorted(old.keys() | new.keys()):
        was, would_be = old.get(key), new.get(key)
        if was == would_be:
            continue
        if key.rpartition(".")[2] == "code" or ".fingerprints." in f".{key}":
            yield f"{key}: the code is another" if "code" in key else f"{key}: it is another"
        elif _DIGEST.match(str(was)) and _DIGEST.match(str(would_be)):
            yield f"{key}: the content is another"
        else:
            yield f"{key}: {_shown(was)} -> {_shown(would_be)}"


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and value[:1] in "{[":
        with contextlib.suppress(ValueError):  # only looks like JSON
            value = json.loads(value)
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{key}.{place}")
    elif value not in (None, "", [], {}):
        # ML Metadata keeps no empty values apart, and numbers as text here and there.
        yield key, json.dumps(value, sort_keys=True) if isinstance(value, list) else value


def _shown(value: Any) -> str:
    text = _NOTHING if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


def _artifacts(history: Executions, ids: Sequence[int]) -> str:
    if not ids:
        return _NOTHING
    return ", ".join(
        f"{history.artifacts[artifact].type} {artifact}" if artifact in history.artifacts else "?"
        for artifact in ids
    )
