"""What the nodes of a scheduled job do about retraining."""

from __future__ import annotations

import dataclasses
import datetime
import json
import logging
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components.errors import PostersError
from components.files import write_text
from components.paths import to_path
from components.pusher import component as pusher
from components.retraining import asking, question, records
from components.retraining.asking import Asked
from components.retraining.records import Outcome
from components.spans.executor import SPANS_FILE

#: Custom property of a decision's artifact: 1 to run, 0 not to.
RETRAIN = "retrain"
#: Custom property: the decision's id, the name of its file.
DECISION = "decision_id"
#: In the artifact, the decision as it was taken.
FILE = "decision.json"
OUTCOME_FILE = "outcome.json"

_Artifacts = dict[str, list[types.Artifact]]


class RetrainDecisionExecutor(base_executor.BaseExecutor):
    """Looks, decides, and writes the decision down, with the spans that are to be trained on."""

    def Do(
        self, input_dict: _Artifacts, output_dict: _Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """See the base class.

        Args:
          input_dict: none.
          output_dict: `decision`, one artifact.
          exec_properties: see `RetrainDecisionSpec`.

        Raises:
          PostersError: the gate refused the data before, or the vocabulary is another than the job
            was made for.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        asked_about = question.from_json(exec_properties["question"])
        asked = asking.ask(asked_about)
        record = asked.record(asked_about)
        kept = records.write(to_path(asked_about.decisions_folder), record)
        for reason in asked.decision.reasons:
            logging.getLogger(__name__).info("%s: %s", reason.speaks_for, reason.sentence)
        if asked.decision.verdict == "refuse":
            raise PostersError(f"{record.sentence}.\nThe decision: {kept}")
        if asked.decision.verdict == "run":
            _check_labels(asked, json.loads(exec_properties["labels"]))
        artifact = artifact_utils.get_single_instance(output_dict["decision"])
        folder = to_path(artifact.uri)
        fileio.makedirs(artifact.uri)
        write_text(folder / FILE, json.dumps(record.to_json(), indent=1, ensure_ascii=False) + "\n")
        write_text(folder / SPANS_FILE, asking.spans_json(asked.window) + "\n")
        artifact.set_int_custom_property(RETRAIN, int(asked.decision.verdict == "run"))
        artifact.set_string_custom_property(DECISION, record.id)


class RetrainOutcomeExecutor(base_executor.BaseExecutor):
    """Writes the decision once more, with what came of it."""

    def Do(
        self, input_dict: _Artifacts, output_dict: _Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """See the base class.

        Args:
          input_dict: see `RetrainOutcomeSpec`.
          output_dict: `outcome`, one artifact.
          exec_properties: see `RetrainOutcomeSpec`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        record = records.read(to_path(artifact_utils.get_single_uri(input_dict["decision"])) / FILE)
        record = dataclasses.replace(record, outcome=_outcome(input_dict))
        records.write(to_path(exec_properties["decisions_folder"]), record)
        artifact = artifact_utils.get_single_instance(output_dict["outcome"])
        fileio.makedirs(artifact.uri)
        content = dataclasses.asdict(record.outcome)
        write_text(to_path(artifact.uri) / OUTCOME_FILE, json.dumps(content, indent=1) + "\n")


def _check_labels(asked: Asked, labels: list[str]) -> None:
    found = asked.situation.labels
    if list(found) != labels:
        raise PostersError(
            f"{asked.window[-1].folder} has {len(found)} labels, and this job was made for "
            f"{len(labels)}: {', '.join(sorted(set(found) ^ set(labels))) or 'their order'} "
            "differs. Compile the job again, and schedule it in place of this one."
        )


def _outcome(inputs: _Artifacts) -> Outcome:
    from components.evaluator import verdict
    from components.serving_check import report

    ended = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    pushed = artifact_utils.get_single_instance(inputs["pushed_model"])
    if pushed.get_int_custom_property(pusher.PUSHED):
        destination = pushed.get_string_custom_property(pusher.DESTINATION)
        return Outcome("pushed", ended, pushed=destination)
    uris = {key: artifact_utils.get_single_uri(inputs[key]) for key in inputs if key in _JUDGED}
    found = verdict.read(uris["evaluation"], uris["blessing"])
    serving = report.read(uris["infra_blessing"])
    reasons = [] if found.blessed else list(found.reasons)
    reasons += [] if serving.serves else list(serving.reasons)
    if not reasons:
        return Outcome("held", ended)
    return Outcome("refused", ended, error="; ".join(reasons))


_JUDGED = ("evaluation", "blessing", "infra_blessing")
