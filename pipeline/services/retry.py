"""Asking a service again that could not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds before the second try, the third and the fourth.
PAUSES = (1.0, 3.0, 9.0)


def call(
    action: Callable[[], T],
    is_transient: Callable[[Exception], bool],
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Calls until it succeeds, fails for good, or has failed once more than there are pauses.

    Args:
      action: what is called; must do no harm when it is done twice.
      is_transient: whether an exception may be gone a little later.
      sleep: called with the seconds to wait.

    Raises:
      Exception: the last one that `action` raised.
    """
    for pause in PAUSES:
        try:
            return action()
        except Exception as error:
            if not is_transient(error):
                raise
        sleep(pause)
    return action()
