"""What a user may set about an ingest."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

from components.features import Features

#: The splits, in the order in which their shares are laid along [0, 1).
SPLITS = ("train", "eval", "test")

_Text = Annotated[str, Field(min_length=1)]
_Positive = Annotated[int, Field(ge=1)]
#: Options that say how to get at the source, not what to make of it: others, and the span is the
#: same. Whether the vocabulary may grow is no matter for a span that is there: that tells what came
#: of it.
_OPERATIONAL = frozenset(
    {
        "grow_vocabulary",
        "max_rejected_share",
        "download_workers",
        "download_tries",
        "download_timeout",
        "download_cache",
    }
)


def _default_shares() -> Mapping[str, float]:
    return {"train": 0.70, "eval": 0.15, "test": 0.15}


@dataclass(frozen=True, config={"extra": "forbid"})
class IngestOptions:
    """How to read the table and the images, and what to make of them.

    Attributes:
      table_format: "csv", "jsonl" (one JSON object a line), or "auto": by the table's suffix.
      id_column: column with each image's identifier, which is also its file's name less the suffix.
      labels_column: column with the labels, joined by `label_separator`; in JSON Lines also a list.
      title_column: column with a caption for people; None when the table has none.
      year_column: column with a year; None takes it from a title that ends in "(1991)".
      url_column: column with each image's address, for those that the folder of images lacks; None
        when images are not downloaded.
      column_separator: the one character between two columns.
      label_separator: what stands between two labels, one character or more.
      encoding: the table's encoding, by Python's name for it. A byte order mark overrules it.
      min_label_count: a label with fewer examples than this in the train split is dropped; >= 1.
        Later spans keep the first span's labels.
      grow_vocabulary: whether a later span takes in labels that reach `min_label_count` over the
        train examples of all spans, at the end of the vocabulary.
      forbidden_labels: an id that carries one of these, by the exact name, is rejected.
      split_shares: share of the examples in each of `train`, `eval` and `test`; each > 0, sum 1.
      shard_bytes: size that a shard of records aims at, in bytes; >= 1.
      max_rejected_share: the ingest fails if more than this share of the table's rows cannot be
        read, or has no image, or of the images found cannot be decoded; in [0, 1].
      max_image_pixels: an image with more (width times height times frames) is rejected; >= 1.
      min_image_side: an image with a shorter side is rejected, in pixels; >= 1.
      max_image_bytes: a larger file or download is rejected; >= 1.
      max_hash_distance: images whose 64-bit perceptual hashes differ in at most so many bits land
        in one split; in 0..16. None compares contents alone.
      download_workers: downloads at a time on each worker; in 1..256.
      download_tries: how often one address is tried, with growing waits between; in 1..20.
      download_timeout: seconds without an answer or the next bytes before a try is given up; so it
        is if the content, after the headers, still arrives ten times that after it began. Above 0.
      download_cache: folder that keeps what was downloaded, for the next run; None takes
        `.downloads` in the data root.
      features: names of the features in the examples.
    """

    table_format: Literal["auto", "csv", "jsonl"] = "auto"
    id_column: _Text = "imdbId"
    labels_column: _Text = "Genre"
    title_column: _Text | None = "Title"
    year_column: _Text | None = None
    url_column: _Text | None = None
    column_separator: Annotated[str, Field(pattern=r'^[^"\r\n\x00]$')] = ","
    label_separator: _Text = "|"
    encoding: str = "iso-8859-1"
    min_label_count: _Positive = 1000
    grow_vocabulary: bool = False
    forbidden_labels: tuple[str, ...] = ("Adult",)
    split_shares: Mapping[str, float] = Field(default_factory=_default_shares)
    shard_bytes: _Positive = 64 << 20
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_image_pixels: _Positive = 50_000_000
    min_image_side: _Positive = 8
    max_image_bytes: _Positive = 64 << 20
    max_hash_distance: Annotated[int, Field(ge=0, le=16)] | None = 6
    download_workers: Annotated[int, Field(ge=1, le=256)] = 16
    download_tries: Annotated[int, Field(ge=1, le=20)] = 4
    download_timeout: Annotated[float, Field(gt=0)] = 20.0
    download_cache: str | None = None
    features: Features = Field(default_factory=Features)

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            b"x".decode(encoding, errors="ignore")
        except LookupError as error:  # also for codecs such as "base64" that make no text
            raise ValueError("must be a text encoding that Python knows") from error
        return encoding

    @field_validator("split_shares")
    @classmethod
    def _share_out_everything(cls, shares: Mapping[str, float]) -> Mapping[str, float]:
        positive = all(share > 0 for share in shares.values())
        if set(shares) != set(SPLITS) or not positive or abs(sum(shares.values()) - 1) > 1e-6:
            raise ValueError("must name train, eval and test, each above 0, and sum to 1")
        return shares

    @field_validator("features")
    @classmethod
    def _differ(cls, features: Features) -> Features:
        names = [getattr(features, field.name) for field in dataclasses.fields(features)]
        if len(set(names)) < len(names) or not all(names):
            raise ValueError("must give each feature a name of its own")
        return features

    def to_manifest(self) -> dict[str, Any]:
        """What decides the span's content, as JSON reads it back."""
        plain = json.loads(json.dumps(dataclasses.asdict(self)))
        return {name: value for name, value in plain.items() if name not in _OPERATIONAL}
