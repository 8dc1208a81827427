"""The lineage of a version, or of a poster, as data: JSON values all through."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components import paths
from components.errors import PostersError
from components.ingest.spans import INDEX
from components.spans import reading
from pipeline.config import Config
from pipeline.history import graph, model, served, when
from pipeline.history.executions import Artifact, Executions

#: Grows when a reader of the JSON would have to change.
FORMAT = 1
_ROLES = {
    "train": "trained on it",
    "eval": "stopped and calibrated on it",
    "test": "measured on it",
}


def of_version(history: Executions, config: Config, version: str | None) -> dict[str, Any]:
    """What made the model of a version.

    Args:
      history: of the configuration's pipeline.
      config: where things lie.
      version: its number; None for the one that serves.

    Raises:
      PostersError: there is no such version, or nothing was pushed yet.
    """
    serving = served.version(config.models_folder)
    wanted = version or serving
    if wanted is None:
        raise PostersError(
            f"nothing was pushed to {config.models_folder} yet, so no model serves: `posters run` "
            "pushes one. `posters lineage POSTER` and --what-if answer all the same."
        )
    found = model.find(history, config.models_folder, wanted)
    return {
        "format": FORMAT,
        "version": wanted,
        "serves": wanted == serving,
        "serving_version": serving,
        "pushes": _pushes(history, config, found.id),
        "model": _model(history, found),
        "data": _data(history, found.id),
        "schema": _schema(history, found.id),
        "code": model.code(history, found.id),
        "features": _features(history, found.id),
        "settings": model.settings(history, found.id),
        "baseline": _baseline(history, config, found.id),
        "verdict": _verdict(history, config, found.id),
        "graph": graph.of_model(history, config.models_folder, found.id),
    }


def of_poster(history: Executions, config: Config, poster: str) -> dict[str, Any]:
    """In which span and split a poster is, and what it was for which models.

    Args:
      history: of the configuration's pipeline.
      config: where things lie; every span of its data root is searched.
      poster: its id, as in the table that was ingested.

    Raises:
      PostersError: no span has it.
    """
    places = list(_places(config, poster))
    if not places:
        raise PostersError(
            f"{poster} is neither a version in {config.models_folder} nor the id of a poster in a "
            f"span of {config.data_root}. `posters runs` lists what was pushed."
        )
    versions: dict[int, list[str]] = {}
    for push, model_id in model.pushes(history, config.models_folder):
        versions.setdefault(model_id, []).append(push.version)
    models = []
    for artifact in history.of_type(model.MODEL):
        used = model.spans(history, artifact.id)
        for place in places:
            if used and used.data_root == place["data_root"] and place["span"] in used.digests:
                models.append(
                    {
                        **_model(history, artifact),
                        "versions": versions.get(artifact.id, []),
                        "span": place["span"],
                        "split": place["split"],
                        "role": _ROLES.get(place["split"], "has seen it"),
                    }
                )
    return {
        "format": FORMAT,
        "poster": poster,
        "places": places,
        "serving_version": served.version(config.models_folder),
        "models": models,
    }


def _places(config: Config, poster: str) -> Iterator[dict[str, Any]]:
    root = paths.to_path(config.data_root)
    for number in reading.numbers(root):
        try:
            text = (root / f"span-{number}" / INDEX).read_text(encoding="utf-8")
        except OSError:
            continue  # a span that is half removed
        # Not `splitlines`, which also splits at what an id may hold.
        for line in text.split("\n"):
            # Most lines are of other posters: reading them as JSON takes ten times as long.
            if json.dumps(poster, ensure_ascii=False) not in line:
                continue
            entry = json.loads(line)
            if entry["id"] == poster:
                yield {
                    "data_root": config.data_root,
                    "span": number,
                    "split": entry["split"],
                    "labels": entry["labels"],
                    "sha256": entry["sha256"],
                }


def _pushes(history: Executions, config: Config, model_id: int) -> list[dict[str, Any]]:
    return [
        {**dataclasses.asdict(push), "time": when.iso(push.time)}
        for push, pushed in model.pushes(history, config.models_folder)
        if pushed == model_id
    ]


def _model(history: Executions, artifact: Artifact) -> dict[str, Any]:
    maker = history.maker(artifact.id)
    return {
        "id": artifact.id,
        "uri": artifact.uri,
        "removed": not artifact.is_live,
        "run": maker and maker.run,
        "trained": maker and when.iso(maker.time),
    }


def _data(history: Executions, model_id: int) -> dict[str, Any]:
    found = model.spans(history, model_id)
    told = model.trainer_config(history, model_id)
    return {
        "data_root": found and found.data_root,
        "spans": [
            {"span": number, "manifest_sha256": digest}
            for number, digest in sorted(found.digests.items() if found else ())
        ],
        "labels": told.get("labels", []),
    }


def _schema(history: Executions, model_id: int) -> dict[str, Any] | None:
    for execution in model.upstream(history, model_id):
        if "schema" in execution.outputs:
            artifact = history.artifacts[execution.outputs["schema"][0]]
            # Its path bears the digest of its content, see `fingerprints.by_content`.
            source = str(execution.properties.get("schema_file", ""))
            digest = Path(source).parent.name if source else None
            return {"uri": artifact.uri, "digest": digest, "removed": not artifact.is_live}
    return None


def _features(history: Executions, model_id: int) -> dict[str, Any]:
    told = model.trainer_config(history, model_id)
    return {
        "hub_handle": told.get("settings", {}).get("hub_handle"),
        "extractor": told.get("fingerprints", {}).get("extractor"),
        "image_size": told.get("image_size"),
        "views": told.get("views", []),
        "names": told.get("features", {}),
    }


def _judgement(history: Executions, config: Config, model_id: int) -> model.Judgement | None:
    found = model.judgements(history, model_id)
    if not found:
        return None
    runs = [
        push.run
        for push, pushed in model.pushes(history, config.models_folder)
        if pushed == model_id
    ]
    # Judged several times, as with other rules, what counts is the verdict that it was pushed by.
    ended = [one for one in found if one.execution.run in runs]
    return (ended or found)[-1]


def _baseline(history: Executions, config: Config, model_id: int) -> dict[str, Any] | None:
    judgement = _judgement(history, config, model_id)
    if judgement is None or judgement.baseline is None:
        return None
    versions = [
        push.version
        for push, pushed in model.pushes(history, config.models_folder)
        if pushed == judgement.baseline
    ]
    return {**_model(history, history.artifacts[judgement.baseline]), "versions": versions}


def _verdict(history: Executions, config: Config, model_id: int) -> dict[str, Any] | None:
    from components.evaluator import verdict

    judgement = _judgement(history, config, model_id)
    if judgement is None:
        return None
    found = {
        "blessed": judgement.blessed,
        "run": judgement.execution.run,
        "time": when.iso(judgement.execution.time),
        "evaluation": judgement.evaluation.uri,
        "reasons": [],
        "figures": {},
    }
    blessing = history.artifacts[judgement.execution.outputs["blessing"][0]]
    try:
        read = verdict.read(judgement.evaluation.uri, blessing.uri)
    except PostersError:
        return found  # its files were removed; ML Metadata still says whether it was blessed
    overall = {key: value for key, value in read.figures.items() if "/" not in key}
    return {**found, "reasons": list(read.reasons), "figures": overall}


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings under dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= {f"{key}.{inner}": leaf for inner, leaf in flat(value).items()}
        else:
            found[key] = value
    return found
