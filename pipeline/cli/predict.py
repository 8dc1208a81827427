"""`posters predict`: labels and scores of images, from a pushed model or a server."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components import loading
from components.errors import PostersError
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline.cli.main import FAILED, OK

if TYPE_CHECKING:
    from components.ingest.download import Downloader
    from components.ingest.options import IngestOptions
    from components.serving.posters import Poster
    from components.serving.prediction import Answerer, Prediction

#: Labels shown below the decision point, so that a person sees what came close.
_RUNNERS_UP = 2


def run(options: argparse.Namespace) -> int:
    """Asks the model; exits with 1 if an image could not be read."""
    config = configuration.load(options.config, options.overrides)
    posters = find_posters(options, config.ingest)
    answerer = _answerer(options)
    print(f"model {answerer.name}, version {answerer.version}", file=sys.stderr)
    from components.serving.asking import predict
    from components.serving.prediction import to_row

    failed = 0
    with _downloader(config.ingest) as downloader:
        for poster, prediction in predict(answerer, posters, config.ingest, downloader):
            if prediction.error:
                failed += 1
                print(f"posters: {poster.where}: {prediction.error}", file=sys.stderr)
            if options.json:
                row = to_row(poster.id, poster.path or poster.url, prediction, answerer)
                print(json.dumps(row, ensure_ascii=False), flush=True)
            elif not prediction.error:
                _show(poster, prediction)
    return FAILED if failed else OK


def find_posters(options: argparse.Namespace, ingest: IngestOptions) -> Iterator[Poster]:
    """The posters that the command line names.

    Raises:
      PostersError: none, or in two ways.
    """
    from components.serving import posters

    table = options.csv or options.jsonl
    if bool(table) == bool(options.posters):
        raise PostersError("name images or folders, or a table with --csv or --jsonl; one of both")
    if not table:
        if options.images:
            raise PostersError("--images goes with --csv or --jsonl; folders need no option")
        return posters.in_files(options.posters)
    if options.jsonl:
        ingest = dataclasses.replace(ingest, table_format="jsonl")
    return posters.in_table(table, options.images, ingest)


def _answerer(options: argparse.Namespace) -> Answerer:
    if options.server:
        if options.model:
            raise PostersError("--server asks what the server serves: leave --model away")
        from components.serving.client import ServerClient

        return ServerClient(options.server, read_token(options.token_file))
    with loading.without_keras(), loading.without_collecting():
        from components.serving.predictor import Predictor

    return Predictor(options.model or last_pushed(Path("workspace")))


def read_token(file: Path | None) -> str | None:
    """The token in a file.

    Raises:
      PostersError: it holds something else.
    """
    if file is None:
        return None
    token = file.read_text(encoding="utf-8").strip()
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise PostersError(f"--token-file: {file} must hold one word of ASCII, the token.")
    return token


@contextlib.contextmanager
def _downloader(options: IngestOptions) -> Iterator[Downloader]:
    """Downloads into the configured cache, or into a folder that is gone afterwards."""
    from components.ingest.download import Downloader

    with contextlib.ExitStack() as stack:
        folder = options.download_cache
        if folder is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="posters-"))
        yield Downloader(Path(folder), options)


def _show(poster: Poster, prediction: Prediction) -> None:
    given = prediction.labels
    CONSOLE.print(f"{poster.where}: {', '.join(given) or 'none'}", markup=False)
    ranked = sorted(prediction.scores, key=lambda label: -prediction.scores[label])
    for label in ranked[: len(given) + _RUNNERS_UP]:
        score, probability = prediction.scores[label], prediction.probabilities[label]
        bar = "█" * round(score * 30)
        style = None if score > 0.5 else "dim"
        CONSOLE.print(
            f"  {label:<12} score {score:.3f}  probability {probability:.3f}  {bar}",
            markup=False,
            style=style,
        )


def last_pushed(workspace: Path) -> Path:
    """The version pushed last, whatever the configuration.

    Raises:
      PostersError: there is none.
    """
    versions = [
        path
        for path in workspace.glob("*/models/*")
        if path.name.isdigit() and (path / "saved_model.pb").is_file()
    ]
    if not versions:
        raise PostersError(
            f"no pushed model below {workspace.resolve()}: run `posters run` first, or name one "
            "with --model."
        )
    return max(versions, key=lambda path: int(path.name))
