"""Progress of long work: a bar on a terminal, a line now and then where there is none."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

#: Width of what is written where there is no terminal.
_FILE_COLUMNS = 110
#: The one console that everything meant for a person goes to; logs go elsewhere.
CONSOLE = Console(
    highlight=False,
    soft_wrap=True,
    # A table piped into a file must not be squeezed into 80 columns.
    width=None if sys.stdout.isatty() else _FILE_COLUMNS,
)
#: Seconds between lines where output is not a terminal.
_LINE_SECONDS = 10.0
#: `update(done, detail)`: steps done so far, and a few words about the last one.
Update = Callable[[int, str], None]


@contextlib.contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Update]:
    """Yields `update(done, detail)` that shows how far work has come.

    Args:
      title: what is being done.
      total: how many steps there are, if known.
    """
    if CONSOLE.is_terminal:
        with _bar(title, total) as update:
            yield update
        return
    shown = time.monotonic()

    def update_lines(done: int, detail: str = "") -> None:
        nonlocal shown
        if done != total and time.monotonic() - shown < _LINE_SECONDS:
            return
        shown = time.monotonic()
        of_total = f"/{total}" if total else ""
        CONSOLE.print(f"    {title} {done}{of_total} {detail}".rstrip())

    yield update_lines


@contextlib.contextmanager
def _bar(title: str, total: int | None) -> Iterator[Update]:
    columns = (
        TextColumn("    {task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.completed}" + (f"/{total}" if total else "")),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    bar = Progress(*columns, console=CONSOLE)
    task = bar.add_task(title, total=total, detail="")

    def update(done: int, detail: str = "") -> None:
        bar.start()  # at the first step: work that turns out to be done already shows no bar
        bar.update(task, completed=done, detail=detail)

    try:
        yield update
        if total is None:  # now it is known
            bar.update(task, total=bar.tasks[task].completed)
    finally:
        bar.stop()
