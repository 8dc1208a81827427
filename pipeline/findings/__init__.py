"""What `posters doctor` looks at: each module looks at one side of an environment."""

from __future__ import annotations

import dataclasses
import enum


class Status(enum.Enum):
    """How much a finding matters: a warning works but will hurt, a failure does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
      name: what was looked at.
      status: whether it is as it should be.
      found: what was there.
      mend: what to do about it; empty if it is as it should be.
    """

    name: str
    status: Status
    found: str
    mend: str = ""
