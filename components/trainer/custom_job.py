"""The Trainer as a custom job of Vertex AI: the node starts it, waits, and fails if it does.

TFX's own executor does that. It is loaded when the node runs: importing it brings Vertex AI's
client, which compiling has no use for.
"""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.components.trainer import component
from tfx.dsl.components.base import base_executor, executor_spec
from tfx.utils import json_utils

#: Key of the Trainer's `custom_config`: `project`, `region` and `spec`, a CustomJobSpec.
CUSTOM_JOB = "custom_job"


class CustomJobExecutor(base_executor.BaseExecutor):
    """Trains elsewhere, with the command that trains here."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class.

        Raises:
          RuntimeError: the job failed or was cancelled.
        """
        from tfx.extensions.google_cloud_ai_platform import constants
        from tfx.extensions.google_cloud_ai_platform.trainer import executor

        config = json_utils.loads(exec_properties["custom_config"])
        job = config.pop(CUSTOM_JOB)
        config |= {
            constants.ENABLE_VERTEX_KEY: True,
            constants.VERTEX_REGION_KEY: job["region"],
            executor.TRAINING_ARGS_KEY: {
                "project": job["project"],
                "display_name": job["display_name"],
                "job_spec": job["spec"],
            },
        }
        properties = {**exec_properties, "custom_config": json_utils.dumps(config)}
        executor.GenericExecutor(self._context).Do(input_dict, output_dict, properties)


class CustomJobTrainer(component.Trainer):
    """The Trainer whose `custom_config` holds a `CUSTOM_JOB`."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(CustomJobExecutor)
