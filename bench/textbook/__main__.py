"""Times the textbook pipeline: `python -m bench.textbook --config local --set data_root=DATA ...`.

Runs it once in a folder that it makes and removes. Prints one JSON object: seconds of the DAG after
imports, processor seconds, peak memory, bytes written, and the same by node as far as ML Metadata
and the files tell.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import tensorflow_model_analysis as tfma
from tfx import v1 as tfx
from tfx.orchestration import metadata

from bench import written
from bench.textbook import preprocessing, training
from components.trainer import extractor
from pipeline import config as configuration
from pipeline import data, data_nodes
from pipeline.runners.usage import Usage

_NAME = "textbook"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.textbook")
    parser.add_argument("--config", default="sample")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args(arguments)
    config = configuration.load(options.config, options.overrides)
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as folder:
        pipeline = _pipeline(config, data.find_span(config), Path(folder))
        started = time.monotonic()
        with Usage() as usage:
            tfx.orchestration.LocalDagRunner().run(pipeline)
        figures = {
            "seconds": round(time.monotonic() - started, 2),
            "cpu_seconds": round(usage.used.cpu_seconds, 2),
            "peak_memory_bytes": usage.used.peak_bytes,
            "nodes": _nodes(Path(folder)),
        }
    print(json.dumps(figures))
    return 0


def _pipeline(config: configuration.Config, span: data.Span, folder: Path) -> tfx.dsl.Pipeline:
    splits = [
        tfx.proto.Input.Split(name=split, pattern=f"{split}/{data.SHARDS}") for split in data.SPLITS
    ]
    examples = tfx.components.ImportExampleGen(
        input_base=str(span.folder), input_config=tfx.proto.Input(splits=splits)
    )
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.ImportSchemaGen(schema_file=str(data_nodes.schema_path(config)))
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    shared = {
        "features": vars(config.features),
        "labels": list(span.labels),
        "image_size": config.image.size,
    }
    transform = tfx.components.Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn=f"{preprocessing.__name__}.preprocessing_fn",
        custom_config=shared,
    )
    trainer = tfx.components.Trainer(
        run_fn=f"{training.__name__}.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config={
            **shared,
            "extractor": str(extractor.locate(config.trainer.hub_handle)),
            "epochs": config.trainer.epochs,
        },
    )
    evaluator = tfx.components.Evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        example_splits=["test"],
        eval_config=_eval_config(config, len(span.labels)),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(folder / "models"))
        ),
    )
    nodes = [examples, statistics, schema, validator, transform, trainer, evaluator, pusher]
    return tfx.dsl.Pipeline(
        pipeline_name=_NAME,
        pipeline_root=str(folder / "artifacts"),
        components=nodes,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(folder / "metadata.sqlite")
        ),
    )


def _eval_config(config: configuration.Config, labels: int) -> tfma.EvalConfig:
    """F1, precision, recall and AUC of every label, and a threshold that blesses whatever comes."""
    metrics = [tfma.MetricConfig(class_name=name) for name in ("AUC", "Precision", "Recall")]
    f1 = tfma.MetricConfig(class_name="F1Score", config='{"thresholds": [0.5]}')
    by_label = tfma.MetricsSpec(
        metrics=[*metrics, f1],
        binarize=tfma.BinarizationOptions(class_ids={"values": range(labels)}),
    )
    anything = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": 0})
    )
    count = tfma.MetricConfig(class_name="ExampleCount", threshold=anything)
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_default",
                label_key=config.features.labels_xf,
                preprocessing_function_names=["transform_features"],
            )
        ],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[by_label, tfma.MetricsSpec(metrics=[count])],
    )


def _nodes(folder: Path) -> list[dict]:
    """Seconds and bytes of every node, in the order in which they ran."""
    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    with metadata.Metadata(connection) as store:
        executions = sorted(store.store.get_executions(), key=lambda execution: execution.id)
        types = {kind.id: kind.name for kind in store.store.get_execution_types()}
    found = []
    for execution in executions:
        name = types[execution.type_id].rpartition(".")[2]
        milliseconds = execution.last_update_time_since_epoch - execution.create_time_since_epoch
        outputs = folder / "artifacts" / name
        found.append(
            {"id": name, "seconds": milliseconds / 1000, "bytes": written.size_of(outputs)}
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
