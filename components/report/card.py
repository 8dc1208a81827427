"""The model card: what a model is, was made of and is good for, in Markdown.

The sections are those of Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019).
"""

from __future__ import annotations

import functools
import re
from typing import Any

import jinja2

from components.report import view, words
from components.report.content import Content

#: In RunReport's folder.
FILE = "model-card.md"
#: A line's end would end a table's row or a list.
_BREAK = re.compile(r"\s*[\r\n]\s*")
#: What Markdown, or the HTML that it becomes, would read as something else than text.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def render(content: Content) -> str:
    """The card.

    Args:
      content: see `content`; a model card of a run without a model says so.
    """
    return (
        _environment()
        .get_template("card.md")
        .render(
            content=content,
            labels=view.label_rows(content["evaluation"]),
            overall=view.overall(content["evaluation"]),
            by_chance=view.is_by_chance(content["evaluation"]),
            chosen=view.thresholds(content["training"]),
            slices=view.slices(content["evaluation"]),
        )
    )


def _text(value: Any) -> Any:
    """Somebody's text as Markdown that reads the same; numbers in words of ours as they are."""
    return _SPECIAL.sub(r"\\\1", _BREAK.sub(" ", value)) if isinstance(value, str) else value


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("components.report"),
        finalize=_text,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words.FILTERS)
    return environment
