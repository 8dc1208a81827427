"""The blessing rules in words: what was measured, what it was held against, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from components.evaluator import gate_figures
from components.evaluator.comparison import Comparison
from components.evaluator.figures import (
    ALL_POSITIVE_MACRO_F1,
    EXAMPLES,
    MACRO_AUC,
    MACRO_F1,
    MACRO_F1_LIFT,
)
from components.evaluator.permutation import SHUFFLES, PValues
from components.evaluator.plan import Plan
from components.evaluator.verdict import Chance, Figures, Rule


def judge(
    plan: Plan,
    figures: Figures,
    failed: Collection[str],
    chance: Chance,
    comparison: Comparison | None,
    unusable: str | None,
) -> tuple[Rule, ...]:
    """Says of every rule whether it was met.

    Args:
      plan: labels and limits.
      figures: the new model's, those of the gate among them.
      failed: keys of the figures that TFMA refused; it decides, and the words follow.
      chance: see `chance_of`.
      comparison: with the last blessed model, or None.
      unusable: why there is none though a model was blessed, or None if none ever was.
    """
    if gate_figures.FINITE_SHARE in failed:
        return (_not_finite(plan, figures),)
    rules = [
        Rule(
            "finite", True, "every score and probability is a number",
            measured=figures[gate_figures.FINITE_SHARE], limit=1.0,
        ),
        _floor(plan, figures, failed),
        Rule(
            "chance", gate_figures.P_VALUE not in failed, chance.sentence,
            measured=chance.macro_auc_p_value, limit=plan.settings.max_chance_p_value,
            setting="evaluator.max_chance_p_value",
        ),
    ]  # fmt: skip
    if comparison is None:
        return (*rules, _nothing_to_compare(unusable))
    return (*rules, _no_fall(plan, failed, comparison), *_label_falls(plan, failed, comparison))


def chance_of(plan: Plan, figures: Figures, found: PValues) -> Chance:
    """What the shuffles say, as data and in words."""
    macro = found.macro_auc
    better = macro <= plan.settings.max_chance_p_value
    if math.isnan(macro):
        sentence = "no label can be ranked, so nothing says that the model beats chance"
    else:
        worse = round((1 - macro) * (SHUFFLES + 1))
        sentence = (
            f"macro AUC {figures[MACRO_AUC]:.3f} is above that of {worse} of {SHUFFLES} shuffles "
            "of the labels"
        )
        sentence += (
            ": better than chance"
            if better
            else f", too few: the model is no better than chance (p {macro:.3f}, at most "
            f"{plan.settings.max_chance_p_value:g} is allowed, evaluator.max_chance_p_value)"
        )
    by_label = dict(zip(plan.labels, map(float, found.auc), strict=True))
    return Chance(SHUFFLES, macro, better, sentence, by_label)


def _not_finite(plan: Plan, figures: Figures) -> Rule:
    share = figures[gate_figures.FINITE_SHARE]
    total = 2 * len(plan.labels) * int(figures[EXAMPLES])
    return Rule(
        "finite",
        False,
        f"{round((1 - share) * total)} of the model's {total} scores and probabilities are not "
        "numbers (NaN), so nothing can be measured",
        measured=share,
        limit=1.0,
    )


def _floor(plan: Plan, figures: Figures, failed: Collection[str]) -> Rule:
    met = MACRO_F1_LIFT not in failed
    limit, lift = plan.settings.min_macro_f1_lift, figures[MACRO_F1_LIFT]
    sentence = (
        f"macro-F1 {figures[MACRO_F1]:.3f} is {'' if met else 'only '}{lift:.2f} times what "
        f"answering yes to everything gives ({figures[ALL_POSITIVE_MACRO_F1]:.3f})"
    )
    if not met:
        sentence += f"; the floor is {limit:.2f} times (evaluator.min_macro_f1_lift)"
    return Rule(
        "floor", met, sentence, measured=lift, limit=limit, setting="evaluator.min_macro_f1_lift"
    )


def _nothing_to_compare(unusable: str | None) -> Rule:
    if unusable is None:
        return Rule("first_model", True, "there is no earlier blessed model to compare with")
    return Rule("no_comparison", True, f"nothing was compared: {unusable}")


def _no_fall(plan: Plan, failed: Collection[str], comparison: Comparison) -> Rule:
    met = gate_figures.MACRO_F1_DROP not in failed
    limit = plan.settings.max_macro_f1_drop
    low, high = comparison.macro_interval
    before, now = comparison.baseline_macro_f1, comparison.macro_f1
    common = len(comparison.f1)
    over = "" if common == len(plan.labels) else f", over the {_labels(common)} that both know"
    sentence = (
        f"macro-F1 {now:.3f} is {_beside(now, before)} on the same examples{over} (95 % interval "
        f"of the difference {low:+.3f} to {high:+.3f})"
    )
    if not met:
        sentence += f": at most {limit:.3f} less is allowed (evaluator.max_macro_f1_drop)"
    elif before - now > limit:
        sentence += ": within noise"
    elif now < before:
        sentence += f": {limit:.3f} less is allowed"
    return Rule(
        "no_fall", met, sentence, measured=comparison.macro_drop, limit=limit,
        setting="evaluator.max_macro_f1_drop",
    )  # fmt: skip


def _beside(now: float, before: float) -> str:
    gap = f"{abs(now - before):.3f}"
    if gap == "0.000":
        return f"equal to the last blessed model's {before:.3f}"
    side = "below" if now < before else "above"
    return f"{gap} {side} the last blessed model's {before:.3f}"


def _label_falls(plan: Plan, failed: Collection[str], comparison: Comparison) -> Iterable[Rule]:
    settings, common = plan.settings, plan.common_labels
    limit, name = settings.max_label_f1_drop, "evaluator.max_label_f1_drop"
    falls = [
        (label, now, before, drop)
        for label, key, now, before, drop in zip(
            common,
            gate_figures.drop_keys(common),
            comparison.f1,
            comparison.baseline_f1,
            comparison.drops,
            strict=True,
        )
        if key in failed
    ]
    for label, now, before, drop in falls:
        yield Rule(
            "label_fall",
            False,
            f"F1 of {label} falls from {before:.3f} to {now:.3f}, by {drop:.3f}, more than "
            f"noise; at most {limit:.3f} is allowed ({name})",
            label=label,
            measured=float(drop),
            limit=limit,
            setting=name,
        )
    if not falls:
        yield _no_label_falls(plan, comparison)


def _no_label_falls(plan: Plan, comparison: Comparison) -> Rule:
    limit, support = plan.settings.max_label_f1_drop, plan.settings.min_label_support
    judged, drops = int(comparison.judged.sum()), comparison.drops
    left_out = [
        label for label, held in zip(plan.common_labels, comparison.judged, strict=True) if not held
    ]
    sentence = f"none of {_labels(judged)} falls by more than {limit:.3f} beyond noise"
    if left_out:
        sentence += f"; fewer than {support} positives, so not judged: {_named(left_out)}"
    return Rule(
        "label_fall", True, sentence, measured=float(drops.max()), limit=limit,
        setting="evaluator.max_label_f1_drop",
    )  # fmt: skip


def _labels(count: int) -> str:
    return f"{count} label" if count == 1 else f"{count} labels"


def _named(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:5])
    return shown if len(labels) <= 5 else f"{shown} and {len(labels) - 5} more"
