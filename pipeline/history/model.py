"""What made one model, from the executions that ML Metadata holds."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.errors import PostersError
from pipeline.history import origin
from pipeline.history.executions import Artifact, Execution, Executions

MODEL, BLESSING, PUSHED = "Model", "ModelBlessing", "PushedModel"
#: Which properties of nodes hold a fingerprint, apart from those of `custom_config`.
_FINGERPRINT = re.compile(r"^[0-9a-f]{16}$")
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Push:
    """One version that a model was pushed as.

    Attributes:
      version: its number, as text.
      path: its folder.
      run: the run that pushed it, as ML Metadata calls it.
      time: when, in milliseconds since 1970.
      artifact: id of the PushedModel.
      decision: who decided so by hand, when and why; None if the Evaluator's blessing did.
    """

    version: str
    path: str
    run: str
    time: int
    artifact: int
    decision: Mapping[str, Any] | None


@dataclasses.dataclass(frozen=True)
class Judgement:
    """One evaluation of a model.

    Attributes:
      execution: the Evaluator's.
      blessed: whether the Evaluator blessed it.
      evaluation: where the figures and reasons lie, or lay.
      baseline: id of the model it was compared with, or None.
    """

    execution: Execution
    blessed: bool
    evaluation: Artifact
    baseline: int | None


@dataclasses.dataclass(frozen=True)
class Spans:
    """The data that a model is made of.

    Attributes:
      data_root: where they lie.
      digests: by number, the SHA-256 of the span's manifest.
    """

    data_root: str
    digests: Mapping[int, str]


def pushes(history: Executions, models_folder: str) -> list[tuple[Push, int]]:
    """Every version in a folder with the id of its model, the highest version first."""
    found = []
    for artifact in history.of_type(PUSHED):
        path = str(artifact.properties.get("pushed_destination", ""))
        maker = history.maker(artifact.id)
        if not artifact.properties.get("pushed") or posixpath.dirname(path) != models_folder:
            continue
        if maker is None or not maker.inputs.get("model"):
            continue
        decisions = (
            _decision(history.artifacts[blessing])
            for blessing in maker.inputs.get("model_blessing", ())
        )
        push = Push(
            version=posixpath.basename(path),
            path=path,
            run=maker.run,
            time=maker.time,
            artifact=artifact.id,
            decision=next((one for one in decisions if one), None),
        )
        found.append((push, maker.inputs["model"][0]))
    return sorted(found, key=lambda pair: int(pair[0].version), reverse=True)


def find(history: Executions, models_folder: str, version: str) -> Artifact:
    """The model that was pushed as a version.

    Raises:
      PostersError: no run that ML Metadata knows pushed it.
    """
    known = pushes(history, models_folder)
    for push, model in known:
        if push.version == version:
            return history.artifacts[model]
    some = ", ".join(push.version for push, _ in known[:_SHOWN])
    raise PostersError(
        f"no version {version} was pushed to {models_folder} by a run that ML Metadata knows: "
        + (f"the last ones are {some}." if some else "there is none.")
    )


def judgements(history: Executions, model: int) -> list[Judgement]:
    """The evaluations of a model, oldest first; those that were cached count once."""
    found: dict[int, Judgement] = {}
    for execution in history.users(model):
        blessings = execution.outputs.get("blessing", ())
        evaluations = execution.outputs.get("evaluation", ())
        if model not in execution.inputs.get("model", ()) or not (blessings and evaluations):
            continue
        blessing = history.artifacts[blessings[0]]
        baselines = execution.inputs.get("baseline_model", ())
        judgement = Judgement(
            execution=history.maker(blessing.id) or execution,
            blessed=bool(blessing.properties.get("blessed")),
            evaluation=history.artifacts[evaluations[0]],
            baseline=baselines[0] if baselines else None,
        )
        found.setdefault(blessing.id, judgement)
    return list(found.values())


def upstream(history: Executions, model: int) -> list[Execution]:
    """The executions that made a model and all that went into it, in the order they began."""
    makers = {
        maker.id: maker
        for artifact in history.ancestors([model])
        if (maker := history.maker(artifact))
    }
    return [makers[number] for number in sorted(makers)]


def spans(history: Executions, model: int) -> Spans | None:
    """The spans that a model was made of, or None if no node of its history brought any."""
    for execution in upstream(history, model):
        if found := spans_of(execution):
            return found
    return None


def spans_of(execution: Execution) -> Spans | None:
    """The spans that a node brought, or None if it is none that does."""
    told = execution.properties
    if not ("spans" in told and "data_root" in told):
        return None
    digests = json.loads(str(told["spans"]))
    return Spans(str(told["data_root"]), {int(key): digests[key] for key in digests})


def settings(history: Executions, model: int) -> Mapping[str, Any]:
    """The configuration of the run that trained a model; empty if none was kept."""
    maker = history.maker(model)
    run = maker and history.run(maker.run)
    kept = run and run.properties.get(origin.SETTINGS)
    return json.loads(str(kept)) if kept else {}


def code(history: Executions, model: int) -> dict[str, Any]:
    """What is known of the code: package, commit, and the fingerprints that nodes carry."""
    maker = history.maker(model)
    run = maker and history.run(maker.run)
    kept = run.properties if run else {}
    names = (origin.PACKAGE, origin.COMMIT, origin.CHANGED, origin.PYTHON)
    executions = [*upstream(history, model), *(one.execution for one in judgements(history, model))]
    return {
        **{name: kept[name] for name in names if name in kept},
        "fingerprints": {
            f"{execution.node}.{name}": digest
            for execution in executions
            for name, digest in _fingerprints(execution)
        },
    }


def trainer_config(history: Executions, model: int) -> dict[str, Any]:
    """What the Trainer was told: settings, labels, image size, views, extractor."""
    maker = history.maker(model)
    told = maker and maker.properties.get("custom_config")
    return json.loads(str(told)) if told else {}


def _decision(blessing: Artifact) -> dict[str, Any] | None:
    names = ("kind", "user", "time", "reason", "run", "overrides")
    found = {name: blessing.properties[name] for name in names if name in blessing.properties}
    return {"kind": "blessing", **found} if found.get("reason") else None


def _fingerprints(execution: Execution) -> Iterator[tuple[str, str]]:
    for name, value in execution.properties.items():
        if _FINGERPRINT.match(str(value)):
            yield name, str(value)
        elif str(value).startswith("{"):
            yield from _nested(name, value)


def _nested(name: str, text: Any) -> Iterator[tuple[str, str]]:
    try:
        told = json.loads(str(text))
    except ValueError:
        return
    for key, value in _walk(told, ()):
        if isinstance(value, str) and _FINGERPRINT.match(value):
            yield ".".join(key), value


def _walk(value: Any, key: Sequence[str]) -> Iterator[tuple[Sequence[str], Any]]:
    if isinstance(value, str) and value.startswith("{"):
        with contextlib.suppress(ValueError):  # only looks like JSON
            value = json.loads(value)
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _walk(inner, (*key, str(name)))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key)
    else:
        yield key, value
