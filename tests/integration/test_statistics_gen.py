"""Statistics counted without Beam are those that Beam counts."""

import shutil

import numpy as np
import pytest
from google.protobuf import json_format
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts

from components.statistics_gen.component import PosterStatisticsGenExecutor
from tests.bare_image import ROOT
from tests.examples import encode, example, picture, write_records

#: More than one batch, a file more than one, a file alone, and nothing.
SPLITS = {"train": (700, 650), "eval": (40,), "test": (0,)}
IN_MEMORY = "--direct_running_mode=in_memory"
THREADS = "--direct_running_mode=multi_threading"


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """Labels of all frequencies, titles and years that are absent here and there."""
    root = tmp_path_factory.mktemp("examples")
    generator = np.random.default_rng(5)
    images = [encode(picture(seed)) for seed in range(3)] + [b""]
    for split, counts in SPLITS.items():
        for shard, count in enumerate(counts):
            records = [
                example(
                    f"{split}-{shard}-{row}",
                    images[row % len(images)],
                    [f"label {number}" for number in generator.geometric(0.3, row % 3 + 1)],
                    title=f"Émile {row % 90}" if row % 5 else None,
                    year=int(generator.integers(1900, 2030)) if row % 7 else None,
                )
                for row in range(count)
            ]
            write_records(root / f"Split-{split}" / f"data-{shard}.tfrecord", records)
    return root


def _count(examples, output, *options):
    given, schema = standard_artifacts.Examples(), standard_artifacts.Schema()
    given.uri, given.span = str(examples), 7
    given.split_names = '["train", "eval", "test"]'
    schema.uri = str(output / "schema")
    (output / "schema").mkdir(parents=True)
    shutil.copy(ROOT / "schema" / "schema.pbtxt", schema.uri)
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(output / "statistics")
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=list(options), tmp_dir=str(output / "tmp"), unique_id="1"
    )
    PosterStatisticsGenExecutor(context).Do(
        {"examples": [given], "schema": [schema]},
        {"statistics": [statistics]},
        {"exclude_splits": "[]", "stats_options_json": None},
    )
    assert (statistics.split_names, statistics.span) == (given.split_names, 7)
    return {split: _read(output / "statistics" / f"Split-{split}") for split in SPLITS}


def _read(folder):
    """The one data set's statistics as plain values, features by name."""
    (file,) = folder.iterdir()
    found = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())
    (dataset,) = found.datasets
    values = json_format.MessageToDict(dataset)
    features = {feature["path"]["step"][0]: feature for feature in values.pop("features", [])}
    return {**values, **features}


def _assert_same(one, other, where):
    """Equal, floats up to the rounding of another order of summation."""
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            _assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for place, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            _assert_same(mine, theirs, f"{where}[{place}]")
    else:
        assert one == (pytest.approx(other, rel=1e-12) if isinstance(one, float) else other), where


def test_they_are_those_that_beam_counts(examples, tmp_path):
    here = _count(examples, tmp_path / "here")
    beam = _count(examples, tmp_path / "beam", "--runner=DirectRunner", THREADS)
    assert int(here["train"]["numExamples"]) == sum(SPLITS["train"])
    assert int(here["train"]["imdb_id"]["stringStats"]["unique"]) == sum(SPLITS["train"])
    for split in SPLITS:
        _assert_same(here[split], beam[split], split)


def test_beam_is_not_set_up_where_it_would_have_one_worker(examples, tmp_path, monkeypatch):
    def refuse(self):
        raise AssertionError("Beam was set up")

    monkeypatch.setattr(PosterStatisticsGenExecutor, "_make_beam_pipeline", refuse)
    _count(examples, tmp_path / "none")
    _count(
        examples, tmp_path / "direct", "--runner=DirectRunner", "--direct_running_mode=in_memory"
    )
    for number, options in enumerate([("--runner=FlinkRunner",), (THREADS,)]):
        with pytest.raises(AssertionError, match="Beam was set up"):
            _count(examples, tmp_path / str(number), *options)
