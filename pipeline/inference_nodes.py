"""TFX's BulkInferrer, where the configuration asks for it, and the examples that it is given."""

from __future__ import annotations

from tfx.components.bulk_inferrer.component import BulkInferrer
from tfx.components.example_gen.import_example_gen.component import ImportExampleGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.proto import bulk_inferrer_pb2, example_gen_pb2

from components.trainer import export
from pipeline.config import Config

EXAMPLES = "InferenceExampleGen"
#: The split that examples of their own are given to TFX as.
_SPLIT = "unlabelled"
#: Outputs of the signature that become features of the examples.
_COLUMNS = ("scores", "probabilities", export.STATUS)


def create(
    config: Config,
    examples: BaseNode,
    trainer: BaseNode,
    evaluator: BaseNode,
    pusher: BaseNode,
) -> list[BaseNode]:
    """Makes the nodes; none if the configuration has no section `bulk_inferrer`.

    Args:
      config: the checked configuration.
      examples: the node with the run's own examples.
      trainer: makes the model.
      evaluator: blesses it; one that is not blessed is not asked.
      pusher: what it waits for.
    """
    settings = config.bulk_inferrer
    if settings is None:
        return []
    nodes: list[BaseNode] = []
    splits = settings.splits
    if settings.examples is not None:
        examples = _examples(settings.examples, settings.pattern)
        nodes, splits = [examples], (_SPLIT,)
    inferrer = BulkInferrer(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        data_spec=bulk_inferrer_pb2.DataSpec(example_splits=list(splits)),
        # It wants a signature of one string input, and gives it serialized examples.
        model_spec=bulk_inferrer_pb2.ModelSpec(model_signature_name=[export.BULK_INFERENCE]),
        output_example_spec=_columns() if settings.output == "examples" else None,
    )
    # It takes nothing of the Pusher's, but no model should have to wait for it.
    inferrer.add_upstream_node(pusher)
    return [*nodes, inferrer]


def _examples(folder: str, pattern: str) -> BaseNode:
    split = example_gen_pb2.Input.Split(name=_SPLIT, pattern=pattern)
    # Left to itself it would split one split in two.
    whole = example_gen_pb2.SplitConfig.Split(name=_SPLIT, hash_buckets=1)
    return ImportExampleGen(
        input_base=folder,
        input_config=example_gen_pb2.Input(splits=[split]),
        output_config=example_gen_pb2.Output(
            split_config=example_gen_pb2.SplitConfig(splits=[whole])
        ),
    ).with_id(EXAMPLES)


def _columns() -> bulk_inferrer_pb2.OutputExampleSpec:
    columns = [
        bulk_inferrer_pb2.PredictOutputCol(output_key=name, output_column=name) for name in _COLUMNS
    ]
    predict = bulk_inferrer_pb2.PredictOutput(output_columns=columns)
    return bulk_inferrer_pb2.OutputExampleSpec(
        output_columns_spec=[bulk_inferrer_pb2.OutputColumnsSpec(predict_output=predict)]
    )
