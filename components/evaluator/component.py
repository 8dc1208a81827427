"""TFX's Evaluator, with a verdict in words and failures that name the image at fault."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.components.evaluator import component, constants, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, path_utils, proto_utils

from components import beam_running, paths, record_files
from components.errors import PostersError
from components.evaluator import (
    asking,
    baseline,
    conclusion,
    in_process,
    known_answers,
    plan,
    predictions,
    verdict,
)
from components.evaluator.eval_config import EXTRACTORS, for_run
from components.evaluator.predictions import Predictions
from components.progress import CONSOLE
from components.pusher.latest import is_empty
from components.undecodable import naming_undecodable_images, refuse_undecodable_images

_MODEL = standard_component_specs.MODEL_KEY
_BASELINE = standard_component_specs.BASELINE_MODEL_KEY
_EVAL_CONFIG = standard_component_specs.EVAL_CONFIG_KEY
#: TFX's own, by whether a model is blessed.
_MARKS = {
    True: (constants.BLESSED_FILE_NAME, constants.BLESSED_VALUE),
    False: (constants.NOT_BLESSED_FILE_NAME, constants.NOT_BLESSED_VALUE),
}
_MISLEADING = (
    "the embeddings that were kept of the test split are not those that the model makes. They are "
    "removed, and every poster is passed through the whole model."
)


class PosterEvaluatorExecutor(executor.Executor):
    """Runs the Evaluator, and writes `predictions.npz` and `verdict.json` beside its metrics.

    If an image cannot be decoded the error says which one. A baseline that is the new model itself,
    or that cannot be asked, is left out, and the verdict says so. One that answered the same
    examples before is not asked again; see `known_answers`. An image whose embedding is kept passes
    through a model's head alone; see `asking`.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        config = config_pb2.EvalConfig()
        proto_utils.json_to_proto(exec_properties[_EVAL_CONFIG], config)
        given = plan.of(config)
        folders = _folders(input_dict, exec_properties)

        def evaluate(before: str | None, unusable: str | None) -> None:
            run = functools.partial(
                self._evaluate, input_dict, output_dict, exec_properties, config, before, unusable
            )
            try:
                run(reuse=True)
            except PostersError:
                raise
            except Exception as error:  # whatever Beam makes of it
                if asking.WRONG not in str(error):
                    raise
                CONSOLE.print(f"    warning: {_MISLEADING}", markup=False)
                run(reuse=False)

        with naming_undecodable_images(folders, given.features):
            before, unusable = _baseline(input_dict, given)
            try:
                evaluate(before, unusable)
            except PostersError:
                raise
            except Exception:
                # Asked only now: it takes as long as loading a model does.
                unusable = before and baseline.why_silent(before, _first_example(folders))
                if not unusable:
                    raise
                evaluate(None, unusable)
        # An exported model gives such an image a row of NaN.
        if not predictions.read(artifact_utils.get_single_uri(output_dict["evaluation"])).is_finite:
            refuse_undecodable_images(folders, given.features)

    def _evaluate(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
        config: config_pb2.EvalConfig,
        before: str | None,
        unusable: str | None,
        reuse: bool,
    ) -> None:
        """Evaluates beside the baseline that lies at `before`, or alone.

        Unless embeddings are reused, every image is passed through the whole models.
        """
        evaluation = artifact_utils.get_single_uri(output_dict["evaluation"])
        labels = before and baseline.labels_of(before)
        folder = plan.of(config).answers_folder
        files = folder and _answer_files(folder, input_dict, exec_properties, before)
        known = before and files and known_answers.is_known(files[_BASELINE], labels)
        config = for_run(
            config,
            evaluation,
            labels,
            baseline_answers=files[_BASELINE] if known else None,
            embeddings_folder=folder if reuse else None,
        )
        asked = plan.of(config).asks_baseline
        inputs = {key: found for key, found in input_dict.items() if asked or key != _BASELINE}
        if beam_running.is_one_process(self._beam_pipeline_args or []):
            self._evaluate_in_process(inputs, output_dict, exec_properties, config)
        else:
            properties = {
                **exec_properties,
                _EVAL_CONFIG: proto_utils.proto_to_json(config),
                standard_component_specs.MODULE_PATH_KEY: EXTRACTORS,
            }
            super().Do(inputs, output_dict, properties)
        if known:
            _note_baseline(output_dict["blessing"], input_dict[_BASELINE])
        verdict.write(evaluation, conclusion.conclude(config, evaluation, unusable))
        if files:
            _keep_answers(predictions.read(evaluation), files, asked)

    def _evaluate_in_process(
        self,
        inputs: dict[str, list[types.Artifact]],
        outputs: dict[str, list[types.Artifact]],
        properties: dict[str, Any],
        config: config_pb2.EvalConfig,
    ) -> None:
        """What TFX does, without Beam."""
        self._log_startup(inputs, outputs, properties)
        evaluation = artifact_utils.get_single_uri(outputs["evaluation"])
        has_baseline = bool(inputs.get(_BASELINE))
        config = tfma.utils.update_eval_config_with_defaults(
            config, has_baseline=has_baseline, rubber_stamp=True
        )
        tfma.utils.verify_eval_config(config)
        models = {
            spec.name: path_utils.serving_model_path(
                artifact_utils.get_single_uri(inputs[_BASELINE if spec.is_baseline else _MODEL])
            )
            for spec in config.model_specs
        }
        in_process.evaluate(config, models, _folders(inputs, properties), evaluation)
        blessing = artifact_utils.get_single_instance(outputs["blessing"])
        model = artifact_utils.get_single_instance(inputs[_MODEL])
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
        )
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
        if has_baseline:
            _note_baseline(outputs["blessing"], inputs[_BASELINE])
        blessed = tfma.load_validation_result(evaluation).validation_ok
        mark, value = _MARKS[blessed]
        io_utils.write_string_file(f"{blessing.uri}/{mark}", "")
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)


