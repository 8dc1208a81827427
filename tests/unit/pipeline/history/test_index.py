"""What reads a span's index takes ids as ingest wrote them."""

import json

from pipeline import config as configuration
from pipeline.history import lineage, removal


def test_an_id_may_hold_what_ends_a_line_elsewhere(tmp_path):
    ids = ["tt\x851", "tt\u20282", "tt3"]
    lines = [{"id": name, "split": "train", "labels": ["Drama"], "sha256": "0"} for name in ids]
    span = tmp_path / "span-1"
    span.mkdir()
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (span / "index.jsonl").write_text(text, encoding="utf-8")
    (span / "manifest.json").write_text("{}")
    config = configuration.load("sample", [f"data_root={tmp_path}"])
    assert removal._known_ids(config) == {name.encode() for name in ids}
    for name in ids:
        (place,) = lineage._places(config, name)
        assert (place["span"], place["split"]) == (1, "train")
