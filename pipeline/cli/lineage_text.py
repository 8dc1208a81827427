"""A lineage as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.report import words
from pipeline.history import sentences

#: Settings that are shown; the others are in the JSON and on the page.
_SHOWN_SETTINGS = ("trainer", "tuner", "image", "evaluator", "window", "push")
_COLORS = {"run": "green", "cached": "cyan"}


def show(console: Console, found: Mapping[str, Any]) -> None:
    """Prints whatever of version, poster and what-if there is."""
    if "version" in found:
        _show_rows(console, _version_rows(found))
    if "poster" in found:
        _show_poster(console, found)
    if "what_if" in found:
        _show_what_if(console, found["what_if"])


def _show_rows(console: Console, rows: Iterator[tuple[str, str]]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value))
    console.print(table)


def _version_rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    serves = "serves" if found["serves"] else f"does not serve; {found['serving_version']} does"
    yield "version", f"{found['version']}, {serves}"
    for push in found["pushes"]:
        yield "pushed", sentences.push(push)
    model, data, code = found["model"], found["data"], found["code"]
    removed = "; its files were removed" if model["removed"] else ""
    yield "model", f"{model['uri']}{removed}"
    yield "trained", f"{model['trained']} in run {model['run']}"
    yield "spans", f"{sentences.spans(data)} of {data['data_root'] or 'unknown data'}"
    yield "labels", ", ".join(data["labels"])
    if schema := found["schema"]:
        yield "schema", f"{schema['digest'] or words.NOTHING}, {schema['uri']}"
    yield "code", sentences.code(code)
    for name, digest in code["fingerprints"].items():
        yield "", f"{name} {digest}"
    yield "features", sentences.features(found["features"])
    yield "baseline", sentences.baseline(found["baseline"])
    if verdict := found["verdict"]:
        blessed = "blessed" if verdict["blessed"] else "refused"
        figure = words.figure(verdict["figures"].get("macro_f1"))
        yield "verdict", f"{blessed} in run {verdict['run']}, macro-F1 {figure}"
        for reason in verdict["reasons"]:
            yield "", f"- {reason}"
    for name, value in sentences.settings(found["settings"], _SHOWN_SETTINGS):
        yield "setting", f"{name} = {value}"


def _show_poster(console: Console, found: Mapping[str, Any]) -> None:
    for place in found["places"]:
        labels = ", ".join(place["labels"])
        console.print(
            f"{found['poster']} is in the {place['split']} split of span {place['span']} "
            f"({place['data_root']}): {labels}",
            markup=False,
        )
    if not found["models"]:
        console.print("No model has seen it.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("model", "run", "pushed as", "what it was for"):
        table.add_column(column, overflow="fold")
    for model in reversed(found["models"]):
        versions = [
            f"{version} (serves)" if version == found["serving_version"] else version
            for version in model["versions"]
        ]
        pushed = ", ".join(versions) or words.NOTHING
        table.add_row(str(model["id"]), model["run"], pushed, model["role"])
    console.print(table)


def _show_what_if(console: Console, found: Mapping[str, Any]) -> None:
    changes = ", ".join(found["changes"])
    console.print(f"What the next run would do ({changes}):", markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("node", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("s, last time", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    seconds = 0.0
    for node in found["nodes"]:
        again = node["state"] == "run"
        last = node["seconds"]
        seconds += (last or 0) * again
        table.add_row(
            node["node"],
            Text(node["state"], style=_COLORS[node["state"]]),
            f"{last:.1f}" if again and last is not None else "",
            Text("\n".join(node["reasons"])),
        )
    console.print(table)
    count = sum(node["state"] == "run" for node in found["nodes"])
    if count:
        console.print(f"{count} of {len(found['nodes'])} nodes would run, about {seconds:.0f} s.")
    else:
        console.print("Nothing would run again.")
