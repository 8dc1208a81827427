"""`posters lineage`: what made the model that serves, and what a change would run again."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import PostersError
from components.files import write_text
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline.cli import lineage_text
from pipeline.cli.main import OK
from pipeline.runners import logs

if TYPE_CHECKING:
    import ml_metadata as mlmd

    from pipeline.history.executions import Executions


def run(options: argparse.Namespace) -> int:
    """Answers from ML Metadata; nothing is run and nothing changed."""
    config = configuration.load(options.config, options.overrides).on_this_machine()
    from pipeline.history import executions
    from pipeline.metadata_store import place

    where = place.of(config)
    place.check_begun(where)
    store = place.open_store(where)
    history = executions.read(store, config.name)
    found: dict[str, Any] = {}
    if options.name is not None or not options.what_if:
        found = _lineage(history, config, options.name)
    if options.what_if:
        found["what_if"] = _ask(options, store, history, config)
    if options.html:
        from pipeline.history import page

        if "version" not in found:
            raise PostersError(
                "--html shows the graph of a version: name one, or leave --what-if away to see the "
                "one that serves."
            )
        write_text(options.html, page.render(found))
    if options.json:
        # Not through the console, which breaks lines.
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return OK
    lineage_text.show(CONSOLE, found)
    if options.html:
        CONSOLE.print(str(options.html), markup=False)
    return OK


def _lineage(history: Executions, config: configuration.Config, name: str | None) -> dict[str, Any]:
    """A version's, or a poster's; a name of digits may be either, and a version is meant first."""
    from pipeline.history import lineage, model

    known = [push.version for push, _ in model.pushes(history, config.models_folder)]
    if name is None or name in known:
        return lineage.of_version(history, config, name)
    return lineage.of_poster(history, config, name)


def _ask(
    options: argparse.Namespace,
    store: mlmd.MetadataStore,
    history: Executions,
    config: configuration.Config,
) -> dict[str, Any]:
    from pipeline.history import ask

    changes = ask.parse(options.what_if)
    if not options.json:
        CONSOLE.print("  loading TensorFlow, TFX and Beam ...")
    with logs.to_file(Path(config.workspace) / "lineage.log"):
        nodes = ask.answer(changes, options.config, options.overrides, store, history)
    return {"changes": list(options.what_if), "nodes": nodes}
