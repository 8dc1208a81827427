"""What a page's curves cost: processor seconds for the three charts of each label.

    python -m bench.charts [--labels 20] [--examples 1093]

Drawn are made-up scores, beside a baseline's. Imports are not counted, nor the first label, for
which Matplotlib looks for its fonts. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

import numpy as np

from components.evaluator import reliability
from components.report.charts import calibration, ranking
from components.report.curves import curves


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.charts")
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--examples", type=int, default=1093)
    options = parser.parse_args(arguments)
    generator = np.random.default_rng(0)
    _draw("first", options.examples, generator)
    started = time.process_time()
    for place in range(options.labels):
        _draw(f"label {place}", options.examples, generator)
    seconds = time.process_time() - started
    print(
        json.dumps(
            {"cpu_seconds": round(seconds, 2), "a_label": round(seconds / options.labels, 3)}
        )
    )
    return 0


def _draw(label: str, examples: int, generator: np.random.Generator) -> None:
    truth = generator.random(examples) < 0.12
    scores, before = generator.random((2, examples))
    now = curves(truth, scores)
    ranking.precision_recall(label, now, curves(truth, before))
    ranking.thresholds(label, now)
    bins = reliability.measure(truth, scores)
    columns = (bins.mean_probability, bins.share_positive, bins.count)
    names = ("mean_probability", "share_positive", "count")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    filled = [dict(zip(names, row, strict=True)) for row in rows]
    calibration.calibration(f"calibration {label}", label, filled)


if __name__ == "__main__":
    sys.exit(main())
