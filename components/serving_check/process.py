"""A process of its own for the model: this interpreter and TensorFlow, nothing of this project."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

#: Run as a file, from anywhere.
_SCRIPT = Path(__file__).with_name("asking.py")
#: What a server that only has TensorFlow does not have, though it may lie beside it here.
_ABSENT = (
    "components", "pipeline", "schema", "configs", "tfx", "tfx_bsl", "tensorflow_transform",
    "tensorflow_hub", "tensorflow_text", "struct2tensor", "apache_beam", "keras", "tf_keras",
)  # fmt: skip
#: Requests of one image whose time is taken, after the first answers.
_TIMED_REQUESTS = 20


@dataclasses.dataclass(frozen=True)
class Answers:
    """What a model answered to N golden images and one that cannot be decoded, the last row.

    Attributes:
      signatures: by name, `inputs` and `outputs`: their names and dtypes.
      outputs: by `signature/output`, an array of N + 1 rows.
      errors: by signature, why it gave no answer.
      import_seconds: how long importing TensorFlow took.
      load_seconds: how long loading the model took.
      request_seconds: of requests of one image, each.
      peak_memory_bytes: the process's largest resident size.
    """

    signatures: Mapping[str, Mapping[str, Mapping[str, str]]]
    outputs: Mapping[str, np.ndarray]
    errors: Mapping[str, str]
    import_seconds: float
    load_seconds: float
    request_seconds: Sequence[float]
    peak_memory_bytes: int


class NoAnswerError(Exception):
    """The process came to no end, or to a bad one; says which."""


def ask(model: str, records: Sequence[bytes], image_feature: str, timeout_s: float) -> Answers:
    """Has a new process load a SavedModel and ask it.

    Args:
      model: the SavedModel's folder, on any file system that TensorFlow reads.
      records: serialized examples, one or more.
      image_feature: the name of the feature with the image.
      timeout_s: after so many seconds the process is killed.

    Raises:
      NoAnswerError: the model cannot be loaded, the process died, or it took too long.
    """
    with tempfile.TemporaryDirectory(prefix="serving-check-") as name:
        folder = Path(name)
        request: dict[str, Any] = {
            "model": model,
            "image_feature": image_feature,
            "requests": _TIMED_REQUESTS,
            "absent": _ABSENT,
        }
        (folder / "request.json").write_text(json.dumps(request))
        with tf.io.TFRecordWriter(str(folder / "golden.tfrecord")) as writer:
            for record in records:
                writer.write(record)
        _run(folder, timeout_s)
        found = json.loads((folder / "answers.json").read_text())
        with np.load(folder / "answers.npz", allow_pickle=False) as arrays:
            return Answers(outputs=dict(arrays), **found)


def _run(folder: Path, timeout_s: float) -> None:
    environment = {key: value for key, value in os.environ.items() if key[:6] != "PYTHON"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_SCRIPT), str(folder)],
            cwd=folder,
            env={**environment, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise NoAnswerError(
            f"it gave no answer within {timeout_s:g} seconds (serving_check.timeout_s)"
        ) from error
    if done.returncode < 0:
        raise NoAnswerError(f"the process that asked it was killed by signal {-done.returncode}")
    if done.returncode:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "")
        raise NoAnswerError(f"it cannot be loaded and asked: {last.strip()[:400]}")
