import dataclasses

import pytest

from components.errors import PostersError
from components.retraining import records
from components.retraining.records import Outcome, Record

RECORD = Record(
    id="20261127T120000.000000Z",
    verdict="run",
    reasons=({"rule": "forced", "speaks_for": "run", "sentence": "it was forced", "figures": {}},),
    inputs={"window": [{"number": 1, "manifest": "abc"}], "days": float("nan")},
    settings={"training_basis": "def"},
)


def test_a_decision_is_read_as_it_was_written_with_what_came_of_it(tmp_path):
    path = records.write(tmp_path, RECORD)
    assert path.name == "20261127T120000.000000Z.json"
    found = records.read(path)
    assert found == dataclasses.replace(RECORD, inputs={**RECORD.inputs, "days": None})
    assert (found.sentence, found.spans) == ("it was forced", {1: "abc"})
    done = dataclasses.replace(found, outcome=Outcome("pushed", "2026-11-27T12:01:00+00:00", "run"))
    records.write(tmp_path, done)
    assert list(records.read_all(tmp_path)) == [done]


def test_the_newest_comes_first_and_what_is_damaged_or_foreign_counts_for_nothing(tmp_path):
    later = dataclasses.replace(RECORD, id="20261128T120000.000000Z", inputs={"window": []})
    for record in (later, dataclasses.replace(RECORD, inputs={"window": []})):
        records.write(tmp_path, record)
    (tmp_path / "20261129T120000.000000Z.json").write_text("{")
    (tmp_path / "notes.json").write_text("{}")
    assert [record.id for record in records.read_all(tmp_path)] == [later.id, RECORD.id]
    with pytest.raises(PostersError, match=r"20261129T120000\.000000Z\.json cannot be read"):
        records.read(tmp_path / "20261129T120000.000000Z.json")
    assert list(records.read_all(tmp_path / "none")) == []
