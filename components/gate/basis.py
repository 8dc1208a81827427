"""What the gate decides by, besides the data: while it stays the same, so does a refusal."""

from __future__ import annotations

import dataclasses
import hashlib
import json

from components.features import Features
from components.gate.settings import GateSettings


def digest(settings: GateSettings, features: Features, schema: bytes, code: str) -> str:
    """Digest of all of it, in hexadecimal.

    Args:
      settings: the limits; a person's reason to go on is none.
      features: the features' names.
      schema: the curated schema's file.
      code: fingerprint of the gate's code.
    """
    limits = {
        key: value for key, value in dataclasses.asdict(settings).items() if key != "override"
    }
    facts = [limits, dataclasses.asdict(features), hashlib.sha256(schema).hexdigest(), code]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
