"""TFX's Transform, with failures that name the image at fault."""

from __future__ import annotations

import json
from typing import Any

from tfx import types
from tfx.components.transform import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils

from components.features import Features
from components.spans import record
from components.transform.writing import uncompressed
from components.undecodable import naming_undecodable_images


class PosterTransformExecutor(executor.Executor):
    """Runs Transform; if an image cannot be decoded the error says which one.

    Transformed examples are plain TFRecord: what fills them are JPEG images.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        examples = input_dict["examples"]
        splits = artifact_utils.decode_split_names(examples[0].split_names)
        folders = [
            uri for split in splits for uri in artifact_utils.get_split_uris(examples, split)
        ]
        config = json.loads(exec_properties["custom_config"])
        with naming_undecodable_images(folders, Features(**config["features"])), uncompressed():
            super().Do(input_dict, output_dict, exec_properties)
        # What is trained on the graph has to say which spans it is of.
        window = record.read(artifact_utils.get_single_uri(examples))
        window.write(artifact_utils.get_single_uri(output_dict["transform_graph"]))


class Transform(component.Transform):
    """Decodes, resizes and stores images once; see `preprocessing.preprocessing_fn`."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(PosterTransformExecutor)
