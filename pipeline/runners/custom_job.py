"""The custom job that the Trainer runs as on Vertex AI, as the configuration describes it."""

from __future__ import annotations

from typing import Any

from pipeline.config import Config


def describe(config: Config) -> dict[str, Any]:
    """What `components.trainer.custom_job` starts: project, region, name and CustomJobSpec.

    One replica: the Trainer spreads over all GPUs of its machine, and over one machine.
    """
    vertex = config.vertex
    job = vertex.trainer_job
    machine: dict[str, Any] = {"machine_type": job.machine_type}
    if job.accelerator:
        machine |= {
            "accelerator_type": job.accelerator,
            "accelerator_count": job.accelerator_count,
        }
    spec: dict[str, Any] = {
        "worker_pool_specs": [
            {
                "machine_spec": machine,
                "replica_count": 1,
                "disk_spec": {"boot_disk_size_gb": job.boot_disk_gb},
                # The node that starts the job adds the command.
                "container_spec": {
                    "image_uri": vertex.images.by_node.get("Trainer", vertex.images.default)
                },
            }
        ],
        "service_account": vertex.service_account,
    }
    if vertex.network:
        spec["network"] = vertex.network
    return {
        "project": vertex.project,
        "region": vertex.region,
        "display_name": f"{config.name}-trainer",
        "spec": spec,
    }
