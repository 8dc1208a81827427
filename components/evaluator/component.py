"""TFX's Evaluator, with failures that name the image at fault."""

from __future__ import annotations

import json
from typing import Any

from tfx import types
from tfx.components.evaluator import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.features import Features
from components.trainer import export
from components.undecodable import naming_undecodable_images, refuse_undecodable_images


class PosterEvaluatorExecutor(executor.Executor):
    """Runs the Evaluator; if an image cannot be decoded the error says which one."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        model = artifact_utils.get_single_uri(input_dict["model"])
        description = export.read_description(path_utils.serving_model_path(model))
        folders = [
            uri
            for split in json.loads(exec_properties["example_splits"])
            for uri in artifact_utils.get_split_uris(input_dict["examples"], split)
        ]
        features = Features(**description["features"])
        with naming_undecodable_images(folders, features):
            super().Do(input_dict, output_dict, exec_properties)
        # An exported model gives such an image a row of NaN, which no rule blesses.
        blessing = artifact_utils.get_single_uri(output_dict["blessing"])
        if not fileio.exists(f"{blessing}/BLESSED"):
            refuse_undecodable_images(folders, features)


class Evaluator(component.Evaluator):
    """Scores the exported model by label and blesses it, or not; see `eval_config`."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(PosterEvaluatorExecutor)
