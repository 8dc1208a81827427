"""What a local run begins before its node's turn, on a core that is idle meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tfx import types
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.evaluator.eval_config import SPLIT
from components.features import Features
from components.report import ahead as page
from components.report.sources import Sources
from components.serving_check import process
from pipeline.runners.reports import NodeReport


class Ahead:
    """Follows the nodes of a run, and begins what those after them will ask for.

    ServingCheck's process loads TensorFlow beside the Trainer and the model beside the Evaluator;
    the page's charts are drawn while that process answers. A node whose work is kept begins
    nothing.
    """

    def __init__(self, features: Features, serving: process.Ahead, charts: page.Ahead) -> None:
        self._features = features
        self._serving = serving
        self._charts = charts
        self._made: dict[str, list[types.Artifact]] = {}

    def executing(self, node: str) -> None:
        """A node is about to do its work."""
        if node == "Trainer":  # so ServingCheck will run too
            self._serving.begin()

    def done(self, node: NodeReport) -> None:
        """A node ended."""
        self._made.update(node.outputs)
        if (node.id, node.state) == ("Trainer", "run"):
            (model,) = node.outputs["model"]
            self._serving.load(path_utils.serving_model_path(model.uri), self._features.image)
        if (node.id, node.state) == ("Evaluator", "run"):
            self._charts.begin(self._sources())

    def _sources(self) -> Sources:
        evaluation, blessing = (
            artifact_utils.get_single_uri(self._made[key]) for key in ("evaluation", "blessing")
        )
        return Sources(
            settings={},
            labels=(),
            features=self._features,
            fingerprints={},
            test_examples=artifact_utils.get_split_uri(self._made["examples"], SPLIT),
            evaluation=evaluation,
            blessing=blessing,
        )


@contextlib.contextmanager
def ahead(features: Features) -> Iterator[Ahead]:
    """What is begun in this block ends with it, if nobody asked.

    Args:
      features: names of the examples' features.
    """
    with process.ahead() as serving, page.ahead() as charts:
        yield Ahead(features, serving, charts)
