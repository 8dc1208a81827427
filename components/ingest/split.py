"""Which split an example belongs to: a matter of its identifier alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from components.ingest.options import SPLITS

# Changing it moves every example: a model could then be tested on what it was trained on.
_SALT = "split-1:"
_BITS = 53


def position(identifier: str) -> float:
    """Where in [0, 1) the identifier falls: evenly spread, and the same on every machine."""
    digest = hashlib.sha256((_SALT + identifier).encode("utf-8")).digest()
    # 53 bits are what a float holds exactly: with more, the largest would round up to 1.
    return (int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / 2**_BITS


def split_of(identifier: str, shares: Mapping[str, float]) -> str:
    """The identifier's split, whatever other examples there are.

    Args:
      identifier: as in the table.
      shares: share of each of `SPLITS`, summing to 1; laid along [0, 1) in that order.
    """
    place = position(identifier)
    end = 0.0
    for split in SPLITS:
        end += shares[split]
        if place < end:
            return split
    return SPLITS[-1]  # the shares' sum may be a rounding error below 1
