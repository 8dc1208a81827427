"""Broken and odd files and rows: each is stored right, or rejected with the right reason."""

import base64
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.dataset import sheet
from components.ingest import IngestOptions, ingest
from components.ingest.decode import Fault, as_stored, check_content, tensorflow_decoder
from tests.ingest_sources import (
    HEADER,
    OPTIONS,
    encode,
    folder_content,
    make_source,
    picture,
    read_all,
    read_rejected,
    write_table,
)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png():
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def with_wrong_checksum(png):
    data = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[data - 4 : data])
    end = data + 4 + length
    return png[:end] + b"\0\0\0\0" + png[end + 4 :]


RGB = picture()
JPEG = encode(RGB)
PNG = encode(RGB, "PNG")
GREY_16 = np.random.default_rng(1).integers(0, 65536, (24, 16)).astype(np.uint16)
TURNED = Image.Exif()
TURNED[0x0112] = 6
SEE_THROUGH = RGB.convert("RGBA")
SEE_THROUGH.putalpha(Image.linear_gradient("L").resize(RGB.size))
FRAMES = [picture(3), picture(4)]

#: Odd files that are stored as they came.
AS_THEY_CAME = {
    "grey.jpg": encode(RGB.convert("L")),
    "progressive.jpg": encode(RGB, progressive=True),
    "tail.jpg": JPEG + b"something after the end",
    "several.jpg": encode(RGB, "MPO", save_all=True, append_images=[picture(1)]),
    "cut-exif.jpg": encode(RGB, dpi=(72, 72), exif=b"Exif\0\0MM\0*\0\0"),
    "broken-exif.jpg": encode(RGB, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "palette.png": encode(RGB.convert("P"), "PNG"),
    "grey.png": encode(RGB.convert("L"), "PNG"),
    "opaque.png": encode(RGB.convert("RGBA"), "PNG"),
    "line-art.png": encode(RGB.convert("1"), "PNG"),
    "deep.png": encode(Image.fromarray(GREY_16), "PNG"),
    "still.gif": encode(RGB, "GIF"),
    "animated.jpg": encode(RGB, "GIF", save_all=True, append_images=[picture(3)]),
    "bitmap.bmp": encode(RGB, "BMP"),
    "png-named.jpg": PNG,
}
#: Odd files that are stored as JPEG, and what they show.
CONVERTED = {
    "cmyk.jpg": (encode(RGB.convert("CMYK")), RGB),
    "turned.jpg": (
        encode(RGB, exif=TURNED, quality=95, subsampling=0),
        RGB.transpose(Image.Transpose.ROTATE_270),
    ),
    "alpha.png": (
        encode(SEE_THROUGH, "PNG"),
        Image.composite(RGB, Image.new("RGB", RGB.size, "white"), SEE_THROUGH.getchannel("A")),
    ),
    "lossless.webp": (encode(RGB, "WEBP", lossless=True), RGB),
    "webp-named.jpg": (encode(RGB, "WEBP", quality=100), RGB),
    "animated.webp": (
        encode(FRAMES[0], "WEBP", lossless=True, save_all=True, append_images=FRAMES[1:]),
        FRAMES[0],
    ),
    "palette.bmp": (encode(RGB.convert("P"), "BMP"), RGB.convert("P").convert("RGB")),
    "line-art.bmp": (encode(RGB.convert("1"), "BMP"), RGB.convert("1").convert("RGB")),
}
#: Files that are rejected, and why.
BROKEN = {
    "empty.jpg": (b"", "empty_file"),
    "html.jpg": (b"<html>404 Not Found</html>", "not_an_image"),
    "text.bmp": (b"BMW is no bitmap", "undecodable"),
    "riff.webp": (b"RIFF\0\0\0\0WEBPVP8 ", "undecodable"),
    "half.jpg": (JPEG[: len(JPEG) // 2], "truncated"),
    "no-end.jpg": (JPEG[:-2], "truncated"),
    "half.png": (PNG[: len(PNG) // 2], "truncated"),
    "half.gif": (AS_THEY_CAME["still.gif"][:-400], "truncated"),
    "head.jpg": (JPEG[:8], "truncated"),
    "checksum.png": (with_wrong_checksum(PNG), "undecodable"),
    "no-end.png": (PNG[:-12], "undecodable"),
    "tiff.jpg": (encode(RGB, "TIFF"), "unsupported_format"),
    "huge.png": (huge_png(), "too_large"),
    "dot.jpg": (encode(picture(2, (1, 1))), "too_small"),
}


def decode(content):
    import tensorflow as tf

    return tf.io.decode_image(content, channels=3, expand_animations=False).numpy()


def test_odd_files_are_stored_right_and_broken_ones_rejected(tmp_path):
    table, images, rows = make_source(tmp_path)
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(JPEG)
    content_of = {
        **AS_THEY_CAME,
        **{name: content for name, (content, _) in (CONVERTED | BROKEN).items()},
    }
    files = {f"odd-{index}": name for index, name in enumerate(content_of)}
    for identifier, name in files.items():
        (images / identifier).with_suffix(Path(name).suffix).write_bytes(content_of[name])
        rows.append((f" {identifier}\t", "Odd", "Drama"))
    (images / "folder.jpg").mkdir()
    (images / "nowhere.jpg").symlink_to("nowhere-at-all.jpg")
    os.mkfifo(images / "pipe.jpg")
    dangerous = ["../outside", "../../etc/passwd", "/etc/passwd", "a/b", ".", "..", "x" * 5000]
    rows += [(i, "", "Drama") for i in ("folder", "nowhere", "pipe", "gone", *dangerous)]
    write_table(table, rows)
    before = folder_content(images)

    result = ingest(table, images, tmp_path / "out", OPTIONS)

    examples = read_all(result.folder)
    rejected = read_rejected(result.folder / "rejected.csv")
    for identifier, name in files.items():
        stored = as_stored(content_of[name])
        if name in AS_THEY_CAME:
            assert stored == content_of[name], name
            assert examples[identifier]["poster"] == content_of[name], name
        elif name in CONVERTED:
            assert stored == examples[identifier]["poster"], name
            assert stored.startswith(b"\xff\xd8\xff"), name
            wanted = np.asarray(CONVERTED[name][1]).astype(int)
            assert np.abs(decode(stored) - wanted).mean() < 8, name
        else:
            assert stored == content_of[name], name
            row = rejected[identifier]
            assert row["reason"] == BROKEN[name][1], (name, row)
            assert row["detail"].startswith(f"images/{identifier}{Path(name).suffix}: ")
            assert row["source"].startswith("films.csv:")
    assert {rejected[i]["reason"] for i in ("folder", "nowhere", "pipe")} == {"not_a_file"}
    assert {rejected[i]["reason"] for i in ("gone", *dangerous)} == {"missing_image"}
    assert len(examples) == 40 + len(AS_THEY_CAME) + len(CONVERTED)
    assert result.manifest["counts"]["undecodable"] == len(BROKEN) + 3
    assert folder_content(images) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "films.csv",
        "images",
        "out",
        "outside.jpg",
    ]


@pytest.mark.parametrize("name", [*AS_THEY_CAME, *CONVERTED])
def test_whatever_is_stored_has_a_picture_on_a_page(name):
    content = AS_THEY_CAME.get(name) or CONVERTED[name][0]
    uri = sheet.data_uri(content, (20, 30))
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as shown:
        with Image.open(io.BytesIO(as_stored(content))) as stored:
            assert (shown.width < shown.height) == (stored.width < stored.height)
        assert shown.width <= 20 and shown.height <= 30


def test_odd_rows_are_read_or_rejected(tmp_path):
    table, images, rows = make_source(tmp_path)
    cells = {i: f"{i},,{t},,{g}," for i, t, g in rows}
    odd = [
        b"nul\0,,a,,Drama,",
        b"latin,,caf\xe9,,Drama,",
        b"long,," + b"t" * 10_000_000 + b",,Drama,",
        b"short,,a",
        b"wide,,a,,Drama,,,,",
        b",,no id,,Drama,",
        b"plain,,,,,",
    ]
    lines = [",".join(HEADER), *cells.values()]
    table.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n" + b"\r\n".join(odd))
    result = ingest(table, images, tmp_path / "out", OPTIONS)
    assert len(read_all(result.folder)) == 40
    assert result.manifest["rejected"] == {
        "bad_encoding": 1,
        "malformed_row": 3,
        "no_id": 1,
        "no_label": 1,
        "nul_byte": 1,
    }


def test_a_file_that_cannot_be_read(tmp_path):
    table, images, _ = make_source(tmp_path)
    (images / "003.jpg").unlink()
    # A process's memory opens like a file, and its first byte cannot be read: not even by root.
    (images / "003.jpg").symlink_to("/proc/self/mem")
    result = ingest(table, images, tmp_path / "out", OPTIONS)
    assert read_rejected(result.folder / "rejected.csv")["003"]["reason"] == "unreadable"


@pytest.mark.parametrize("name", AS_THEY_CAME)
def test_tensorflow_sees_what_pillow_sees(name):
    content = AS_THEY_CAME[name]
    with Image.open(io.BytesIO(content)) as image:
        if image.mode.startswith("I"):  # Pillow would clip 16 bits; the upper 8 are the picture
            seen = np.repeat(np.asarray(image)[:, :, None] >> 8, 3, axis=2)
        else:
            seen = np.asarray(image.convert("RGB"))
    # JPEG decoders may differ in how they smooth colours at the edge of a block.
    assert np.abs(decode(content).astype(int) - seen).mean() < 3


def test_nothing_passes_that_tensorflow_cannot_decode():
    """Cuts, flips and overwrites: whatever passes the check, `decode_image` takes."""
    random = np.random.default_rng(5)
    contents = [*AS_THEY_CAME.values(), *(content for content, _ in CONVERTED.values())]
    passed = 0
    with tensorflow_decoder() as decoder:
        for index in range(300):
            content = bytearray(contents[index % len(contents)])
            start = int(random.integers(2, len(content)))
            if index % 2:
                content[start : start + 3] = random.bytes(3)
            else:
                del content[start:]
            try:
                check = check_content(bytes(content), IngestOptions(), decoder)
            except Fault:
                continue
            if check.as_it_came:
                passed += 1
                decode(bytes(content))
    assert passed > 20
