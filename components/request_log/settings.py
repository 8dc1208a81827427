"""What a server keeps of its requests, as a person sets it in the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config={"extra": "forbid"})
class RequestLogSettings:
    """Settings of the log of requests.

    Attributes:
      folder: where its files go; made if absent. Several servers may share one.
      share: of the images asked about, how many are kept, in (0, 1]. Each costs one more forward
        pass, after the client has its answer.
      file_images: images in one file.
      file_seconds: after so long a file is written though it has fewer.
      max_mb: size of the folder, 2**20 bytes; beyond it the oldest files are removed.
    """

    folder: Annotated[str, Field(min_length=1)]
    share: Annotated[float, Field(gt=0, le=1)] = 0.01
    file_images: Annotated[int, Field(ge=1, le=100_000)] = 1000
    file_seconds: Annotated[float, Field(gt=0)] = 3600
    max_mb: Annotated[float, Field(gt=0)] = 256
