"""The contact sheet: a few pictures of each label, the same ones every time."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import heapq
import io
from collections.abc import Mapping, Sequence

from PIL import Image

from components.ingest import convert

#: Pictures on the whole sheet, about.
_PICTURES = 160
#: The fewest and the most of one label.
_FEWEST, _MOST = 2, 8
#: Labels on the sheet; further ones are the rarest.
LABELS = 40
#: Size in pixels that a picture on the sheet fits into: twice what it is shown at.
_BOX = (220, 330)
_QUALITY = 70


@dataclasses.dataclass(frozen=True)
class Picture:
    """One example on the sheet.

    Attributes:
      id: the example's identifier.
      title: its caption, or an empty text.
      year: its year, if it has one.
      labels: all its labels.
      split: the split it is in.
      content: its encoded image.
    """

    id: str
    title: str
    year: int | None
    labels: tuple[str, ...]
    split: str
    content: bytes = dataclasses.field(repr=False)

    @property
    def rank(self) -> int:
        """Where it stands in an order that has nothing to do with what it shows."""
        return int.from_bytes(hashlib.sha256(self.id.encode()).digest()[:8], "big")

    def data_uri(self) -> str | None:
        """A small JPEG of it for a page; None if it cannot be decoded."""
        return data_uri(self.content, _BOX)


def data_uri(content: bytes, box: tuple[int, int]) -> str | None:
    """A small JPEG of an encoded image, for a page.

    Args:
      content: the image's file.
      box: pixels across and down that it is made to fit into.

    Returns:
      None if it cannot be decoded.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.draft("RGB", box)
            small = convert.to_rgb(image)
            small.thumbnail(box)
            buffer = io.BytesIO()
            small.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


class Sheet:
    """Keeps some candidates a label, however many examples are offered."""

    #: Enough that some are left for a frequent label when the rare ones have had theirs.
    _CANDIDATES = 4 * _MOST

    def __init__(self) -> None:
        self._candidates: dict[str, list[tuple[int, int, Picture]]] = {}
        self._offered = 0

    def offer(self, picture: Picture) -> None:
        """Takes an example into consideration."""
        # The number breaks ties between repeated ids: pictures cannot be compared.
        self._offered += 1
        item = (-picture.rank, -self._offered, picture)
        for label in set(picture.labels):
            kept = self._candidates.setdefault(label, [])
            if len(kept) < self._CANDIDATES:
                heapq.heappush(kept, item)
            elif item > kept[0]:
                heapq.heapreplace(kept, item)

    def choose(self, labels: Sequence[str]) -> Mapping[str, Sequence[Picture]]:
        """Pictures by label, no example twice, for the first `LABELS` of `labels`."""
        shown = [label for label in labels if label in self._candidates][:LABELS]
        each = min(_MOST, max(_FEWEST, _PICTURES // max(1, len(shown))))
        used: set[str] = set()
        chosen: dict[str, list[Picture]] = {}
        # The rarest first: they have the fewest to choose from.
        for label in reversed(shown):
            ordered = [item[2] for item in sorted(self._candidates[label], reverse=True)]
            fresh = {picture.id: picture for picture in ordered if picture.id not in used}
            chosen[label] = list(fresh.values())[:each]
            used.update(picture.id for picture in chosen[label])
        return {label: chosen[label] for label in shown}
