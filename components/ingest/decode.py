"""Looking at every image once, in full: by its content, not by its name."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from components import loading
from components.image_header import is_plain_jpeg
from components.ingest import convert
from components.ingest.options import IngestOptions
from components.ingest.rejection import Reason, excerpt

#: Formats that are taken, by Pillow's names. MPO is a JPEG with more pictures behind it.
_JPEG_FORMATS = frozenset({"JPEG", "MPO"})
_FORMATS = _JPEG_FORMATS | {"PNG", "GIF", "BMP", "WEBP"}
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"RIFF")
#: Decoders of JPEG round differently, and smooth colours differently at a block's edge: the
#: most that TensorFlow's pixels may differ from Pillow's on the average, in levels of 0..255.
_JPEG_TOLERANCE = 3.0
#: Every so many rows and columns of a JPEG are compared.
_JPEG_STEP = 5
_HASH_BYTES = 8
#: Holds what is open until the process ends.
_UNTIL_THE_END = contextlib.ExitStack()

#: (height, width, 3) uint8 pixels of an encoded image; a ValueError says why there are none.
Decode = Callable[[bytes], np.ndarray]


class Fault(Exception):
    """An image is rejected: the reason, and the detail."""


class Check(NamedTuple):
    """What one look at an image told.

    Attributes:
      digest: SHA-256 of the content.
      perceptual_hash: 64 bits, near for images that look alike.
      as_it_came: whether the content itself is stored; otherwise `convert.to_jpeg` of it.
    """

    digest: bytes
    perceptual_hash: bytes
    as_it_came: bool


def check_content(content: bytes, options: IngestOptions, decode: Decode) -> Check:
    """Decodes an image in full, with Pillow and with TensorFlow.

    Args:
      content: the file's content.
      options: limits.
      decode: TensorFlow's decoder, the one that later steps use.

    Raises:
      Fault: it is no image that can be stored.
    """
    if not content:
        raise Fault(Reason.EMPTY_FILE, "the file is 0 bytes")
    with _faults(content):
        image = Image.open(io.BytesIO(content))
    with image:
        _check_header(image, options)
        with _faults(content):
            image.load()
            pixels = convert.to_rgb(image)
            perceptual_hash = _perceptual_hash(pixels)
        as_it_came = _is_the_same(content, image, pixels, decode)
    return Check(hashlib.sha256(content).digest(), perceptual_hash, as_it_came)


def as_stored(content: bytes) -> bytes:
    """What ingest stores of an image: its content, or `convert.to_jpeg` of it.

    A model that is asked about it sees the pixels that it would have been trained on. TensorFlow is
    loaded if it has to be asked, which is so for no JPEG: of these one thing that ingest converts
    is not seen here, colours that decoders make differently of a sound file.

    Args:
      content: an encoded image; what it says of its size is to be trusted, see `pixel_count`.

    Returns:
      The content itself, too, if ingest would reject it: whoever decodes it says why.
    """
    if is_plain_jpeg(content):
        return content
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format not in _FORMATS or not _is_to_convert(content, image):
                return content
        return convert.to_jpeg(content)
    except Exception:  # Pillow lets many kinds escape when a file is broken
        return content


def _is_to_convert(content: bytes, image: Image.Image) -> bool:
    if image.format in _JPEG_FORMATS:
        return _is_odd_jpeg(image)
    if image.format == "WEBP":
        return True
    image.load()
    return not _is_the_same(content, image, convert.to_rgb(image), _shared_decoder())


@functools.cache
def _shared_decoder() -> Decode:
    return _UNTIL_THE_END.enter_context(tensorflow_decoder())


@contextlib.contextmanager
def tensorflow_decoder() -> Iterator[Decode]:
    """A decoder that takes, refuses and sees just what the pipeline's own decoding will.

    Pillow is the more tolerant one: it takes a PNG with a wrong checksum, for one.
    """
    with loading.without_keras(), loading.without_collecting():
        import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        content = tf.compat.v1.placeholder(tf.string, [])
        pixels = tf.io.decode_image(content, channels=3, expand_animations=False)
    # A session of its own can be kept off the GPUs; eager TensorFlow would take all their memory.
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    # Not entered as a context, which would make its graph the thread's default.
    with contextlib.closing(tf.compat.v1.Session(graph=graph, config=config)) as session:
        run = session.make_callable(pixels, [content])

        def decode(content: bytes) -> np.ndarray:
            try:
                return run(content)
            except tf.errors.OpError as error:
                # Around the one line that says what is wrong stands where in the graph it was.
                cause = error.message.partition("\n\t [[")[0].rpartition("\n")[2]
                raise ValueError(cause) from error

        yield decode


@contextlib.contextmanager
def _faults(content: bytes) -> Iterator[None]:
    """Turns what Pillow raises into a `Fault`."""
    try:
        yield
    except UnidentifiedImageError as error:
        if content.startswith(_MAGIC):
            detail = "it starts like an image, but its header cannot be read"
            raise Fault(Reason.UNDECODABLE, detail) from error
        start = excerpt(repr(content[:24]))
        raise Fault(Reason.NOT_AN_IMAGE, f"no image: it starts with {start}") from error
    except Image.DecompressionBombError as error:
        raise Fault(Reason.TOO_LARGE, excerpt(str(error))) from error
    except Exception as error:  # Pillow lets many kinds escape when a file is broken
        reason = Reason.TRUNCATED if "truncated" in str(error).lower() else Reason.UNDECODABLE
        raise Fault(reason, excerpt(str(error) or type(error).__name__)) from error


def _check_header(image: Image.Image, options: IngestOptions) -> None:
    if image.format not in _FORMATS:
        detail = f"it is {image.format}; convert it to JPEG, PNG, GIF, BMP or WebP"
        raise Fault(Reason.UNSUPPORTED_FORMAT, detail)
    # TensorFlow holds all of a GIF's frames, though it returns the first.
    with _faults(b""):
        frames = getattr(image, "n_frames", 1) if image.format == "GIF" else 1
    size = f"{image.width}x{image.height} pixels"
    if image.width * image.height * frames > options.max_image_pixels:
        detail = f"{size}, {frames} frame(s): above {options.max_image_pixels} pixels"
        raise Fault(Reason.TOO_LARGE, detail)
    if min(image.size) < options.min_image_side:
        raise Fault(Reason.TOO_SMALL, f"{size}: a side is below {options.min_image_side}")


def _is_the_same(content: bytes, image: Image.Image, pixels: Image.Image, decode: Decode) -> bool:
    """Whether TensorFlow sees the content as Pillow does.

    Raises:
      Fault: it is of a format that TensorFlow decodes, and cannot be decoded.
    """
    if image.format == "WEBP":
        return False
    is_jpeg = image.format in _JPEG_FORMATS
    try:
        seen = decode(content)
    except ValueError as error:
        if image.format in ("GIF", "BMP"):  # there are forms of these that TensorFlow lacks
            return False
        detail = f"TensorFlow cannot decode it: {excerpt(str(error))}"
        raise Fault(Reason.UNDECODABLE, detail) from error
    if is_jpeg and _is_odd_jpeg(image):
        return False
    if seen.shape != (pixels.height, pixels.width, 3):
        return False
    if not is_jpeg:
        return bool(np.array_equal(seen, np.asarray(pixels)))
    wanted = np.asarray(_every(_JPEG_STEP, pixels))
    difference = seen[::_JPEG_STEP, ::_JPEG_STEP].astype(np.int16) - wanted
    return float(np.abs(difference).mean()) <= _JPEG_TOLERANCE


def _is_odd_jpeg(image: Image.Image) -> bool:
    """Whether TensorFlow sees a JPEG turned, or its four colours mixed otherwise."""
    return image.mode == "CMYK" or convert.orientation(image) != 1


def _every(step: int, image: Image.Image) -> Image.Image:
    """`image[::step, ::step]`, without the copy of the whole that NumPy would need."""
    size = (-(-image.width // step), -(-image.height // step))
    # A pixel's middle is sampled: step * (x + 0.5) + shift lies within pixel step * x.
    shift = (1 - step) / 2
    matrix = (step, 0, shift, 0, step, shift)
    return image.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


def _perceptual_hash(pixels: Image.Image) -> bytes:
    import imagehash

    return np.packbits(imagehash.phash(pixels).hash.ravel()).tobytes()
