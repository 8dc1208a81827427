"""The configuration's section about prices: what a run on a cluster is estimated from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from pipeline.section import Section

#: An amount of `PricesConfig.currency`.
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Minutes = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class NodeMinutes(Section):
    """How long nodes run, where no run in the workspace has shown it.

    Attributes:
      default: minutes of a node that is not named; None if every node is to be known.
      by_node: minutes of the node of that name.
    """

    default: Minutes | None = None
    by_node: Mapping[str, Minutes] = Field(default_factory=dict)


class PricesConfig(Section):
    """Your own prices, from the bill or the price list of your region; none come with the project.

    Attributes:
      currency: three letters, such as EUR.
      cpu_hour: of a core for an hour.
      memory_gb_hour: of a gigabyte of memory for an hour.
      accelerator_hour: of one accelerator for an hour, by its name in `resources`.
      machine_hour: of a machine without accelerators for an hour, by its type in
        `vertex.trainer_job`.
      run: what the service takes for a run, however long.
      startup_minutes: that each container is paid for before its node begins: machine and image.
      minutes: see `NodeMinutes`.
    """

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    cpu_hour: Price
    memory_gb_hour: Price
    accelerator_hour: Mapping[str, Price] = Field(default_factory=dict)
    machine_hour: Mapping[str, Price] = Field(default_factory=dict)
    run: Price = 0
    startup_minutes: Annotated[float, Field(ge=0, le=120)] = 0
    minutes: NodeMinutes = NodeMinutes()
