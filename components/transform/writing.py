"""What TFX's Transform writes, without the GZIP: it would pack JPEG once more, and save nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import apache_beam as beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.transform import executor, labels


class UncompressedProcessor(executor.TransformProcessor):
    """Writes transformed examples as plain TFRecord; all else is TFX's."""

    @staticmethod
    @beam.ptransform_fn
    def _EncodeAndWrite(
        pcoll: beam.PCollection, schema: schema_pb2.Schema, file_format: str, output_path: str
    ) -> beam.pvalue.PDone:
        if file_format != labels.FORMAT_TFRECORD:
            raise ValueError(f"transformed examples are TFRecord here, not {file_format}")
        return (
            pcoll
            | "EncodeAndSerialize"
            >> beam.ParDo(executor.TransformProcessor._RecordBatchToExamplesFn(schema))
            | "ExtractExamples" >> beam.Values()
            | "WriteToTFRecord"
            >> beam.io.WriteToTFRecord(output_path, file_name_suffix=".tfrecord")
        )


@contextlib.contextmanager
def uncompressed() -> Iterator[None]:
    """Has TFX's executor use `UncompressedProcessor`, which it offers no setting for."""
    own = executor.TransformProcessor
    executor.TransformProcessor = UncompressedProcessor
    try:
        yield
    finally:
        executor.TransformProcessor = own
