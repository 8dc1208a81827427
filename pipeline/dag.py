"""The one DAG, built here for every runner; runners differ only in where it runs."""

from __future__ import annotations

import dataclasses
import importlib.resources
from collections.abc import Iterable
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.example_gen.import_example_gen.component import ImportExampleGen
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2, pusher_pb2, trainer_pb2, transform_pb2
from tfx.types import Channel, standard_artifacts

from components.errors import PostersError
from components.evaluator.baseline import LatestOtherBlessedModel
from components.evaluator.component import Evaluator
from components.evaluator.eval_config import SPLIT, eval_config
from components.pusher.component import Pusher
from components.trainer import extractor
from components.transform.component import Transform
from pipeline import fingerprints
from pipeline.config import Config
from pipeline.data import SHARDS, SPLITS, Span

#: What the Trainer is given; it never sees the split that decides.
_TRAINER_SPLITS = ("train", "eval")
RESOLVER = "BaselineResolver"


def create_pipeline(config: Config, span: Span) -> Pipeline:
    """Builds the DAG.

    Args:
      config: the checked configuration.
      span: the data it trains on.

    Returns:
      A pipeline without a metadata connection: that is the runner's to give.

    Raises:
      PostersError: the schema cannot be read or does not fit the vocabulary.
    """
    schema_path = _schema_path(config)
    _check_schema(schema_path, config, span)
    examples = ImportExampleGen(
        input_base=str(span.folder),
        input_config=example_gen_pb2.Input(
            splits=[
                example_gen_pb2.Input.Split(name=split, pattern=f"{split}/{SHARDS}")
                for split in SPLITS
            ]
        ),
    )
    statistics = StatisticsGen(examples=examples.outputs["examples"])
    schema = ImportSchemaGen(
        schema_file=str(fingerprints.by_content(schema_path, Path(config.pipeline_root) / "schema"))
    )
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = _transform(config, span, examples, schema)
    trainer = _trainer(config, span, transform, schema)
    baseline = Resolver(
        strategy_class=LatestOtherBlessedModel,
        candidate=trainer.outputs["model"],
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id(RESOLVER)
    evaluator = Evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        example_splits=[SPLIT],
        eval_config=eval_config(
            config.evaluator,
            span.labels,
            config.features,
            fingerprints.code("components.evaluator"),
        ),
        schema=schema.outputs["schema"],
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=config.models_folder)
        ),
    )
    nodes = [
        examples, statistics, schema, validator, transform, trainer, baseline, evaluator, pusher,
    ]  # fmt: skip
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=config.pipeline_root,
        components=list(_with_beam_options(nodes, config)),
        enable_cache=True,
        beam_pipeline_args=list(config.beam.default),
    )


def _transform(config: Config, span: Span, examples: BaseNode, schema: BaseNode) -> BaseNode:
    return Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="components.transform.preprocessing.preprocessing_fn",
        custom_config={
            "features": dataclasses.asdict(config.features),
            "labels": list(span.labels),
            "image_size": config.image.size,
            "code": fingerprints.code("components.transform", "components.pixels"),
        },
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=_TRAINER_SPLITS),
        # StatisticsGen has made them; of the resized images they would say nothing.
        disable_statistics=True,
    )


def _trainer(config: Config, span: Span, transform: BaseNode, schema: BaseNode) -> BaseNode:
    return Trainer(
        run_fn="components.trainer.run.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config={
            "settings": dataclasses.asdict(config.trainer),
            "features": dataclasses.asdict(config.features),
            "labels": list(span.labels),
            "image_size": config.image.size,
            "feature_cache": str(Path(config.workspace) / "features"),
            "fingerprints": {
                "extractor": extractor.fingerprint(config.trainer.hub_handle),
                "code": fingerprints.code("components.trainer", "components.pixels"),
            },
        },
    )


def _with_beam_options(nodes: Iterable[BaseNode], config: Config) -> Iterable[BaseNode]:
    left = dict(config.beam.by_node)
    for node in nodes:
        options = left.pop(node.id, None)
        yield node if options is None else node.with_beam_pipeline_args(list(options))
    if left:
        raise PostersError(f"beam.by_node: there is no node {', '.join(left)} in the pipeline.")


def _schema_path(config: Config) -> Path:
    if config.schema_path is None:
        return Path(str(importlib.resources.files("schema") / "schema.pbtxt"))
    return Path(config.schema_path)


def _check_schema(path: Path, config: Config, span: Span) -> None:
    """Refuses a schema under which every run would end in anomalies or a crash."""
    schema = schema_pb2.Schema()
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), schema)
    except OSError as error:
        raise PostersError(f"schema_path: {path} cannot be read ({error.strerror}).") from error
    except text_format.ParseError as error:
        raise PostersError(
            f"schema_path: {path} is no TFMD schema in text form: {error}"
        ) from error
    by_name = {feature.name: feature for feature in schema.feature}
    needed = (config.features.image, config.features.labels, config.features.id)
    if missing := [name for name in needed if name not in by_name]:
        raise PostersError(
            f"schema_path: {path} has no feature {', '.join(missing)}; the configuration's "
            "`ingest.features` names it. Rename one or the other."
        )
    domains = {domain.name: set(domain.value) for domain in schema.string_domain}
    feature = by_name[config.features.labels]
    domain = domains.get(feature.domain, set(feature.string_domain.value))
    if domain and (unknown := [label for label in span.labels if label not in domain]):
        raise PostersError(
            f"schema_path: the domain of {feature.name} in {path} lacks {', '.join(unknown)}, "
            f"which the vocabulary of {span.folder} has. Add it to the domain."
        )
