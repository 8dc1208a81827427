"""Asks a SavedModel, in a process that has TensorFlow and nothing else.

    python -I asking.py DIR ABSENT...

Run as a file and never imported. It loads TensorFlow, without the packages named, which must not
be found, and waits for a line of input: a JSON object of `model`, the SavedModel's folder, and
`image_feature`. It loads that, and waits for another: how many requests to time. DIR then holds
`golden.tfrecord`, serialized examples. What it finds goes into `answers.npz` and `answers.json`. If
its input ends it ends too.
"""

import contextlib
import gc
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_UNDECODABLE = b"this is no image"
#: By signature, whether it takes examples or images.
_ASKED = {"serving_default": False, "serving_examples": True}


def main(folder: Path, absent: Sequence[str]) -> None:
    """Loads the model, asks it, and writes down what came of it."""
    for name in absent:
        sys.modules[name] = None  # importing it fails from now on
    gc.disable()  # nothing that is imported is garbage, and looking for it takes a fifth
    started = time.perf_counter()
    import numpy as np
    import tensorflow as tf

    import_seconds = time.perf_counter() - started
    if not (line := sys.stdin.readline()):
        return  # whoever wanted to ask does so no more
    request = json.loads(line)
    started = time.perf_counter()
    # Held until the end: with it go its tables and variables.
    model = tf.saved_model.load(request["model"])
    signatures = dict(model.signatures)
    load_seconds = time.perf_counter() - started
    _warm_up(tf, signatures, request["image_feature"])
    if not (line := sys.stdin.readline()):
        return
    timed_requests = int(line)
    records, images = _golden(tf, folder, request["image_feature"])
    outputs, errors = {}, {}
    for name in set(_ASKED) & set(signatures):
        try:
            answer = _ask(tf, signatures[name], records if _ASKED[name] else images)
        except Exception as error:  # whatever a broken graph raises is the answer
            errors[name] = str(error).strip().partition("\n")[0]
            continue
        outputs.update({f"{name}/{key}": _plain(np, value) for key, value in answer.items()})
    seconds = []
    if "serving_default" in signatures and "serving_default" not in errors:
        for row in range(timed_requests):
            started = time.perf_counter()
            _ask(tf, signatures["serving_default"], [images[row % (len(images) - 1)]])
            seconds.append(time.perf_counter() - started)
    np.savez(folder / "answers.npz", **outputs)
    found = {
        "signatures": {name: _describe(signature) for name, signature in signatures.items()},
        "errors": errors,
        "import_seconds": import_seconds,
        "load_seconds": load_seconds,
        "request_seconds": seconds,
        "peak_memory_bytes": _peak_memory_bytes(),
    }
    (folder / "answers.json").write_text(json.dumps(found))


def _warm_up(tf, signatures, image_feature):
    """Asks once of what is no image: a graph's first call, whatever of, takes most of a second."""
    example = tf.train.Example()
    example.features.feature[image_feature].bytes_list.value.append(_UNDECODABLE)
    for name in set(_ASKED) & set(signatures):
        with contextlib.suppress(Exception):  # asked in earnest it says what is wrong
            _ask(
                tf,
                signatures[name],
                [example.SerializeToString() if _ASKED[name] else _UNDECODABLE],
            )


def _golden(tf, folder, image_feature):
    """Serialized examples and their images; of each, the last is none."""
    records = [r.numpy() for r in tf.data.TFRecordDataset(str(folder / "golden.tfrecord"))]
    broken = tf.train.Example.FromString(records[0])
    broken.features.feature[image_feature].bytes_list.value[0] = _UNDECODABLE
    records.append(broken.SerializeToString())
    images = [
        tf.train.Example.FromString(record).features.feature[image_feature].bytes_list.value[0]
        for record in records
    ]
    return records, images


def _ask(tf, signature, values):
    ((name, _),) = signature.structured_input_signature[1].items()
    return {key: value.numpy() for key, value in signature(**{name: tf.constant(values)}).items()}


def _plain(np, values):
    """Arrays of bytes objects become such that a reader need not trust."""
    return values.astype(np.bytes_) if values.dtype == object else values


def _describe(signature):
    inputs = signature.structured_input_signature[1]
    return {
        "inputs": {name: spec.dtype.name for name, spec in inputs.items()},
        "outputs": {name: spec.dtype.name for name, spec in signature.structured_outputs.items()},
    }


def _peak_memory_bytes():
    # `getrusage` counts the parent's size from before it became this program.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
    os._exit(0)  # taking TensorFlow apart would take most of a second
