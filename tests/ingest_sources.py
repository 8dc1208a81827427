"""Sources for tests of ingest, drawn here, and readers of what it wrote."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from components.ingest import IngestOptions

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared" / "data" / "posters"
OPTIONS = IngestOptions(min_label_count=2, max_rejected_share=1.0)
HEADER = ["imdbId", "Imdb Link", "Title", "IMDB Score", "Genre", "Poster"]
LABELS = ("Drama|Comedy", "Drama", "Comedy|Drama|Comedy")
SPLITS = ("train", "eval", "test")


def picture(seed=0, size=(32, 48)):
    """Coloured blocks: every pixel value differs from its neighbours' blocks."""
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST)


def encode(image, form="JPEG", **options):
    """An image's file content."""
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def write_table(path, rows):
    """Writes rows of (id, title, labels) in the public file's form."""
    with path.open("w", encoding="iso-8859-1", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows([i, f"http://x/{i}", title, "", labels, ""] for i, title, labels in rows)


def write_json_lines(path, rows: Iterable[dict]):
    """Writes objects, one a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def make_source(folder, count=40):
    """A table and a folder of images of two labels; returns their paths and the rows."""
    images = folder / "images"
    images.mkdir()
    rows = []
    for number in range(count):
        (images / f"{number:03d}.jpg").write_bytes(encode(picture(number)))
        rows.append((f"{number:03d}", f"Film {number} ({1950 + number % 60})", LABELS[number % 3]))
    table = folder / "films.csv"
    write_table(table, rows)
    return table, images, rows


def read_records(span, split):
    """The span's examples of one split, as `parse_example` sees them."""
    import tensorflow as tf

    files = sorted(str(file) for file in (span / split).glob("data-*"))
    spec = {
        "poster": tf.io.FixedLenFeature([], tf.string),
        "genres": tf.io.RaggedFeature(tf.string),
        "other_genres": tf.io.RaggedFeature(tf.string),
        "imdb_id": tf.io.FixedLenFeature([], tf.string),
        "title": tf.io.RaggedFeature(tf.string),
        "year": tf.io.RaggedFeature(tf.int64),
    }
    records = [record.numpy() for record in tf.data.TFRecordDataset(files)]
    columns = {
        name: value.to_list() if isinstance(value, tf.RaggedTensor) else list(value.numpy())
        for name, value in tf.io.parse_example(records, spec).items()
    }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def read_all(span):
    """Every example by its id, with its split."""
    return {
        example["imdb_id"].decode(): {**example, "split": split}
        for split in SPLITS
        for example in read_records(span, split)
    }


def read_index(span):
    """The lines of the span's index by id."""
    lines = (span / "index.jsonl").read_text(encoding="utf-8").splitlines()
    return {line["id"]: line for line in map(json.loads, lines)}


def read_rejected(path):
    """The rejected rows by id."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def folder_content(folder):
    """Every file's content by its path below the folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def store_content(folder):
    """The same of a folder on a store."""
    return {name: (folder / name).read_bytes() for name, _ in folder.walk()}


def shuffled(items, seed=1):
    """The items in another order."""
    return random.Random(seed).sample(items, len(items))
