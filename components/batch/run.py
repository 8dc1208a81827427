"""The whole batch: plan, Beam pipeline, what came out."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import gc
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference
from apache_beam.utils import shared

from components import beam_running
from components.batch import answering, plan
from components.batch.plan import Plan
from components.batch.source import Shard
from components.errors import PostersError
from components.files import file_digest
from components.ingest.options import IngestOptions
from components.paths import AnyPath, set_store_options

#: Seconds between two looks at how many files there are.
_LOOK_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class BatchResult:
    """What a batch left.

    Attributes:
      manifest: the content of its `manifest.json`: `posters`, `answered`, how often each label was
        given, model and files.
      already_done: all was there.
    """

    manifest: Mapping[str, Any]
    already_done: bool


def batch(
    out: AnyPath,
    shards: Iterable[Shard],
    model: AnyPath,
    options: IngestOptions,
    origin: Mapping[str, Any],
    beam_options: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BatchResult:
    """Asks a model about every poster, or goes on with what was begun.

    Args:
      out: where the predictions go: a folder that every worker sees, or one on a store.
      shards: the work.
      model: the version's folder, which every worker sees.
      options: limits of images, columns and feature names.
      origin: settings that the predictions depend on; the model is added.
      beam_options: as Beam's command line takes them; none runs here.
      progress: called with the numbers of files that are there and that there will be.

    Raises:
      PostersError: the folder holds another batch, or a source cannot be read.
    """
    set_store_options(beam_options)
    content = file_digest(model / "saved_model.pb")
    made = plan.make(out, shards, {**origin, "model": model.name, "model_sha256": content})
    if (manifest := plan.read_manifest(out)) is not None:
        plan.clear(out)  # it may have been cut off between the two
        return BatchResult(manifest, already_done=True)
    if missing := made.missing():
        with _watching(made, progress):
            _run(made, missing, str(model), options, beam_options)
    if left := made.missing():
        raise PostersError(f"{len(left)} files did not come out in {out}; run it again.")
    plan.finish(made, _count(made))
    return BatchResult(plan.read_manifest(out), already_done=False)


def _run(
    made: Plan,
    missing: Sequence[int],
    model: str,
    options: IngestOptions,
    beam_options: Sequence[str],
) -> None:
    try:
        with beam_running.quiet_beam():
            pipeline = beam.Pipeline(options=beam_running.pipeline_options(beam_options))
            _ = (
                pipeline
                | "Shards" >> beam.Create(list(missing))
                | "Spread" >> beam.Reshuffle()
                | "Ask" >> RunInference(answering.ShardHandler(made, model, options))
                | "Write" >> beam.Map(answering.write, made)
            )
            pipeline.run().wait_until_finish()
    except Exception as error:
        if (words := beam_running.words_of(error)) is not None:
            raise PostersError(words) from error
        raise
    finally:
        # Beam keeps the last model that was shared. TensorFlow complains of one that outlives it.
        shared.Shared().acquire(_Nothing)
        gc.collect()


class _Nothing:
    """Takes the model's place."""


@contextlib.contextmanager
def _watching(made: Plan, progress: Callable[[int, int], None]) -> Iterator[None]:
    """Tells how many files there are while the block runs, wherever its workers are."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(_LOOK_SECONDS):
            with contextlib.suppress(OSError):  # a store that does not answer now will later
                progress(made.shards - len(made.missing()), made.shards)

    thread = threading.Thread(target=look, name="batch-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _count(made: Plan) -> dict[str, Any]:
    """What is in the files, of which one line is held at a time."""
    posters, answered, given = 0, 0, collections.Counter()
    for number in range(made.shards):
        with made.output(number).open(encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                posters += 1
                if row["scores"] is not None:
                    answered += 1
                    given.update(label for label, score in row["scores"].items() if score > 0.5)
    return {"posters": posters, "answered": answered, "given": dict(given.most_common())}
