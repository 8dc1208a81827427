"""A run's page: one HTML file that needs nothing else, no network and no script."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jinja2
from markupsafe import Markup

from components.report import view, words
from components.report.content import Content

#: In RunReport's folder, and in a run's.
FILE = "report.html"


def render(content: Content, summary: Mapping[str, Any] | None = None) -> str:
    """The page.

    Args:
      content: see `content`.
      summary: what the runner knows, as `summary.json` has it; None where nobody noted it.
    """
    page = _environment().get_template("page.html")
    return page.render(
        content=content,
        summary=summary,
        headline=view.headline(content, summary),
        overall=view.overall(content["evaluation"]),
        by_chance=view.is_by_chance(content["evaluation"]),
        labels=view.label_rows(content["evaluation"]),
        chosen=view.thresholds(content["training"]),
        slices=view.slices(content["evaluation"]),
        shares=view.label_shares(content["data"]["gate"], content["labels"]),
        nodes=view.nodes(summary),
        settings=view.flat(content["settings"]),
    )


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("components.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words.FILTERS)
    # Drawn by `charts`, which escapes what it writes into them.
    environment.filters["chart"] = Markup
    return environment
