"""Times of ML Metadata, which are milliseconds since 1970."""

from __future__ import annotations

import datetime


def iso(milliseconds: int) -> str:
    """As ISO 8601 in UTC, to the second."""
    return _time(milliseconds).isoformat(timespec="seconds")


def words(milliseconds: int) -> str:
    """For people: `2026-11-27 14:13 UTC`."""
    return _time(milliseconds).strftime("%Y-%m-%d %H:%M UTC")


def _time(milliseconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
