"""What every section of the configuration has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Keys that are checked on load: an unknown one is an error, and none changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True)
