"""What every step may yield beside its main output: rejected rows, and numbers to add up."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam

from components.ingest import watch
from components.ingest.job import Job
from components.ingest.look import Known
from components.ingest.rejection import Rejection

#: Tags of outputs beside the main one. A tally is (words, number): the numbers are added up.
REJECTED, TALLY = "rejected", "tally"


def tally(*words: str, count: int = 1) -> beam.pvalue.TaggedOutput:
    """A number to add to that of the words."""
    return beam.pvalue.TaggedOutput(TALLY, (words, count))


def leave_out(job: Job, outcome: Known | Rejection) -> Iterator:
    """A row that does not become an example."""
    if isinstance(outcome, Rejection):
        yield from reject(job, outcome, 2)
    else:
        watch.step(job.token, 2)
        yield tally("known")


def reject(job: Job, item: Rejection, halves: int) -> Iterator:
    """A rejected row, with so many half rows of progress still to tell."""
    watch.step(job.token, halves)
    yield tally("rejected", item.reason.value)
    plain = (item.line, item.id, item.reason.value, item.detail)
    yield beam.pvalue.TaggedOutput(REJECTED, plain)
