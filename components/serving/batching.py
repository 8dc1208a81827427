"""Dynamic batching: requests that wait while the model is busy are asked about together."""

from __future__ import annotations

import asyncio
import collections
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np

from components.serving.model import ServedModel
from components.serving.request_error import RequestError

Answer = dict[str, np.ndarray]
#: Values that are worth a batch of their own: of fewer, what any batch costs outweighs the work.
SMALL_BATCH = 4


def default_threads() -> int:
    """Twice the machine's cores: while some batches are decoded others are passed forward."""
    return 2 * (os.cpu_count() or 1)


class _Waiting(NamedTuple):
    model: ServedModel
    signature: str
    values: Sequence[bytes]
    answer: Future[Answer] | asyncio.Future[Answer]


class Batcher:
    """A queue of requests and the threads that take batches off it.

    No clock is waited for. What comes while nothing is in the model goes in at once; while
    something is, it goes in beside it as soon as it makes a small batch, and else when that is
    done. A request for many values is taken apart, so that all threads have a part of it.
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
          max_batch: values asked about together.
          threads: batches in the model at once.
          max_queue: values that may wait.
          on_batch: called with the number of values in each batch.
        """
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._on_batch = on_batch
        self._queue: collections.deque[_Waiting] = collections.deque()
        self._waiting = 0
        self._busy = 0
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
        loop = asyncio.get_running_loop()
        size = min(self._max_batch, max(SMALL_BATCH, -(-len(values) // len(self._threads))))
        parts = [
            _Waiting(model, signature, values[start : start + size], loop.create_future())
            for start in range(0, len(values), size)
        ]
        self._put(parts)
        answers = await asyncio.gather(*(part.answer for part in parts))
        if len(answers) == 1:
            return answers[0]
        return {key: np.concatenate([answer[key] for answer in answers]) for key in answers[0]}

    def submit(self, model: ServedModel, signature: str, values: Sequence[bytes]) -> Future[Answer]:
        """Queues a request, in one piece.

        Returns:
          Of the model's outputs, a row a value.

        Raises:
          RequestError: 503, too many wait already, or the server is shutting down.
        """
        answer: Future[Answer] = Future()
        self._put([_Waiting(model, signature, values, answer)])
        return answer

    def _put(self, parts: Sequence[_Waiting]) -> None:
        count = sum(len(part.values) for part in parts)
        with self._changed:
            if self._closed:
                raise RequestError(503, "the server is shutting down")
            if self._waiting and self._waiting + count > self._max_queue:
                raise RequestError(
                    503, f"{self._waiting} images wait already; try again a little later"
                )
            self._queue.extend(parts)
            self._waiting += count
            self._changed.notify(len(parts))

    def close(self) -> None:
        """Answers what waits, and ends the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while batch := self._take():
            if batch := [item for item in batch if _wanted(item.answer)]:
                self._ask(batch)
            with self._changed:
                self._busy -= 1

    def _take(self) -> list[_Waiting]:
        """The next requests of one model and signature; none once closed and empty."""
        with self._changed:
            while not self._is_due():
                if self._closed and not self._queue:
                    return []
                self._changed.wait()
            share = -(-self._waiting // (len(self._threads) - self._busy))
            limit = min(self._max_batch, max(SMALL_BATCH, share))
            first = self._queue.popleft()
            batch, count, others = [first], len(first.values), []
            while self._queue and count < limit:
                item = self._queue.popleft()
                same = item.model is first.model and item.signature == first.signature
                if same and count + len(item.values) <= limit:
                    batch.append(item)
                    count += len(item.values)
                else:
                    others.append(item)
            self._queue.extendleft(reversed(others))
            self._waiting -= count
            self._busy += 1
            return batch

    def _is_due(self) -> bool:
        """Whether what waits goes into the model now."""
        if not self._queue:
            return False
        return not self._busy or self._waiting >= SMALL_BATCH or self._closed

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
