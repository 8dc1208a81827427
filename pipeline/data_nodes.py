"""The first nodes of the DAG: they look at the data, and the last of them stops what is bad."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.types import BaseChannel

from components.errors import PostersError
from components.files import write_bytes
from components.gate.component import DataGate
from components.paths import AnyPath, to_path
from components.spans.component import ExampleGen
from components.statistics_gen.component import StatisticsGen
from pipeline import fingerprints
from pipeline.config import Config
from pipeline.places import accepted_folder, schema_path
from pipeline.runners.capabilities import LOCAL, Runner
from pipeline.windows import Window


@dataclasses.dataclass(frozen=True)
class DataNodes:
    """The nodes up to the gate.

    Attributes:
      examples: makes the window's examples, and those that no gate has let through yet.
      statistics: of every split of the latter.
      schema: the curated schema.
      gate: what everything that trains has to wait for.
      nodes: these and the others, in order.
    """

    examples: BaseNode
    statistics: BaseNode
    schema: BaseNode
    gate: BaseNode
    nodes: tuple[BaseNode, ...]


def create(
    config: Config,
    window: Window,
    runner: Runner = LOCAL,
    decision: BaseChannel | None = None,
) -> DataNodes:
    """Builds the nodes from the examples to the gate.

    Args:
      config: the checked configuration.
      window: the data to look at.
      runner: what they will run on.
      decision: says at run time which spans the data are, in the place of the window.

    Raises:
      PostersError: the schema cannot be read or does not fit the vocabulary.
    """
    path = schema_path(config)
    _check_schema(path, config, window)
    examples = ExampleGen(
        data_root=config.data_root,
        spans={} if decision else {span.number: span.digest for span in window.spans},
        labels=window.labels,
        accepted_folder=accepted_folder(config),
        code=fingerprints.code("components.spans"),
        window=decision,
    )
    schema = ImportSchemaGen(schema_file=str(schema_copy(config)))
    if runner.local_store:
        stage(config)
    # The schema says that images are bytes: else StatisticsGen counts them as if they were words,
    # which takes twice the time.
    new_examples = examples.outputs["new_examples"]
    statistics = StatisticsGen(examples=new_examples, schema=schema.outputs["schema"])
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    gate = DataGate(
        examples=new_examples,
        statistics=statistics.outputs["statistics"],
        schema=schema.outputs["schema"],
        anomalies=validator.outputs["anomalies"],
        settings=config.gate,
        features=config.features,
        accepted_folder=accepted_folder(config),
        code=fingerprints.code("components.gate"),
    )
    nodes = (examples, schema, statistics, validator, gate)
    return DataNodes(examples, statistics, schema, gate, nodes)


def schema_copy(config: Config) -> AnyPath:
    """Where the nodes find the schema: a path that changes with its content, as the cache needs."""
    return fingerprints.by_content(schema_path(config), to_path(config.pipeline_root) / "schema")


def stage(config: Config) -> None:
    """Puts what the nodes read, besides data, where they find it."""
    copy = schema_copy(config)
    if not copy.exists():
        write_bytes(copy, schema_path(config).read_bytes())


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


def _check_schema(path: Path, config: Config, window: Window) -> None:
    """Refuses a schema under which every run would end in anomalies or a crash."""
    schema = read_schema(path)
    by_name = {feature.name: feature for feature in schema.feature}
    needed = (config.features.image, config.features.labels, config.features.id)
    if missing := [name for name in needed if name not in by_name]:
        raise PostersError(
            f"schema_path: {path} has no feature {', '.join(missing)}; the configuration's "
            "`ingest.features` names it. Rename one or the other."
        )
    others = config.features.other_labels
    holders = [span.folder for span in window.spans if span.has_other_labels]
    if holders and others not in by_name:
        raise PostersError(
            f"schema_path: {path} has no feature {others}, in which {holders[0]} has the labels "
            "outside its vocabulary. Add it, as schema/schema.pbtxt has it."
        )
    domains = {domain.name: set(domain.value) for domain in schema.string_domain}
    feature = by_name[config.features.labels]
    domain = domains.get(feature.domain, set(feature.string_domain.value))
    if domain and (unknown := [label for label in window.labels if label not in domain]):
        raise PostersError(
            f"schema_path: the domain of {feature.name} in {path} lacks {', '.join(unknown)}, "
            f"which the vocabulary of {window.newest.folder} has. Add it to the domain."
        )
