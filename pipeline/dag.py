"""The one DAG, built here for every runner; runners differ only in where it runs."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable

from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.experimental.conditionals.conditional import Cond
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2, transform_pb2
from tfx.types import Channel, standard_artifacts

from components import views
from components.errors import PostersError
from components.evaluator import slices
from components.evaluator.baseline import LatestOtherPushedModel
from components.evaluator.component import Evaluator
from components.evaluator.eval_config import SPLIT, eval_config
from components.pusher.component import Pusher
from components.pusher.latest import LatestPushedModel
from components.retraining.component import RetrainDecision
from components.serving_check.component import ServingCheck
from components.transform.component import Transform
from pipeline import (
    data_nodes,
    fingerprints,
    inference_nodes,
    report_node,
    retrain_nodes,
    training_nodes,
)
from pipeline.config import Config
from pipeline.places import answers_folder
from pipeline.runners.capabilities import LOCAL, Runner
from pipeline.windows import Window

#: What the Trainer is given; it never sees the split that decides.
_TRAINER_SPLITS = ("train", "eval")
#: Modules that decide, besides a node's own, which pixels it makes or reads.
PIXEL_CODE = ("components.pixels", "components.views")
RESOLVER = "BaselineResolver"


def create_pipeline(
    config: Config, window: Window, runner: Runner = LOCAL, scheduled: bool = False
) -> Pipeline:
    """Builds the DAG.

    Args:
      config: the checked configuration.
      window: the data it trains on.
      runner: what it will run on; see `capabilities` for the differences that this makes.
      scheduled: whether it runs again and again without being built anew: then its first node
        decides whether it is worth it, and on which spans; the window only gives the vocabulary.

    Returns:
      A pipeline without a metadata connection: that is the runner's to give.

    Raises:
      PostersError: the schema cannot be read or does not fit the vocabulary.
    """
    _check_slices(config)
    decision = retrain_nodes.decision(config, window) if scheduled else None
    hangs_on = Cond(decision.says_run()) if decision else contextlib.nullcontext()
    with hangs_on:
        nodes = _nodes(config, window, runner, decision)
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=config.pipeline_root,
        components=list(_with_beam_options([*([decision] if decision else []), *nodes], config)),
        enable_cache=True,
        beam_pipeline_args=list(config.beam.default),
    )


def _nodes(
    config: Config, window: Window, runner: Runner, decision: RetrainDecision | None
) -> list[BaseNode]:
    """The nodes from the examples to the report, in order."""
    chosen = decision.outputs["decision"] if decision else None
    data = data_nodes.create(config, window, runner, chosen)
    examples, schema = data.examples, data.schema
    transform = transform_node(config, window, data)
    training = training_nodes.create(config, window, data, transform, PIXEL_CODE, runner)
    trainer = training.trainer
    baseline = _baseline(config, window, trainer, runner)
    evaluator = Evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        example_splits=[SPLIT],
        eval_config=eval_config(
            config.evaluator,
            window.labels,
            config.features,
            fingerprints.code("components.evaluator"),
            answers_folder(config),
        ),
        schema=schema.outputs["schema"],
    )
    serving_check = ServingCheck(
        model=trainer.outputs["model"],
        examples=examples.outputs["examples"],
        evaluation=evaluator.outputs["evaluation"],
        settings=config.serving_check,
        features=config.features,
        labels=window.labels,
        split=SPLIT,
        code=fingerprints.code("components.serving_check"),
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=config.models_folder)
        ),
        approval=config.push.approval,
    )
    report = report_node.create(config, window, data, trainer, evaluator, serving_check, pusher)
    nodes = [*data.nodes, transform, *training.nodes, baseline, evaluator]
    inference = inference_nodes.create(config, examples, trainer, evaluator, pusher)
    nodes += [serving_check, pusher, *inference, report]
    if decision:
        nodes.append(retrain_nodes.outcome(config, decision, evaluator, serving_check, pusher))
    return nodes


def _check_slices(config: Config) -> None:
    """Refuses a slice by a feature that the examples do not have: it would be empty."""
    path = data_nodes.schema_path(config)
    features = [feature.name for feature in data_nodes.read_schema(path).feature]
    known = {*slices.DERIVED, *features}
    if unknown := [name for name in config.evaluator.slices if name not in known]:
        raise PostersError(
            f"evaluator.slices: {path} has no feature {', '.join(unknown)}. Name one of its own ("
            f"{', '.join(features)}), or one of {', '.join(slices.DERIVED)}."
        )


def _baseline(config: Config, window: Window, trainer: BaseNode, runner: Runner) -> BaseNode:
    """The node that finds the model which the new one must not fall behind."""
    if not runner.has_metadata:
        return LatestPushedModel(
            models_folder=config.models_folder,
            labels=window.labels,
            code=fingerprints.code("components.pusher"),
            candidate=trainer.outputs["model"],
        ).with_id(RESOLVER)
    return Resolver(
        strategy_class=LatestOtherPushedModel,
        config={"models_folder": config.models_folder},
        candidate=trainer.outputs["model"],
        model=Channel(type=standard_artifacts.Model),
        pushed_model=Channel(type=standard_artifacts.PushedModel),
    ).with_id(RESOLVER)


def transform_node(config: Config, window: Window, data: data_nodes.DataNodes) -> BaseNode:
    """Transform, which waits for the gate."""
    transform = Transform(
        examples=data.examples.outputs["examples"],
        schema=data.schema.outputs["schema"],
        preprocessing_fn="components.transform.preprocessing.preprocessing_fn",
        custom_config={
            "features": dataclasses.asdict(config.features),
            "labels": list(window.labels),
            "image_size": config.image.size,
            # Not the views: a mirrored one is made of what is stored already.
            "geometries": list(views.geometries(config.image.views)),
            "code": fingerprints.code("components.transform", *PIXEL_CODE),
        },
        materialize=training_nodes.materializes(config),
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=_TRAINER_SPLITS),
        # StatisticsGen has made them; of the resized images they would say nothing.
        disable_statistics=True,
    )
    # It takes nothing that the gate makes, so that a new decision alone recomputes nothing.
    transform.add_upstream_node(data.gate)
    return transform


def _with_beam_options(nodes: Iterable[BaseNode], config: Config) -> Iterable[BaseNode]:
    left = dict(config.beam.by_node)
    for node in nodes:
        options = left.pop(node.id, None)
        yield node if options is None else node.with_beam_pipeline_args(list(options))
    if left:
        raise PostersError(f"beam.by_node: there is no node {', '.join(left)} in the pipeline.")
