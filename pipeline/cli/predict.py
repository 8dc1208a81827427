"""`posters predict`: labels and scores of images, from a pushed model."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from components.errors import PostersError
from components.progress import CONSOLE

#: Labels shown below the decision point, so that a person sees what came close.
_RUNNERS_UP = 2


def run(options: argparse.Namespace) -> int:
    """Asks the model; exits with 1 if a file could not be read."""
    folder = options.model or _last_pushed(Path("workspace"))
    from components.serving.predictor import Predictor

    predictor = Predictor(folder)
    print(f"model {predictor.folder}", file=sys.stderr)
    failed = 0
    for prediction in predictor.predict(_files(options.images)):
        if prediction.error:
            failed += 1
            print(f"posters: {prediction.path}: {prediction.error}", file=sys.stderr)
        elif options.json:
            answer = {
                "path": str(prediction.path),
                "scores": prediction.scores,
                "probabilities": prediction.probabilities,
            }
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        else:
            _show(prediction)
    return 1 if failed else 0


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and in place of a folder those in it by name, hidden ones left out.

    Raises:
      PostersError: a folder holds none.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = [file for file in sorted(path.iterdir()) if file.is_file()]
        found = [file for file in found if not file.name.startswith(".")]
        if not found:
            raise PostersError(f"{path} holds no file; folders below it are not searched.")
        files += found
    return files


def _show(prediction) -> None:
    given = prediction.labels
    CONSOLE.print(f"{prediction.path}: {', '.join(given) or 'none'}", markup=False)
    ranked = sorted(prediction.scores, key=lambda label: -prediction.scores[label])
    for label in ranked[: len(given) + _RUNNERS_UP]:
        score, probability = prediction.scores[label], prediction.probabilities[label]
        bar = "█" * round(score * 30)
        style = None if score > 0.5 else "dim"
        CONSOLE.print(
            f"  {label:<12} score {score:.3f}  probability {probability:.3f}  {bar}", style=style
        )


def _last_pushed(workspace: Path) -> Path:
    """The version pushed last, whatever the configuration."""
    versions = [
        path
        for path in workspace.glob("*/models/*")
        if path.name.isdigit() and (path / "saved_model.pb").is_file()
    ]
    if not versions:
        raise PostersError(
            f"no pushed model below {workspace.resolve()}: run `posters run` first, or name one "
            "with --model."
        )
    return max(versions, key=lambda path: int(path.name))
