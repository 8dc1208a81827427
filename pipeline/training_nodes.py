"""The nodes that train: Tuner and warm start, where the configuration asks for them; Trainer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.utils import json_utils

from components.pusher.latest import LatestPushedModel
from components.trainer import extractor
from components.trainer.base_model import LatestPushedOfAnotherTraining, digest
from components.trainer.custom_job import CUSTOM_JOB, CustomJobTrainer
from pipeline import data_nodes, fingerprints
from pipeline.config import Config
from pipeline.places import features_folder
from pipeline.runners import custom_job
from pipeline.runners.capabilities import LOCAL, Runner
from pipeline.windows import Window

WARM_START_RESOLVER = "WarmStartResolver"
#: Modules that decide, besides those of the pixels, which embedding a model gives an image.
_EMBEDDING_CODE = (
    "components.transform",
    "components.trainer.decoding",
    "components.trainer.export",
    "components.trainer.extractor",
    "components.trainer.folding",
)
#: Settings of the Trainer that change nothing of what a trial of the Tuner does.
_AFTER_TUNING = ("decision", "fine_tune", "warm_start", "neighbours")


@dataclasses.dataclass(frozen=True)
class TrainingNodes:
    """The nodes, in order, and the one whose model is evaluated."""

    nodes: Sequence[BaseNode]
    trainer: BaseNode


def create(
    config: Config,
    window: Window,
    data: data_nodes.DataNodes,
    transform: BaseNode,
    pixel_code: Sequence[str],
    runner: Runner = LOCAL,
) -> TrainingNodes:
    """Makes the nodes.

    Args:
      config: the checked configuration.
      window: the data they train on.
      data: what brings the examples and the curated schema.
      transform: Transform. Where it materialises examples, these are what is trained on.
      pixel_code: modules that decide, besides a node's own, which pixels it reads.
      runner: what they will run on.
    """
    custom_config = _custom_config(config, window, pixel_code, runner)
    source = transform if materializes(config) else data.examples
    examples = source.outputs["transformed_examples" if source is transform else "examples"]
    inputs: dict[str, Any] = {
        "examples": examples,
        "transform_graph": transform.outputs["transform_graph"],
        "schema": data.schema.outputs["schema"],
        "train_args": trainer_pb2.TrainArgs(splits=["train"]),
        "eval_args": trainer_pb2.EvalArgs(splits=["eval"]),
    }
    before: list[BaseNode] = []
    found: dict[str, BaseChannel] = {}
    if config.tuner is not None:
        before.append(_tuner(config, custom_config, inputs))
        found["hyperparameters"] = before[-1].outputs["best_hyperparameters"]
    if config.trainer.warm_start:
        trained_on = {name: inputs[name] for name in ("examples", "transform_graph")} | found
        before.append(_warm_start(config, window, custom_config, trained_on, runner))
        found["base_model"] = before[-1].outputs["model"]
    trainer_class, custom_config = _trainer_class(config, custom_config, runner)
    trainer = trainer_class(
        run_fn="components.trainer.run.run_fn", custom_config=custom_config, **inputs, **found
    ).with_id("Trainer")
    return TrainingNodes([*before, trainer], trainer)


def embedding_code(pixel_code: Sequence[str]) -> str:
    """Fingerprint of the code that decides which embedding an image is given."""
    return fingerprints.code(*_EMBEDDING_CODE, *pixel_code)


def materializes(config: Config) -> bool:
    """Whether Transform stores its examples: only who sees images more than once gains by it."""
    return config.trainer.fine_tune is not None


def _custom_config(
    config: Config, window: Window, pixel_code: Sequence[str], runner: Runner
) -> dict[str, Any]:
    """What Trainer and Tuner are told; see `components.trainer.run.run_fn`."""
    return {
        "settings": dataclasses.asdict(config.trainer),
        "features": dataclasses.asdict(config.features),
        "labels": list(window.labels),
        "image_size": config.image.size,
        "views": list(config.image.views),
        "materialized": materializes(config),
        "feature_cache": runner.feature_cache or features_folder(config),
        "fingerprints": {
            "extractor": extractor.fingerprint(config.trainer.hub_handle),
            "code": fingerprints.code("components.trainer", *pixel_code),
            "embedding": embedding_code(pixel_code),
        },
    }


def _trainer_class(
    config: Config, custom_config: dict[str, Any], runner: Runner
) -> tuple[type[Trainer], dict[str, Any]]:
    """The Trainer, in its node or as a custom job, and what it is told."""
    if not (runner.has_custom_jobs and config.vertex.trainer_job):
        return Trainer, custom_config
    return CustomJobTrainer, {**custom_config, CUSTOM_JOB: custom_job.describe(config)}


def _tuner(config: Config, custom_config: dict[str, Any], inputs: dict[str, Any]) -> BaseNode:
    # Imports keras-tuner, and with it Keras 3: only where it is asked for.
    from components.tuner.component import Tuner

    settings = {
        key: value for key, value in custom_config["settings"].items() if key not in _AFTER_TUNING
    }
    return Tuner(
        tuner_fn="components.tuner.run.tuner_fn",
        custom_config={
            **custom_config,
            "settings": settings,
            "tuner": dataclasses.asdict(config.tuner),
            "tuner_code": fingerprints.code("components.tuner"),
        },
        **inputs,
    )


def _warm_start(
    config: Config,
    window: Window,
    custom_config: dict[str, Any],
    trained_on: dict[str, BaseChannel],
    runner: Runner,
) -> BaseNode:
    """The node that finds the model whose head the new one goes on from."""
    settings = digest(json_utils.dumps(custom_config))
    if not runner.has_metadata:
        return LatestPushedModel(
            models_folder=config.models_folder,
            labels=window.labels,
            # Named for the training, so that the same one again goes on from the same model.
            code=settings,
            **trained_on,
        ).with_id(WARM_START_RESOLVER)
    return Resolver(
        strategy_class=LatestPushedOfAnotherTraining,
        config={"config_digest": settings, "models_folder": config.models_folder},
        model=Channel(type=standard_artifacts.Model),
        pushed_model=Channel(type=standard_artifacts.PushedModel),
        **trained_on,
    ).with_id(WARM_START_RESOLVER)
