"""What ML Metadata holds of one pipeline, read once: executions, artifacts and runs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_PIPELINE, _RUN, _NODE = "pipeline", "pipeline_run", "node"
_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)
_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
_LIVE = metadata_store_pb2.Artifact.LIVE

Value = int | float | str


@dataclasses.dataclass(frozen=True)
class Artifact:
    """One artifact.

    Attributes:
      id: ML Metadata's.
      type: `Model`, `Examples` and so on.
      uri: where it lies, or lay.
      properties: by name; custom ones too.
      state: `LIVE`, or what became of it.
      proto: as ML Metadata has it.
    """

    id: int
    type: str
    uri: str
    properties: Mapping[str, Value]
    state: str
    proto: metadata_store_pb2.Artifact = dataclasses.field(repr=False, compare=False)

    @property
    def is_live(self) -> bool:
        """Whether it was published and not removed."""
        return self.proto.state == _LIVE


@dataclasses.dataclass(frozen=True)
class Execution:
    """One launch of a node.

    Attributes:
      id: ML Metadata's.
      node: the node's name in the DAG.
      run: the run's name, as ML Metadata calls it.
      state: `COMPLETE`, `CACHED`, `FAILED` and so on.
      time: when it began, in milliseconds since 1970.
      seconds: from then until it was last written to, which is its end.
      properties: what the node was told, by name.
      inputs: ids of artifacts by key, in order.
      outputs: the same.
    """

    id: int
    node: str
    run: str
    state: str
    time: int
    seconds: float
    properties: Mapping[str, Value] = dataclasses.field(repr=False)
    inputs: Mapping[str, Sequence[int]]
    outputs: Mapping[str, Sequence[int]]

    @property
    def succeeded(self) -> bool:
        """Whether it ran to its end, or was cached."""
        return self.state in ("COMPLETE", "CACHED")


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of the pipeline, or of one that pushes by hand.

    Attributes:
      name: as ML Metadata calls it; of `posters run`, the run's id.
      properties: what was kept with it, see `origin`.
      executions: in the order they began.
    """

    name: str
    properties: Mapping[str, Value]
    executions: Sequence[Execution]


class Executions:
    """The history of one pipeline."""

    def __init__(self, runs: Sequence[Run], artifacts: Mapping[int, Artifact]) -> None:
        """Takes runs, oldest first, and the artifacts that they name."""
        self.runs = runs
        self.artifacts = artifacts

    def __iter__(self) -> Iterator[Execution]:
        """Every execution, oldest first."""
        return (execution for run in self.runs for execution in run.executions)

    @functools.cached_property
    def _makers(self) -> Mapping[int, Execution]:
        makers: dict[int, Execution] = {}
        for execution in self:
            for ids in execution.outputs.values():
                for artifact in ids:
                    # A cached one only found it, as an importer may; the first made it.
                    makers.setdefault(artifact, execution)
        return makers

    def maker(self, artifact: int) -> Execution | None:
        """The execution that made an artifact, or None if none of this pipeline did."""
        return self._makers.get(artifact)

    def users(self, artifact: int) -> list[Execution]:
        """The executions that an artifact was an input of, oldest first."""
        return [found for found in self if any(artifact in ids for ids in found.inputs.values())]

    def run(self, name: str) -> Run | None:
        """A run by its name."""
        return next((run for run in self.runs if run.name == name), None)

    def of_type(self, kind: str) -> list[Artifact]:
        """The artifacts of one type, oldest first."""
        found = (artifact for artifact in self.artifacts.values() if artifact.type == kind)
        return sorted(found, key=lambda artifact: artifact.id)

    def ancestors(self, artifacts: Sequence[int]) -> set[int]:
        """Ids of the artifacts that some were made from, these among them."""
        found: set[int] = set()
        left = list(artifacts)
        while left:
            artifact = left.pop()
            if artifact in found:
                continue
            found.add(artifact)
            if maker := self.maker(artifact):
                left.extend(made for ids in maker.inputs.values() for made in ids)
        return found


