"""A lineage as one HTML page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jinja2

import pipeline
from components.report import words
from pipeline.history import drawing, sentences

_TEMPLATE = "lineage.html"


def render(found: Mapping[str, Any]) -> str:
    """The page.

    Args:
      found: see `lineage.of_version`; with `what_if`, that too.
    """
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            found=found,
            drawing=drawing.draw(found["graph"]),
            settings=sentences.settings(found["settings"]),
            sentences=sentences,
            package_version=pipeline.__version__,
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        # The style is that of a run's page.
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("pipeline.history", ""),
                jinja2.PackageLoader("components.report"),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words.FILTERS)
    return environment
