"""What the year brings, week by week, and what has to come of it.

Written by hand before the year is run: what `posters retrain` has to decide follows from the limits
in `LIMITS` and from what comes in.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

#: Settings of the year; everything else is as in configs/sample.yaml.
LIMITS = (
    "window={last: 12}",
    "retrain.min_new_posters=45",
    "retrain.min_new_share=null",
    # Forty posters a week with one genre alone are refused; a month with more of one is not.
    "gate.max_label_drift=0.5",
    "ingest.min_label_count=8",
    "trainer.head.members=1",
    "trainer.epochs=10",
    # Some eighty posters are in the test split: smaller differences are noise.
    "evaluator.max_macro_f1_drop=0.15",
)
#: Settings that learn next to nothing: somebody's slip.
SLIP = ("trainer.learning_rate=0.000001", "trainer.epochs=1")

#: The genre that no film has before it is planted.
NEW_GENRE = "Animation"

Mix = Literal["usual", "new genre", "dark", "mislabelled", "negative"]


@dataclasses.dataclass(frozen=True)
class Delivery:
    """Posters that come in together, and become a span.

    Attributes:
      posters: how many.
      mix: which genres and which looks. `new genre`: half of them have the new one; `dark`: two in
        three are horror films; `mislabelled`: all are called horror; `negative`: with
        inverted colours.
      weeks_late: how many weeks before this one they are of.
      damaged: how many of the images are cut short.
      grow: whether the vocabulary may grow by them.
    """

    posters: int
    mix: Mix = "usual"
    weeks_late: int = 0
    damaged: int = 0
    grow: bool = False


@dataclasses.dataclass(frozen=True)
class Retrain:
    """One `posters retrain`, and what it has to come to.

    Attributes:
      verdict: `run`, `skip` or `refuse`.
      rule: the reason that comes first.
      outcome: what comes of the run; None if there is none, or if it is killed.
      settings: of this time alone.
      exclude: spans that are left out from now on.
      killed: whether it is killed with SIGKILL while the Trainer works.
      cached: nodes that must be found in the cache.
    """

    verdict: str
    rule: str
    outcome: str | None = None
    settings: tuple[str, ...] = ()
    exclude: tuple[int, ...] = ()
    killed: bool = False
    cached: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """What it has to exit with."""
        if self.killed:
            return -9
        if self.verdict == "skip":
            return 4
        return 0 if self.outcome == "pushed" else 3


@dataclasses.dataclass(frozen=True)
class Week:
    """One week.

    Attributes:
      event: what is planted, in a word or two; empty for an ordinary week.
      deliveries: what comes in; None of it is a span if ingest refuses it.
      retrains: what is asked then.
    """

    event: str
    deliveries: tuple[Delivery, ...]
    retrains: tuple[Retrain, ...]


_USUAL = Delivery(40)
_DARK = Delivery(40, "dark")
_PUSHED = Retrain("run", "new_posters", "pushed")
_DRIFTED = Retrain("run", "label_drift", "pushed")
_TOO_LITTLE = Retrain("skip", "too_little")
_GATE_REFUSES = Retrain("run", "label_drift", "data refused")
_STILL_REFUSED = Retrain("refuse", "data_gate")
_KILLED = Retrain("run", "new_posters", killed=True)
_RECOVERED = dataclasses.replace(
    _PUSHED, cached=("ExampleGen", "StatisticsGen", "DataGate", "Transform")
)
_WORSE = Retrain("run", "new_posters", "refused", settings=SLIP)

_WAITS = Week("", (_USUAL,), (_TOO_LITTLE,))
_TRAINS = Week("", (_USUAL,), (_PUSHED,))
_DARK_WEEK = Week("drifted month", (_DARK,), (_DRIFTED,))

_FIRST_TEN = (
    Week("catalogue", (Delivery(300),), (Retrain("run", "nothing_served", "pushed"),)),
    Week("broken: one genre", (Delivery(40, "mislabelled"),), (_GATE_REFUSES,)),
    Week(
        "span 2 is left out",
        (_USUAL,),
        (_STILL_REFUSED, dataclasses.replace(_TOO_LITTLE, exclude=(2,))),
    ),
    Week("quiet", (Delivery(4),), (_TOO_LITTLE,)),
    Week(
        "new genre",
        (Delivery(40, "new genre", grow=True),),
        (Retrain("run", "new_label", "pushed"),),
    ),
    Week("crash", (Delivery(60),), (_KILLED,)),
    Week("nothing comes", (), (_RECOVERED,)),
    Week(
        "late span, worse model",
        (_USUAL, Delivery(20, weeks_late=1)),
        (_WORSE, dataclasses.replace(_WORSE, verdict="skip", rule="tried_in_vain", outcome=None)),
    ),
    # The sixty of the week before come to it: their number alone is a reason.
    Week("drifted month", (_DARK,), (_PUSHED,)),
    _DARK_WEEK,
)

#: The weeks, from the first on. Spans are numbered as they come in.
YEAR: tuple[Week, ...] = (
    *_FIRST_TEN,
    *(_DARK_WEEK, _DARK_WEEK),
    *(_WAITS, _TRAINS) * 3,
    Week("quiet", (Delivery(5),), (_TOO_LITTLE,)),
    _TRAINS,
    _WAITS,
    Week("damaged images", (Delivery(40, damaged=20),), (_TOO_LITTLE,)),
    _TRAINS,
    *(_WAITS, _TRAINS) * 2,
    Week("nothing comes", (), (Retrain("skip", "nothing_new"),)),
    Week("late span", (_USUAL, Delivery(40, weeks_late=1)), (_PUSHED,)),
    _WAITS,
    Week("worse model, mended", (_USUAL,), (_WORSE, _PUSHED)),
    _WAITS,
    Week("crash", (_USUAL,), (_KILLED,)),
    _TRAINS,
    *(_WAITS, _TRAINS),
    Week("negatives", (Delivery(40, "negative"),), (Retrain("run", "embedding_drift", "pushed"),)),
    *(_WAITS, _TRAINS),
    # Of two spans that come to the gate together it sees the genres of both; this one is alone.
    Week("broken: one genre", (Delivery(40, "mislabelled"),), (_GATE_REFUSES,)),
    Week(
        "span 39 is left out",
        (_USUAL,),
        (_STILL_REFUSED, dataclasses.replace(_TOO_LITTLE, exclude=(39,))),
    ),
    _TRAINS,
    *(_WAITS, _TRAINS),
    Week("nothing comes", (), (Retrain("skip", "nothing_new"),)),
    *(_WAITS, _TRAINS) * 3,
    Week("quiet", (Delivery(6),), (_TOO_LITTLE,)),
)