def read(store: mlmd.MetadataStore, pipeline: str) -> Executions:
    """Reads the history of a pipeline; an empty one if it never ran.

    Args:
      store: ML Metadata.
      pipeline: its name.
    """
    context = store.get_context_by_type_and_name(_PIPELINE, pipeline)
    if context is None:
        return Executions([], {})
    contexts = store.get_children_contexts_by_context(context.id)
    run_contexts = [found for found in contexts if found.type == _RUN]
    nodes = _nodes_by_execution(store, pipeline)
    by_run = {found.id: store.get_executions_by_context(found.id) for found in run_contexts}
    events = _events(store, [one.id for found in by_run.values() for one in found])
    runs = [
        Run(
            found.name,
            _values(found.custom_properties),
            [
                _execution(one, nodes.get(one.id, ""), found.name, events.get(one.id, ()))
                for one in sorted(by_run[found.id], key=lambda one: one.id)
            ],
        )
        for found in sorted(run_contexts, key=lambda found: found.id)
    ]
    ids = sorted({event.artifact_id for found in events.values() for event in found})
    return Executions(runs, _artifacts(store, ids))


def _nodes_by_execution(store: mlmd.MetadataStore, pipeline: str) -> dict[int, str]:
    prefix = f"{pipeline}."
    return {
        execution.id: context.name.removeprefix(prefix)
        for context in store.get_contexts_by_type(_NODE)
        if context.name.startswith(prefix)
        for execution in store.get_executions_by_context(context.id)
    }


def _events(
    store: mlmd.MetadataStore, execution_ids: Sequence[int]
) -> dict[int, list[metadata_store_pb2.Event]]:
    found: dict[int, list[metadata_store_pb2.Event]] = {}
    for event in store.get_events_by_execution_ids(execution_ids) if execution_ids else ():
        found.setdefault(event.execution_id, []).append(event)
    return found


def _execution(
    found: metadata_store_pb2.Execution,
    node: str,
    run: str,
    events: Sequence[metadata_store_pb2.Event],
) -> Execution:
    return Execution(
        id=found.id,
        node=node,
        run=run,
        state=metadata_store_pb2.Execution.State.Name(found.last_known_state),
        time=found.create_time_since_epoch,
        seconds=(found.last_update_time_since_epoch - found.create_time_since_epoch) / 1000,
        properties={**_values(found.properties), **_values(found.custom_properties)},
        inputs=_by_key(events, _INPUTS),
        outputs=_by_key(events, _OUTPUTS),
    )


def _by_key(
    events: Sequence[metadata_store_pb2.Event], kinds: Sequence[int]
) -> dict[str, list[int]]:
    placed = []
    for event in events:
        if event.type in kinds:
            key = next((step.key for step in event.path.steps if step.HasField("key")), "")
            index = next((step.index for step in event.path.steps if step.HasField("index")), 0)
            placed.append((key, index, event.artifact_id))
    found: dict[str, list[int]] = {}
    for key, _, artifact in sorted(placed):
        found.setdefault(key, []).append(artifact)
    return found


def _artifacts(store: mlmd.MetadataStore, ids: Sequence[int]) -> dict[int, Artifact]:
    if not ids:
        return {}
    return {
        found.id: Artifact(
            id=found.id,
            type=found.type,
            uri=found.uri,
            properties={**_values(found.properties), **_values(found.custom_properties)},
            state=metadata_store_pb2.Artifact.State.Name(found.state),
            proto=found,
        )
        for found in store.get_artifacts_by_id(ids)
    }


def _values(properties: Mapping[str, metadata_store_pb2.Value]) -> dict[str, Value]:
    found = {}
    for name, value in properties.items():
        kind = value.WhichOneof("value")
        if kind in ("int_value", "double_value", "string_value"):
            found[name] = getattr(value, kind)
    return found
