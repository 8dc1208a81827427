"""What TFMA's Beam pipeline measures: what the models said, the truth, the slices.

TFX finds `custom_extractors` by this module's dotted path, on every runner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.api import types
from tensorflow_model_analysis.utils import model_util
from tfx_bsl.tfxio import tensor_adapter

from components.evaluator import answers, plan, predictions, slices
from components.evaluator.answers import Answers
from components.evaluator.asking import Asker, Embeddings
from components.evaluator.plan import Plan
from components.trainer import export


def custom_extractors(
    eval_shared_model: types.MaybeMultipleEvalSharedModels,
    eval_config: tfma.EvalConfig,
    tensor_adapter_config: tensor_adapter.TensorAdapterConfig | None,
) -> list[tfma.extractors.Extractor]:
    """Ours in place of all of TFMA's but the last, after which it measures.

    TFMA's own pass whole examples through the models, images and all, and carry every feature of
    every example on.
    """
    del tensor_adapter_config  # examples come as they are
    models = model_util.verify_and_update_eval_shared_models(eval_shared_model)
    given = plan.of(eval_config)
    asking = beam.ParDo(_AskModels({model.model_name: model for model in models}, given))
    return [
        tfma.extractors.Extractor("AskModels", asking),
        tfma.extractors.Extractor("KeepPredictions", _KeepPredictions(given)),
        tfma.extractors.SliceKeyExtractor(eval_config=eval_config, materialize=False),
    ]


@beam.typehints.with_input_types(types.Extracts)
@beam.typehints.with_output_types(types.Extracts)
class _AskModels(model_util.DoFnWithModels):
    """A batch of examples to one extract each: the truth, what the models said, id and slices."""

    def __init__(self, models: Mapping[str, types.EvalSharedModel], given: Plan) -> None:
        super().__init__({name: model.model_loader for name, model in models.items()})
        self._folders = {name: model.model_path for name, model in models.items()}
        self._plan = given

    def setup(self) -> None:
        super().setup()
        self._extraction = Extraction(self._loaded_models, self._folders, self._plan)

    def process(self, element: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        batch = element[tfma.ARROW_RECORD_BATCH_KEY]
        return self._extraction.extracts(batch[tfma.ARROW_INPUT_COLUMN].flatten().to_pylist())

    def finish_bundle(self) -> None:
        super().finish_bundle()
        self._extraction.publish()


class Extraction:
    """What TFMA is to measure of examples."""

    def __init__(self, models: Mapping[str, Any], folders: Mapping[str, str], given: Plan) -> None:
        """Takes loaded SavedModels and where they lie, by TFMA's names for them."""
        self._models, self._plan = models, given
        self._embeddings = Embeddings(given.embeddings_folder)
        self._askers = {
            name: Asker(model, folders[name], self._embeddings) for name, model in models.items()
        }

    def extracts(self, records: Sequence[bytes]) -> Iterator[dict[str, Any]]:
        """One extract for each serialized example."""
        examples = [tf.train.Example.FromString(record) for record in records]
        images = [_image(example, self._plan) for example in examples]
        answers_of = {name: asker.ask(records, images) for name, asker in self._askers.items()}
        truth = self._truth(records)
        for row, example in enumerate(examples):
            said = {
                name: {key: rows[row] for key, rows in answer.items()}
                for name, answer in answers_of.items()
            }
            # As TFMA has it: of one model as it is, of two by the model's name.
            single = len(said) == 1
            yield {
                tfma.LABELS_KEY: truth[row] if single else {tfma.CANDIDATE_KEY: truth[row]},
                tfma.PREDICTIONS_KEY: next(iter(said.values())) if single else said,
                tfma.FEATURES_KEY: _features(example, self._plan),
            }

    def publish(self) -> None:
        """Keeps the embeddings that were made."""
        self._embeddings.publish()

    def _truth(self, records: Sequence[bytes]) -> np.ndarray:
        """(N, L): what an example's labels are is the new model's to say."""
        name = tfma.CANDIDATE_KEY if len(self._models) > 1 else ""
        signature = self._models[name].signatures[export.TRANSFORM_LABELS]
        answer = signature(examples=tf.constant(records, tf.string))
        return answer[self._plan.features.labels_xf].numpy()


def _image(example: tf.train.Example, given: Plan) -> bytes:
    """The encoded image, or one that cannot be decoded if there is not exactly one."""
    found = slices.feature(example, given.features.image)
    return found[0] if len(found) == 1 else b""


def _features(example: tf.train.Example, given: Plan) -> dict[str, np.ndarray]:
    """The id, and the slices that it is in."""
    names = given.features
    found = slices.values(example, given.settings.slices, names, given.labels)
    identifier = slices.feature(example, names.id)
    features = {name: np.array(values) for name, values in found.items() if values}
    return {**features, answers.ID: np.array(identifier[:1] or [b""], object)}


class _KeepPredictions(beam.PTransform):
    """Writes `predictions.npz` beside the metrics, and passes the extracts on."""

    def __init__(self, given: Plan) -> None:
        super().__init__()
        self._plan = given

    def expand(self, extracts: beam.PCollection) -> beam.PCollection:
        if self._plan.evaluation is not None:
            _ = (
                extracts
                | "ToAnswers" >> beam.Map(answers.of_extract, self._plan)
                | "Gather" >> beam.CombineGlobally(_Gather()).without_defaults()
                | "Write" >> beam.Map(_write, self._plan)
            )
        return extracts


class _Gather(beam.CombineFn):
    """All rows in one."""

    def create_accumulator(self) -> list[Answers]:
        return []

    def add_input(self, accumulator: list[Answers], element: Answers) -> list[Answers]:
        accumulator.append(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Answers]]) -> list[Answers]:
        return [part for accumulator in accumulators for part in self.compact(accumulator)]

    def compact(self, accumulator: list[Answers]) -> list[Answers]:
        return [answers.stack(accumulator)] if len(accumulator) > 1 else accumulator

    def extract_output(self, accumulator: list[Answers]) -> Answers:
        return answers.stack(accumulator)


def _write(gathered: Answers, given: Plan) -> None:
    predictions.write(given.evaluation, answers.to_predictions(gathered, given))
