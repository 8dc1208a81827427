"""How many pixels an encoded image says it has, read from its header without decoding anything.

A few kilobytes can say that they are gigabytes of pixels, and a decoder believes it. Read are the
four forms that TensorFlow decodes.
"""

from __future__ import annotations

import struct

#: JPEG markers that begin a frame, and those without a length.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BARE = {0x01, *range(0xD0, 0xD9)}


def pixel_count(image: bytes) -> int | None:
    """Width times height, of all frames together.

    Args:
      image: an encoded image, whole or not.

    Returns:
      The count, or None if the bytes do not begin as JPEG, PNG, GIF or BMP, or end too early to
      tell: a decoder refuses these by itself.
    """
    try:
        if image.startswith(b"\xff\xd8\xff"):
            return _jpeg(image)
        if image.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", image, 16)
            return width * height
        if image.startswith((b"GIF87a", b"GIF89a")):
            return _gif(image)
        if image.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", image, 18)
            return abs(width * height)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg(image: bytes) -> int | None:
    place = 2
    while True:
        # As decoders do: anything up to the next marker is passed over.
        place = image.find(b"\xff", place)
        if place < 0:
            return None
        while image[place] == 0xFF:
            place += 1
        marker = image[place]
        place += 1
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", image, place + 3)
            return width * height
        if marker and marker not in _BARE:
            place += struct.unpack_from(">H", image, place)[0]


def _gif(image: bytes) -> int:
    width, height, flags = struct.unpack_from("<HHB", image, 6)
    total, place = width * height, 13 + _table_bytes(flags)
    frames = 0
    while place < len(image):
        kind = image[place]
        if kind == 0x2C:
            width, height, flags = struct.unpack_from("<HHB", image, place + 5)
            frames += width * height
            place = _after_blocks(image, place + 11 + _table_bytes(flags))
        elif kind == 0x21:
            place = _after_blocks(image, place + 2)
        else:
            break
    return max(total, frames)


def _table_bytes(flags: int) -> int:
    """The size of a colour table, if the flags say that one follows."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(image: bytes, place: int) -> int:
    """Where a chain of data blocks, each led by its size, ends."""
    while place < len(image) and image[place]:
        place += image[place] + 1
    return place + 1
