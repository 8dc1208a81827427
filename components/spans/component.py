"""ExampleGen as a node: it brings the examples of a window, in place of TFX's own ExampleGens.

Those take one span, found by a pattern; they read and write every record; and what they do with
ranges of spans, Kubeflow and Vertex do not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.experimental import simple_artifacts

from components.spans.executor import ExampleGenExecutor


class ExampleGenSpec(ComponentSpec):
    """What the node takes and makes; parameters are text or whole numbers, as every runner has."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads it like this
        "data_root": ExecutionParameter(type=str),
        "spans": ExecutionParameter(type=str),
        "labels": ExecutionParameter(type=str),
        "accepted_folder": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "window": ChannelParameter(type=simple_artifacts.File, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "new_examples": ChannelParameter(type=standard_artifacts.Examples),
    }


class ExampleGen(base_component.BaseComponent):
    """Brings the examples of a window, and once more those that no gate has let through yet.

    Which spans those are is decided when the node runs. The cache knows it by the spans alone: with
    none changed, it and all after it are cached, though the gate has let them through since.
    """

    SPEC_CLASS = ExampleGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ExampleGenExecutor)

    def __init__(
        self,
        data_root: str,
        spans: Mapping[int, str],
        labels: Sequence[str],
        accepted_folder: str,
        code: str,
        window: types.BaseChannel | None = None,
    ) -> None:
        """Makes the node.

        Args:
          data_root: what `posters ingest` wrote: a folder, or an address on a store.
          spans: by number, the SHA-256 of the span's manifest; not looked at if there is `window`.
          labels: the vocabulary that the DAG was built for.
          accepted_folder: where the gate records what it lets through, see `components.gate`.
          code: fingerprint of the node's code.
          window: a folder with a file `spans.json` that says at run time what `spans` says.
        """
        super().__init__(
            ExampleGenSpec(
                data_root=data_root,
                spans=json.dumps({str(number): spans[number] for number in sorted(spans)}),
                labels=json.dumps(list(labels), ensure_ascii=False),
                accepted_folder=accepted_folder,
                code=code,
                window=window,
                examples=types.Channel(type=standard_artifacts.Examples),
                new_examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
