"""Numbers that JSON does not know."""

from __future__ import annotations

import math
from typing import Any


def without_nan(value: Any) -> Any:
    """A copy of dicts, lists and what is in them, with None for NaN and infinity."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
