"""The ingest as one Beam pipeline.

    rows, files, earlier spans -> join by id -> look at every image -> group (one worker)
      -> plan (labels, shards) -> write the shards

Between the steps go rows, ids, labels, hashes and paths. An image's bytes are read where it is
looked at, and again where it is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import apache_beam as beam

from components import beam_running
from components.errors import PostersError
from components.files import write_lines
from components.ingest import reading, steps, watch
from components.ingest.job import PLAN, Job
from components.ingest.outputs import REJECTED, TALLY
from components.ingest.plan import MakePlan, Plan, shard_keys
from components.ingest.records import Item, pack, unpack
from components.paths import to_path

#: Candidates that are looked at together.
_BATCH = 64
#: What the tallies are put down in: [[words, number], ...].
_TALLIES = "tallies.json"


def run(
    job: Job,
    row_files: Sequence[str],
    image_files: Sequence[str],
    beam_options: Sequence[str],
    listener: watch.Listener,
) -> dict[tuple[str, ...], int]:
    """Runs the pipeline and returns the tallies.

    Raises:
      PostersError: what a step says to a person.
    """
    options = beam_running.pipeline_options(beam_options)
    try:
        with watch.listening(job.token, listener), beam_running.quiet_beam():
            pipeline = beam.Pipeline(options=options)
            build(pipeline, job, row_files, image_files)
            pipeline.run().wait_until_finish()
        listener.finish()
    except Exception as error:
        if listener.error is not None:
            raise listener.error from None
        if (words := beam_running.words_of(error)) is not None:
            raise PostersError(words) from error
        raise
    tallies = json.loads((job.work / _TALLIES).read_text(encoding="utf-8"))
    return {tuple(words): count for words, count in tallies}


def build(
    root: beam.Pipeline, job: Job, row_files: Sequence[str], image_files: Sequence[str]
) -> None:
    """Adds all steps to a pipeline."""
    rows = (
        root
        | "Row files" >> beam.Create(list(row_files))
        | "Spread row files" >> beam.Reshuffle()
        | "Read rows" >> _side(reading.ReadRows(job))
    )
    files = (
        root
        | "Image lists" >> beam.Create(list(image_files))
        | "Read image lists" >> beam.FlatMap(reading.read_files)
    )
    published = (
        root
        | "Indexes" >> beam.Create([str(path) for path in job.indexes])
        | "Read indexes" >> beam.FlatMap(reading.read_published)
    )
    screened = (
        {"rows": rows.main, "files": files, "published": published}
        | "Join by id" >> beam.CoGroupByKey()
        | "Screen" >> _side(steps.Screen(job))
    )
    looked = (
        screened.main
        | "Batch" >> beam.BatchElements(min_batch_size=_BATCH, max_batch_size=_BATCH)
        | "Look" >> _side(steps.Look(job))
    )
    outputs = [rows, screened, looked, *_place_and_write(root, job, looked.main)]
    _write_reports(job, outputs)


def _place_and_write(root: beam.Pipeline, job: Job, items: beam.PCollection) -> list:
    grouped = (
        items
        | "Only hashes" >> beam.Map(_to_member)
        | "On one worker" >> beam.GroupByKey()
        | "Group" >> _side(steps.Group(job))
    )
    assignments = beam.pvalue.AsDict(grouped.main)
    options = job.options
    # Placing is done twice: it costs less than keeping every item once more.
    plan = (
        items
        | "Place to plan" >> beam.ParDo(steps.Place(job, reports=False), assignments)
        | "Plan"
        >> beam.CombineGlobally(
            MakePlan(job.vocabulary, job.counted, options.min_label_count, options.shard_bytes)
        )
    )
    _ = plan | "Write plan" >> beam.Map(_write_plan, str(job.work / PLAN))
    placed = items | "Place" >> _side(steps.Place(job, reports=True), assignments)
    labelled = placed.main | "Label" >> _side(steps.Label(job), beam.pvalue.AsSingleton(plan))
    written = (
        (labelled.main, plan | "Every shard" >> beam.FlatMap(shard_keys))
        | "With empty shards" >> beam.Flatten()
        | "By shard" >> beam.GroupByKey()
        | "Write" >> _side(steps.Write(job))
    )
    return [grouped, placed, labelled, written]


def _write_reports(job: Job, outputs: Sequence[beam.pvalue.DoOutputsTuple]) -> None:
    _ = (
        [output[REJECTED] for output in outputs]
        | "All rejected" >> beam.Flatten()
        | "By stretch" >> beam.Map(steps.stretch)
        | "Stretches" >> beam.GroupByKey()
        | "Write rejected" >> beam.ParDo(steps.WriteRejected(job))
    )
    _ = (
        # Added up where they arise, or a runner would keep every one until all are there.
        [
            output[TALLY] | f"Add up {number}" >> beam.CombinePerKey(sum)
            for number, output in enumerate(outputs)
        ]
        | "All tallies" >> beam.Flatten()
        | "Add up" >> beam.CombinePerKey(sum)
        | "Together" >> beam.combiners.ToList()
        | "Write tallies" >> beam.Map(_write_tallies, str(job.work / _TALLIES))
    )


def _side(step: beam.DoFn, *sides: beam.pvalue.AsSideInput) -> beam.PTransform:
    """A step with the outputs that every step may have."""
    return beam.ParDo(step, *sides).with_outputs(REJECTED, TALLY, main="main")


def _to_member(element: bytes) -> tuple[None, bytes]:
    item = Item._make(unpack(element))
    return None, pack((item.id, item.digest, item.perceptual_hash))


def _write_plan(plan: Plan, path: str) -> None:
    write_lines(to_path(path), [json.dumps(plan._asdict())])


def _write_tallies(tallies: list, path: str) -> None:
    write_lines(to_path(path), [json.dumps(sorted(tallies))])
