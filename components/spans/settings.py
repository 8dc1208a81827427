"""Which spans a run trains on, as a person says it in the configuration."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_FORMS = (
    "latest, all, the number of a span, a list of numbers, {last: N}, or {since: DATE, until: DATE}"
)


class LastSpans(BaseModel):
    """So many spans, counted from the highest number down; all if there are fewer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    last: Annotated[int, Field(ge=1)]


class SpanDates(BaseModel):
    """Spans by their dates, both ends included; an end that is None is open."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    since: datetime.date | None = None
    until: datetime.date | None = None


def _parse(value: Any) -> Any:
    """One of the forms, or what it says in words if it is none."""
    if isinstance(value, (LastSpans, SpanDates)):
        return value
    if isinstance(value, dict) and value.keys() == {"last"}:
        return LastSpans(last=_number(value["last"], "last"))
    if isinstance(value, dict) and value and value.keys() <= {"since", "until"}:
        ends = {key: _date(day, key) for key, day in value.items() if day is not None}
        if not ends or ends.get("since", datetime.date.min) > ends.get("until", datetime.date.max):
            raise ValueError("must give a date, and no `until` that is before `since`")
        return SpanDates(**ends)
    if isinstance(value, Sequence) and not isinstance(value, str):
        numbers = tuple(_number(item, "a number of a span") for item in value)
        if not numbers or len(set(numbers)) < len(numbers):
            raise ValueError("must name one span or more, and each once")
        return tuple(sorted(numbers))
    if isinstance(value, int):
        return _number(value, "the number of a span")
    if value in ("latest", "all"):
        return value
    raise ValueError(f"must be one of: {_FORMS}")


def _number(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{what} must be a whole number from 1, not {value!r}")
    return value


def _date(value: Any, what: str) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must be a date such as 2026-01-31, not {value!r}") from error


#: What the key `window` holds.
WindowSetting = Annotated[
    Literal["latest", "all"] | int | tuple[int, ...] | LastSpans | SpanDates,
    BeforeValidator(_parse),
]
