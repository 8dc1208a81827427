"""TFMA's configuration: which signature is asked, which figures are made, which rules bless."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.settings import EvaluatorSettings
from components.features import Features

#: The split that decides; the Trainer never sees it.
SPLIT = "test"


def eval_config(
    settings: EvaluatorSettings, labels: Sequence[str], features: Features, code: str
) -> config_pb2.EvalConfig:
    """Asks the exported model's own signature, on raw examples, and applies the blessing rules.

    The rules are TFMA thresholds, so that TFMA itself blesses or refuses on every runner. There are
    two: the floor (lift over all-positive), and no fall against the baseline. TFMA leaves out the
    second when there is no baseline.

    Args:
      settings: the rules.
      labels: the vocabulary, in order.
      features: the examples' feature names.
      code: fingerprint of the metrics' code.
    """
    # Imported here: the names come with TFMA and TensorFlow behind them.
    from components.evaluator import metrics
    from components.trainer import export

    metric = config_pb2.MetricConfig(
        class_name=metrics.MultiLabelMetrics.__name__,
        module=metrics.__name__,
        config=json.dumps({"labels": list(labels), "code": code}),
    )
    specs = config_pb2.MetricsSpec(metrics=[metric])
    floor = specs.thresholds[metrics.MACRO_F1_LIFT]
    floor.value_threshold.lower_bound.value = settings.min_macro_f1_lift
    fall = specs.thresholds[metrics.MACRO_F1]
    fall.change_threshold.direction = config_pb2.MetricDirection.HIGHER_IS_BETTER
    fall.change_threshold.absolute.value = -settings.max_macro_f1_drop
    model = config_pb2.ModelSpec(
        # Left to guess, TFMA tries to load the model in several ways.
        model_type="tf_generic",
        signature_name=export.SERVING_EXAMPLES,
        prediction_key="scores",
        label_key=features.labels_xf,
        preprocessing_function_names=[export.TRANSFORM_LABELS],
    )
    return config_pb2.EvalConfig(
        model_specs=[model],
        slicing_specs=[config_pb2.SlicingSpec()],
        metrics_specs=[specs],
    )
