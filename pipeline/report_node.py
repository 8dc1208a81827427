"""The last node of the DAG: it writes the run down for people."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.base.base_node import BaseNode

from components.report.component import RunReport
from pipeline import fingerprints
from pipeline.config import Config
from pipeline.data_nodes import DataNodes
from pipeline.windows import Window

#: What decides what a run's page shows.
_CODE = (
    "components.transform",
    "components.trainer",
    "components.evaluator",
    "components.gate",
    "components.report",
)
#: Settings that say where a run happens, what it may cost and who is told: nothing of what comes of
#: it.
_ELSEWHERE = {
    "workspace", "metadata", "kubeflow", "vertex", "resources", "prices", "retrain", "notify",
}  # fmt: skip


def create(
    config: Config,
    window: Window,
    data: DataNodes,
    trainer: BaseNode,
    evaluator: BaseNode,
    serving_check: BaseNode,
    pusher: BaseNode,
) -> BaseNode:
    """Makes the node, which waits for the Pusher, whether that pushes or not.

    Args:
      config: the checked configuration.
      window: the data that was trained on.
      data: the nodes up to the gate.
      trainer: makes the model.
      evaluator: judges it.
      serving_check: asks it as a server would.
      pusher: pushes it, or not.
    """
    return RunReport(
        examples=data.examples.outputs["examples"],
        statistics=data.statistics.outputs["statistics"],
        gate_report=data.gate.outputs["report"],
        model=trainer.outputs["model"],
        evaluation=evaluator.outputs["evaluation"],
        blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        pushed_model=pusher.outputs["pushed_model"],
        **parameters(config, window),
    )


def parameters(config: Config, window: Window) -> dict[str, Any]:
    """What the node is told besides its inputs; see `RunReport`."""
    return {
        "settings": config.model_dump(mode="json", exclude=_ELSEWHERE),
        "features": config.features,
        "labels": window.labels,
        "fingerprints": {name: fingerprints.code(name) for name in _CODE},
    }