def _baseline(
    input_dict: dict[str, list[types.Artifact]], given: plan.Plan
) -> tuple[str | None, str | None]:
    """Where the model to compare with lies; and why there is none, though one was given."""
    if not input_dict.get(_BASELINE) or any(map(is_empty, input_dict[_BASELINE])):
        return None, None
    before = artifact_utils.get_single_uri(input_dict[_BASELINE])
    if before == artifact_utils.get_single_uri(input_dict[_MODEL]):
        return None, "the last blessed model is this very one"
    unusable = baseline.why_not_comparable(before, given.labels)
    return (None, unusable) if unusable else (before, None)


def _folders(
    input_dict: dict[str, list[types.Artifact]], exec_properties: dict[str, Any]
) -> list[str]:
    """Of the splits to evaluate."""
    return [
        uri
        for split in json.loads(exec_properties["example_splits"])
        for uri in artifact_utils.get_split_uris(input_dict["examples"], split)
    ]


def _answer_files(
    folder: str,
    input_dict: dict[str, list[types.Artifact]],
    exec_properties: dict[str, Any],
    before: str | None,
) -> dict[str, str]:
    """By input, the file for what that model says of these examples."""
    examples = known_answers.examples_digest(_folders(input_dict, exec_properties))
    models = {_MODEL: artifact_utils.get_single_uri(input_dict[_MODEL])}
    if before:
        models[_BASELINE] = before
    return {
        key: paths.join(folder, known_answers.name(uri, examples)) for key, uri in models.items()
    }


def _keep_answers(found: Predictions, files: dict[str, str], asked_baseline: bool) -> None:
    known_answers.keep(files[_MODEL], found.labels, found.ids, found.scores)
    if asked_baseline and found.baseline_labels is not None:
        known_answers.keep(
            files[_BASELINE], found.baseline_labels, found.ids, found.baseline_scores
        )


def _note_baseline(blessing: list[types.Artifact], before: list[types.Artifact]) -> None:
    """As TFX notes it where it asks the baseline."""
    [blessing], [before] = blessing, before
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, before.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, before.id)


def _first_example(folders: Iterable[str]) -> bytes:
    for folder in folders:
        files = [f"{folder}/{name}" for name in sorted(tf.io.gfile.listdir(folder))]
        for record in record_files.read(files).take(1):
            return record.numpy()
    return b""


class Evaluator(component.Evaluator):
    """Scores the exported model by label and blesses it, or not; see `eval_config`."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(PosterEvaluatorExecutor)
