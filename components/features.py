"""Names of the features in an example, in one place for every node.

Nothing else in the code knows that the images are posters and the labels genres: a data set of
another kind sets these names in its configuration and brings its own schema.
"""

from __future__ import annotations

from pydantic.dataclasses import dataclass

#: Suffix of a feature that Transform made, as TFX's own examples write it.
TRANSFORMED_SUFFIX = "_xf"


@dataclass(frozen=True, config={"extra": "forbid"})
class Features:
    """Feature names in the `tf.Example`s that ingest writes.

    Attributes:
      image: one encoded image, bytes, exactly one value.
      labels: label names, bytes, one or more values.
      other_labels: labels of the source that the span's vocabulary lacks, bytes, absent if there
        are none. A later span's vocabulary may have grown, and then they count.
      id: the example's stable identifier, bytes, exactly one value; splits hash it.
      title: a caption for people, bytes, at most one value.
      year: int64, at most one value.
    """

    image: str = "poster"
    labels: str = "genres"
    other_labels: str = "other_genres"
    id: str = "imdb_id"
    title: str = "title"
    year: str = "year"

    @property
    def image_xf(self) -> str:
        """The decoded, cut, resized and re-encoded images that Transform makes."""
        return self.image + TRANSFORMED_SUFFIX

    @property
    def labels_xf(self) -> str:
        """The multi-hot labels that Transform makes, in the vocabulary's order."""
        return self.labels + TRANSFORMED_SUFFIX
