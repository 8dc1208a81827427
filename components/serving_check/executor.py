"""The check's work: golden posters, a clean process, the verdict, the blessing."""

from __future__ import annotations

import glob
import json
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import record_files
from components.errors import PostersError
from components.evaluator import predictions
from components.features import Features
from components.serving_check import process, rules
from components.serving_check.report import ServingReport
from components.serving_check.settings import ServingCheckSettings

#: How TFX's own InfraValidator marks its blessing, which is what a Pusher looks at.
BLESSED = "blessed"
_MARKS = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}
_MEGABYTE = 1 << 20


class ServingCheckExecutor(base_executor.BaseExecutor):
    """Blesses a model that serves. One that does not ends no run: the Pusher leaves it alone."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class.

        Args:
          input_dict: `model`, `examples` and `evaluation`, one artifact each.
          output_dict: `blessing`, one artifact.
          exec_properties: see `ServingCheckSpec`.

        Raises:
          PostersError: there is no example to ask about.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        report = _check(input_dict, exec_properties)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        fileio.makedirs(blessing.uri)
        report.write(blessing.uri)
        with fileio.open(f"{blessing.uri}/{_MARKS[report.serves]}", "w") as file:
            file.write("")
        blessing.set_int_custom_property(BLESSED, int(report.serves))


def _check(inputs: dict[str, list[types.Artifact]], properties: dict[str, Any]) -> ServingReport:
    settings = ServingCheckSettings(**json.loads(properties["settings"]))
    features = Features(**json.loads(properties["features"]))
    model = path_utils.serving_model_path(artifact_utils.get_single_uri(inputs["model"]))
    folder = artifact_utils.get_split_uri(inputs["examples"], properties["split"])
    records = _golden(folder, settings.posters)
    ids = [_identifier(record, features.id) for record in records]
    try:
        answers = process.ask(model, records, features.image, settings.timeout_s)
    except process.NoAnswerError as error:
        return ServingReport(False, (str(error),), len(records))
    known = predictions.read(artifact_utils.get_single_uri(inputs["evaluation"]))
    labels = json.loads(properties["labels"])
    evaluated = dict(zip(known.ids.tolist(), known.scores, strict=True))
    found = rules.check(answers, ids, labels, features.labels, evaluated, settings)
    latency = rules.latency_ms(answers) if answers.request_seconds else None
    return ServingReport(
        serves=not found,
        reasons=tuple(found) if found else (_proof(answers, len(records)),),
        posters=len(records),
        latency_ms=latency,
        import_seconds=answers.import_seconds,
        load_seconds=answers.load_seconds,
        peak_memory_bytes=answers.peak_memory_bytes,
    )


def _proof(answers: process.Answers, posters: int) -> str:
    return (
        f"in a process that has only TensorFlow it gives the Evaluator's scores for {posters} "
        f"posters, {rules.latency_ms(answers):.0f} ms for one, with "
        f"{answers.peak_memory_bytes / _MEGABYTE:.0f} MB"
    )


def _golden(folder: str, count: int) -> list[bytes]:
    """The first examples of a split, in the order of their files' names."""
    files = sorted(tf.io.gfile.glob(f"{glob.escape(folder)}/*"))
    records = [record.numpy() for record in record_files.read(files).take(count)]
    if not records:
        raise PostersError(f"{folder} holds no example to ask the model about.")
    return records


def _identifier(record: bytes, feature: str) -> str:
    values = tf.train.Example.FromString(record).features.feature[feature].bytes_list.value
    return b"".join(values[:1]).decode(errors="replace")
