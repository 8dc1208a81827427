"""The Tuner node's entry point."""

from __future__ import annotations

from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from components.trainer import inputs
from components.trainer.settings import TrainerSettings
from components.tuner.search import Search
from components.tuner.settings import TunerSettings
from components.tuner.trial import Bench


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Makes the search over cached features.

    Args:
      fn_args: from TFX. `custom_config` is the Trainer's, see `trainer.run.run_fn`, and `tuner`
        (fields of `TunerSettings`).

    Returns:
      The search; TFX runs it.

    Raises:
      PostersError: the extractor is unusable, or a split is empty.
    """
    config = fn_args.custom_config
    given = TrainerSettings(**config["settings"])
    found = inputs.load(fn_args)
    bench = Bench(found.train, found.evaluation)
    search = Search(bench, given, TunerSettings(**config["tuner"]), fn_args.working_dir)
    return TunerFnResult(search, {})
