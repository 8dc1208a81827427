"""What one run of the bench measured: as a table, as `results.json`, as a chart."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from rich.table import Table

_GIGABYTE, _MEGABYTE = 1e9, 1e6
#: Of the chart, in inches.
_SIZE = (7.2, 2.6)
_COLORS = ("#8a8f98", "#c26a3d", "#2f6f9f")

Run = Mapping[str, Any]


def summarize(
    floor: Run | None, textbook: Run | None, runs: Mapping[str, Sequence[Run]]
) -> dict[str, Any]:
    """Ratios first, then medians over the repeats and the largest peaks.

    Args:
      floor: what `bench.floor` printed, or None.
      textbook: what `bench.textbook` printed, or None.
      runs: by scenario, the summary of each repeat, with `wall_seconds` and bytes by node.
    """
    measured = {name: _scenario(repeats) for name, repeats in runs.items()}
    ours = next(iter(measured.values()))
    ratios = {}
    if floor:
        ratios["dag_over_floor"] = round(ours["seconds"] / floor["seconds"], 2)
    if textbook:
        ratios["textbook_over_ours_seconds"] = round(textbook["seconds"] / ours["seconds"], 2)
        peaks = textbook["peak_memory_bytes"] / ours["peak_memory_bytes"]
        ratios["textbook_over_ours_memory"] = round(peaks, 2)
    return {"ratios": ratios, "floor": floor, "textbook": textbook, "ours": measured}


def _scenario(repeats: Sequence[Run]) -> dict[str, Any]:
    def median(of: Any) -> float:
        return round(statistics.median(of(run) for run in repeats), 3)

    return {
        "wall_seconds": median(lambda run: run["wall_seconds"]),
        "import_seconds": median(lambda run: run["import_seconds"]),
        "seconds": median(lambda run: run["seconds"]),
        "peak_memory_bytes": max(run["peak_memory_bytes"] for run in repeats),
        "macro_f1": median(lambda run: run["metrics"]["macro_f1"]),
        "nodes": [
            {
                "id": node["id"],
                "state": node["state"],
                "seconds": median(lambda run, at=place: run["nodes"][at]["seconds"]),
                "cpu_seconds": median(lambda run, at=place: run["nodes"][at]["cpu_seconds"]),
                "peak_memory_bytes": max(
                    run["nodes"][place]["peak_memory_bytes"] for run in repeats
                ),
                "bytes": node["bytes"],
            }
            for place, node in enumerate(repeats[0]["nodes"])
        ],
    }


def tables(results: Mapping[str, Any]) -> list[Table]:
    """The whole in one table, and each node of the first scenario in another."""
    whole = Table(title="Ratios: " + (_words(results["ratios"]) or "none asked for"))
    for column in ("", "seconds", "of it imports", "DAG after imports", "peak GB", "macro-F1"):
        whole.add_column(column, justify="left" if not column else "right")
    for name in ("floor", "textbook"):
        if found := results[name]:
            peak = found.get("peak_memory_bytes")
            gigabytes = f"{peak / _GIGABYTE:.2f}" if peak else ""
            whole.add_row(name, "", "", f"{found['seconds']:.1f}", gigabytes, "")
    for name, found in results["ours"].items():
        seconds = [found[key] for key in ("wall_seconds", "import_seconds", "seconds")]
        peak = f"{found['peak_memory_bytes'] / _GIGABYTE:.2f}"
        whole.add_row(
            name, *(f"{value:.1f}" for value in seconds), peak, f"{found['macro_f1']:.3f}"
        )
    nodes = Table(title="By node, from nothing; seconds of the other runs beside")
    first, *others = results["ours"].values()
    columns = ("seconds", "CPU seconds", "peak GB", "MB written", *list(results["ours"])[1:])
    nodes.add_column("")
    for column in columns:
        nodes.add_column(column, justify="right")
    for place, node in enumerate(first["nodes"]):
        nodes.add_row(
            node["id"],
            f"{node['seconds']:.1f}",
            f"{node['cpu_seconds']:.1f}",
            f"{node['peak_memory_bytes'] / _GIGABYTE:.2f}",
            f"{node['bytes'] / _MEGABYTE:.1f}",
            *(_again(other["nodes"][place]) for other in others),
        )
    return [whole, nodes]


def _again(node: Run) -> str:
    return f"{'cached ' if node['state'] == 'cached' else ''}{node['seconds']:.1f}"


def _words(ratios: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in ratios.items())


def draw(results: Mapping[str, Any], path: Path) -> None:
    """Writes the chart: seconds and memory of floor, textbook and ours, side by side."""
    bars = [(name, results[name]) for name in ("floor", "textbook") if results[name]]
    bars.append(("this pipeline", next(iter(results["ours"].values()))))
    with matplotlib.rc_context({"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "bench"}):
        drawn = Figure(figsize=_SIZE, layout="constrained")
        FigureCanvasSVG(drawn)
        axes = drawn.subplots(1, 2)
        _bars(axes[0], "Seconds of the whole DAG", [(n, found["seconds"]) for n, found in bars])
        peaks = [(n, found.get("peak_memory_bytes", 0) / _GIGABYTE) for n, found in bars]
        _bars(axes[1], "Peak memory, GB", [bar for bar in peaks if bar[1]])
        drawn.savefig(path, metadata={"Date": None})


def _bars(axes: Any, title: str, bars: Sequence[tuple[str, float]]) -> None:
    names = [name for name, _ in bars]
    colors = dict(zip(("floor", "textbook", "this pipeline"), _COLORS, strict=True))
    drawn = axes.barh(names, [value for _, value in bars], color=[colors[name] for name in names])
    axes.bar_label(drawn, [_rounded(value) for _, value in bars], padding=3)
    axes.set_title(title, loc="left", fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.xaxis.set_visible(False)


def _rounded(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
