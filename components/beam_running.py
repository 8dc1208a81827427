"""Running a Beam pipeline so that its errors reach a person as words."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Sequence

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from components.errors import PostersError

#: In-process: the fastest on one machine, for what is heavy uses every core by itself.
_LOCAL = ("--runner=DirectRunner", "--direct_running_mode=in_memory")
_WHILE_RUNNING = re.compile(r"(?s) \[while running '[^']*'\]$")
#: The last in the traceback that a worker in another process sent.
_FROM_AFAR = re.compile(r"(?s).*\.PostersError: (.*?) \[while running '[^']*'\]")


def pipeline_options(beam_options: Sequence[str]) -> PipelineOptions:
    """Options of a pipeline that runs in this process, unless they say otherwise."""
    return PipelineOptions([*_LOCAL, *beam_options])


def is_one_process(beam_options: Sequence[str]) -> bool:
    """Whether Beam with these options would have a single worker, in this process."""
    options = PipelineOptions(list(beam_options))
    runner = options.view_as(StandardOptions).runner
    mode = options.view_as(DirectOptions).direct_running_mode
    return runner in (None, "DirectRunner") and mode in (None, "in_memory")


def words_of(error: Exception) -> str | None:
    """What a step said to a person, on whichever worker; None if the error is another."""
    if isinstance(error, PostersError):
        return _WHILE_RUNNING.sub("", str(error))
    found = _FROM_AFAR.match(str(error))
    return found and found[1]


@contextlib.contextmanager
def quiet_beam() -> Iterator[None]:
    """Keeps Beam from printing an error that the caller will tell in words."""
    logger, root = logging.getLogger("apache_beam"), logging.getLogger()
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    # A portable runner's messages are logged by no name. The filter stops nobody else's.
    root.addFilter(_drop)
    try:
        yield
    finally:
        logger.setLevel(level)
        root.removeFilter(_drop)


def _drop(record: logging.LogRecord) -> bool:
    return False
