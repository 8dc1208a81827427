"""Parts of a lineage in words, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.report import view, words
from components.spans.words import ranges

_MEANING = {"blessing": "blessed by hand", "push": "pushed by hand", "rollback": "rolled back to"}


def settings(
    values: Mapping[str, Any], sections: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """Settings as dotted keys and values; all of them, or those of some sections."""
    chosen = {
        key: value
        for key, value in values.items()
        if sections is None or (key in sections and value is not None)
    }
    return view.flat(chosen)


def push(push: Mapping[str, Any]) -> str:
    """When a version was pushed and, if a person decided so, by whom and why."""
    line = f"as {push['version']} on {push['time']}"
    if decision := push["decision"]:
        meaning = _MEANING[decision["kind"]]
        line += f", {meaning}, by {decision['user']}: {decision['reason']}"
    return line


def spans(data: Mapping[str, Any]) -> str:
    """The numbers of the spans."""
    return ranges([span["span"] for span in data["spans"]]) or words.NOTHING


def code(code: Mapping[str, Any]) -> str:
    """Package and commit, as far as known."""
    parts = [f"version {code.get('package_version', 'unknown')}"]
    if commit := code.get("git_commit"):
        changed = ", with changes that were not committed" if code["git_changed"] == "yes" else ""
        parts.append(f"commit {commit}{changed}")
    if python := code.get("python_version"):
        parts.append(f"Python {python}")
    return "; ".join(parts)


def features(features: Mapping[str, Any]) -> str:
    """Where the features of an image come from."""
    views = ", ".join(features["views"])
    return (
        f"{features['hub_handle']} ({str(features['extractor'])[:16]}), {features['image_size']} "
        f"pixels, {views}"
    )


def baseline(baseline: Mapping[str, Any] | None) -> str:
    """Which model it was compared with."""
    if baseline is None:
        return "none: nothing to compare with served then"
    versions = ", ".join(baseline["versions"]) or "which was never pushed"
    return f"version {versions}, {baseline['uri']}"
