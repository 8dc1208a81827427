"""Pillow's part of the check; `tests/integration/test_ingest_odd_files.py` has TensorFlow's."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from components.ingest.convert import to_jpeg
from components.ingest.decode import Fault, check_content
from components.ingest.options import IngestOptions
from components.ingest.rejection import Reason

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
OPTIONS = IngestOptions(max_image_pixels=1_000_000)


def as_pillow_does(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def check(content, decode=as_pillow_does):
    return check_content(content, OPTIONS, decode)


def refuse(content):
    raise ValueError("no such colours")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP"])
def test_the_formats_that_tensorflow_reads_are_stored_as_they_came(form):
    content = encode(PICTURE, form)
    found = check(content)
    assert found.as_it_came
    assert found.digest == hashlib.sha256(content).digest()
    assert len(found.perceptual_hash) == 8


def test_other_formats_and_pixels_are_converted():
    assert not check(encode(PICTURE, "WEBP"), refuse).as_it_came
    assert not check(encode(COLOURED, "BMP"), refuse).as_it_came
    assert not check(encode(PICTURE.convert("CMYK"), "JPEG")).as_it_came
    assert not check(PNG, lambda content: 255 - as_pillow_does(content)).as_it_came
    assert not check(PNG, lambda content: as_pillow_does(content)[:-1]).as_it_came


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY_FILE),
        (b"<html>404 Not Found</html>", Reason.NOT_AN_IMAGE),
        (bytes(1000), Reason.NOT_AN_IMAGE),
        (encode(PICTURE, "TIFF"), Reason.UNSUPPORTED_FORMAT),
        (JPEG[: len(JPEG) // 2], Reason.TRUNCATED),
        (JPEG[:-2], Reason.TRUNCATED),
        (PNG[: len(PNG) // 2], Reason.TRUNCATED),
        (JPEG[:3], Reason.UNDECODABLE),
        (PNG[:30], Reason.UNDECODABLE),
        (png_claiming(1001, 1000), Reason.TOO_LARGE),
        (png_claiming(12_000, 9_000), Reason.TOO_LARGE),
        (png_claiming(60_000, 60_000), Reason.TOO_LARGE),
        (encode(PICTURE.crop((0, 0, 7, 40)), "PNG"), Reason.TOO_SMALL),
    ],
)
def test_anything_else_is_rejected_with_its_reason(content, reason):
    with pytest.raises(Fault) as caught:
        check(content)
    assert caught.value.args[0] == reason


def test_the_frames_of_an_animation_count_as_pixels():
    frames = [Image.new("L", (500, 500), 50 * shade) for shade in range(5)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(Fault, match="5 frame"):
        check(content)


def test_what_tensorflow_refuses_is_rejected():
    with pytest.raises(Fault, match="TensorFlow cannot decode it: no such colours"):
        check(JPEG, refuse)


def test_images_that_look_alike_have_near_hashes():
    coarse = np.random.default_rng(1).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    scene = Image.fromarray(coarse).resize((180, 260), Image.Resampling.BICUBIC)
    files = encode(scene, "JPEG"), encode(scene, "JPEG", quality=50)
    one, other = (int.from_bytes(check(c).perceptual_hash, "big") for c in files)
    upside_down = check(encode(scene.rotate(180), "JPEG")).perceptual_hash
    assert (one ^ other).bit_count() <= 6
    assert (one ^ int.from_bytes(upside_down, "big")).bit_count() > 16


def test_transparent_pixels_are_white_and_turned_images_upright():
    clear = Image.new("RGBA", (20, 30), (9, 9, 9, 0))
    with Image.open(io.BytesIO(to_jpeg(encode(clear, "PNG")))) as image:
        assert (image.size, image.getpixel((5, 5))) == ((20, 30), (255, 255, 255))
    turned = Image.Exif()
    turned[0x0112] = 6
    with Image.open(io.BytesIO(to_jpeg(encode(PICTURE, "JPEG", exif=turned)))) as image:
        assert (image.size, image.mode) == (PICTURE.size[::-1], "RGB")
        assert image.getexif().get(0x0112, 1) == 1
