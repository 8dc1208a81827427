"""Naming the images that made a node fail.

A decode error inside a graph says nothing of the example it came from, and an exported model only
gives a row that is not numbers. So nodes look for the culprits once something went wrong.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import tensorflow as tf

from components import record_files
from components.errors import PostersError
from components.features import Features

#: How many undecodable images an error names.
_NAMED = 5


@contextlib.contextmanager
def naming_undecodable_images(split_folders: Sequence[str], features: Features) -> Iterator[None]:
    """Turns the failure of a block into one that names the images at fault, if there are any.

    Args:
      split_folders: folders of TFRecord files (`.gz` or plain) with the examples the block reads.
      features: the examples' feature names.

    Raises:
      PostersError: the block failed, and some images cannot be decoded.
    """
    try:
        yield
    except PostersError:
        raise
    except Exception as error:
        try:
            refuse_undecodable_images(split_folders, features)
        except PostersError as named:
            raise named from error
        raise


def refuse_undecodable_images(split_folders: Sequence[str], features: Features) -> None:
    """Decodes every image, and names those with which it does not work.

    Args:
      split_folders: folders of TFRecord files (`.gz` or plain) with examples.
      features: the examples' feature names.

    Raises:
      PostersError: some images cannot be decoded.
    """
    if broken := _find_undecodable(split_folders, features):
        raise PostersError(_describe(broken))


def _find_undecodable(
    split_folders: Sequence[str], features: Features
) -> list[tuple[str, str, int, str]]:
    """(id, file, bytes, reason) of every example whose image TensorFlow cannot decode."""
    broken = []
    for folder in split_folders:
        for file in sorted(tf.io.gfile.glob(f"{folder}/*")):
            for record in record_files.read(file):
                example = tf.train.Example.FromString(record.numpy()).features.feature
                images = example[features.image].bytes_list.value
                identifier = b"".join(example[features.id].bytes_list.value).decode(
                    errors="replace"
                )
                try:
                    tf.io.decode_image(images[0], channels=3, expand_animations=False)
                except (tf.errors.InvalidArgumentError, IndexError) as error:
                    reason = getattr(error, "message", "no image in the example")
                    size = len(images[0]) if images else 0
                    broken.append((identifier, file, size, reason.split("[Op:")[0].strip()))
    return broken


def _describe(broken: Sequence[tuple[str, str, int, str]]) -> str:
    lines = [f"{len(broken)} image(s) cannot be decoded:"]
    for identifier, file, size, reason in broken[:_NAMED]:
        lines.append(f"  id {identifier} ({size} bytes) in {file}: {reason}")
    if len(broken) > _NAMED:
        lines.append(f"  ... and {len(broken) - _NAMED} more")
    lines.append(
        "Run `posters ingest` on the source again: it decodes every image and sets aside the ones "
        "that cannot be read, with the reason, in rejected.csv."
    )
    return "\n".join(lines)
