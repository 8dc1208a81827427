"""Pillow's part of the check; `tests/integration/test_ingest.py` has TensorFlow's."""

import hashlib
import io
import os
import struct
import threading
import zlib

import pytest
from PIL import Image

from components.ingest.decode import check_image, check_images
from components.ingest.images import ImageFile
from components.ingest.rejection import Reason

MAX_PIXELS = 1_000_000
PICTURE = Image.effect_mandelbrot((40, 60), (-2, -1.5, 1, 1.5), 50)
COLOURED = Image.merge("RGB", (PICTURE, PICTURE.rotate(180), PICTURE)).convert("P")


def encode(picture, form, **options):
    content = io.BytesIO()
    picture.save(content, form, **options)
    return content.getvalue()


def png_claiming(width, height):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )


JPEG = encode(PICTURE, "JPEG")
PNG = encode(PICTURE, "PNG")


def same_size(content):
    with Image.open(io.BytesIO(content)) as image:
        return image.size[::-1]


def check(tmp_path, content, decode=same_size):
    path = tmp_path / "7.jpg"
    path.write_bytes(content)
    return check_image(ImageFile(path, len(content), True), MAX_PIXELS, decode)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP"])
def test_the_formats_that_tensorflow_reads_pass_under_any_name(tmp_path, form):
    content = encode(PICTURE, form)
    found = check(tmp_path, content)
    assert (found.reason, found.detail) == (None, "")
    assert found.digest == hashlib.sha256(content).digest()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY_FILE),
        (b"<html>404 Not Found</html>", Reason.NOT_AN_IMAGE),
        (bytes(1000), Reason.NOT_AN_IMAGE),
        (encode(PICTURE, "WEBP"), Reason.UNSUPPORTED_FORMAT),
        (encode(PICTURE, "TIFF"), Reason.UNSUPPORTED_FORMAT),
        (encode(COLOURED, "BMP"), Reason.UNSUPPORTED_FORMAT),
        (JPEG[: len(JPEG) // 2], Reason.TRUNCATED),
        (JPEG[:-2], Reason.TRUNCATED),
        (PNG[: len(PNG) // 2], Reason.TRUNCATED),
        (JPEG[:3], Reason.UNDECODABLE),
        (PNG[:30], Reason.UNDECODABLE),
        (png_claiming(1001, 1000), Reason.TOO_LARGE),
        (png_claiming(12_000, 9_000), Reason.TOO_LARGE),
        (png_claiming(60_000, 60_000), Reason.TOO_LARGE),
    ],
)
def test_anything_else_is_rejected_with_its_reason_and_file(tmp_path, content, reason):
    found = check(tmp_path, content)
    assert found.reason == reason
    assert found.detail.startswith(f"{tmp_path.name}/7.jpg: ")
    assert found.digest == b""


def test_the_frames_of_an_animation_count_as_pixels(tmp_path):
    frames = [Image.new("L", (500, 500), 50 * shade) for shade in range(5)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert check(tmp_path, content).reason == Reason.TOO_LARGE


def test_what_tensorflow_refuses_is_rejected(tmp_path):
    def refuse(content):
        raise ValueError("no such colours")

    found = check(tmp_path, JPEG, refuse)
    assert found.reason == Reason.UNDECODABLE
    assert "TensorFlow cannot decode it: no such colours" in found.detail
    assert check(tmp_path, JPEG, lambda content: (60, 41)).reason == Reason.UNDECODABLE


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "1.jpg")  # opening it would wait for ever
    found = check_image(ImageFile(tmp_path / "1.jpg", 0, False), MAX_PIXELS, same_size)
    assert found.reason == Reason.NOT_A_FILE


def test_a_file_that_vanished_is_unreadable(tmp_path):
    found = check_image(ImageFile(tmp_path / "1.jpg", 9, True), MAX_PIXELS, same_size)
    assert found.reason == Reason.UNREADABLE
    assert "No such file" in found.detail


def test_many_images_come_back_in_order_and_few_are_taken_ahead(tmp_path):
    taken = 0

    def files():
        nonlocal taken
        for number in range(1000):
            taken += 1
            path = tmp_path / f"{number}.jpg"
            if number % 3:
                path.write_bytes(JPEG)
            yield ImageFile(path, len(JPEG), True)

    checks = check_images(files(), MAX_PIXELS, same_size)
    assert next(checks).reason == Reason.UNREADABLE
    assert taken <= 8 * 8
    assert [found.reason is None for found in checks] == [n % 3 > 0 for n in range(1, 1000)]


def test_leaving_early_stops_the_threads(tmp_path):
    before = threading.active_count()
    path = tmp_path / "1.jpg"
    path.write_bytes(JPEG)
    checks = check_images([ImageFile(path, len(JPEG), True)] * 1000, MAX_PIXELS, same_size)
    next(checks)
    checks.close()
    assert threading.active_count() == before
