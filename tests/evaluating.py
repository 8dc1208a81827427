"""The real Evaluator, run on examples and models that a test chose."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.writers import eval_config_writer
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.evaluator import verdict
from components.evaluator.component import PosterEvaluatorExecutor
from components.evaluator.eval_config import eval_config
from components.evaluator.settings import EvaluatorSettings
from components.trainer import export
from tests.examples import FEATURES

#: Two workers, which only Beam can give work to.
BY_BEAM = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
_EXAMPLES = [tf.TensorSpec((None,), tf.string, name="examples")]


class Answering(tf.Module):
    """A model with the two signatures that the Evaluator asks."""

    def __init__(self, answer: Callable, transform_labels: Callable) -> None:
        super().__init__()
        self._answer = answer
        self._transform_labels = transform_labels

    @tf.function(input_signature=_EXAMPLES, autograph=False)
    def serve_examples(self, examples):
        return self._answer(examples)

    @tf.function(input_signature=_EXAMPLES, autograph=False)
    def transform_labels(self, examples):
        return {FEATURES.labels_xf: self._transform_labels(examples)}


def save(model: Answering, folder: Path, labels: Sequence[str]) -> Path:
    """Writes a model as the Trainer lays it out; its folder."""
    serving = str(folder / "Format-Serving")
    signatures = {
        export.SERVING_EXAMPLES: model.serve_examples,
        export.TRANSFORM_LABELS: model.transform_labels,
    }
    tf.saved_model.save(model, serving, signatures=signatures)
    description = Path(serving) / export.DESCRIPTION_FILE
    description.parent.mkdir()
    description.write_text(json.dumps({"labels": list(labels), "features": {}}))
    return folder


def evaluate(
    output: Path,
    examples: Path,
    model: Path,
    labels: Sequence[str],
    baseline: Path | None = None,
    settings: EvaluatorSettings | None = None,
    answers_folder: str | None = None,
    beam_options: Sequence[str] = (),
) -> verdict.Verdict:
    """Runs the executor as TFX does, on `examples/Split-test`; writes below `output`."""
    artifact = standard_artifacts.Examples()
    artifact.uri, artifact.split_names = str(examples), '["test"]'
    inputs = {"examples": [artifact], "model": [_model(model)]}
    if baseline:
        inputs["baseline_model"] = [_model(baseline)]
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(output / "evaluation"), str(output / "blessing")
    config = eval_config(settings or EvaluatorSettings(), labels, FEATURES, "", answers_folder)
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=list(beam_options), tmp_dir=str(output / "tmp"), unique_id="1"
    )
    PosterEvaluatorExecutor(context).Do(
        inputs,
        {"evaluation": [evaluation], "blessing": [blessing]},
        {"eval_config": proto_utils.proto_to_json(config), "example_splits": '["test"]'},
    )
    found = verdict.read(evaluation.uri, blessing.uri)
    assert (output / "blessing" / ("BLESSED" if found.blessed else "NOT_BLESSED")).exists()
    return found


def written(output: Path) -> dict[str, Any]:
    """What TFMA reads of an evaluation, and what its blessing says, in one order."""
    folder = str(output / "evaluation")
    config, _, _, models = eval_config_writer.load_eval_run(folder)
    plan = json.loads(config.metrics_specs[0].metrics[0].config)
    del config.metrics_specs[0].metrics[:]
    del plan["evaluation"]  # another folder each time
    by_slice = {}
    for load in (tfma.load_metrics, tfma.load_plots, tfma.load_attributions):
        messages = list(load(folder))
        by_slice[load.__name__] = {
            str(message.slice_key): _figures(message) for message in messages
        }
        assert len(by_slice[load.__name__]) == len(messages)
    return {
        "config": (str(config), plan, dict(models)),
        "by_slice": by_slice,
        "validation": str(tfma.load_validation_result(folder)),
        "blessing": sorted(path.name for path in (output / "blessing").iterdir()),
    }


def _figures(message: Any) -> dict[str, float]:
    found = getattr(message, "metric_keys_and_values", ())
    return {str(pair.key): pair.value.double_value.value for pair in found}


def _model(folder: Path) -> standard_artifacts.Model:
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model
