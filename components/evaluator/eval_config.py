"""TFMA's configuration: which signature is asked, which figures are made, which rules bless."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator import plan
from components.evaluator.plan import Plan
from components.evaluator.settings import EvaluatorSettings
from components.features import Features

#: The split that decides; the Trainer never sees it.
SPLIT = "test"
#: Dotted path of what TFMA's Beam pipeline measures.
EXTRACTORS = "components.evaluator.extractors"


def eval_config(
    settings: EvaluatorSettings,
    labels: Sequence[str],
    features: Features,
    code: str,
    answers_folder: str | None = None,
) -> config_pb2.EvalConfig:
    """Asks the exported model's own signature, on raw examples, and applies the blessing rules.

    The rules are TFMA thresholds on figures of the whole split, so that TFMA itself blesses or
    refuses on every runner. None is a change threshold, which TFMA leaves out without a baseline
    and which knows nothing of noise: the drops are figures of their own, 0 without a baseline.

    Args:
      settings: the rules and the slices.
      labels: the vocabulary, in order.
      features: the examples' feature names.
      code: fingerprint of the evaluator's code.
      answers_folder: keeps what models answered for later runs; None keeps nothing.
    """
    # Imported here: the names come with TFMA and TensorFlow behind them.
    from components.evaluator import gate_figures, metrics
    from components.trainer import export

    given = Plan(tuple(labels), features, settings, code, answers_folder=answers_folder)
    specs = config_pb2.MetricsSpec()
    specs.metrics.add(
        class_name=metrics.MultiLabelMetrics.__name__,
        module=metrics.__name__,
        config=given.to_json(),
    )
    for key, limits in gate_figures.limits(given).items():
        # Without a slice a threshold would hold for every slice.
        limit = specs.per_slice_thresholds[key].thresholds.add(
            slicing_specs=[config_pb2.SlicingSpec()]
        )
        if limits.low is not None:
            limit.threshold.value_threshold.lower_bound.value = limits.low
        if limits.high is not None:
            limit.threshold.value_threshold.upper_bound.value = limits.high
    model = config_pb2.ModelSpec(
        # Left to guess, TFMA tries to load the model in several ways.
        model_type="tf_generic",
        signature_name=export.SERVING_EXAMPLES,
        label_key=features.labels_xf,
        preprocessing_function_names=[export.TRANSFORM_LABELS],
    )
    return config_pb2.EvalConfig(
        model_specs=[model],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=[name]) for name in settings.slices),
        ],
        metrics_specs=[specs],
    )


def for_run(
    config: config_pb2.EvalConfig,
    evaluation: str,
    baseline_labels: Sequence[str] | None,
    baseline_answers: str | None = None,
    embeddings_folder: str | None = None,
) -> config_pb2.EvalConfig:
    """What is known only when it runs: where the predictions go, and whom to compare with.

    The baseline is asked for its scores alone: what an example's labels are is the new model's to
    say, and the baseline may know others.

    Args:
      config: from `eval_config`.
      evaluation: the `evaluation` artifact's folder.
      baseline_labels: the other model's labels, or None if there is nobody to compare with.
      baseline_answers: the file with what it answered before; then it is not asked again.
      embeddings_folder: below which embeddings are kept; None passes every image whole.
    """
    import tensorflow_model_analysis as tfma

    config = config_pb2.EvalConfig.FromString(config.SerializeToString())
    known = None if baseline_labels is None else tuple(baseline_labels)
    given = dataclasses.replace(
        plan.of(config),
        evaluation=evaluation,
        baseline_labels=known,
        baseline_answers=baseline_answers,
        embeddings_folder=embeddings_folder,
    )
    config.metrics_specs[0].metrics[0].config = given.to_json()
    if given.asks_baseline:
        model = config.model_specs[0]
        model.name = tfma.CANDIDATE_KEY
        config.model_specs.add(
            name=tfma.BASELINE_KEY,
            is_baseline=True,
            model_type=model.model_type,
            signature_name=model.signature_name,
        )
        config.metrics_specs[0].model_names.append(tfma.CANDIDATE_KEY)
    return config
