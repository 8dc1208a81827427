"""Refuses what a runner cannot do before anything is compiled, naming the configuration's key."""

from __future__ import annotations

from collections.abc import Iterator

from components.errors import PostersError
from components.trainer.extractor import EMBEDDED
from pipeline.config import Config
from pipeline.runners import accelerators
from pipeline.runners.capabilities import Runner

#: How the configurations that come with the project mark what a user has to fill in.
PLACEHOLDER = "your-"


def check(config: Config, runner: Runner) -> None:
    """Refuses a configuration that asks a runner for what it cannot do.

    Raises:
      PostersError: with the key, the reason and what to do.
    """
    if runner.section and getattr(config, runner.section) is None:
        raise PostersError(
            f"{runner.section}: missing; the runner {runner.name} needs this section. See "
            f"configs/{runner.section}.yaml."
        )
    if runner.store_schemes:
        _check_places(config, runner)
    for node, wanted in config.resources.by_node.items():
        if wanted.accelerator and runner.section:
            key = f"resources.by_node.{node}.accelerator"
            accelerators.check(key, wanted.accelerator, runner)
    if runner.has_custom_jobs:
        _check_trainer_job(config, runner)


def check_filled_in(config: Config) -> None:
    """Refuses what is still a placeholder; a job compiles with it, but cannot be sent.

    Raises:
      PostersError: with every key that holds one.
    """
    left = [key for key, value in _texts(config.model_dump(), "") if PLACEHOLDER in value]
    if left:
        raise PostersError(
            f"{', '.join(left)}: still as in the example. Put your own in place of what begins "
            f"with `{PLACEHOLDER}`, in the file or with --set KEY=VALUE."
        )


def _check_places(config: Config, runner: Runner) -> None:
    """Containers share no disk with this machine: what they read and write is on a store."""
    allowed = tuple(f"{scheme}://" for scheme in runner.store_schemes)
    places = [("data_root", config.data_root), (f"{runner.section}.store", config.store)]
    if config.bulk_inferrer and config.bulk_inferrer.examples:
        places.append(("bulk_inferrer.examples", config.bulk_inferrer.examples))
    for key, value in places:
        if not value.startswith(allowed):
            raise PostersError(
                f"{key}: {value} is nothing that containers on {runner.name} can reach. Give an "
                f"address that begins with {' or '.join(allowed)}."
            )
    handle = config.trainer.hub_handle
    if handle != EMBEDDED and "://" not in handle:
        raise PostersError(
            f"trainer.hub_handle: {handle} is a folder of this machine, which containers do not "
            f"see. Give an address on TF-Hub, a .tar.gz on a store, or `{EMBEDDED}`."
        )


def _check_trainer_job(config: Config, runner: Runner) -> None:
    job = config.vertex.trainer_job
    if job is None:
        return
    if job.accelerator:
        accelerators.check("vertex.trainer_job.accelerator", job.accelerator, runner)
    accelerators.check_machine(
        "vertex.trainer_job.machine_type", job.machine_type, job.accelerator, job.accelerator_count
    )
    trainer = config.resources.by_node.get("Trainer")
    if trainer and trainer.accelerator:
        raise PostersError(
            "resources.by_node.Trainer.accelerator: the node only waits for its custom job, and "
            "would pay for this too. Leave it away, or leave vertex.trainer_job away."
        )


def _texts(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, str):
        yield key, value
