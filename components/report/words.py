"""Numbers as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

#: Of what is not known.
NOTHING = "\u2013"


def is_known(value: float | None) -> bool:
    """Whether there is a number."""
    return value is not None and math.isfinite(value)


def number(value: float | None) -> str:
    """12345 as 12 345."""
    return NOTHING if not is_known(value) else f"{value:,.0f}".replace(",", "\u202f")


def figure(value: float | None, digits: int = 3) -> str:
    """A metric, to three digits."""
    return NOTHING if not is_known(value) else f"{value:.{digits}f}"


def signed(value: float | None) -> str:
    """A difference, with its sign."""
    return NOTHING if not is_known(value) else f"{value:+.3f}".replace("-", "\u2212")


def interval(bounds: Sequence[float | None] | None) -> str:
    """From the lower to the upper bound."""
    if bounds is None or not all(map(is_known, bounds)):
        return ""
    low, high = bounds
    if low < 0:
        return f"{signed(low)} to {signed(high)}"
    return f"{low:.3f} to {high:.3f}"


def share(value: float | None) -> str:
    """0.123 as 12 %."""
    if not is_known(value):
        return NOTHING
    percent = 100 * value
    return f"{percent:.1f} %" if 0 < percent < 9.95 else f"{percent:.0f} %"


def seconds(value: float | None) -> str:
    """65.2 as 1 min 5 s."""
    if not is_known(value):
        return NOTHING
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def memory(value: float | None) -> str:
    """Bytes as MB or GB."""
    if not is_known(value):
        return NOTHING
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def moment(text: str) -> str:
    """A run's id, or a time in ISO's form, as a date and a time of day in UTC."""
    digits = "".join(letter for letter in text if letter.isdigit())[:12].ljust(12, "0")
    date = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    return f"{date} {digits[8:10]}:{digits[10:12]} UTC"


def plain(text: str) -> str:
    """A name of a key as words."""
    return text.replace("_", " ")


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (number, figure, signed, interval, share, seconds, memory, moment, plain)
}
