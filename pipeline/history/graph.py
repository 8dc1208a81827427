"""The graph of what made a model and what became of it, as boxes and arrows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.spans.words import in_words
from pipeline.history import model, when
from pipeline.history.executions import Execution, Executions

_DATA = "data"
#: Inputs that are models in their own right.
_OTHER_MODELS = ("baseline_model", "base_model")

Parts = Mapping[str, list[dict[str, Any]]]


def of_model(history: Executions, models_folder: str, model_id: int) -> Parts:
    """Boxes and arrows.

    Args:
      history: of the pipeline.
      models_folder: where versions lie.
      model_id: the model's artifact.

    Returns:
      `nodes`, each with `id`, `kind` (`data`, `node`, `baseline` or `version`), `title` and
      `lines`; `edges`, each with `from`, `to` and `label`. No way leads round in a circle.
    """
    nodes: dict[str, dict[str, Any]] = {}
    edges: dict[tuple[str, str, str], dict[str, Any]] = {}

    def box(name: str, kind: str, title: str, *lines: str) -> str:
        nodes.setdefault(name, {"id": name, "kind": kind, "title": title, "lines": list(lines)})
        return name

    def arrow(begin: str, end: str, label: str = "") -> None:
        edges[begin, end, label] = {"from": begin, "to": end, "label": label}

    versions: dict[int, list[str]] = {}
    for push, pushed in model.pushes(history, models_folder):
        versions.setdefault(pushed, []).append(push.version)
    for execution in _executions(history, model_id):
        here = box(_name(execution), "node", execution.node, when.words(execution.time))
        if found := model.spans_of(execution):
            arrow(box(_DATA, "data", in_words(sorted(found.digests)), found.data_root), here)
        for key, artifacts in execution.inputs.items():
            for artifact in artifacts:
                maker = history.maker(artifact)
                if key in _OTHER_MODELS:
                    served = ", ".join(versions.get(artifact, [])) or "never pushed"
                    other = box(f"model {artifact}", "baseline", f"model {artifact}", served)
                    arrow(other, here, key)
                elif maker:
                    begin = box(_name(maker), "node", maker.node, when.words(maker.time))
                    arrow(begin, here, key)
    for push, pushed in model.pushes(history, models_folder):
        maker = next((one for one in history if push.artifact in _outputs(one)), None)
        if pushed == model_id and maker and _name(maker) in nodes:
            reason = (push.decision or {}).get("reason")
            version = box(
                f"version {push.version}",
                "version",
                f"version {push.version}",
                *([reason] if reason else []),
            )
            arrow(_name(maker), version, "pushed")
    return {"nodes": list(nodes.values()), "edges": list(edges.values())}


def _executions(history: Executions, model_id: int) -> list[Execution]:
    """What made a model and what was made of it, with all that went into either."""
    trained = history.maker(model_id)
    found: dict[int, Execution] = {}
    left = [
        execution
        for execution in history.users(model_id)
        if model_id in execution.inputs.get("model", ()) and _made_it(history, execution)
    ]
    left += [trained] if trained else []
    while left:
        execution = left.pop()
        if execution.id in found:
            continue
        found[execution.id] = execution
        for key, artifacts in execution.inputs.items():
            # Another model has a lineage of its own.
            if key not in _OTHER_MODELS:
                left += [maker for one in artifacts if (maker := history.maker(one))]
    return [found[number] for number in sorted(found)]


def _made_it(history: Executions, execution: Execution) -> bool:
    """Whether an execution made its outputs itself, and did not only find them cached."""
    made = _outputs(execution)
    return execution.succeeded and bool(made) and history.maker(made[0]) == execution


def _outputs(execution: Execution) -> list[int]:
    return [artifact for artifacts in execution.outputs.values() for artifact in artifacts]


def _name(execution: Execution) -> str:
    return f"execution {execution.id}"
