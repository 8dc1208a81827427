"""What differs between two compiled jobs, in lines that a person can read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

#: Characters of a value that are shown.
_WIDTH = 60


def lines(before: Any, after: Any) -> list[str]:
    """One line a value that changed, came or went, by its dotted path; both are JSON objects."""
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    found = []
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            found.append(f"+ {path}: {_short(new[path])}")
        elif path not in new:
            found.append(f"- {path}: {_short(old[path])}")
        elif old[path] != new[path]:
            found.append(f"  {path}: {_short(old[path])} -> {_short(new[path])}")
    return found


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Values by path; text that holds JSON, as TFX stores settings, is looked into."""
    if isinstance(value, str) and value[:1] in "{[":
        with contextlib.suppress(ValueError):  # TFX's placeholders only look like it
            value = json.loads(value)
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    elif path:
        yield path, value


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 4]} ..."
