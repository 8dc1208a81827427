"""Where things lie that are asked for before TFX is loaded."""

from __future__ import annotations

import hashlib
import importlib.resources
from pathlib import Path

from pipeline.config import Config


def accepted_folder(config: Config) -> str:
    """Where the gate records the spans it let through: one folder a data root."""
    # A workspace may be pointed at other data; its spans have the same numbers.
    dataset = hashlib.sha256(config.data_root.encode()).hexdigest()[:12]
    return f"{config.store}/gate/{dataset}"


def answers_folder(config: Config) -> str:
    """Where the Evaluator keeps what models answered, so that no run asks a baseline again."""
    return f"{config.store}/answers"


def features_folder(config: Config) -> str:
    """Where the Trainer keeps the features of images, on this machine."""
    return f"{config.workspace}/features"


def schema_path(config: Config) -> Path:
    """The schema's file: the configured one, or the one that comes with the project."""
    if config.schema_path is None:
        return Path(str(importlib.resources.files("schema") / "schema.pbtxt"))
    return Path(config.schema_path)
