"""What TFX's BulkInferrer is asked about, as a person sets it in the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

from components.paths import is_remote


@dataclass(frozen=True, config={"extra": "forbid"})
class BulkInferrerSettings:
    """Settings of the optional node BulkInferrer.

    Attributes:
      examples: a folder of TFRecord files with examples that have an image; None asks about the
        run's own.
      pattern: which files of the folder.
      splits: of the run's own examples, which.
      output: `examples`: each example with the features `scores` and `probabilities`, (L,) in the
        vocabulary's order, and `status`; `prediction_logs`: TensorFlow Serving's records of request
        and answer. Both hold the whole example, its image too: that is TFX's form.
    """

    examples: str | None = None
    pattern: Annotated[str, Field(min_length=1)] = "*.tfrecord"
    splits: Annotated[tuple[str, ...], Field(min_length=1)] = ("test",)
    output: Literal["examples", "prediction_logs"] = "examples"

    @field_validator("examples")
    @classmethod
    def _absolute(cls, path: str | None) -> str | None:
        # TFX keys its cache by paths as they are written: one folder must have one name.
        return path if path is None or is_remote(path) else str(Path(path).resolve())
