"""Sizes read from headers are those that a decoder finds, and damage never raises."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.image_header import is_plain_jpeg, pixel_count

#: What an encoded image begins with.
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")


def _encode(form: str, width: int, height: int, **options) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, form, **options)
    return buffer.getvalue()


SIZES = st.integers(1, 300)
EXIF = Image.Exif()
EXIF[0x0132] = "2024:01:01 00:00:00"


@given(
    form=st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP"]),
    width=SIZES,
    height=SIZES,
    other=st.booleans(),
)
def test_the_count_is_width_times_height(form, width, height, other):
    options = {
        "JPEG": {"progressive": other, "exif": EXIF},
        "WEBP": {"lossless": other, **({"exif": EXIF} if width > height else {})},
    }.get(form, {})
    assert pixel_count(_encode(form, width, height, **options)) == width * height


def test_frames_of_a_gif_are_counted_together():
    frames = [Image.new("RGB", (30, 20), (50 * number, 0, 0)) for number in range(5)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(buffer.getvalue())) as read:
        assert read.n_frames == 5
    assert pixel_count(buffer.getvalue()) == 5 * 30 * 20


@pytest.mark.parametrize(
    ("form", "place", "shape"),
    [("PNG", 16, ">II"), ("GIF", 6, "<HH"), ("BMP", 18, "<ii")],
)
def test_a_header_that_exaggerates_is_believed(form, place, shape):
    content = bytearray(_encode(form, 10, 10))
    struct.pack_into(shape, content, place, 60_000, 60_000)
    assert pixel_count(bytes(content)) == 3_600_000_000


@given(st.data())
def test_damage_never_raises(data):
    form = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP"]))
    content = bytearray(_encode(form, 20, 10))
    content = content[: data.draw(st.integers(0, len(content)))]
    for place in data.draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=9)):
        content[place : place + 1] = bytes([data.draw(st.integers(0, 255))])
    found = pixel_count(bytes(content))
    assert found is None or found >= 0
    assert is_plain_jpeg(bytes(content)) in (True, False)


@given(st.binary(max_size=300))
def test_what_is_no_image_has_no_count(content):
    found = pixel_count(content)
    assert found is None or content.startswith(BEGINNINGS)


def test_a_plain_jpeg_has_nothing_that_could_turn_it():
    grey, colour = Image.linear_gradient("L"), Image.linear_gradient("L").convert("RGB")

    def save(image, form="JPEG", **options):
        buffer = io.BytesIO()
        image.save(buffer, form, **options)
        return buffer.getvalue()

    xmp = b'<x:xmpmeta xmlns:x="http://ns.adobe.com/xap/1.0/" tiff:Orientation="6"/>'
    assert is_plain_jpeg(save(colour)) and is_plain_jpeg(save(grey))
    assert is_plain_jpeg(save(colour, progressive=True, comment="x", icc_profile=b"y" * 99))
    assert not is_plain_jpeg(save(colour.convert("CMYK")))
    assert not is_plain_jpeg(save(colour, exif=EXIF))
    assert not is_plain_jpeg(save(colour, xmp=b"http://ns.adobe.com/xap/1.0/\0" + xmp))
    assert not is_plain_jpeg(save(colour, "PNG"))
    assert not is_plain_jpeg(save(colour)[:20])
