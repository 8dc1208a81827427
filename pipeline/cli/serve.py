"""`posters serve`: the pushed model behind TensorFlow Serving's REST API, and a page to try it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from components import loading
from components.errors import PostersError
from pipeline import config as configuration
from pipeline import run_page
from pipeline.cli.main import OK
from pipeline.cli.predict import read_token

_LOCAL = ("127.0.0.1", "::1", "localhost")


def run(options: argparse.Namespace) -> int:
    """Serves until it is told to stop."""
    config = configuration.load(options.config, options.overrides).on_this_machine()
    token = read_token(options.token_file)
    if token is None and options.host not in _LOCAL:
        print(
            f"posters: everyone who reaches {options.host} can ask this server: --token-file FILE "
            "lets in only who knows the token.",
            file=sys.stderr,
        )
    try:
        with loading.without_keras(), loading.without_collecting():
            from components.serving.server import serve
    except ModuleNotFoundError as error:
        raise PostersError(
            f"{error.name} is missing: the server needs the extra `serve` "
            "(pip install 'poster-pipeline[serve]')."
        ) from error
    folder = options.model or Path(config.models_folder)
    serve(
        folder,
        config.serve,
        options.host,
        options.port,
        token,
        lambda version: run_page.of_version(Path(config.workspace), version),
    )
    return OK
