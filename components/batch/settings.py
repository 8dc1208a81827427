"""How `posters batch` cuts its work, as a person sets it in the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config={"extra": "forbid"})
class BatchSettings:
    """Settings of a batch.

    Attributes:
      shard_posters: posters in one file of predictions. It is written when all of them are
        answered, so a batch that is killed loses at most one file's work on each worker.
    """

    shard_posters: Annotated[int, Field(ge=1)] = 1000
