"""RunReport's work: gather what the nodes before it made, and write it down for people."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import paths
from components.errors import PostersError
from components.evaluator.eval_config import SPLIT
from components.features import Features
from components.files import write_text
from components.pusher import component as pusher
from components.report import card, collect, content, page
from components.report.sources import Sources
from components.spans import record

_Artifacts = dict[str, list[types.Artifact]]


class RunReportExecutor(base_executor.BaseExecutor):
    """Writes `report.html`, `report.json` and `model-card.md`."""

    def Do(
        self, input_dict: _Artifacts, output_dict: _Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """See the base class.

        Args:
          input_dict: see `RunReportSpec`; one artifact each.
          output_dict: `report`, one artifact.
          exec_properties: see `RunReportSpec`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        found = collect.collect(locate(input_dict, **_read(exec_properties)))
        folder = artifact_utils.get_single_uri(output_dict["report"])
        # Not every runner makes it.
        fileio.makedirs(folder)
        content.write(folder, found)
        # As whoever makes the page again will find it.
        found = content.read(folder)
        # Without the seconds of each node: those the runner alone knows.
        write_text(paths.to_path(paths.join(folder, page.FILE)), page.render(found))
        write_text(paths.to_path(paths.join(folder, card.FILE)), card.render(found))


def locate(artifacts: _Artifacts, **known: Any) -> Sources:
    """Where the pieces lie.

    Args:
      artifacts: inputs of `RunReportSpec`; those that a run did not come to may be absent.
      known: the other fields of `Sources`.
    """

    def uri(key: str) -> str | None:
        return artifacts[key][0].uri if artifacts.get(key) else None

    model, examples = uri("model"), artifacts.get("examples")
    pushed = artifacts.get("pushed_model")
    return Sources(
        **known,
        window=_window(examples[0].uri) if examples else None,
        statistics=uri("statistics"),
        gate_report=uri("gate_report"),
        test_examples=artifact_utils.get_split_uri(examples, SPLIT) if examples else None,
        model=path_utils.serving_model_path(model) if model else None,
        evaluation=uri("evaluation"),
        blessing=uri("blessing"),
        serving=uri("infra_blessing"),
        pushed_to=_destination(pushed[0]) if pushed else None,
    )


def _window(folder: str) -> record.WindowRecord | None:
    """Which spans it was, if that can still be read."""
    with contextlib.suppress(PostersError):
        return record.read(folder)


def _read(properties: dict[str, Any]) -> dict[str, Any]:
    """The node's parameters as fields of `Sources`."""
    return {
        "settings": json.loads(properties["settings"]),
        "labels": json.loads(properties["labels"]),
        "features": Features(**json.loads(properties["features"])),
        "fingerprints": json.loads(properties["fingerprints"]),
    }


def _destination(pushed: types.Artifact) -> str | None:
    if not pushed.get_int_custom_property(pusher.PUSHED):
        return None
    return pushed.get_string_custom_property(pusher.DESTINATION)
