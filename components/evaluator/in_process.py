"""TFMA's evaluation without Beam, for where Beam would have this process alone.

Building a pipeline of TFMA and starting it takes longer than it works on some thousand posters.
Here its steps follow one another: the models are asked, examples go into their slices, each slice
is measured by the one metric there is, TFMA holds the figures against the thresholds, and what it
would write is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf.message import Message
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.slicer import slicer_lib
from tensorflow_model_analysis.writers import eval_config_writer
from tensorflow_model_analysis.writers import metrics_plots_and_validations_writer as writing

from components import paths, record_files
from components.evaluator import answers, metrics, plan, predictions
from components.evaluator.answers import Answers
from components.evaluator.extractors import Extraction

#: Examples asked about at a time.
_BATCH_EXAMPLES = 500
#: What TFMA writes where it is not told where the examples come from.
_NO_PLACE = ("<user provided PCollection>", "<unknown>")


def evaluate(
    config: config_pb2.EvalConfig,
    models: Mapping[str, str],
    folders: Sequence[str],
    evaluation: str,
) -> None:
    """Evaluates models on examples.

    Args:
      config: from `eval_config.for_run`, completed by TFMA.
      models: the folder of the SavedModel of each of the configuration's models.
      folders: of the examples' files.
      evaluation: the artifact's folder.

    Raises:
      WrongEmbeddingsError: see `asking.Asker.ask`.
      tf.errors.OpError: an example that cannot be parsed, or a model that cannot be asked.
    """
    tf.io.gfile.makedirs(evaluation)
    given = plan.of(config)
    found, rows_of = _ask(config, models, folders)
    if found:
        rows = answers.stack(found)
        predictions.write(evaluation, answers.to_predictions(rows, given))
    measure = metrics.of_config(config)
    measured = [
        (key, measure(Answers(*(column[chosen] for column in rows))))
        for key, chosen in rows_of.items()
    ]
    text = eval_config_writer._serialize_eval_run(config, *_NO_PLACE, models)
    with tf.io.gfile.GFile(paths.join(evaluation, "eval_config.json"), "w") as file:
        file.write(text + "\n")
    for name, messages in (
        ("metrics", (writing.convert_slice_metrics_to_proto(part, []) for part in measured)),
        ("plots", (writing.convert_slice_plots_to_proto((key, {}), []) for key in rows_of)),
        (
            "attributions",
            (writing.convert_slice_attributions_to_proto((key, {})) for key in rows_of),
        ),
    ):
        _write(paths.join(evaluation, f"{name}-00000-of-00001.tfrecord"), messages)
    _write(paths.join(evaluation, "validations.tfrecord"), [_validate(measured, config)])


def _ask(
    config: config_pb2.EvalConfig, models: Mapping[str, str], folders: Sequence[str]
) -> tuple[list[Answers], dict[tuple, list[int]]]:
    """Every example's answers, and of each slice which of them are in it."""
    given = plan.of(config)
    loaded = {name: tf.saved_model.load(folder) for name, folder in models.items()}
    extraction = Extraction(loaded, models, given)
    wanted = [slicer_lib.SingleSliceSpec(spec=spec) for spec in config.slicing_specs]
    found: list[Answers] = []
    rows_of: dict[tuple, list[int]] = {}
    for records in _batches(folders):
        for extract in extraction.extracts(records):
            features = extract[tfma.FEATURES_KEY]
            for key in set(slicer_lib.get_slices_for_features_dicts([], features, wanted)):
                rows_of.setdefault(key, []).append(len(found))
            found.append(answers.of_extract(extract, given))
    extraction.publish()
    return found, rows_of


def _batches(folders: Sequence[str]) -> Iterator[list[bytes]]:
    files = [
        paths.join(folder, name)
        for folder in folders
        for name in sorted(tf.io.gfile.listdir(folder))
    ]
    for batch in record_files.read(files).batch(_BATCH_EXAMPLES).prefetch(1):
        yield batch.numpy().tolist()


def _validate(
    measured: Iterable[tuple[tuple, dict[Any, float]]], config: config_pb2.EvalConfig
) -> Message:
    combiner = writing.CombineValidations(config)
    found = combiner.create_accumulator()
    for part in measured:
        found = combiner.add_input(found, metrics_validator.validate_metrics(part, config))
    return combiner.extract_output(found)


def _write(path: str, messages: Iterable[Message]) -> None:
    with tf.io.TFRecordWriter(path) as writer:
        for message in messages:
            writer.write(message.SerializeToString())
