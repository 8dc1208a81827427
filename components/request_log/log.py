"""Keeping a sample of requests: embeddings and scores, in files that appear whole."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.request_log import records
from components.request_log.settings import RequestLogSettings
from components.serving.model import ServedModel
from components.serving.request_error import RequestError
from components.trainer import export

_LOG = logging.getLogger(__name__)
_MEGABYTE = 1 << 20
#: Images whose embeddings are there and that wait for the writer; beyond it, none is kept.
_MAX_WAITING = 10_000
#: Seconds between two looks at the clock.
_LOOK_SECONDS = 1.0

#: Queues values for a signature of a model; the batcher's `submit`.
Submit = Callable[[ServedModel, str, Sequence[bytes]], Future]


class RequestLog:
    """Draws images, has their embeddings computed, and writes them down in a thread of its own.

    Nothing here delays or fails a request: what cannot be kept is left out and counted.
    """

    def __init__(
        self,
        settings: RequestLogSettings,
        submit: Submit,
        count: Callable[[str, int], None] = lambda outcome, images: None,
        seed: int | None = None,
    ) -> None:
        """Starts the thread.

        Args:
          settings: see `RequestLogSettings`.
          submit: asks a model, later.
          count: called with `kept` or `dropped` and a number of images.
          seed: of the sample; None draws another each time.
        """
        self._settings = settings
        self._submit = submit
        self._count = count
        self._random = random.Random(seed)
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_MAX_WAITING)
        self._thread = threading.Thread(target=self._write_all, name="request-log", daemon=True)
        self._thread.start()

    def offer(
        self, model: ServedModel, images: Sequence[bytes], scores: np.ndarray, status: np.ndarray
    ) -> None:
        """Draws from the images of one answered request.

        Args:
          model: what answered.
          images: N encoded images.
          scores: (N, L).
          status: (N,); empty where the image was decoded.
        """
        share = self._settings.share
        drawn = [
            row
            for row in range(len(images))
            if not status[row] and (share == 1 or self._random.random() < share)
        ]
        if not drawn:
            return
        try:
            answer = self._submit(model, export.EMBEDDING, [images[row] for row in drawn])
        except RequestError:  # too much waits already
            self._count("dropped", len(drawn))
            return
        now = int(time.time())
        known = [(records.digest(images[row]), scores[row]) for row in drawn]
        answer.add_done_callback(lambda done: self._keep(done, model, known, now))

    def close(self) -> None:
        """Writes what is left, and ends the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _keep(
        self, done: Future, model: ServedModel, known: list[tuple[bytes, np.ndarray]], now: int
    ) -> None:
        waiting = 0
        try:
            embeddings = done.result()[export.EMBEDDING]
            for embedding, (digest, scores) in zip(embeddings, known, strict=True):
                record = records.encode(digest, embedding, scores, model.labels, model.version, now)
                self._waiting.put_nowait(record)
                waiting += 1
        except Exception as error:  # whatever a graph raises, or the queue is full
            _LOG.warning("requests are not kept: %s", str(error) or type(error).__name__)
            self._count("dropped", len(known) - waiting)

    def _write_all(self) -> None:
        rows: list[bytes] = []
        due = None
        ended = False
        while not ended:
            try:
                row = self._waiting.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                row = b""
            ended = row is None
            if row:
                due = due or time.monotonic() + self._settings.file_seconds
                rows.append(row)
            full = len(rows) >= self._settings.file_images
            if rows and (full or ended or time.monotonic() >= due):
                self._write(rows)
                rows, due = [], None

    def _write(self, rows: Sequence[bytes]) -> None:
        folder = Path(self._settings.folder)
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        path = folder / f"requests-{moment}-{os.getpid()}.tfrecord"
        scratch = folder / f".{path.name}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tf.io.TFRecordWriter(str(scratch)) as writer:
                for row in rows:
                    writer.write(row)
            scratch.rename(path)
        except (OSError, tf.errors.OpError) as error:
            with contextlib.suppress(OSError):
                scratch.unlink(missing_ok=True)
            _LOG.error("%s: requests are not kept: %s", path, error)
            self._count("dropped", len(rows))
            return
        self._count("kept", len(rows))
        self._remove_oldest(folder)

    def _remove_oldest(self, folder: Path) -> None:
        left = self._settings.max_mb * _MEGABYTE
        # The newest stays, however large: else nothing would ever be there.
        for place, path in enumerate(sorted(folder.glob(records.PATTERN), reverse=True)):
            try:
                left -= path.stat().st_size
                if left < 0 and place:
                    path.unlink()
            except FileNotFoundError:
                pass  # another server, which shares the folder, was faster
            except OSError as error:
                _LOG.error("%s: cannot be removed: %s", path, error)
