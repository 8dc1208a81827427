"""TFX's Evaluator, with a verdict in words and failures that name the image at fault."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.components.evaluator import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.evaluator import baseline, conclusion, plan, verdict
from components.evaluator.eval_config import EXTRACTORS, for_run
from components.pusher.latest import is_empty
from components.undecodable import naming_undecodable_images, refuse_undecodable_images

_MODEL = standard_component_specs.MODEL_KEY
_BASELINE = standard_component_specs.BASELINE_MODEL_KEY
_EVAL_CONFIG = standard_component_specs.EVAL_CONFIG_KEY


class PosterEvaluatorExecutor(executor.Executor):
    """Runs the Evaluator, and writes `predictions.npz` and `verdict.json` beside its metrics.

    If an image cannot be decoded the error says which one. A baseline that is the new model itself,
    or that cannot be asked, is left out, and the verdict says so.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        evaluation = artifact_utils.get_single_uri(output_dict["evaluation"])
        config = config_pb2.EvalConfig()
        proto_utils.json_to_proto(exec_properties[_EVAL_CONFIG], config)
        features = plan.of(config).features
        folders = [
            uri
            for split in json.loads(exec_properties["example_splits"])
            for uri in artifact_utils.get_split_uris(input_dict["examples"], split)
        ]
        with naming_undecodable_images(folders, features):
            inputs, known, unusable = _with_usable_baseline(input_dict, config, folders)
            config = for_run(config, evaluation, known)
            properties = {
                **exec_properties,
                _EVAL_CONFIG: proto_utils.proto_to_json(config),
                standard_component_specs.MODULE_PATH_KEY: EXTRACTORS,
            }
            super().Do(inputs, output_dict, properties)
        # An exported model gives such an image a row of NaN, which no rule blesses.
        if not fileio.exists(f"{artifact_utils.get_single_uri(output_dict['blessing'])}/BLESSED"):
            refuse_undecodable_images(folders, features)
        verdict.write(evaluation, conclusion.conclude(config, evaluation, unusable))


def _with_usable_baseline(
    input_dict: dict[str, list[types.Artifact]],
    config: config_pb2.EvalConfig,
    folders: Iterable[str],
) -> tuple[dict[str, list[types.Artifact]], list[str] | None, str | None]:
    """The inputs, the baseline's labels, and why there is none though one was given."""
    if not input_dict.get(_BASELINE):
        return input_dict, None, None
    without = {key: found for key, found in input_dict.items() if key != _BASELINE}
    if any(map(is_empty, input_dict[_BASELINE])):
        return without, None, None
    before = artifact_utils.get_single_uri(input_dict[_BASELINE])
    if before == artifact_utils.get_single_uri(input_dict[_MODEL]):
        unusable = "the last blessed model is this very one"
    else:
        unusable = baseline.why_unusable(before, plan.of(config).labels, _first_example(folders))
    if unusable is None:
        return input_dict, baseline.labels_of(before), None
    return without, None, unusable


def _first_example(folders: Iterable[str]) -> bytes:
    for folder in folders:
        for file in sorted(tf.io.gfile.glob(f"{glob.escape(folder)}/*")):
            compression = "GZIP" if file.endswith(".gz") else ""
            for record in tf.data.TFRecordDataset(file, compression_type=compression).take(1):
                return record.numpy()
    return b""


class Evaluator(component.Evaluator):
    """Scores the exported model by label and blesses it, or not; see `eval_config`."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(PosterEvaluatorExecutor)
