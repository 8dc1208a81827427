"""TFX's Tuner, with all trials as data beside the best and no errors swallowed."""

from __future__ import annotations

from typing import Any

import keras_tuner
from tfx import types
from tfx.components.tuner import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.progress import CONSOLE

#: In the folder of `tuner_results`; see `findings.Findings.to_json`.
TRIALS_FILE = "trials.json"


class PosterTunerExecutor(executor.Executor):
    """Searches, writes down what was tried and what is best, and shows it."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        try:
            tuner = executor.search(
                input_dict, exec_properties, self._get_tmp_dir(), print_tuning_summary=False
            )
        except keras_tuner.errors.FatalError as error:
            # How a trial's exception came past keras-tuner; see `search.Search.run_trial`.
            raise error.__cause__ or error from None
        findings = tuner.findings()
        executor.write_best_hyperparameters(tuner, output_dict)
        folder = artifact_utils.get_single_uri(output_dict["tuner_results"])
        io_utils.write_string_file(f"{folder}/{TRIALS_FILE}", findings.to_json())
        CONSOLE.print(findings.table())
        CONSOLE.print(f"    {findings.verdict}", markup=False)


class Tuner(component.Tuner):
    """Searches for the Trainer's settings on cached features; see `run.tuner_fn`."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(PosterTunerExecutor)
