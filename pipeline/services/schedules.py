"""What a service says of a schedule, in the same words for every service."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from components.errors import PostersError
from pipeline.schedules.plan import Plan

State = Literal["active", "paused", "over"]


@dataclasses.dataclass(frozen=True)
class Scheduled:
    """One schedule of a service.

    Attributes:
      id: what the service calls it.
      name: what it was called when it was created.
      cron: as the service has it.
      timezone: that the service reads it in.
      state: whether it fires.
      following: when it fires next, or None if that is not known or it does not.
      page: address of its page for people.
    """

    id: str
    name: str
    cron: str
    timezone: str
    state: State
    following: datetime.datetime | None
    page: str


class Schedules(Protocol):
    """What every service can do with schedules; see `KubeflowSchedules` and `VertexSchedules`.

    Every method asks again where a service could not answer, and none does anything twice then.
    All raise PostersError where it cannot be reached or refuses, and say what to do.
    """

    def check(self, plan: Plan) -> None:
        """Refuses what the service cannot keep; asks no one."""

    def check_new(self, plan: Plan) -> None:
        """Refuses a name that is taken."""

    def create(self, job: dict[str, Any], plan: Plan) -> Scheduled:
        """Has the service start a compiled job at the plan's times, never two runs at once."""

    def list(self) -> Sequence[Scheduled]:
        """The schedules of the pipeline."""

    def pause(self, name: str) -> None:
        """Has it fire no more; what runs goes on."""

    def resume(self, name: str) -> None:
        """Has it fire again."""

    def delete(self, name: str) -> None:
        """Removes it; what runs goes on."""


def name_on_service(pipeline: str, name: str) -> str:
    """What a schedule is called where those of many pipelines lie; neither part has a dot."""
    return f"{pipeline}.{name}"


def not_there(name: str, known: Sequence[Scheduled]) -> PostersError:
    """There is no schedule of that name."""
    names = ", ".join(sorted(schedule.name for schedule in known)) or "none"
    return PostersError(f"there is no schedule {name} of this pipeline there; there are: {names}.")


def taken(name: str) -> PostersError:
    """There is one already."""
    return PostersError(
        f"there is a schedule {name} of this pipeline there already. Delete it first (posters "
        f"schedule delete {name}), or give another name."
    )
