"""TFX's StatisticsGen, which on one machine does not go through Beam.

TFDV's statistics are sums of accumulators, which Beam adds up on its workers. Its local runner has
one, this process, and to set it up for three splits takes ten times as long as counting a thousand
posters does.
"""

from __future__ import annotations

from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.statistics.generators.basic_stats_generator import (
    BasicStatsGenerator,
)
from tensorflow_data_validation.statistics.generators.stats_generator import CombinerStatsGenerator
from tensorflow_data_validation.statistics.generators.top_k_uniques_sketch_stats_generator import (
    TopKUniquesSketchStatsGenerator,
)
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx import types
from tfx.components.statistics_gen import component, executor
from tfx.components.util import tfxio_utils
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils
from tfx.utils import io_utils
from tfx_bsl.tfxio import dataset_options

from components import beam_running
from components.files import write_bytes
from components.paths import to_path

#: Examples counted at a time.
_BATCH_EXAMPLES = 500
#: Distinct values of a feature up to which counts are exact; memory is taken for those there are.
_MAX_DISTINCT = 1 << 20


class PosterStatisticsGenExecutor(executor.Executor):
    """Writes TFDV's statistics of every split, as TFX does; a schema has to be given."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        if not beam_running.is_one_process(self._beam_pipeline_args or []):
            super().Do(input_dict, output_dict, exec_properties)
            return
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])
        schema = io_utils.SchemaReader().read(
            io_utils.get_only_uri_in_dir(artifact_utils.get_single_uri(input_dict["schema"]))
        )
        statistics.split_names, statistics.span = examples.split_names, examples.span
        for split in artifact_utils.decode_split_names(examples.split_names):
            folder = artifact_utils.get_split_uri([statistics], split)
            path = to_path(folder) / executor.DEFAULT_FILE_NAME
            write_bytes(path, count(examples, split, schema).SerializeToString())


def count(
    examples: types.Artifact, split: str, schema: schema_pb2.Schema
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Counts a split in this process, a batch at a time.

    Args:
      examples: ExampleGen's.
      split: one of its splits.
      schema: says, for one, that images are bytes and no words to be counted.

    Returns:
      What TFDV's Beam pipeline gives; means and deviations may differ in their last digits.
    """
    given = tfdv.StatsOptions(
        schema=schema, add_default_generators=False, generators=_default_generators(schema)
    )
    generators = stats_impl.get_generators(given, in_memory=True)
    accumulators = [generator.create_accumulator() for generator in generators]
    source = tfxio_utils.get_split_tfxio(
        examples=[examples], split=split, telemetry_descriptors=["StatisticsGen"]
    )
    options = dataset_options.RecordBatchesOptions(_BATCH_EXAMPLES, shuffle=False, num_epochs=1)
    for batch in source.RecordBatches(options):
        accumulators = [
            generator.add_input(accumulator, batch)
            for generator, accumulator in zip(generators, accumulators, strict=True)
        ]
    return stats_impl.extract_statistics_output(accumulators, generators)


def _default_generators(schema: schema_pb2.Schema) -> list[CombinerStatsGenerator]:
    """TFDV's own, with room in their sketches to count exactly what Beam would count exactly."""
    options = tfdv.StatsOptions(schema=schema)
    return [
        BasicStatsGenerator(
            schema=schema,
            num_values_histogram_buckets=options.num_values_histogram_buckets,
            num_histogram_buckets=options.num_histogram_buckets,
            num_quantiles_histogram_buckets=options.num_quantiles_histogram_buckets,
            epsilon=options.epsilon,
        ),
        TopKUniquesSketchStatsGenerator(
            schema=schema,
            num_top_values=options.num_top_values,
            num_rank_histogram_buckets=options.num_rank_histogram_buckets,
            frequency_threshold=options.frequency_threshold,
            weighted_frequency_threshold=options.weighted_frequency_threshold,
            num_misragries_buckets=_MAX_DISTINCT,
            num_kmv_buckets=_MAX_DISTINCT,
        ),
    ]


class StatisticsGen(component.StatisticsGen):
    """Statistics of every split, for the validator and the gate."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(PosterStatisticsGenExecutor)
