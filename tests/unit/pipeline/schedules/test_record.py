import dataclasses
import datetime
import json

import pytest

from components.errors import PostersError
from pipeline.schedules import plan, record
from pipeline.schedules.record import Firing, Schedule

NOW = datetime.datetime(2026, 4, 1, 12, tzinfo=datetime.timezone.utc)


def _schedule(name: str = "nightly") -> Schedule:
    made = plan.make(name, "0 3 * * mon", "Europe/Berlin", "never", "2026-05-01", "2027-05-01")
    return Schedule(made, ("--config", "a b.yaml"), "/somewhere", NOW)


def test_what_is_written_is_read(tmp_path):
    schedule = _schedule()
    record.write(tmp_path / "schedules", schedule)
    assert record.read(tmp_path / "schedules", "nightly") == schedule
    last = Firing(NOW, NOW, 3, True, "pushed", NOW)
    schedule = dataclasses.replace(record.with_pause(schedule), last=last)
    record.write(tmp_path / "schedules", schedule)
    assert record.read(tmp_path / "schedules", "nightly") == schedule
    assert [file.name for file in (tmp_path / "schedules").iterdir()] == ["nightly.json"]


def test_one_that_is_not_there_is_said_with_those_that_are(tmp_path):
    record.write(tmp_path, _schedule("weekly"))
    record.write(tmp_path, _schedule("daily"))
    for act in (record.read, record.delete):
        with pytest.raises(PostersError, match=r"no schedule nightly .* there are: daily, weekly"):
            act(tmp_path, "nightly")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: "",
        lambda content: "[]",
        lambda content: json.dumps({**content, "cron": "0 0 * *"}),
        lambda content: json.dumps({**content, "handled": "yesterday"}),
        lambda content: json.dumps({**content, "format": 2}),
        lambda content: json.dumps({key: content[key] for key in content if key != "arguments"}),
    ],
)
def test_a_damaged_one_is_named_and_can_be_deleted(tmp_path, damage):
    record.write(tmp_path, _schedule())
    path = tmp_path / "nightly.json"
    path.write_text(damage(json.loads(path.read_text())))
    with pytest.raises(PostersError, match=r"nightly\.json is no schedule .*schedule delete"):
        record.read(tmp_path, "nightly")
    ((name, problem),) = record.read_all(tmp_path)
    assert name == "nightly" and isinstance(problem, PostersError)
    record.delete(tmp_path, "nightly")
    assert not list(record.read_all(tmp_path))
