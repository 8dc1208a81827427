"""What is wrong with a model's answers, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from components.serving_check.process import Answers
from components.serving_check.settings import ServingCheckSettings
from components.trainer import export

_SCORES = ("scores", "probabilities")
_MEGABYTE = 1 << 20


def check(
    answers: Answers,
    ids: Sequence[str],
    labels: Sequence[str],
    labels_output: str,
    evaluated: Mapping[str, np.ndarray],
    settings: ServingCheckSettings,
) -> list[str]:
    """Finds what a client or a server would stumble over.

    Args:
      answers: to N golden images and an undecodable one.
      ids: of the N images.
      labels: the vocabulary, in order.
      labels_output: the output that names the labels.
      evaluated: the Evaluator's scores, (L,) by id.
      settings: the budgets.

    Returns:
      A sentence a finding; none if the model may be pushed.
    """
    found = list(_wrong_signatures(answers, labels_output))
    found += [f"{name} fails: {reason}" for name, reason in sorted(answers.errors.items())]
    if found:
        return found
    for signature in (export.SERVING_DEFAULT, export.SERVING_EXAMPLES):
        outputs = {
            name: answers.outputs[f"{signature}/{name}"]
            for name in (*_SCORES, labels_output, export.STATUS)
        }
        wrong = list(_wrong_outputs(outputs, ids, labels, labels_output))
        wrong = wrong or list(_unlike_evaluated(outputs, ids, labels, evaluated, settings))
        found += [f"{signature}: {sentence}" for sentence in wrong]
    return found + list(_over_budget(answers, settings))


def _wrong_signatures(answers: Answers, labels_output: str) -> Iterable[str]:
    scored = {*_SCORES, labels_output, export.STATUS}
    images, examples = {export.IMAGE_INPUT: "string"}, {export.EXAMPLE_INPUT: "string"}
    wanted = {
        export.SERVING_DEFAULT: (images, scored),
        export.SERVING_EXAMPLES: (examples, scored),
        export.BULK_INFERENCE: (examples, scored),
        export.EMBEDDING: (images, {export.EMBEDDING, export.STATUS}),
        export.SCORES_OF_EMBEDDING: ({export.EMBEDDING: "float32"}, set(_SCORES)),
        export.TRANSFORM_FEATURES: (examples, {export.STATUS}),
        export.TRANSFORM_LABELS: (examples, set()),
        export.PIXELS: ({export.PIXELS: "uint8"}, set(_SCORES)),
    }
    for name, (taken, given) in wanted.items():
        signature = answers.signatures.get(name)
        if signature is None:
            yield f"the signature {name} is missing"
            continue
        if signature["inputs"] != taken:
            yield (
                f"{name} takes {_words(signature['inputs'])} where it should take "
                f"{_words(taken)} alone"
            )
        if missing := sorted(given - set(signature["outputs"])):
            yield f"{name} does not give {', '.join(missing)}"
        for key in sorted(given & set(_SCORES)):
            if (dtype := signature["outputs"].get(key, "float32")) != "float32":
                yield f"{name} gives {key} as {dtype}, not as float32"


def _wrong_outputs(
    outputs: Mapping[str, np.ndarray], ids: Sequence[str], labels: Sequence[str], names: str
) -> Iterable[str]:
    rows = len(ids) + 1
    for key in (*_SCORES, names):
        if outputs[key].shape != (rows, len(labels)):
            yield (
                f"{key} of {rows} images and {len(labels)} labels have the shape "
                f"{outputs[key].shape}"
            )
            return
    order = [name.decode(errors="replace") for name in outputs[names][0]]
    if order != list(labels) or (outputs[names] != outputs[names][0]).any():
        yield (
            f"its label names are {', '.join(order)}; the vocabulary is {', '.join(labels)}: a "
            "client would take one label's score for another's"
        )
    for key in _SCORES:
        values = outputs[key][:-1]
        bad = ~np.isfinite(values).all(axis=1) | (np.abs(values - 0.5) > 0.5).any(axis=1)
        if bad.any():
            yield (
                f"{key} of {bad.sum()} of {len(ids)} posters are not in [0, 1], such as "
                f"{values[bad][0].tolist()} of {ids[int(np.flatnonzero(bad)[0])]}"
            )
    status = outputs[export.STATUS]
    if (complains := status[:-1] != b"").any():
        row = int(np.flatnonzero(complains)[0])
        yield f"it says of {ids[row]}, which is an image: {status[row].decode(errors='replace')}"
    if status[-1] == b"" or not np.isnan(outputs["scores"][-1]).all():
        yield "bytes that are no image get a score and no word in `status`"


def _unlike_evaluated(
    outputs: Mapping[str, np.ndarray],
    ids: Sequence[str],
    labels: Sequence[str],
    evaluated: Mapping[str, np.ndarray],
    settings: ServingCheckSettings,
) -> Iterable[str]:
    wanted = np.stack([evaluated[identifier] for identifier in ids])
    apart = np.abs(outputs["scores"][:-1] - wanted)
    if not apart.max() <= settings.max_score_difference:
        row, column = np.unravel_index(np.argmax(apart), apart.shape)
        yield (
            f"the score of {ids[row]} for {labels[column]} is "
            f"{outputs['scores'][row, column]:.6f}; the Evaluator got {wanted[row, column]:.6f}, "
            f"which is more than {settings.max_score_difference:g} away "
            "(serving_check.max_score_difference)"
        )


def _over_budget(answers: Answers, settings: ServingCheckSettings) -> Iterable[str]:
    latency = latency_ms(answers)
    if latency > settings.max_latency_ms:
        yield (
            f"one poster takes {latency:.0f} ms, the median of {len(answers.request_seconds)} "
            f"requests; {settings.max_latency_ms:g} are allowed (serving_check.max_latency_ms)"
        )
    memory = answers.peak_memory_bytes / _MEGABYTE
    if memory > settings.max_memory_mb:
        yield (
            f"a process that serves it takes {memory:.0f} MB; {settings.max_memory_mb:g} are "
            "allowed (serving_check.max_memory_mb)"
        )


def latency_ms(answers: Answers) -> float:
    """The median time of a request of one image, milliseconds."""
    return float(np.median(answers.request_seconds)) * 1000


def _words(names: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in names.items()) or "nothing"
