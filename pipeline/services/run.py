"""What a service says of a run, in the same words for every service."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

State = Literal["pending", "running", "succeeded", "failed", "cancelled"]
#: States that do not change any more.
FINAL: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})


@dataclasses.dataclass(frozen=True)
class Run:
    """One submitted job.

    Attributes:
      id: what the service calls it.
      state: of the whole.
      nodes: by name, the state in the service's own words, in lower case.
      error: what the service says went wrong, or None.
      page: address of the run's page for people.
    """

    id: str
    state: State
    nodes: Mapping[str, str]
    error: str | None
    page: str
