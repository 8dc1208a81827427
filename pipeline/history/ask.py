"""Changes as a person writes them after `--what-if`, and what they would run again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import ml_metadata as mlmd

from components.errors import PostersError
from pipeline import config as configuration
from pipeline import fingerprints, windows
from pipeline.history import model
from pipeline.history.executions import Executions

NOW, DATA, _CODE = "now", "data", "code"


@dataclasses.dataclass(frozen=True)
class Changes:
    """What is supposed to change.

    Attributes:
      settings: `KEY=VALUE` each.
      packages: whose code changes.
      data: whether the data do.
    """

    settings: tuple[str, ...]
    packages: tuple[str, ...]
    data: bool


def parse(words: Sequence[str]) -> Changes:
    """Reads changes.

    Args:
      words: `KEY=VALUE`, `code=PACKAGE`, `data` or `now` each.

    Raises:
      PostersError: one is none of these, or there is no such package.
    """
    settings, packages = [], []
    for word in words:
        key, separator, value = word.partition("=")
        if word in (NOW, DATA):
            continue
        if not separator:
            raise PostersError(
                f"--what-if {word}: write KEY=VALUE, such as trainer.epochs=5, or "
                "code=components.trainer, data or now."
            )
        if key != _CODE:
            settings.append(word)
        elif fingerprints.source_of(value) is None:
            raise PostersError(
                f"--what-if {word}: there is no package or module {value}; such as "
                "code=components.trainer or code=components.pixels."
            )
        else:
            packages.append(value)
    return Changes(tuple(settings), tuple(packages), DATA in words)


def answer(
    changes: Changes,
    source: str,
    overrides: Sequence[str],
    store: mlmd.MetadataStore,
    history: Executions,
) -> list[dict[str, Any]]:
    """What the next run would do with some changes, node by node, as JSON values.

    Args:
      changes: see `parse`.
      source: the configuration, as `configuration.load` takes it.
      overrides: of it, before the changes.
      store: ML Metadata.
      history: of the configuration's pipeline.

    Raises:
      PostersError: the configuration is not right with the changes, or there are no such data.
    """
    from pipeline import dag
    from pipeline.history.what_if import WhatIf

    changed = configuration.load(source, [*overrides, *changes.settings]).on_this_machine()
    with fingerprints.pretending(changes.packages):
        pipeline = dag.create_pipeline(changed, windows.resolve(changed))
    asked = WhatIf(pipeline, store, history)
    return [dataclasses.asdict(one) for one in asked.answers(_readers(history) * changes.data)]


def _readers(history: Executions) -> list[str]:
    """The nodes that bring the data."""
    return list(dict.fromkeys(one.node for one in history if model.spans_of(one)))
