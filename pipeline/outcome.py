"""What a run came to, read from what its nodes left."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from components.progress import CONSOLE
from pipeline.metadata_store import place

if TYPE_CHECKING:
    from tfx.types import Artifact

    from components.evaluator.verdict import Verdict
    from components.serving_check.report import ServingReport
    from pipeline.runners.reports import NodeReport


def decision(reports: Sequence[NodeReport]) -> dict[str, Any] | None:
    """What the gate decided: verdict, override and findings in words; None if it let nothing by."""
    from components.gate import report
    from components.gate.component import DataGate

    for node in reports:
        if node.id == DataGate.__name__ and node.outputs:
            return report.summarize(report.read(node.outputs["report"][0].uri))
    return None


def evaluation(reports: Sequence[NodeReport]) -> tuple[Verdict | None, str | None]:
    """The evaluation, and the folder of the pushed version, as far as the run came."""
    from components.evaluator import verdict
    from components.pusher import component as pusher

    outputs = {node.id: node.outputs for node in reports if node.state != "failed"}
    evaluated = outputs.get("Evaluator")
    if not evaluated:
        return None, None
    found = verdict.read(evaluated["evaluation"][0].uri, evaluated["blessing"][0].uri)
    pushed = outputs.get("Pusher", {}).get("pushed_model")
    if not pushed or not pushed[0].get_int_custom_property(pusher.PUSHED):
        return found, None
    return found, _destination(pushed[0])


def is_held(reports: Sequence[NodeReport]) -> bool:
    """Whether the Pusher held the model back for a person."""
    from components.pusher import component as pusher

    outputs = (node.outputs.get("pushed_model") for node in reports if node.id == "Pusher")
    return any(found[0].get_int_custom_property(pusher.HELD) for found in outputs if found)


def by_hand(
    reports: Sequence[NodeReport], where: place.Place
) -> tuple[dict[str, str] | None, str | None]:
    """What was decided by hand about the model, and the folder it was pushed to."""
    from pipeline import by_hand as records

    (model,) = next(node.outputs["model"] for node in reports if node.id == "Trainer")
    store = place.open_store(where)
    record = records.find(store, model.id, "blessing", "push")
    pushed = record and records.find_pushed(store, model.id)
    return (dataclasses.asdict(record), _destination(pushed)) if pushed else (None, None)


def _destination(pushed: Artifact) -> str:
    """Where a pushed version lies; it is put back there if need be."""
    from components.pusher import component as pusher

    if pusher.restore(pushed):
        CONSOLE.print("  the pushed version had been deleted: it was put back", markup=False)
    return pushed.get_string_custom_property(pusher.DESTINATION)


def serving(reports: Sequence[NodeReport]) -> ServingReport | None:
    """Whether the model serves, or None if the run did not come that far."""
    from components.serving_check import report
    from components.serving_check.component import ServingCheck

    for node in reports:
        if node.id == ServingCheck.__name__ and node.state != "failed":
            return report.read(node.outputs["blessing"][0].uri)
    return None
