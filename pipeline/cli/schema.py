"""`posters schema`: a draft of a schema from data, and what differs between two."""

from __future__ import annotations

import argparse
import contextlib
import logging
from collections.abc import Iterator, Sequence

from components.errors import PostersError
from components.files import write_text
from components.paths import AnyPath
from components.progress import CONSOLE
from components.store_path import StorePath
from pipeline import config as configuration
from pipeline import data
from pipeline.cli.main import FAILED, OK


def run(options: argparse.Namespace) -> int:
    """Runs `infer` or `diff`; `diff` exits with 1 if there is a difference."""
    config = configuration.load(options.config, options.overrides)
    with _quiet():
        return _infer(options, config) if options.action == "infer" else _diff(options, config)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings that TFDV and Beam give about themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _infer(options: argparse.Namespace, config: configuration.Config) -> int:
    if options.out and options.out.exists():
        raise PostersError(f"--out {options.out} is there already: remove it or choose another")
    span = data.find_span(config, options.data)
    from pipeline import schema_draft

    statistics = schema_draft.statistics_of(span.folder, "train", config.features)
    schema = schema_draft.infer(statistics, config.features, span.labels)
    text = schema_draft.to_text(schema, f"{span.folder.name}/train", config.features)
    if options.out:
        write_text(options.out, text)
        CONSOLE.print(f"{options.out}: a draft; read it, then set schema_path", markup=False)
    else:
        CONSOLE.print(text, markup=False, end="")
    return OK


def _diff(options: argparse.Namespace, config: configuration.Config) -> int:
    from pipeline import data_nodes, schema_diff

    first = data_nodes.read_schema(options.first, "the first schema")
    second = options.second or data_nodes.schema_path(config)
    if isinstance(second, StorePath) or second.is_dir():
        lines = _anomalies(first, second, config)
        same = "the data has no anomaly under this schema"
    else:
        other = data_nodes.read_schema(second, "the second schema")
        lines = schema_diff.differences(first, other)
        same = "the schemas mean the same"
    CONSOLE.print(f"{options.first} -> {second}", markup=False)
    for line in lines or [same]:
        CONSOLE.print(f"  {line}", markup=False)
    return FAILED if lines else OK


def _anomalies(schema, folder: AnyPath, config: configuration.Config) -> Sequence[str]:
    """What ExampleValidator would find in the newest span."""
    import tensorflow_data_validation as tfdv

    from pipeline import schema_draft

    span = data.find_span(config, folder)
    lines = []
    for split in data.SPLITS:
        statistics = schema_draft.statistics_of(span.folder, split, config.features)
        found = tfdv.validate_statistics(statistics, schema).anomaly_info
        for name in sorted(found):
            lines += [f"{split}, {name}: {reason.description}" for reason in found[name].reason]
    return lines
