"""Looking at every image once, in full: by its content, not by its name."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from components.ingest.images import ImageFile
from components.ingest.rejection import Reason, excerpt

#: Formats that TensorFlow decodes, by Pillow's names. MPO is a JPEG with more pictures behind it.
_FORMATS = frozenset({"JPEG", "MPO", "PNG", "GIF", "BMP"})
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")
_MAX_FILE_BYTES = 256 << 20
_MAX_WORKERS = 8

#: Height and width of an encoded image; a ValueError says why it cannot be decoded.
Decode = Callable[[bytes], tuple[int, int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """What one look at an image file told.

    Attributes:
      digest: SHA-256 of the content; empty if the image is rejected.
      reason: None if the image is fine.
      detail: why it was rejected, in words.
    """

    digest: bytes
    reason: Reason | None = None
    detail: str = ""


class _Fault(Exception):
    """An image is rejected: the reason, and the detail."""


def check_image(file: ImageFile, max_pixels: int, decode: Decode) -> Check:
    """Reads and fully decodes one image.

    Args:
      file: where it lies.
      max_pixels: the most that width times height times frames may be.
      decode: the decoder that later steps use, asked last.
    """
    try:
        content = _read(file)
        size = _decode_with_pillow(content, max_pixels)
        try:
            height_width = decode(content)
        except ValueError as error:
            raise _Fault(
                Reason.UNDECODABLE, f"TensorFlow cannot decode it: {excerpt(str(error))}"
            ) from error
        if height_width != size[::-1]:
            detail = f"TensorFlow sees another size, {height_width[::-1]}, than Pillow, {size}"
            raise _Fault(Reason.UNDECODABLE, detail)
    except _Fault as fault:
        reason, detail = fault.args
        # The folder's name, not its whole path: the list is the same wherever the source lies.
        return Check(b"", reason, f"{Path(file.path.parent.name, file.path.name)}: {detail}")
    return Check(hashlib.sha256(content).digest())


def check_images(files: Iterable[ImageFile], max_pixels: int, decode: Decode) -> Iterator[Check]:
    """Checks many images on a few threads and yields in order.

    The decoders release Python's lock, so threads are enough. Only the images being decoded are
    in memory.
    """
    workers = min(os.cpu_count() or 1, _MAX_WORKERS)
    pending: collections.deque[concurrent.futures.Future[Check]] = collections.deque()
    with warnings.catch_warnings(), concurrent.futures.ThreadPoolExecutor(workers) as pool:
        # Pillow warns of large images and odd metadata: the first are rejected, the second do
        # not matter here.
        warnings.simplefilter("ignore")
        try:
            for file in files:
                pending.append(pool.submit(check_image, file, max_pixels, decode))
                if len(pending) >= workers * 8:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


@contextlib.contextmanager
def tensorflow_decoder() -> Iterator[Decode]:
    """A decoder that takes and refuses just what the pipeline's own decoding will.

    Pillow is the more tolerant one: it takes a PNG with a wrong checksum, for one.
    """
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        content = tf.compat.v1.placeholder(tf.string, [])
        pixels = tf.io.decode_image(content, channels=3, expand_animations=False)
        shape = tf.shape(pixels)
    # A session of its own can be kept off the GPUs; eager TensorFlow would take all their memory.
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    with tf.compat.v1.Session(graph=graph, config=config) as session:
        run = session.make_callable(shape, [content])

        def decode(content: bytes) -> tuple[int, int]:
            try:
                height, width, _ = (int(size) for size in run(content))
            except tf.errors.OpError as error:
                # Around the one line that says what is wrong stands where in the graph it was.
                cause = error.message.partition("\n\t [[")[0].rpartition("\n")[2]
                raise ValueError(cause) from error
            return height, width

        yield decode


def _read(file: ImageFile) -> bytes:
    if not file.is_file:
        raise _Fault(Reason.NOT_A_FILE, "it is a folder, a broken link or a device")
    if file.byte_count > _MAX_FILE_BYTES:
        raise _Fault(Reason.TOO_LARGE, f"{file.byte_count} bytes, above {_MAX_FILE_BYTES}")
    try:
        content = file.path.read_bytes()
    except OSError as error:
        raise _Fault(Reason.UNREADABLE, error.strerror or str(error)) from error
    if not content:
        raise _Fault(Reason.EMPTY_FILE, "the file is 0 bytes")
    return content


def _decode_with_pillow(content: bytes, max_pixels: int) -> tuple[int, int]:
    """Returns width and height."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            _check_header(image, max_pixels)
            image.load()
            return image.size
    except _Fault:
        raise
    except UnidentifiedImageError as error:
        if content.startswith(_MAGIC):
            detail = "it starts like an image, but its header cannot be read"
            raise _Fault(Reason.UNDECODABLE, detail) from error
        start = excerpt(repr(content[:24]))
        raise _Fault(Reason.NOT_AN_IMAGE, f"no image: it starts with {start}") from error
    except Image.DecompressionBombError as error:
        raise _Fault(Reason.TOO_LARGE, excerpt(str(error))) from error
    except Exception as error:  # Pillow lets many kinds escape when a file is broken
        reason = Reason.TRUNCATED if "truncated" in str(error).lower() else Reason.UNDECODABLE
        raise _Fault(reason, excerpt(str(error) or type(error).__name__)) from error


def _check_header(image: Image.Image, max_pixels: int) -> None:
    if image.format not in _FORMATS:
        detail = f"it is {image.format}; convert it to JPEG, PNG, GIF or BMP"
        raise _Fault(Reason.UNSUPPORTED_FORMAT, detail)
    if image.format == "BMP" and image.mode in ("P", "1"):
        # TensorFlow takes the palette's indices for grey levels.
        detail = "it is a BMP with a palette; convert it to JPEG or PNG"
        raise _Fault(Reason.UNSUPPORTED_FORMAT, detail)
    # TensorFlow holds all of a GIF's frames, though it returns the first.
    frames = getattr(image, "n_frames", 1) if image.format == "GIF" else 1
    if image.width * image.height * frames > max_pixels:
        detail = f"{image.width}x{image.height} pixels, {frames} frames: above {max_pixels} pixels"
        raise _Fault(Reason.TOO_LARGE, detail)
