"""What lies in a workspace that ML Metadata does not know, and that nothing needs.

While the workspace is held no run is under way, so whatever is half done was left by a killed one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from components.evaluator import kept_embeddings
from components.model_files import DESCRIPTION_FILE
from pipeline import places
from pipeline.config import Config
from pipeline.history.executions import Executions

#: Executions that did not end.
_UNFINISHED = ("FAILED", "CANCELED", "RUNNING", "NEW")
#: A file of kept answers, or what was to become one.
_ANSWERS = re.compile(r"^(\.)?[0-9a-f]{32}\.npz(?(1)\..+)$")
_KUBEFLOW_LOCAL = "kubeflow-local"
#: The split that the Evaluator asks about.
_SPLIT = "Split-test"


def of_killed_runs(history: Executions, config: Config, all_uris: set[str]) -> Iterator[Path]:
    """Folders of executions that did not end, and of pushes that were cut off.

    Args:
      history: of the configuration's pipeline.
      config: where things lie.
      all_uris: of every artifact that ML Metadata holds, of other pipelines too.

    Raises:
      PostersError: what the local Kubeflow runner remembers cannot be read.
    """
    unfinished = {str(one.id): one.node for one in history if one.state in _UNFINISHED}
    root = Path(config.pipeline_root)
    for folder in root.glob("*/*/*"):
        node = folder.relative_to(root).parts[0]
        if unfinished.get(folder.name) == node and str(folder) not in all_uris:
            yield folder
    models = Path(config.models_folder)
    for pattern in (".push-*", ".restore-*"):
        yield from models.glob(pattern)
    for pipeline in Path(config.workspace).glob(f"{_KUBEFLOW_LOCAL}/*"):
        yield from _of_compiled_runs(pipeline)


def _of_compiled_runs(pipeline: Path) -> Iterator[Path]:
    """Folders of tasks that the local Kubeflow runner began and never wrote down."""
    from pipeline.runners.kubeflow_local.leaf import Places
    from pipeline.runners.kubeflow_local.store import open_store

    given = Places(pipeline, pipeline / "logs", "")
    found = sorted(given.artifacts.glob("*/*"))
    if not found:
        return
    if not given.state.exists():
        yield from found
        return
    with open_store(given.state) as store:
        yield from (folder for folder in found if not store.knows(folder))


def answers(
    config: Config, models: Iterable[str], examples: Iterable[str], gone: Iterable[Path]
) -> list[Path]:
    """Kept answers of models or about examples that are not kept, and embeddings of no such model.

    The names of answers come from the content of both, which is read if there is any; see
    `known_answers`. Embeddings lie in a folder an extractor; see `kept_embeddings`.

    Args:
      config: where things lie.
      models: addresses of the model artifacts that are kept.
      examples: of the examples that are.
      gone: folders that are about to be removed.
    """
    folder = Path(places.answers_folder(config))
    found = [path for path in sorted(folder.glob("*")) if _ANSWERS.match(path.name)]
    extractors = sorted((folder / kept_embeddings.FOLDER).glob("*"))
    if not found and not extractors:
        return []

    runs = Path(config.workspace) / _KUBEFLOW_LOCAL
    removed = set(gone)
    kept_models, kept_examples = (
        [Path(uri) for uri in uris]
        + [path for path in runs.glob(f"*/artifacts/*/*/{key}") if path.parent not in removed]
        for uris, key in ((models, "model"), (examples, "examples"))
    )
    known = set(map(_extractor, kept_models))
    unknown = [path for path in extractors if path.name not in known]
    return [*_answers(found, kept_models, kept_examples), *unknown]


def _answers(found: list[Path], models: list[Path], examples: list[Path]) -> list[Path]:
    """Those of some files of answers that are of none of these models, or about other examples."""
    if not found:
        return []
    from components.evaluator import known_answers

    digests = {
        known_answers.examples_digest([str(uri / _SPLIT)])
        for uri in examples
        if (uri / _SPLIT).is_dir()
    }
    contents = [known_answers.model_content(str(uri)) for uri in models if uri.is_dir()]
    needed = {known_answers.name_of(content, digest) for content in contents for digest in digests}
    return [path for path in found if path.name not in needed]


def _extractor(model: Path) -> str | None:
    """What the embeddings of a model's extractor are kept under, if it says."""
    try:
        path = model / "Format-Serving" / DESCRIPTION_FILE
        return json.loads(path.read_text(encoding="utf-8")).get("embedding_fingerprint")
    except (OSError, ValueError, AttributeError):
        return None
