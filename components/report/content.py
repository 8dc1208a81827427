"""Everything that a run's page shows, as one JSON document: gathered where the pieces lie.

What it looks like is not in it, and neither is what only the runner knows (`summary.json`): a page
is made of both, again at any time and without TensorFlow.
"""

from __future__ import annotations

import json
import math
from typing import Any

from components import paths
from components.errors import PostersError
from components.files import write_text

#: Grows when a reader of the file would have to change.
FORMAT = 2
#: In RunReport's folder.
FILE = "report.json"

#: See `collect.collect`.
Content = dict[str, Any]


def write(folder: str, content: Content) -> None:
    """Writes the document into a folder, in one step; what is not a number becomes null.

    Raises:
      OSError: it cannot be written.
    """
    text = json.dumps(_finite(content), ensure_ascii=False, allow_nan=False)
    write_text(paths.to_path(paths.join(folder, FILE)), text + "\n")


def read(folder: str) -> Content:
    """Reads what `write` wrote.

    Raises:
      PostersError: there is none, or one of another format.
    """
    path = paths.join(folder, FILE)
    try:
        with paths.open_file(path) as file:
            content = json.loads(file.read())
        if (found := content.get("format")) != FORMAT:
            raise ValueError(f"it has format {found}, not {FORMAT}")
    except (OSError, ValueError, AttributeError) as error:
        raise PostersError(
            f"{path}: what the run's page shows cannot be read ({error}). The folder of the run's "
            "artifacts was removed or written by another version; run again."
        ) from error
    return content


def _finite(value: Any) -> Any:
    """A copy without the NaN and infinity that JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
