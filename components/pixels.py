"""The one way from encoded bytes to the pixels a model sees.

Transform, training, evaluation and serving all go through these functions, so they see the same
pixels to the last bit: `store` makes what Transform stores of an image, `materialize` of several;
`decode_stored`, `mirror` and `normalize` read it, by themselves or in `to_model_input`,
`to_model_views` and `of_views`.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from components import views

#: Quality at which a resized image is stored, with full chroma: the loss is below that of resizing.
JPEG_QUALITY = 95
#: Elements of `tf.map_fn` in flight: enough to keep every core of a small machine decoding.
_PARALLEL_IMAGES = 16


def materialize(images: tf.Tensor, size: int, geometries: Sequence[views.Geometry]) -> tf.Tensor:
    """Decodes images, cuts squares out of them, and stores these resized (antialiased) as JPEG.

    Args:
      images: (N,) strings, each one encoded JPEG, PNG, GIF (its first frame) or BMP, told apart by
        content. Grey and CMYK become RGB; an alpha channel is dropped.
      size: side of the square in pixels.
      geometries: what to make of each image, which is decoded once for all of them.

    Returns:
      (N, G) strings, RGB JPEG of size x size pixels, a column a geometry.

    Raises:
      tf.errors.InvalidArgumentError: an image that cannot be decoded.
    """
    return tf.map_fn(
        lambda image: store(image, size, geometries),
        images,
        fn_output_signature=tf.TensorSpec((len(geometries),), tf.string),
        parallel_iterations=_PARALLEL_IMAGES,
    )


def store(image: tf.Tensor, size: int, geometries: Sequence[views.Geometry]) -> tf.Tensor:
    """What `materialize` makes of one image: a scalar string to (G,) strings."""
    pixels = tf.io.decode_image(image, channels=3, expand_animations=False)
    return tf.stack([_store(crop(pixels, geometry), size) for geometry in geometries])


def to_model_input(stored: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes what `materialize` stored into what an image feature vector module takes.

    Args:
      stored: (N,) strings, one column of what `materialize` gives.
      size: side of the square in pixels, as given to `materialize`.

    Returns:
      (N, size, size, 3) float32 RGB in [0, 1], the range TF-Hub's common image signature names.
    """
    return normalize(_decode_column(stored, size))


def to_model_views(stored: tf.Tensor, size: int, names: Sequence[str]) -> list[tf.Tensor]:
    """Decodes what `materialize` stored into every view, each stored image once.

    Args:
      stored: (N, G) strings from `materialize`, made for `views.geometries(names)`.
      size: side of the square in pixels, as given to `materialize`.
      names: the views.

    Returns:
      For each view, (N, size, size, 3) float32 RGB in [0, 1].
    """
    columns = [
        _decode_column(stored[:, column], size) for column in range(len(views.geometries(names)))
    ]
    return of_views(columns, names)


def of_views(columns: Sequence[tf.Tensor], names: Sequence[str]) -> list[tf.Tensor]:
    """Makes every view of decoded squares.

    Args:
      columns: for each of `views.geometries(names)`, (N, size, size, 3) uint8.
      names: the views.

    Returns:
      For each view, (N, size, size, 3) float32 RGB in [0, 1].
    """
    decoded = dict(zip(views.geometries(names), columns, strict=True))
    images = ((decoded[views.geometry(name)], views.is_mirrored(name)) for name in names)
    return [normalize(mirror(pixels) if mirrored else pixels) for pixels, mirrored in images]


def decode_stored(stored: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes one image that `materialize` stored to (size, size, 3) uint8."""
    pixels = tf.io.decode_jpeg(stored, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (size, size, 3))


def mirror(pixels: tf.Tensor) -> tf.Tensor:
    """Exchanges left and right of images (..., height, width, channels)."""
    return tf.reverse(pixels, axis=[-2])


def normalize(pixels: tf.Tensor) -> tf.Tensor:
    """Maps uint8 pixels 0..255 to float32 [0, 1]."""
    # Graphs make such a product of a division by 255, which differs from it in the last bit.
    return tf.cast(pixels, tf.float32) * (1.0 / 255.0)


def crop(pixels: tf.Tensor, geometry: views.Geometry) -> tf.Tensor:
    """What a geometry shows of one image (height, width, channels), before it is resized.

    The squares' side is the image's shorter one. Along the longer, `top` starts at 0 (the top of an
    upright image, the left of a wide one), `bottom` ends at the end, and `middle` lies between, one
    pixel nearer to the start where the rest is odd.
    """
    if geometry == "squished":
        return pixels
    lengths = tf.shape(pixels)[:2]
    side = tf.reduce_min(lengths)
    rest = lengths - side
    top, left = tf.unstack({"top": rest * 0, "middle": rest // 2, "bottom": rest}[geometry])
    return pixels[top : top + side, left : left + side]


def _decode_column(stored: tf.Tensor, size: int) -> tf.Tensor:
    return tf.map_fn(
        lambda image: decode_stored(image, size),
        stored,
        fn_output_signature=tf.TensorSpec((size, size, 3), tf.uint8),
        parallel_iterations=_PARALLEL_IMAGES,
    )


def _store(pixels: tf.Tensor, size: int) -> tf.Tensor:
    resized = tf.image.resize(pixels, (size, size), antialias=True)
    return tf.io.encode_jpeg(
        tf.saturate_cast(tf.round(resized), tf.uint8),
        format="rgb",
        quality=JPEG_QUALITY,
        chroma_downsampling=False,
    )
