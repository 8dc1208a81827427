"""What became of each node, in the same words for every runner on this machine."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

from pipeline.runners.usage import Used

if TYPE_CHECKING:
    from tfx import types

#: `skipped`: a condition in the DAG said no, so that nothing was to be done.
State = Literal["run", "cached", "skipped", "failed"]


@dataclasses.dataclass(frozen=True)
class NodeReport:
    """What became of one node.

    Attributes:
      id: the node's name in the DAG.
      state: `cached` if an earlier run's outputs were taken.
      seconds: wall time.
      used: memory and processor time of all processes that worked for it.
      outputs: artifacts by key.
    """

    id: str
    state: State
    seconds: float
    used: Used
    outputs: dict[str, list[types.Artifact]] = dataclasses.field(default_factory=dict, repr=False)


class NodeFailedError(Exception):
    """A node failed; its cause is the exception it raised.

    Attributes:
      reports: of every node that was begun.
      failed: of the one that failed first.
      suspects: folders that it read, if what it failed with looks like damage to one of them.
    """

    def __init__(self, reports: list[NodeReport], suspects: tuple[str, ...] = ()) -> None:
        self.reports = reports
        self.suspects = suspects
        self.failed = next(report for report in reports if report.state == "failed")
        super().__init__(f"{self.failed.id} failed")
