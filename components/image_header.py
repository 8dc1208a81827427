"""What an encoded image says of itself, read from its header without decoding anything.

A few kilobytes can say that they are gigabytes of pixels, and a decoder believes it. Read are the
four forms that TensorFlow decodes, and WebP.
"""

from __future__ import annotations

import struct

_JPEG = b"\xff\xd8\xff"
#: JPEG markers that begin a frame, and those without a length.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BARE = {0x01, *range(0xD0, 0xD9)}


def pixel_count(image: bytes) -> int | None:
    """Width times height, of all frames together.

    Args:
      image: an encoded image, whole or not.

    Returns:
      The count, or None if the bytes do not begin as JPEG, PNG, GIF, BMP or WebP, or end too early
      to tell: a decoder refuses these by itself.
    """
    try:
        if image.startswith(_JPEG):
            width, height, _ = _frame(image)
            return width * height
        if image.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", image, 16)
            return width * height
        if image.startswith((b"GIF87a", b"GIF89a")):
            return _gif(image)
        if image.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", image, 18)
            return abs(width * height)
        if image.startswith(b"RIFF") and image[8:12] == b"WEBP":
            return _webp(image)
    except (struct.error, IndexError):
        return None
    return None


def is_plain_jpeg(image: bytes) -> bool:
    """Whether it is a JPEG of one or three colours without EXIF or XMP, which could turn it."""
    if not image.startswith(_JPEG) or b"Exif\0" in image or b"//ns.adobe.com/xap/" in image:
        return False
    try:
        return _frame(image)[2] in (1, 3)
    except (struct.error, IndexError):
        return False


def _frame(image: bytes) -> tuple[int, int, int]:
    """Width, height and colours of a JPEG."""
    place = 2
    while True:
        # As decoders do: anything up to the next marker is passed over.
        place = image.find(b"\xff", place)
        if place < 0:
            raise IndexError("no frame")
        while image[place] == 0xFF:
            place += 1
        marker = image[place]
        place += 1
        if marker in _FRAMES:
            height, width, colours = struct.unpack_from(">HHB", image, place + 3)
            return width, height, colours
        if marker and marker not in _BARE:
            place += struct.unpack_from(">H", image, place)[0]


def _webp(image: bytes) -> int | None:
    kind = image[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(image[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", image, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", image, 26))
    else:
        return None
    return width * height


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
