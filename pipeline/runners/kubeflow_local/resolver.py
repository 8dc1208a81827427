"""Finds artifacts of earlier runs: what a resolver's queries ask the service's metadata."""

from __future__ import annotations

import re
from collections.abc import Callable

from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local import placeholders
from pipeline.runners.kubeflow_local.artifacts import Values, plain, title
from pipeline.runners.kubeflow_local.store import Store

_TERM = re.compile(r'([\w.]+)\s*=\s*(?:"([^"]*)"|([^\s"]+))')
_METADATA = re.compile(r"metadata\.(\w+)\.(number|string)_value")
#: The only state of what the store keeps.
_STATE = "LIVE"

_Predicate = Callable[[spec_pb2.RuntimeArtifact], bool]


def resolve(
    resolver: spec_pb2.PipelineDeploymentConfig.ResolverSpec, given: Values, store: Store
) -> Values:
    """Answers every query of a resolver.

    Args:
      resolver: its queries, by key of the output.
      given: its own inputs, which a query may name.
      store: where to look.

    Returns:
      The newest artifacts that fit, none where there are none.

    Raises:
      PostersError: a query is of an unknown form.
    """
    task_input = spec_pb2.ExecutorInput()
    for key, artifacts in given.artifacts.items():
        task_input.inputs.artifacts[key].artifacts.extend(artifacts)
    found = {}
    for key, query in resolver.output_artifact_queries.items():
        if placeholders.stands_for_nothing(query.filter, task_input):
            found[key] = []
            continue
        wanted = predicate(placeholders.fill(query.filter, task_input))
        found[key] = store.latest(wanted, limit=query.limit or 1)
    return Values(artifacts=found)


def predicate(query: str) -> _Predicate:
    """The meaning of a query: terms `schema_title="tfx.Model"` and the like, joined by AND.

    Raises:
      PostersError: it has another form.
    """
    terms = [_term(query, term.strip()) for term in query.split(" AND ")]
    return lambda artifact: all(term(artifact) for term in terms)


def _term(query: str, term: str) -> _Predicate:
    match = _TERM.fullmatch(term)
    if not match:
        raise PostersError(f"{term!r} in the query {query!r} is of an unknown form.")
    key, quoted, bare = match.groups()
    value = bare if quoted is None else quoted
    if key == "schema_title":
        return lambda artifact: title(artifact.type) == value
    if key == "name":
        return lambda artifact: artifact.name == value
    if key == "state":
        return lambda artifact: value == _STATE
    if metadata := _METADATA.fullmatch(key):
        wanted = _number(query, value) if metadata[2] == "number" else value
        return lambda artifact: _has(artifact, metadata[1], wanted)
    raise PostersError(f"{key} in the query {query!r} is not known here.")


def _number(query: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise PostersError(f"{text!r} in the query {query!r} is no number.") from error


def _has(artifact: spec_pb2.RuntimeArtifact, key: str, wanted: float | str) -> bool:
    if key not in artifact.metadata.fields:
        return False
    found = plain(artifact.metadata.fields[key])
    return type(found) is type(wanted) and found == wanted
