"""The log of requests: how many it draws, how it is bounded, and that it fails no request."""

import types
from concurrent.futures import Future

import numpy as np
import pytest
import tensorflow as tf

from components.request_log import records
from components.request_log.log import RequestLog
from components.request_log.settings import RequestLogSettings
from components.serving.request_error import RequestError

MODEL = types.SimpleNamespace(labels=["A", "B"], version=7)


def _embed(model, signature, images):
    assert signature == "embedding"
    answer = Future()
    answer.set_result({"embedding": np.array([[len(image), 1.0] for image in images], "f")})
    return answer


def _offer(log, count, start=0, status=b""):
    images = [b"x" * (row + 1) for row in range(start, start + count)]
    log.offer(MODEL, images, np.full((count, 2), 0.25, "f"), np.full(count, status))


@pytest.fixture
def counted():
    return {"kept": 0, "dropped": 0}


def _log(folder, counted, submit=_embed, **settings):
    def count(outcome, images):
        counted[outcome] += images

    settings = RequestLogSettings(folder=str(folder), **settings)
    return RequestLog(settings, submit, count, seed=1)


def _kept(folder):
    return records.read(str(folder)).get(7, ())


def test_a_share_is_drawn(tmp_path, counted):
    log = _log(tmp_path, counted, share=0.1, file_images=50)
    for start in range(0, 4000, 40):
        _offer(log, 40, start)
    log.close()
    assert 300 < len(_kept(tmp_path)) < 500
    assert counted == {"kept": len(_kept(tmp_path)), "dropped": 0}


def test_what_is_no_image_is_not_kept(tmp_path, counted):
    log = _log(tmp_path, counted, share=1)
    _offer(log, 3, status=b"no image: 0 bytes")
    log.close()
    assert not list(tmp_path.iterdir())


def test_the_oldest_files_go_and_the_newest_stays(tmp_path, counted):
    size = 0
    for number in range(6):
        log = _log(tmp_path, counted, share=1, max_mb=0.002)
        _offer(log, 8, 100 * number)
        log.close()
        size = size or next(tmp_path.iterdir()).stat().st_size
    left = 0.002 * (1 << 20) // size
    assert 1 <= left < 6
    assert len(list(tmp_path.iterdir())) == left
    assert _kept(tmp_path).embeddings[:, 0].max() == 508
    log = _log(tmp_path, counted, share=1, max_mb=1e-6)
    _offer(log, 8)
    log.close()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_another_server_has_removed_stops_no_clean_up(tmp_path, counted):
    old = tmp_path / "requests-20000101T000000.000000Z-1.tfrecord"
    old.write_bytes(bytes(2 << 20))
    # Listed, and gone when it is looked at.
    (tmp_path / "requests-20000102T000000.000000Z-1.tfrecord").symlink_to(tmp_path / "gone")
    log = _log(tmp_path, counted, share=1, max_mb=1)
    _offer(log, 3)
    log.close()
    assert counted == {"kept": 3, "dropped": 0}
    assert not old.exists()


def test_what_waits_already_is_not_counted_as_dropped(tmp_path, counted, monkeypatch):
    monkeypatch.setattr("components.request_log.log._MAX_WAITING", 3)
    monkeypatch.setattr(RequestLog, "_write_all", lambda self: None)
    _offer(_log(tmp_path, counted, share=1), 8)
    assert counted == {"kept": 0, "dropped": 5}


def _busy(model, signature, images):
    raise RequestError(503, "1024 images wait already")


def _broken(model, signature, images):
    answer = Future()
    answer.set_exception(tf.errors.InternalError(None, None, "no memory"))
    return answer


@pytest.mark.parametrize("submit", [_busy, _broken])
def test_what_cannot_be_embedded_is_counted(tmp_path, counted, submit):
    log = _log(tmp_path, counted, submit, share=1)
    _offer(log, 5)
    log.close()
    assert counted == {"kept": 0, "dropped": 5}


def test_a_folder_that_cannot_be_written_fails_no_request(tmp_path, counted):
    (tmp_path / "file").write_text("")
    log = _log(tmp_path / "file" / "below", counted, share=1, file_images=2)
    _offer(log, 5)
    log.close()
    assert counted == {"kept": 0, "dropped": 5}
