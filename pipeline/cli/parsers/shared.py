"""What several verbs have in common on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.paths import AnyPath


def data_path(text: str) -> AnyPath:
    """A local path, or an address on a store."""
    from components.paths import to_path

    return to_path(text)


def local_path(text: str) -> Path:
    """A local path, for what reads no store."""
    from components.paths import is_remote

    if is_remote(text):
        raise argparse.ArgumentTypeError(f"{text} lies on a store: copy it to this machine first")
    return Path(text)


def add_workspace(verb: argparse.ArgumentParser) -> None:
    """Adds `--workspace`, for verbs that read what runs left."""
    verb.add_argument(
        "--workspace",
        type=Path,
        default=Path("workspace"),
        metavar="DIR",
        help="a configuration's workspace, or a folder of such (default: workspace/)",
    )


def add_config(verb: argparse.ArgumentParser, default: str | None) -> None:
    """Adds `--config` and `--set`; without a default the verb finds one itself, by its runner."""
    verb.add_argument(
        "--config",
        default=default,
        metavar="FILE",
        help=f"a YAML file, or the name of one that comes with the project "
        f"(default: {default or 'that of the runner'})",
    )
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="override one key, such as trainer.epochs=5; may be repeated",
    )
