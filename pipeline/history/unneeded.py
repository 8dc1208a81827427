"""Which artifacts nothing needs.

What is kept is closed: with an artifact, everything that it was made from is kept, too. So whatever
is kept stays cached, and what is removed is what a later run makes again, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipeline.history.executions import Artifact, Executions, Run
from pipeline.history.model import BLESSING, MODEL, PUSHED

#: A node that every run of `posters run` has, and no push by hand.
_ORDINARY = "StatisticsGen"
_REMOVABLE = ("LIVE", "MARKED_FOR_DELETION")


def artifacts(
    history: Executions, keep: int, pipeline_root: str, needed: Collection[str]
) -> list[Artifact]:
    """The artifacts that may be removed, oldest first.

    Args:
      history: of the pipeline.
      keep: how many of the last runs, and of the last models, stay whatever became of them.
      pipeline_root: where artifacts lie; what was imported from elsewhere is not ours to remove.
      needed: addresses that something besides later runs refers to.
    """
    kept = _kept(history, keep)
    kept |= {found.id for found in history.artifacts.values() if found.uri in needed}
    kept = history.ancestors(sorted(kept))
    # One folder may be known as several artifacts, as what was imported is.
    folders = {
        found.uri for found in history.artifacts.values() if found.id in kept and found.is_live
    }
    return [
        found
        for number, found in sorted(history.artifacts.items())
        if found.state in _REMOVABLE
        and (number not in kept or found.state != "LIVE")
        and found.uri.startswith(f"{pipeline_root}/")
        and found.uri not in folders
    ]


def _kept(history: Executions, keep: int) -> set[int]:
    ordinary = [run for run in history.runs if any(one.node == _ORDINARY for one in run.executions)]
    models = _models(history, keep)
    runs = [*ordinary[-keep:], *(run for run in history.runs if _outputs(run) & models)]
    return {artifact for run in runs for artifact in _outputs(run)} | models


def _models(history: Executions, keep: int) -> set[int]:
    """Models that were pushed, that were blessed, and the last that runs ended with."""
    pushed = {
        model
        for artifact in history.of_type(PUSHED)
        if artifact.properties.get("pushed") and (maker := history.maker(artifact.id))
        for model in maker.inputs.get("model", ())
    }
    blessed = {
        int(artifact.properties["current_model_id"])
        for artifact in history.of_type(BLESSING)
        if artifact.properties.get("blessed") and "current_model_id" in artifact.properties
    }
    return pushed | blessed | set(_last(history, keep))


def _last(history: Executions, keep: int) -> list[int]:
    """The models that runs ended with last, a model that was cached counting by its last run."""
    ended: dict[int, None] = {}
    for run in history.runs:
        for artifact in sorted(_outputs(run)):
            if _type(history.artifacts, artifact) == MODEL:
                ended.pop(artifact, None)
                ended[artifact] = None
    return list(ended)[-keep:]


def _outputs(run: Run) -> set[int]:
    return {
        artifact
        for execution in run.executions
        for artifacts in execution.outputs.values()
        for artifact in artifacts
    }


def _type(artifacts: Mapping[int, Artifact], artifact: int) -> str | None:
    return artifacts[artifact].type if artifact in artifacts else None
