"""What a worker does: a shard's posters are read, asked about, and written as one file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from apache_beam.ml.inference.base import ModelHandler

from components.batch.plan import Plan
from components.batch.source import Shard, read_examples
from components.features import Features
from components.files import write_lines
from components.ingest.download import Downloader
from components.ingest.options import IngestOptions
from components.paths import to_path
from components.serving.asking import BATCH_IMAGES, batches, map_ahead, predict
from components.serving.posters import Poster
from components.serving.prediction import Answerer, Prediction, to_row
from components.serving.predictor import Predictor


class ShardHandler(ModelHandler[int, tuple[int, list[str]], Predictor]):
    """RunInference's handler, whose element is a whole shard.

    So a shard's file is written as soon as its last poster is answered. If posters were elements,
    they would have to be grouped again before they are written, and a runner groups nothing before
    all of them are answered: a batch that is killed would leave nothing.
    """

    def __init__(self, plan: Plan, model: str, options: IngestOptions) -> None:
        """Takes what every worker needs to know.

        Args:
          plan: the batch's; every worker sees its folder under the same path.
          model: the version's folder.
          options: feature names of examples, and limits of images.
        """
        super().__init__()
        self._plan = plan
        self._model = model
        self._options = options

    def load_model(self) -> Predictor:
        """See the base class."""
        return Predictor(to_path(self._model))

    def run_inference(
        self, batch: Sequence[int], model: Predictor, inference_args: dict[str, Any] | None = None
    ) -> Iterable[tuple[int, list[str]]]:
        """Answers shards.

        Yields:
          A shard's number and its lines.
        """
        for number in batch:
            answers = _answer(self._plan.shard(number), model, self._options, self._downloads())
            rows = (
                to_row(poster.id, poster.path or poster.url, prediction, model)
                for poster, prediction in answers
            )
            yield number, [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]

    def batch_elements_kwargs(self) -> dict[str, int]:
        """See the base class: a shard is batch enough."""
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_metrics_namespace(self) -> str:
        """See the base class."""
        return "posters_batch"

    def _downloads(self) -> Downloader:
        folder = self._options.download_cache
        cache = to_path(folder) if folder else self._plan.folder / ".downloads"
        return Downloader(cache, self._options)


def write(answered: tuple[int, list[str]], plan: Plan) -> int:
    """Writes a shard's file in one step.

    Returns:
      How many posters it has.
    """
    number, lines = answered
    write_lines(plan.output(number), lines)
    return len(lines)


def _answer(
    shard: Shard, model: Answerer, options: IngestOptions, downloads: Downloader
) -> Iterator[tuple[Poster, Prediction]]:
    if not shard.examples:
        return predict(model, shard.posters, options, downloads)
    return _answer_examples(shard.examples, model, options.features)


def _answer_examples(
    file: str, model: Answerer, features: Features
) -> Iterator[tuple[Poster, Prediction]]:
    def ask(batch: list[tuple[Poster, bytes]]) -> list[tuple[Poster, Prediction]]:
        posters, images = zip(*batch, strict=True)
        return list(zip(posters, model.ask(images), strict=True))

    for answers in map_ahead(ask, batches(read_examples(file, features), BATCH_IMAGES)):
        yield from answers
