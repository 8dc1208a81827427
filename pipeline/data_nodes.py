"""The first nodes of the DAG: they look at the data, and the last of them stops what is bad."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.resources
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.example_gen.import_example_gen.component import ImportExampleGen
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.importer import Importer
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts

from components.errors import PostersError
from components.gate import accepted
from components.gate.component import DataGate
from pipeline import fingerprints
from pipeline.config import Config
from pipeline.data import SHARDS, SPLITS, Span

PREVIOUS = "PreviousStatistics"


@dataclasses.dataclass(frozen=True)
class DataNodes:
    """The nodes up to the gate.

    Attributes:
      examples: the span's examples, as a node's output.
      statistics: of every split.
      schema: the curated schema.
      gate: what everything that trains has to wait for.
      nodes: these and the others, in order.
    """

    examples: BaseNode
    statistics: BaseNode
    schema: BaseNode
    gate: BaseNode
    nodes: tuple[BaseNode, ...]


def create(config: Config, span: Span) -> DataNodes:
    """Builds the nodes from the examples to the gate.

    Args:
      config: the checked configuration.
      span: the data to look at.

    Raises:
      PostersError: the schema cannot be read or does not fit the vocabulary.
    """
    path = schema_path(config)
    _check_schema(path, config, span)
    splits = [
        example_gen_pb2.Input.Split(name=split, pattern=f"{split}/{SHARDS}") for split in SPLITS
    ]
    examples = ImportExampleGen(
        input_base=str(span.folder), input_config=example_gen_pb2.Input(splits=splits)
    )
    schema = ImportSchemaGen(
        schema_file=str(fingerprints.by_content(path, Path(config.pipeline_root) / "schema"))
    )
    # The schema says that images are bytes: else StatisticsGen counts them as if they were words,
    # which takes twice the time.
    statistics = StatisticsGen(
        examples=examples.outputs["examples"], schema=schema.outputs["schema"]
    )
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    before, gate = _gate(config, span, examples, statistics, schema, validator)
    nodes = (examples, schema, statistics, validator, *before, gate)
    return DataNodes(examples, statistics, schema, gate, nodes)


def _gate(
    config: Config,
    span: Span,
    examples: BaseNode,
    statistics: BaseNode,
    schema: BaseNode,
    validator: BaseNode,
) -> tuple[list[BaseNode], BaseNode]:
    """The gate, and the node that finds the previous span's statistics if there are any."""
    folder = accepted_folder(config)
    previous = accepted.latest_before(folder, span.number)
    importer = previous and Importer(
        source_uri=previous.statistics, artifact_type=standard_artifacts.ExampleStatistics
    ).with_id(PREVIOUS)
    gate = DataGate(
        examples=examples.outputs["examples"],
        statistics=statistics.outputs["statistics"],
        schema=schema.outputs["schema"],
        anomalies=validator.outputs["anomalies"],
        settings=config.gate,
        features=config.features,
        labels=span.labels,
        span=span.number,
        accepted_folder=folder,
        code=fingerprints.code("components.gate"),
        previous=previous,
        previous_statistics=importer.outputs["result"] if importer else None,
    )
    return ([importer] if importer else []), gate


def accepted_folder(config: Config) -> str:
    """Where the gate records the spans it let through: one folder a data root."""
    # A workspace may be pointed at other data; its spans have the same numbers.
    dataset = hashlib.sha256(config.data_root.encode()).hexdigest()[:12]
    return f"{config.workspace}/gate/{dataset}"


def schema_path(config: Config) -> Path:
    """The schema's file: the configured one, or the one that comes with the project."""
    if config.schema_path is None:
        return Path(str(importlib.resources.files("schema") / "schema.pbtxt"))
    return Path(config.schema_path)


def read_schema(path: Path, key: str = "schema_path") -> schema_pb2.Schema:
    """Reads a schema in text form.

    Args:
      path: the file.
      key: what an error calls it.

    Raises:
      PostersError: it cannot be read, or is something else.
    """
    schema = schema_pb2.Schema()
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), schema)
    except OSError as error:
        raise PostersError(f"{key}: {path} cannot be read ({error.strerror}).") from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise PostersError(f"{key}: {path} is no TFMD schema in text form: {error}") from error
    return schema


def _check_schema(path: Path, config: Config, span: Span) -> None:
    """Refuses a schema under which every run would end in anomalies or a crash."""
    schema = read_schema(path)
    by_name = {feature.name: feature for feature in schema.feature}
    needed = (config.features.image, config.features.labels, config.features.id)
    if missing := [name for name in needed if name not in by_name]:
        raise PostersError(
            f"schema_path: {path} has no feature {', '.join(missing)}; the configuration's "
            "`ingest.features` names it. Rename one or the other."
        )
    domains = {domain.name: set(domain.value) for domain in schema.string_domain}
    feature = by_name[config.features.labels]
    domain = domains.get(feature.domain, set(feature.string_domain.value))
    if domain and (unknown := [label for label in span.labels if label not in domain]):
        raise PostersError(
            f"schema_path: the domain of {feature.name} in {path} lacks {', '.join(unknown)}, "
            f"which the vocabulary of {span.folder} has. Add it to the domain."
        )
