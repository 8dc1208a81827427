"""A head that goes on from the last blessed model's, label by label."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.trainer import export, head_weights
from components.trainer.head import Head


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """Where a head started.

    Attributes:
      source: folder of the SavedModel whose head it went on from, or None if it started anew.
      kept: labels that were known to that head, in the order of the new one.
      reason: why it started anew, in words, or None if it did not.
    """

    source: str | None
    kept: tuple[str, ...] = ()
    reason: str | None = None

    def description(self) -> dict[str, Any]:
        """For the model's description."""
        return {
            "warm_started_from": self.source,
            "warm_started_labels": list(self.kept),
            "warm_start_refused": self.reason,
        }

    def __str__(self) -> str:
        """One line for the screen."""
        if self.source is None:
            return f"starts from nothing: {self.reason}"
        return f"goes on from {self.source}, which knows {len(self.kept)} of the labels"


def start(
    head: Head, labels: Sequence[str], source: str | None, wanted: Mapping[str, Any]
) -> WarmStart:
    """Gives a new head the weights of an exported model's, as far as they fit.

    Hidden layers and standardisation are taken over whole; of the last layer, every label that both
    models know by name, wherever it stands. New labels keep what the new head started with.

    Args:
      head: as `fitting.new_head` makes it; changed if there is something to go on from.
      labels: what it is to tell apart.
      source: folder of the last blessed model; None, or a folder that is not there, if there is
        none.
      wanted: what both models must have in common, as their descriptions name it:
        `extractor_fingerprint`, `image_size`, `views`.

    Returns:
      What it did. Where it cannot go on it leaves the head alone and says why: a training from
      nothing gives a good model too, so this stops no run.
    """
    if source is None or not tf.io.gfile.exists(source):
        return WarmStart(None, reason="no model was ever blessed")
    try:
        description = export.read_description(source)
        arrays = head_weights.read(source)
    except (tf.errors.OpError, OSError, ValueError) as error:
        return WarmStart(None, reason=str(error))
    reason = _obstacle(head, description, arrays, wanted)
    if reason is not None:
        return WarmStart(None, reason=reason)
    places = {label: place for place, label in enumerate(description["labels"])}
    kept = [label for label in labels if label in places]
    new = [place for place, label in enumerate(labels) if label in places]
    old = [places[label] for label in kept]
    last = len(head.networks[0].kernels) - 1
    for name, variable in head_weights.name_variables(head).items():
        if name.endswith(f"_{last}") and name.startswith("network_"):
            value = variable.numpy()
            value[..., new] = arrays[name][..., old]
            variable.assign(value)
        else:
            variable.assign(arrays[name])
    return WarmStart(source, tuple(kept))


def _obstacle(
    head: Head,
    description: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    wanted: Mapping[str, Any],
) -> str | None:
    """Why a head cannot go on from another, or None if it can."""
    for key, value in wanted.items():
        if description.get(key) != value:
            return f"{key} was {description.get(key)}, and is {value}"
    if (description.get("trainer") or {}).get("fine_tune") is not None:
        return "the extractor of the last blessed model was fine-tuned along with its head"
    variables = head_weights.name_variables(head)
    if variables.keys() != arrays.keys():
        return "trainer.head has other layers or members than the last blessed model"
    labels = len(description["labels"])
    last = len(head.networks[0].kernels) - 1
    for name, variable in variables.items():
        shape = list(variable.shape)
        if name.endswith(f"_{last}") and name.startswith("network_"):
            shape[-1] = labels
        if list(arrays[name].shape) != shape:
            return f"{name} was {list(arrays[name].shape)}, and is {shape} (trainer.head)"
        if not np.isfinite(arrays[name]).all():
            return f"{name} of the last blessed model holds numbers that are none"
    return None
