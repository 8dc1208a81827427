"""The section of the evaluation, drawn before RunReport's turn, while other nodes wait."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from components.report import evaluation
from components.report.sources import Sources

_Section = dict[str, Any] | None
#: What was begun and not fetched yet, by what it is drawn from.
_begun: dict[Hashable, Future[tuple[_Section, list[str]]]] = {}


class Ahead:
    """Draws in a thread of its own; Matplotlib's settings are the process's, so in one alone."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def begin(self, sources: Sources) -> None:
        """Draws what `describe` will be asked for; what goes wrong is told by that."""
        _begun[_key(sources)] = self._pool.submit(_describe, sources)


@contextlib.contextmanager
def ahead() -> Iterator[Ahead]:
    """What is begun in this block and not asked for in it is forgotten at its end."""
    with ThreadPoolExecutor(1) as pool:
        try:
            yield Ahead(pool)
        finally:
            for begun in _begun.values():
                begun.cancel()
            _begun.clear()


def describe(sources: Sources, missing: list[str]) -> _Section:
    """The same as `evaluation.describe`, to be called before anything else is drawn."""
    begun = _begun.pop(_key(sources), None)
    content, lacking = begun.result() if begun else _describe(sources)
    missing += lacking
    return content


def _describe(sources: Sources) -> tuple[_Section, list[str]]:
    missing: list[str] = []
    return evaluation.describe(sources, missing), missing


def _key(sources: Sources) -> Hashable:
    """All that the section depends on."""
    return (sources.evaluation, sources.blessing, sources.test_examples, sources.features)
