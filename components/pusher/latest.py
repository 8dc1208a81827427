"""The model that serves, as a node: for runners without an ML Metadata to ask.

It is the newest version in the folder of pushed models; a rollback makes one, too.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.utils import io_utils, path_utils

from components.trainer import export

#: Custom property of the output: the folder that was copied; empty if there was none.
SOURCE = "source"


class LatestPushedModelSpec(ComponentSpec):
    """What the node takes and makes."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads it like this
        "models_folder": ExecutionParameter(type=str),
        "labels": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "candidate": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph, optional=True),
        "hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters, optional=True),
    }
    OUTPUTS = {"model": ChannelParameter(type=standard_artifacts.Model)}  # noqa: RUF012


class LatestPushedModelExecutor(base_executor.BaseExecutor):
    """Copies the newest pushed version with a wanted label; leaves the output empty if none is.

    A copy, because a version may be removed from the folder that serves at any time.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class.

        Args:
          input_dict: read by nothing; they tell for what the model is looked up, so that the cache
            gives the same model for the same candidate or training.
          output_dict: `model`, one artifact.
          exec_properties: see `LatestPushedModelSpec`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(output_dict["model"])
        labels = json.loads(exec_properties["labels"])
        fileio.makedirs(model.uri)
        source = next(_with_labels(exec_properties["models_folder"], labels), "")
        if source:
            io_utils.copy_dir(source, path_utils.serving_model_dir(model.uri))
        model.set_string_custom_property(SOURCE, source)


class LatestPushedModel(base_component.BaseComponent):
    """The model pushed last that shares a label with the vocabulary.

    It runs before the candidate is pushed, so it is never the candidate itself; and run again with
    the same candidate it is cached, so that everything after it is.
    """

    SPEC_CLASS = LatestPushedModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(LatestPushedModelExecutor)

    def __init__(
        self,
        models_folder: str,
        labels: Sequence[str],
        code: str,
        candidate: types.BaseChannel | None = None,
        examples: types.BaseChannel | None = None,
        transform_graph: types.BaseChannel | None = None,
        hyperparameters: types.BaseChannel | None = None,
    ) -> None:
        """Makes the node.

        Args:
          models_folder: where the Pusher puts versions.
          labels: the vocabulary.
          code: fingerprint of whatever else decides for what the model is looked up.
          candidate: the model it will be compared with, or None.
          examples: what is trained on from it, or None.
          transform_graph: what they are read by in that training, or None.
          hyperparameters: settings that were found for that training, or None.
        """
        super().__init__(
            LatestPushedModelSpec(
                candidate=candidate,
                examples=examples,
                transform_graph=transform_graph,
                hyperparameters=hyperparameters,
                models_folder=models_folder,
                labels=json.dumps(list(labels), ensure_ascii=False),
                code=code,
                model=types.Channel(type=standard_artifacts.Model),
            )
        )


def is_empty(model: types.Artifact) -> bool:
    """Whether this node made a model's artifact and left it empty, as nothing was pushed."""
    if not model.has_custom_property(SOURCE):
        return False
    folder = path_utils.serving_model_dir(model.uri)
    return not fileio.exists(posixpath.join(folder, "saved_model.pb"))


def _with_labels(models_folder: str, labels: Sequence[str]) -> Iterator[str]:
    """Folders of the pushed versions with any of these labels, newest first."""
    if not fileio.exists(models_folder):
        return
    names = (name.rstrip("/") for name in fileio.listdir(models_folder))
    for version in sorted((int(name) for name in names if name.isdigit()), reverse=True):
        folder = posixpath.join(models_folder, str(version))
        try:
            known = export.read_description(folder)["labels"]
        except (OSError, ValueError, tf.errors.OpError):
            continue  # someone else's, or half removed
        if not set(known).isdisjoint(labels):
            yield folder
