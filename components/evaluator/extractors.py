"""What TFMA's Beam pipeline does besides: derive the slices, keep the predictions.

TFX finds `custom_extractors` by this module's dotted path, on every runner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors import unbatch_extractor
from tfx_bsl.tfxio import tensor_adapter

from components.evaluator import answers, plan, predictions, slices
from components.evaluator.answers import Answers
from components.evaluator.plan import Plan


def custom_extractors(
    eval_shared_model: tfma.types.MaybeMultipleEvalSharedModels,
    eval_config: tfma.EvalConfig,
    tensor_adapter_config: tensor_adapter.TensorAdapterConfig | None,
) -> list[tfma.extractors.Extractor]:
    """TFMA's own extractors, with two more once examples stand alone."""
    extractors = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    stages = [extractor.stage_name for extractor in extractors]
    place = stages.index(unbatch_extractor.UNBATCH_EXTRACTOR_STAGE_NAME) + 1
    given = plan.of(eval_config)
    extractors[place:place] = [
        tfma.extractors.Extractor("DeriveSlices", _DeriveSlices(given)),
        tfma.extractors.Extractor("KeepPredictions", _KeepPredictions(given)),
    ]
    return extractors


class _DeriveSlices(beam.PTransform):
    """Puts id and slices in place of the example, whose image nobody needs any more."""

    def __init__(self, given: Plan) -> None:
        super().__init__()
        self._plan = given

    def expand(self, extracts: beam.PCollection) -> beam.PCollection:
        return extracts | beam.Map(_with_slices, self._plan)


def _with_slices(extract: Mapping[str, Any], given: Plan) -> dict[str, Any]:
    names = given.features
    example = tf.train.Example.FromString(extract[tfma.INPUT_KEY].item())
    found = slices.values(example, given.settings.slices, names, given.labels)
    identifier = slices.feature(example, names.id)
    features = {name: np.array(values) for name, values in found.items() if values}
    features[answers.ID] = np.array(identifier[:1] or [b""], object)
    kept = (tfma.LABELS_KEY, tfma.PREDICTIONS_KEY, tfma.EXAMPLE_WEIGHTS_KEY)
    return {**{key: extract[key] for key in kept if key in extract}, tfma.FEATURES_KEY: features}


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
