"""`posters batch`: predictions of many posters on Beam, as files of JSON Lines."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import PostersError
from components.progress import CONSOLE, progress
from pipeline import config as configuration
from pipeline.cli.main import FAILED, OK
from pipeline.cli.predict import find_posters, last_pushed

if TYPE_CHECKING:
    from components.batch.run import BatchResult
    from components.batch.source import Shard
    from pipeline.config import Config

_SHOWN = 10


def run(options: argparse.Namespace) -> int:
    """Asks, or goes on asking; exits with 1 if not one poster could be answered."""
    config = configuration.load(options.config, options.overrides)
    # Before TensorFlow and Beam: what is wrong with the command is said at once.
    _check(options)
    from components.batch.run import batch
    from components.serving.predictor import version_in

    model = version_in(options.model or last_pushed(Path("workspace")))
    ingest = config.ingest
    origin = {
        "batch": dataclasses.asdict(config.batch),
        "limits": [ingest.max_image_bytes, ingest.max_image_pixels],
    }
    beam = config.beam.default if config.beam.batch is None else config.beam.batch
    with progress("files") as update:
        result = batch(
            options.out,
            _shards(options, config),
            model,
            ingest,
            origin,
            beam,
            lambda done, total: update(done, f"of {total}"),
        )
    _show(options.out, result)
    return OK if result.manifest["answered"] else FAILED


def _check(options: argparse.Namespace) -> None:
    if options.examples and (options.posters or options.csv or options.jsonl):
        raise PostersError("--examples is a source of its own: leave the others away")


def _shards(options: argparse.Namespace, config: Config) -> Iterator[Shard]:
    from components.batch import source

    if options.examples:
        return source.of_examples(options.examples)
    posters = find_posters(options, config.ingest)
    return source.of_posters(posters, config.batch.shard_posters)


def _show(out: object, result: BatchResult) -> None:
    manifest = result.manifest
    state = "already there, nothing to do" if result.already_done else "written"
    CONSOLE.print(f"{out}: {state}", markup=False)
    CONSOLE.print(
        f"  {manifest['posters']} posters, {manifest['answered']} answered, by model "
        f"{manifest['origin']['model']}, in {manifest['shards']} files",
        markup=False,
    )
    if unanswered := manifest["posters"] - manifest["answered"]:
        CONSOLE.print(f"  {unanswered} could not be answered; `status` of their rows says why")
    given = list(manifest["given"].items())
    shown = ", ".join(f"{label} {count}" for label, count in given[:_SHOWN])
    rest = f" and {len(given) - _SHOWN} more labels" if len(given) > _SHOWN else ""
    CONSOLE.print(f"  given: {shown or 'no label'}{rest}", markup=False)
