"""Making a plain RGB image of whatever Pillow decoded."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps

#: Of images that cannot be stored as they came, with full chroma: nothing that shows is lost.
JPEG_QUALITY = 96
_ORIENTATION_TAG = 0x0112


def to_jpeg(content: bytes) -> bytes:
    """An encoded image as RGB JPEG, upright and over white; the first frame of an animation."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        buffer = io.BytesIO()
        to_rgb(image).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def to_rgb(image: Image.Image) -> Image.Image:
    """A decoded image as RGB of 8 bits: turned as its EXIF says, and laid over white."""
    if orientation(image) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        # Pillow would clip 16 bits to 255; the upper 8 are the picture.
        grey = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def orientation(image: Image.Image) -> int:
    """How the EXIF says that the image is turned, 1..8; 1, upright, if it does not say."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block raises many kinds, and the picture may be fine
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
