"""What a person decides about a model, on the record: to bless it, to push it, to roll back to it.

Such a decision is a ModelBlessing artifact in ML Metadata beside the Evaluator's: whatever looks
for blessed models finds it. It says who decided, when and why. The push that follows names it as
its input, so that a version tells why it is there.
"""

from __future__ import annotations

import dataclasses
import datetime
import getpass
from typing import Literal

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_artifacts

from components.paths import to_path
from components.pusher import component as pusher
from components.pusher import pushes
from pipeline.config import Config

Kind = Literal["blessing", "push", "rollback"]
#: By kind, the node that makes the decision.
NODES: dict[Kind, str] = {
    "blessing": "BlessedByHand",
    "push": "PushedByHand",
    "rollback": "RolledBack",
}
_MODEL_NODE = "ChosenModel"


@dataclasses.dataclass(frozen=True)
class ByHand:
    """One decision.

    Attributes:
      run: the run whose model it is; empty if none is known.
      reason: why, in the person's words.
      user: who.
      time: when, ISO 8601 in UTC.
      overrides: where the Evaluator's refusal lies, or which version served before; empty if
        nothing is overridden.
      kind: what was decided; of records without one, a blessing.
    """

    run: str
    reason: str
    user: str
    time: str
    overrides: str = ""
    kind: Kind = "blessing"


def decide(kind: Kind, run: str, reason: str, overrides: str = "") -> ByHand:
    """A decision of the person at this machine, now."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    return ByHand(run, reason, getpass.getuser(), now, overrides, kind)


def create_pipeline(config: Config, model: standard_artifacts.Model, given: ByHand) -> Pipeline:
    """A DAG of the same name that records a decision and pushes a model, like the one that made it.

    Args:
      config: where things lie.
      model: the model, as ML Metadata knows it.
      given: what goes on the record.

    Raises:
      OSError: the decision cannot be written.
    """
    node = NODES[given.kind]
    # One model may be decided about several times.
    name = f"{given.run or model.id}-{given.time.replace(':', '')}"
    folder = to_path(f"{config.pipeline_root}/{node}/blessing/{name}")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / constants.BLESSED_FILE_NAME).open("wb"):
        pass
    imported = Importer(
        source_uri=model.uri, artifact_type=standard_artifacts.Model, reimport=False
    ).with_id(_MODEL_NODE)
    blessing = Importer(
        source_uri=str(folder),
        artifact_type=standard_artifacts.ModelBlessing,
        custom_properties={
            constants.ARTIFACT_PROPERTY_BLESSED_KEY: constants.BLESSED_VALUE,
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY: model.uri,
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY: model.id,
            **dataclasses.asdict(given),
        },
    ).with_id(node)
    push = pusher.Pusher(
        model=imported.outputs["result"],
        model_blessing=blessing.outputs["result"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=config.models_folder)
        ),
    )
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=config.pipeline_root,
        components=[imported, blessing, push],
        enable_cache=False,
    )


def find_model(store: mlmd.MetadataStore, uri: str) -> standard_artifacts.Model | None:
    """The model artifact at an address, or None if ML Metadata knows none."""
    for artifact in _artifacts(store, standard_artifacts.Model):
        if artifact.uri == uri and artifact.state == metadata_store_pb2.Artifact.LIVE:
            model = standard_artifacts.Model()
            model.id, model.uri = artifact.id, artifact.uri
            return model
    return None


def read(artifact: metadata_store_pb2.Artifact) -> ByHand | None:
    """What a ModelBlessing artifact says of a decision by hand; None if it is the Evaluator's."""
    found = {
        field.name: artifact.custom_properties[field.name].string_value
        for field in dataclasses.fields(ByHand)
        if field.name in artifact.custom_properties
    }
    return ByHand(**found) if found.get("reason") else None


def find(store: mlmd.MetadataStore, model_id: int, *kinds: Kind) -> ByHand | None:
    """The last decision of some kinds about a model, or None."""
    blessings = _artifacts(store, standard_artifacts.ModelBlessing)
    for artifact in sorted(blessings, key=lambda artifact: artifact.id, reverse=True):
        about = artifact.custom_properties[constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY]
        record = read(artifact)
        if about.int_value == model_id and record and record.kind in kinds:
            return record
    return None


def find_pushed(store: mlmd.MetadataStore, model_id: int) -> types.Artifact | None:
    """The version that a model was pushed as last, or None if it never was."""
    pushed = find_versions(store)
    models = pushes.models_of(store, [artifact.id for artifact in pushed])
    return next((found for found in pushed if models.get(found.id) == model_id), None)


def find_versions(store: mlmd.MetadataStore) -> list[types.Artifact]:
    """Everything that was ever pushed, the last first."""
    artifacts = [
        artifact
        for artifact in _artifacts(store, standard_artifacts.PushedModel)
        if artifact.custom_properties[pusher.PUSHED].int_value
    ]
    if not artifacts:
        return []
    [artifact_type] = store.get_artifact_types_by_id([artifacts[0].type_id])
    artifacts.sort(key=lambda artifact: artifact.id, reverse=True)
    return artifact_utils.deserialize_artifacts(artifact_type, artifacts)


def _artifacts(
    store: mlmd.MetadataStore, kind: type[types.Artifact]
) -> list[metadata_store_pb2.Artifact]:
    return store.get_artifacts_by_type(kind.TYPE_NAME)
