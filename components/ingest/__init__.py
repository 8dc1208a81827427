"""From a table and a folder of images to a span: sharded TFRecords, split without leakage."""

from components.ingest.options import IngestOptions
from components.ingest.run import IngestResult, ingest

__all__ = ["IngestOptions", "IngestResult", "ingest"]
