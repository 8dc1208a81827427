"""The real Pusher executor: a version appears whole, or not at all."""

import json
import shutil

import pytest
from tfx.components.pusher import executor
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.pusher import component


@pytest.fixture
def artifacts(tmp_path):
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "model")
    serving = tmp_path / "model" / "Format-Serving"
    (serving / "variables").mkdir(parents=True)
    (serving / "saved_model.pb").write_bytes(b"graph")
    (serving / "variables" / "weights").write_bytes(b"weights")
    blessing = standard_artifacts.ModelBlessing()
    blessing.uri = str(tmp_path / "blessing")
    return model, blessing


def _push(artifacts, tmp_path, blessed=True, approval="automatic"):
    model, blessing = artifacts
    blessing.set_int_custom_property("blessed", int(blessed))
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(tmp_path / "pushed" / "1")
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(tmp_path / "models"))
    )
    component.AtomicPusherExecutor().Do(
        {"model": [model], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        {
            "push_destination": proto_utils.proto_to_json(destination),
            "custom_config": json.dumps({"approval": approval}),
        },
    )
    return pushed


def test_a_blessed_model_becomes_a_numbered_version(artifacts, tmp_path):
    pushed = _push(artifacts, tmp_path)
    [version] = (tmp_path / "models").iterdir()
    assert version.name.isdigit()
    assert pushed.get_string_custom_property(component.DESTINATION) == str(version)
    assert pushed.get_string_custom_property(component.VERSION) == version.name
    assert (version / "saved_model.pb").read_bytes() == b"graph"
    assert (version / "variables" / "weights").read_bytes() == b"weights"


def test_two_pushes_within_a_second_are_two_versions(artifacts, tmp_path, monkeypatch):
    monkeypatch.setattr(executor.time, "time", lambda: 1_700_000_000.0)
    first, second = _push(artifacts, tmp_path), _push(artifacts, tmp_path)
    versions = sorted(path.name for path in (tmp_path / "models").iterdir())
    assert versions == ["1700000000", "1700000001"]
    assert first.get_string_custom_property(component.VERSION) == "1700000000"
    assert second.get_string_custom_property(component.VERSION) == "1700000001"


def test_after_the_clock_was_put_back_a_version_is_still_the_highest(
    artifacts, tmp_path, monkeypatch
):
    for now in (1_700_000_000.0, 9.0):
        monkeypatch.setattr(executor.time, "time", lambda now=now: now)
        pushed = _push(artifacts, tmp_path)
    assert pushed.get_string_custom_property(component.VERSION) == "1700000001"


@pytest.mark.parametrize("blessed", [True, False])
def test_where_a_person_approves_a_blessed_model_is_held_back(artifacts, tmp_path, blessed):
    pushed = _push(artifacts, tmp_path, blessed=blessed, approval="manual")
    assert not pushed.get_int_custom_property(component.PUSHED)
    assert pushed.get_int_custom_property(component.HELD) == int(blessed)
    assert not (tmp_path / "models").exists()


def test_a_refused_model_is_not_pushed(artifacts, tmp_path):
    pushed = _push(artifacts, tmp_path, blessed=False)
    assert not pushed.get_int_custom_property(component.PUSHED)
    assert not (tmp_path / "models").exists() or not list((tmp_path / "models").iterdir())


def test_a_deleted_version_is_put_back_whole(artifacts, tmp_path):
    pushed = _push(artifacts, tmp_path)
    [version] = (tmp_path / "models").iterdir()
    assert not component.restore(pushed)
    shutil.rmtree(version)
    assert component.restore(pushed)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [version.name]
    assert (version / "saved_model.pb").read_bytes() == b"graph"
    assert (version / "variables" / "weights").read_bytes() == b"weights"


def test_a_push_cut_off_half_way_leaves_what_served_before(artifacts, tmp_path, monkeypatch):
    _push(artifacts, tmp_path)
    before = list((tmp_path / "models").iterdir())

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(executor.io_utils, "copy_file", full_disk)
    with pytest.raises(OSError, match="No space"):
        _push(artifacts, tmp_path)
    assert list((tmp_path / "models").iterdir()) == before
