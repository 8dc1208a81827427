"""What goes into the model together, and when."""

import asyncio
import threading
from concurrent.futures import Future

import numpy as np
import pytest

from components.serving.batching import SMALL_BATCH, Batcher
from components.serving.request_error import RequestError

SECONDS = 30


class Model:
    """Gives the length of each value, once it may."""

    def __init__(self):
        self.may_answer = threading.Event()
        self.asked = []
        self.was_asked = threading.Semaphore(0)

    def ask(self, signature, values):
        self.asked.append(len(values))
        self.was_asked.release()
        assert self.may_answer.wait(SECONDS)
        if b"" in values:
            raise ValueError("empty")
        return {"length": np.array([len(value) for value in values])}


@pytest.fixture
def model():
    model = Model()
    yield model
    model.may_answer.set()


@pytest.fixture
def batcher(model):
    batcher = Batcher(max_batch=8, threads=3, max_queue=40)
    yield batcher
    model.may_answer.set()
    batcher.close()


def _wait_for_asked(model: Model) -> None:
    assert model.was_asked.acquire(timeout=SECONDS)


def _lengths(answer: Future) -> list[int]:
    return answer.result(SECONDS)["length"].tolist()


def test_the_first_goes_at_once_and_others_beside_it_once_they_make_a_small_batch(model, batcher):
    first = batcher.submit(model, "s", [b"1"])
    _wait_for_asked(model)
    others = [batcher.submit(model, "s", [b"22"]) for _ in range(SMALL_BATCH - 1)]
    assert batcher.waiting == SMALL_BATCH - 1
    others.append(batcher.submit(model, "s", [b"22"]))
    _wait_for_asked(model)
    assert model.asked == [1, SMALL_BATCH]
    model.may_answer.set()
    assert _lengths(first) == [1]
    assert [_lengths(other) for other in others] == [[2]] * SMALL_BATCH


def test_what_is_no_small_batch_goes_when_the_model_is_done(model, batcher):
    first = batcher.submit(model, "s", [b"1"])
    _wait_for_asked(model)
    second = batcher.submit(model, "s", [b"22"])
    model.may_answer.set()
    assert _lengths(first) + _lengths(second) == [1, 2]
    assert model.asked == [1, 1]


def test_a_large_request_is_taken_apart_for_all_threads_and_put_together_again(model, batcher):
    values = [b"x" * length for length in range(1, 22)]
    model.may_answer.set()
    answer = asyncio.run(batcher.ask(model, "s", values))
    assert answer["length"].tolist() == list(range(1, 22))
    assert sum(model.asked) == 21
    assert max(model.asked) <= 8


def test_no_batch_mixes_signatures(model, batcher):
    batcher.submit(model, "s", [b"1"])
    _wait_for_asked(model)
    waiting = [batcher.submit(model, name, [b"22"]) for name in "stst"]
    model.may_answer.set()
    assert [_lengths(one) for one in waiting] == [[2]] * 4
    assert sorted(model.asked) == [1, 2, 2]


def test_one_failure_fails_its_own_request_alone(model, batcher):
    batcher.submit(model, "s", [b"1"])
    _wait_for_asked(model)
    waiting = [batcher.submit(model, "s", [value]) for value in (b"22", b"", b"333", b"1")]
    model.may_answer.set()
    assert [_lengths(waiting[place]) for place in (0, 2, 3)] == [[2], [3], [1]]
    with pytest.raises(ValueError, match="empty"):
        waiting[1].result(SECONDS)
    with pytest.raises(ValueError, match="empty"):
        asyncio.run(batcher.ask(model, "s", [b"x"] * 20 + [b""]))


def test_too_many_are_turned_away_but_one_large_request_is_not(model, batcher):
    large = batcher.submit(model, "s", [b"1"] * 50)
    _wait_for_asked(model)
    batcher.submit(model, "s", [b"1"])
    with pytest.raises(RequestError, match="1 images wait already"):
        batcher.submit(model, "s", [b"1"] * 40)
    model.may_answer.set()
    assert len(_lengths(large)) == 50


def test_a_client_that_went_away_is_not_asked_for(model, batcher):
    async def leave():
        asking = asyncio.ensure_future(batcher.ask(model, "s", [b"22"]))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.sleep(0)

    first = batcher.submit(model, "s", [b"1"])
    _wait_for_asked(model)
    asyncio.run(leave())
    model.may_answer.set()
    assert _lengths(first) == [1]
    assert _lengths(batcher.submit(model, "s", [b"1"])) == [1]
    assert sum(model.asked) == 2


def test_closing_answers_what_waits(model):
    batcher = Batcher(max_batch=8, threads=2, max_queue=40)
    answers = [batcher.submit(model, "s", [b"1"])]
    _wait_for_asked(model)
    answers.append(batcher.submit(model, "s", [b"22"]))
    closing = threading.Thread(target=batcher.close)
    closing.start()
    model.may_answer.set()
    closing.join(SECONDS)
    assert [_lengths(answer) for answer in answers] == [[1], [2]]
    with pytest.raises(RequestError, match="shutting down"):
        batcher.submit(model, "s", [b"1"])
