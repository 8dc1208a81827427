"""`posters doctor`: what is wrong with this environment, and how to mend it."""

from __future__ import annotations

import argparse
from pathlib import Path

from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline.doctor import run_doctor


def run(options: argparse.Namespace) -> int:
    """Checks the environment against what the configuration needs; exits with 1 on a failure."""
    config = configuration.load(options.config, options.overrides)
    return run_doctor(config.trainer.hub_handle, Path(config.workspace), CONSOLE)
