"""Lives through a simulated year, 52 weekly spans with planted events: `python -m bench.year`.

Prints what every week came to, and stops where that is not what the plan says. With --out it also
writes year.json and year.svg.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.year import simulation
from bench.year.plan import YEAR
from components.errors import PostersError
from components.progress import CONSOLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Lives through the year; the exit status is 0 if every week came to what the plan says."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.year", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--weeks", type=int, default=len(YEAR), help="only the first ones")
    parser.add_argument("--out", type=Path, help="folder for year.json and year.svg")
    options = parser.parse_args(arguments)
    started, lived = time.monotonic(), []
    try:
        for week in simulation.live(YEAR[: options.weeks]):
            lived.append(week)
            _show(week)
    except PostersError as error:
        print(error, file=sys.stderr)
        return 1
    _show_seconds(lived, time.monotonic() - started)
    if options.out:
        _write(lived, options.out)
    return 0


def _show(week: simulation.Lived) -> None:
    spans = ", ".join(map(str, week.spans)) or "-"
    CONSOLE.print(
        f"week {week.number:2}  {week.posters:3} posters, span {spans:<6} {week.event:<24} "
        f"{week.seconds:5.1f} s, model {week.pushed} serves ({week.served_macro_f1:.2f})",
        markup=False,
    )
    for attempt in week.attempts:
        came_to = attempt.outcome or ("killed" if attempt.status < 0 else "")
        CONSOLE.print(
            f"         {attempt.verdict:<7}{attempt.rule:<15}{came_to:<13}{attempt.seconds:5.1f} s",
            markup=False,
        )


def _show_seconds(lived: Sequence[simulation.Lived], seconds: float) -> None:
    """Where the time went."""
    attempts = [attempt for week in lived for attempt in week.attempts]
    by_node: dict[str, float] = {}
    for attempt in attempts:
        for node, (_, took) in attempt.nodes.items():
            by_node[node] = by_node.get(node, 0.0) + took
    by_node["posters retrain, without its nodes"] = sum(
        attempt.seconds for attempt in attempts
    ) - sum(by_node.values())
    by_node["drawing and posters ingest"] = seconds - sum(by_node.values())
    for what, took in sorted(by_node.items(), key=lambda each: -each[1]):
        CONSOLE.print(f"{took:8.1f} s  {what}", markup=False)
    runs = sum(bool(attempt.nodes) for attempt in attempts)
    CONSOLE.print(f"{seconds:8.1f} s  {len(lived)} weeks, {runs} runs")


def _write(lived: Sequence[simulation.Lived], out: Path) -> None:
    from bench.year import chart

    out.mkdir(parents=True, exist_ok=True)
    content = [dataclasses.asdict(week) for week in lived]
    (out / "year.json").write_text(json.dumps(content, indent=1) + "\n")
    (out / "year.svg").write_text(chart.draw(lived))
    CONSOLE.print(f"{out / 'year.json'}, {out / 'year.svg'}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
