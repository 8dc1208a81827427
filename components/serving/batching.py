"""Dynamic batching: requests that wait while the model is busy are asked about together."""

from __future__ import annotations

import asyncio
import collections
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np

from components.serving.model import ServedModel
from components.serving.request_error import RequestError

Answer = dict[str, np.ndarray]


class _Waiting(NamedTuple):
    model: ServedModel
    signature: str
    values: Sequence[bytes]
    answer: Future[Answer] | asyncio.Future[Answer]


class Batcher:
    """A queue of requests and the threads that take batches off it.

    Nothing waits for company: a free thread takes what is there, up to the batch's size. Under load
    batches grow by themselves.
    """

    def __init__(
        self,
        max_batch: int,
        threads: int,
        max_queue: int,
        on_batch: Callable[[int], None] = lambda images: None,
    ) -> None:
        """Starts the threads.

        Args:
          max_batch: values asked about together; a larger request goes alone.
          threads: batches in the model at once.
          max_queue: values that may wait.
          on_batch: called with the number of values in each batch.
        """
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._on_batch = on_batch
        self._queue: collections.deque[_Waiting] = collections.deque()
        self._waiting = 0
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Values in the queue."""
        return self._waiting

    async def ask(self, model: ServedModel, signature: str, values: Sequence[bytes]) -> Answer:
        """Queues a request and waits; raises what `submit` raises, and what the model does."""
        answer = asyncio.get_running_loop().create_future()
        self._put(_Waiting(model, signature, values, answer))
        return await answer

    def submit(self, model: ServedModel, signature: str, values: Sequence[bytes]) -> Future[Answer]:
        """Queues a request.

        Returns:
          Of the model's outputs, a row a value.

        Raises:
          RequestError: 503, too many wait already, or the server is shutting down.
        """
        answer: Future[Answer] = Future()
        self._put(_Waiting(model, signature, values, answer))
        return answer

    def _put(self, request: _Waiting) -> None:
        count = len(request.values)
        with self._changed:
            if self._closed:
                raise RequestError(503, "the server is shutting down")
            if self._waiting and self._waiting + count > self._max_queue:
                raise RequestError(
                    503, f"{self._waiting} images wait already; try again a little later"
                )
            self._queue.append(request)
            self._waiting += count
            self._changed.notify()

    def close(self) -> None:
        """Answers what waits, and ends the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while batch := self._take():
            batch = [item for item in batch if _wanted(item.answer)]
            if batch:
                self._ask(batch)

    def _take(self) -> list[_Waiting]:
        """The next requests of one model and signature; none once closed and empty."""
        with self._changed:
            while not self._queue:
                if self._closed:
                    return []
                self._changed.wait()
            first = self._queue.popleft()
            batch, count, others = [first], len(first.values), []
            while self._queue and count < self._max_batch:
                item = self._queue.popleft()
                same = item.model is first.model and item.signature == first.signature
                if same and count + len(item.values) <= self._max_batch:
                    batch.append(item)
                    count += len(item.values)
                else:
                    others.append(item)
            self._queue.extendleft(reversed(others))
            self._waiting -= count
            return batch

    def _ask(self, batch: Sequence[_Waiting]) -> None:
        values = [value for item in batch for value in item.values]
        self._on_batch(len(values))
        try:
            outputs = batch[0].model.ask(batch[0].signature, values)
        except Exception as error:  # whatever a graph raises is the requests' answer
            if len(batch) == 1:
                _settle([(batch[0].answer, error)])
            else:  # one by one, so that none fails for another
                for item in batch:
                    self._ask([item])
            return
        answers, start = [], 0
        for item in batch:
            end = start + len(item.values)
            answers.append((item.answer, {key: rows[start:end] for key, rows in outputs.items()}))
            start = end
        _settle(answers)


def _wanted(answer: Future[Answer] | asyncio.Future[Answer]) -> bool:
    """Whether anybody waits still: a client that went away has cancelled."""
    if isinstance(answer, asyncio.Future):
        return not answer.cancelled()
    return answer.set_running_or_notify_cancel()


def _settle(answers: Sequence[tuple[Future | asyncio.Future, Answer | Exception]]) -> None:
    """Gives each its answer, coroutines by one waking of their loop for all.

    Each waking is a system call that hands the interpreter's lock over, while the model idles.
    """
    by_loop = collections.defaultdict(list)
    for answer, outcome in answers:
        loop = answer.get_loop() if isinstance(answer, asyncio.Future) else None
        by_loop[loop].append((answer, outcome))
    for loop, settled in by_loop.items():
        if loop is None:
            _set(settled)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_set, settled)


def _set(answers: Sequence[tuple[Future | asyncio.Future, Answer | Exception]]) -> None:
    for answer, outcome in answers:
        if answer.cancelled():
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
