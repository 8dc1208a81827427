"""The decision: train again, leave it, or refuse; with every reason as a sentence and as figures.

Nothing is read here and nothing is written.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from components.retraining import in_use, obstacles, occasions
from components.retraining.reasons import Reason
from components.retraining.settings import RetrainSettings
from components.retraining.situation import Situation

Verdict = Literal["run", "skip", "refuse"]


@dataclasses.dataclass(frozen=True)
class Decision:
    """What to do, and why.

    Attributes:
      verdict: `refuse` if the data must not be trained on.
      reasons: all that was looked at, what decided first.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]

    @property
    def because(self) -> tuple[Reason, ...]:
        """The reasons that decided."""
        return tuple(reason for reason in self.reasons if reason.speaks_for == self.verdict)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "verdict": self.verdict,
            "reasons": [dataclasses.asdict(reason) for reason in self.reasons],
        }


def decide(situation: Situation, settings: RetrainSettings, min_label_posters: int) -> Decision:
    """Decides.

    What stands in the way comes first: a run under way, then data that the gate refused. Then what
    settles it: a person's wish, nothing served yet, nothing new. Then the limits, of which one is
    enough.

    Args:
      situation: the facts.
      settings: the limits.
      min_label_posters: posters of train with a label outside the vocabulary that are worth a word.
    """
    notes = occasions.unlearned_labels(situation, min_label_posters)
    for found in (
        obstacles.under_way(situation),
        obstacles.refused_data(situation),
        occasions.forced(situation),
        obstacles.tried_in_vain(situation),
        occasions.nothing_served(situation),
        obstacles.nothing_new(situation),
    ):
        if found:
            told = in_use.notes(situation.in_use, settings.in_use)
            return Decision(found.speaks_for, (found, *told, *notes))
    looked_at = occasions.limits(situation, settings)
    reached = [reason for reason in looked_at if reason.speaks_for == "run"]
    others = [reason for reason in looked_at if reason.speaks_for != "run"]
    if reached:
        return Decision("run", (*reached, *others, *notes))
    return Decision("skip", (obstacles.too_little(situation), *others, *notes))


def wants_requests(situation: Situation, settings: RetrainSettings, min_label_posters: int) -> bool:
    """Whether to look at what the served model was asked about: else nothing would be trained.

    With nothing new to train on it is no reason, but worth a word.
    """
    if settings.in_use is None or situation.in_use or situation.served is None:
        return False
    reasons = decide(situation, settings, min_label_posters).reasons
    return reasons[0].rule in (obstacles.TOO_LITTLE, *obstacles.NOTHING_TO_LEARN)


def wants_embeddings(
    situation: Situation, settings: RetrainSettings, min_label_posters: int
) -> bool:
    """Whether it depends on the posters themselves: nothing else has settled it.

    To look at them loads the served model, which takes seconds.
    """
    if settings.max_embedding_drift is None or situation.embeddings or situation.no_embeddings:
        return False
    reasons = decide(situation, settings, min_label_posters).reasons
    return reasons[0].rule == obstacles.TOO_LITTLE
