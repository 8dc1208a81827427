"""What each runner can do, and what of the DAG differs for it, with the reason.

Every runner gets the DAG of `pipeline.dag.create_pipeline`. Nodes and edges are the same, but for
`DIFFERENCES`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Runner:
    """What one runner can do.

    Attributes:
      name: as `posters run --runner` and errors name it.
      section: the section of the configuration that it needs, or None.
      store_schemes: what the addresses of its data and store may begin with; empty where both lie
        on this machine.
      has_metadata: whether ML Metadata can be asked while the DAG is built and between nodes.
      has_custom_jobs: whether it can train as a custom job of Vertex AI.
      feature_cache: folder for features in a node's container, gone with it; None if they stay in
        the workspace.
    """

    name: str
    section: str | None = None
    store_schemes: tuple[str, ...] = ()
    has_metadata: bool = False
    has_custom_jobs: bool = False
    feature_cache: str | None = None

    @property
    def local_store(self) -> bool:
        """Whether what nodes read and write lies on this machine."""
        return not self.store_schemes


#: Containers share no disk, and features are many small reads and renames, which stores are bad at.
#: Computing them again costs one pass of the extractor.
_SCRATCH = "/tmp/posters/features"

LOCAL = Runner("local", has_metadata=True)
#: Runs a compiled job on this machine; its nodes share the disk but are told nothing else.
KUBEFLOW_LOCAL = Runner("kubeflow-local")
KUBEFLOW = Runner("kubeflow", "kubeflow", store_schemes=("gs", "s3"), feature_cache=_SCRATCH)
VERTEX = Runner(
    "vertex", "vertex", store_schemes=("gs",), has_custom_jobs=True, feature_cache=_SCRATCH
)
RUNNERS = (LOCAL, KUBEFLOW_LOCAL, KUBEFLOW, VERTEX)

#: By node: what is otherwise where there is no ML Metadata to ask, and why.
DIFFERENCES: Mapping[str, str] = {
    "BaselineResolver": (
        "a component that takes the newest pushed model, not a resolver over ML Metadata: "
        "Kubeflow's own backend runs no resolver at all, Vertex only two of TFX's, of which one "
        "would compare a model with itself when run again"
    ),
    "WarmStartResolver": "the same as BaselineResolver, for the same reason",
    "RetrainDecision": (
        "only in a scheduled job, where every other node hangs on it: a schedule sends the same "
        "job each time, and nobody decides before. On this machine posters retrain does, before "
        "there is a DAG"
    ),
    "RetrainOutcome": (
        "only in a scheduled job: on this machine posters retrain itself writes down what came of "
        "a decision"
    ),
}
