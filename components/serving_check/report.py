"""What the check found, as data beside the blessing and as sentences."""

from __future__ import annotations

import dataclasses
import json

from components import paths
from components.files import write_text

#: In the folder of the `blessing` artifact.
FILE = "serving_check.json"
#: Grows when a reader of the file would have to change.
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class ServingReport:
    """One check.

    Attributes:
      serves: whether the model may be pushed.
      reasons: sentences: what was proved if it serves, what is wrong if not.
      posters: how many images it was asked about.
      latency_ms: median time of a request of one image, or None if it gave no answer.
      import_seconds: how long importing TensorFlow took the process that asked, or None.
      load_seconds: how long loading the model took, or None.
      peak_memory_bytes: the largest resident size of the process that asked, or None.
    """

    serves: bool
    reasons: tuple[str, ...]
    posters: int
    latency_ms: float | None = None
    import_seconds: float | None = None
    load_seconds: float | None = None
    peak_memory_bytes: int | None = None

    def write(self, folder: str) -> None:
        """Writes the file into a folder, in one step."""
        content = {"format": FORMAT, **dataclasses.asdict(self)}
        path = paths.to_path(paths.join(folder, FILE))
        write_text(path, json.dumps(content, indent=1, ensure_ascii=False))


def read(folder: str) -> ServingReport:
    """Reads what `write` wrote.

    Raises:
      OSError, ValueError: there is none.
    """
    with paths.open_file(paths.join(folder, FILE)) as file:
        content = json.loads(file.read())
    del content["format"]
    return ServingReport(**{**content, "reasons": tuple(content["reasons"])})
