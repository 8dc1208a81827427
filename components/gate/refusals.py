"""Refusals of the gate that still stand: found without running it again.

Only the gate's own records are read, and no TFX is loaded: who decides whether to run at all asks.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from components.gate.findings import Finding
from components.paths import AnyPath, to_path
from components.store_path import StorePath

#: What the folder of a refusal, below that of accepted spans, begins with.
FOLDER = "refused-span-"
_REPORT = "gate.json"


@dataclasses.dataclass(frozen=True)
class Refusal:
    """Spans that were refused together.

    Attributes:
      manifests: SHA-256 of every span's manifest, by number.
      findings: what is wrong, in words.
    """

    manifests: Mapping[int, str]
    findings: tuple[str, ...]


def find(accepted_folder: str, basis: str) -> list[Refusal]:
    """Refusals by what the gate decides by now, of spans that it let through at no time.

    Args:
      accepted_folder: where the gate keeps its records.
      basis: see `basis.digest`.
    """
    folder = to_path(accepted_folder)
    found = []
    for path in sorted(_folders(folder), key=str):
        report = _read(path / _REPORT)
        if report is None or report.get("basis") != basis:
            continue
        manifests = {int(number): digest for number, digest in report["manifests"].items()}
        if not any(_is_accepted(folder, *span) for span in manifests.items()):
            findings = tuple(
                Finding(**{**finding, "examples": tuple(finding["examples"])}).describe()
                for finding in report["findings"]
            )
            found.append(Refusal(manifests, findings))
    return found


def _is_accepted(folder: AnyPath, number: int, manifest: str) -> bool:
    record = _read(folder / f"span-{number}.json")
    return record is not None and record.get("manifest") == manifest


def _folders(folder: AnyPath) -> list[AnyPath]:
    if isinstance(folder, StorePath):
        return list(folder.folders(FOLDER))
    return list(folder.glob(f"{FOLDER}*"))


def _read(path: AnyPath) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
