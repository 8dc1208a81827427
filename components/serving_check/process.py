"""A process of its own for the model: this interpreter and TensorFlow, nothing of this project."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

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
    with _begun(model) as process:
        process.load(model, image_feature)
        with tf.io.TFRecordWriter(str(process.folder / "golden.tfrecord")) as writer:
            for record in records:
                writer.write(record)
        process.finish(_TIMED_REQUESTS, timeout_s)
        found = json.loads((process.folder / "answers.json").read_text())
        with np.load(process.folder / "answers.npz", allow_pickle=False) as arrays:
            return Answers(outputs=dict(arrays), **found)


class Ahead:
    """Has done before an `ask` what takes longer than asking, on another core than the work there.

    What goes wrong here goes wrong again when it is asked, which says so.
    """

    def begin(self) -> None:
        """Loads TensorFlow; to be called once it is likely that there will be an `ask`."""
        with contextlib.suppress(OSError):
            _ready.append(_Process())

    def load(self, model: str, image_feature: str) -> None:
        """Loads the model that will be asked; see `ask`."""
        for process in _ready:
            process.load(model, image_feature)


@contextlib.contextmanager
def ahead() -> Iterator[Ahead]:
    """What is begun ahead in this block ends with it, if nobody asked."""
    try:
        yield Ahead()
    finally:
        while _ready:
            _ready.pop().close()


def _begun(model: str) -> _Process:
    """One that was begun ahead, lives, and was told of no other model; or a new one."""
    while _ready:
        process = _ready.pop()
        if process.lives and process.model in (None, model):
            return process
        process.close()
    return _Process()


class _Process:
    """Loads TensorFlow from the beginning, a model when it knows which, and asks when told to.

    Attributes:
      folder: for the question and the answers; it goes with the process.
      model: the folder of the model that it was told to load, if it was.
    """

    def __init__(self) -> None:
        self.model: str | None = None
        self._holder = tempfile.TemporaryDirectory(prefix="serving-check-")
        self.folder = Path(self._holder.name)
        environment = {key: value for key, value in os.environ.items() if key[:6] != "PYTHON"}
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_SCRIPT), str(self.folder), *_ABSENT],
            cwd=self.folder,
            env={**environment, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def lives(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.communicate()
        self._holder.cleanup()

    def load(self, model: str, image_feature: str) -> None:
        """Has it load a model, if it was not told before, and does not wait for it."""
        if self.model is None:
            self.model = model
            request = {"model": model, "image_feature": image_feature}
            with contextlib.suppress(BrokenPipeError):  # `finish` says what it died of
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()

    def finish(self, timed_requests: int, timeout_s: float) -> None:
        """Has it ask, and waits for its end."""
        try:
            _, complaints = self._process.communicate(f"{timed_requests}\n", timeout_s)
        except subprocess.TimeoutExpired as error:
            raise NoAnswerError(
                f"it gave no answer within {timeout_s:g} seconds (serving_check.timeout_s)"
            ) from error
        status = self._process.returncode
        if status < 0:
            raise NoAnswerError(f"the process that asked it was killed by signal {-status}")
        if status:
            last = next((line for line in reversed(complaints.splitlines()) if line.strip()), "")
            raise NoAnswerError(f"it cannot be loaded and asked: {last.strip()[:400]}")


#: Processes that were begun ahead and not used yet.
_ready: list[_Process] = []
