"""The typed configuration: one YAML file, checked on load, overridable key by key."""

from __future__ import annotations

import difflib
import importlib.resources
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from components.batch.settings import BatchSettings
from components.bulk_inferrer.settings import BulkInferrerSettings
from components.errors import PostersError
from components.evaluator.settings import EvaluatorSettings
from components.features import Features
from components.gate.settings import GateSettings
from components.ingest.options import IngestOptions
from components.retraining.settings import RetrainSettings
from components.serving.settings import ServeSettings
from components.serving_check.settings import ServingCheckSettings
from components.spans.settings import WindowSetting
from components.trainer.extractor import EMBEDDED, is_remote
from components.trainer.settings import TrainerSettings
from components.tuner.settings import TunerSettings
from components.views import ViewName, is_mirrored
from pipeline import secrets
from pipeline.cluster_config import KubeflowConfig, ResourcesConfig, VertexConfig
from pipeline.metadata_config import MetadataConfig
from pipeline.notify_config import NotifyConfig
from pipeline.price_config import PricesConfig
from pipeline.section import Section


class ImageConfig(Section):
    """Pixels.

    Attributes:
      size: side in pixels of the square that is made of an image and that the extractor takes.
      views: what of an image the extractor sees; the features of several are averaged. See `views`.
    """

    size: Annotated[int, Field(ge=16, le=2048)] = 224
    views: Annotated[tuple[ViewName, ...], Field(min_length=1)] = ("squished",)

    @field_validator("views")
    @classmethod
    def _each_once(cls, views: tuple[ViewName, ...]) -> tuple[ViewName, ...]:
        if repeated := sorted({view for view in views if views.count(view) > 1}):
            raise ValueError(f"name each view once; {', '.join(repeated)} stands twice or more")
        return views


class BeamConfig(Section):
    """Options for Beam, as its command line takes them.

    Attributes:
      default: for every node that runs on Beam.
      by_node: for the node of that name, in place of the default.
      ingest: for `posters ingest`, in place of the default.
      batch: for `posters batch`, in place of the default.
    """

    default: tuple[str, ...] = ()
    by_node: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    ingest: tuple[str, ...] | None = None
    batch: tuple[str, ...] | None = None


class PushConfig(Section):
    """What becomes of a blessed model.

    Attributes:
      approval: `automatic` pushes it; `manual` holds it back until `posters push`.
    """

    approval: Literal["automatic", "manual"] = "automatic"


class Config(Section):
    """Everything that a run depends on.

    Attributes:
      name: the pipeline's name; lower-case letters, digits and dashes, as every runner takes it.
      workspace: holds all that runs write: artifacts, ML Metadata, cached features, pushed models.
      data_root: what `posters ingest` wrote.
      window: which spans of it to train on; see `components.spans.settings`.
      exclude_spans: numbers of spans that no window holds, as if they were not there.
      schema_path: the curated schema; by default the one that comes with the project.
      ingest: see `IngestOptions`.
      gate: see `GateSettings`.
      image: see `ImageConfig`.
      trainer: see `TrainerSettings`.
      tuner: see `TunerSettings`; absent, the Trainer's settings are taken as they are.
      evaluator: see `EvaluatorSettings`.
      serving_check: see `ServingCheckSettings`.
      push: see `PushConfig`.
      serve: see `ServeSettings`.
      metadata: see `MetadataConfig`.
      batch: see `BatchSettings`.
      bulk_inferrer: see `BulkInferrerSettings`; absent, the DAG has no such node.
      retrain: see `RetrainSettings`.
      beam: see `BeamConfig`.
      kubeflow: see `KubeflowConfig`; absent, nothing runs there.
      vertex: see `VertexConfig`; absent, nothing runs there.
      resources: see `ResourcesConfig`.
      prices: see `PricesConfig`; absent, nothing is known about what a run costs.
      notify: see `NotifyConfig`; absent, nobody is told.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    workspace: str
    data_root: str
    window: WindowSetting = "latest"
    exclude_spans: tuple[Annotated[int, Field(ge=1)], ...] = ()
    schema_path: str | None = None
    ingest: IngestOptions = IngestOptions()
    gate: GateSettings = GateSettings()
    image: ImageConfig = ImageConfig()
    trainer: TrainerSettings
    tuner: TunerSettings | None = None
    evaluator: EvaluatorSettings = EvaluatorSettings()
    serving_check: ServingCheckSettings = ServingCheckSettings()
    push: PushConfig = PushConfig()
    serve: ServeSettings = ServeSettings()
    metadata: MetadataConfig = MetadataConfig()
    batch: BatchSettings = BatchSettings()
    bulk_inferrer: BulkInferrerSettings | None = None
    retrain: RetrainSettings = RetrainSettings()
    beam: BeamConfig = BeamConfig()
    kubeflow: KubeflowConfig | None = None
    vertex: VertexConfig | None = None
    resources: ResourcesConfig = ResourcesConfig()
    prices: PricesConfig | None = None
    notify: NotifyConfig | None = None

    @field_validator("workspace", "data_root", "schema_path")
    @classmethod
    def _absolute(cls, path: str | None) -> str | None:
        # TFX keys its cache by paths as they are written: one folder must have one name.
        return path if path is None or is_remote(path) else str(Path(path).resolve())

    @model_validator(mode="after")
    def _no_patterns(self) -> Config:
        folders = {"workspace": self.workspace, "data_root": self.data_root}
        clusters = {"kubeflow": self.kubeflow, "vertex": self.vertex}
        folders |= {f"{name}.store": found.store for name, found in clusters.items() if found}
        for key, folder in folders.items():
            # TFX looks for files below them, and leaves no way to escape what a name holds.
            if re.search(r"[*?[\\]", folder):
                raise ValueError(
                    f"{key} {folder}: TensorFlow and Beam read *, ?, [ and \\ in a path as a "
                    "pattern; choose a folder without them, or give this one another name"
                )
        return self

    @model_validator(mode="after")
    def _one_view_to_fine_tune(self) -> Config:
        views = self.image.views
        if self.trainer.fine_tune and (len(views) > 1 or is_mirrored(views[0])):
            raise ValueError(
                f"trainer.fine_tune trains on one view that is not mirrored; image.views has "
                f"{', '.join(views)}. Leave one of them, or take trainer.fine_tune away"
            )
        return self

    @model_validator(mode="after")
    def _one_cluster(self) -> Config:
        if self.kubeflow and self.vertex:
            raise ValueError("a job runs on one cluster: leave kubeflow or vertex away")
        return self

    @model_validator(mode="after")
    def _a_log_to_read(self) -> Config:
        in_use = self.retrain.in_use
        if in_use and not in_use.folder and not self.serve.log:
            raise ValueError(
                "retrain.in_use reads the log of requests: name its folder "
                "(retrain.in_use.folder), or have the server keep one (serve.log)"
            )
        return self

    @property
    def features(self) -> Features:
        """Names of the features in an example: as they were ingested, so they are read."""
        return self.ingest.features

    @property
    def cluster(self) -> KubeflowConfig | VertexConfig | None:
        """The cluster that jobs are compiled for."""
        return self.kubeflow or self.vertex

    def on_this_machine(self) -> Config:
        """The same without a cluster: all that runs write lies in the workspace."""
        return self.model_copy(update={"kubeflow": None, "vertex": None})

    @property
    def store(self) -> str:
        """Holds what runs write for later runs: the workspace, or the cluster's store."""
        return self.cluster.store.rstrip("/") if self.cluster else self.workspace

    @property
    def pipeline_root(self) -> str:
        """Where the artifacts of every run lie."""
        return f"{self.store}/artifacts"

    @property
    def models_folder(self) -> str:
        """Where pushed versions lie; a model server watches it."""
        return f"{self.store}/models"


def load(source: str, overrides: Sequence[str] = ()) -> Config:
    """Reads a configuration.

    Args:
      source: path of a YAML file, or the name of one that comes with the project (`sample`).
      overrides: `key.subkey=value` each, the value read as YAML.

    Raises:
      PostersError: there is no such file, it is not YAML, a key is unknown or of a wrong type, or a
        value looks like a secret.
    """
    path = _find(source)
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PostersError(f"{path} is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise PostersError(f"{path} must hold `key: value` lines; see configs/sample.yaml")
    for override in overrides:
        _apply(values, override)
    return _check(values, str(path))


def bundled() -> dict[str, Path]:
    """The configurations that come with the project, by name."""
    folder = Path(str(importlib.resources.files("configs")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _check(values: Mapping[str, Any], source: str) -> Config:
    # First: what is wrong with a value is said with the value.
    secrets.check(values, source)
    values = dict(values)
    trainer = values.get("trainer")
    if isinstance(trainer, dict) and isinstance(trainer.get("hub_handle"), str):
        values["trainer"] = {**trainer, "hub_handle": _absolute_handle(trainer["hub_handle"])}
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [f"{source}: {len(error.errors())} thing(s) to mend:"]
        lines += [f"  {line}" for line in _explain(error)]
        raise PostersError("\n".join(lines)) from error


def _absolute_handle(handle: str) -> str:
    return handle if handle == EMBEDDED or is_remote(handle) else str(Path(handle).resolve())


def _explain(error: ValidationError) -> Iterable[str]:
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            near = difflib.get_close_matches(key, known_keys(), n=1)
            yield f"{key}: no such key" + (f"; did you mean {near[0]}?" if near else "")
        elif not key:  # of several sections at once: the value would be everything
            yield problem["msg"].removeprefix("Value error, ")
        elif problem["type"] == "invalid_key":
            # Its place says 1 of true too.
            where = ".".join([*map(str, problem["loc"][:-1]), str(problem["input"])])
            yield f"{where}: a key is text, not {problem['input']!r}; put it in quotes"
        elif problem["type"] == "missing":
            yield f"{key}: missing"
        else:
            yield f"{key}: {problem['msg'].lower()}, not {problem['input']!r}"


def known_keys() -> list[str]:
    """Every key that a configuration may have, dotted."""

    def walk(schema: Mapping[str, Any], prefix: str) -> Iterable[str]:
        for option in schema.get("anyOf", ()):  # a section that may be absent
            yield from walk(option, prefix)
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
        for name, value in schema.get("properties", {}).items():
            yield prefix + name
            yield from walk(value, f"{prefix}{name}.")

    schema = Config.model_json_schema()
    definitions = schema.get("$defs", {})
    return list(walk(schema, ""))


def _find(source: str) -> Path:
    if (path := Path(source)).is_file():
        return path
    names = bundled()
    if source in names:
        return names[source]
    raise PostersError(
        f"there is no configuration {source}: give a YAML file, or one of {', '.join(names)}."
    )


def _apply(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise PostersError(f"--set {override}: write it as key=value, such as trainer.epochs=5")
    *parents, last = key.strip().split(".")
    target = values
    for parent in parents:
        target = target.setdefault(parent, {})
        if not isinstance(target, dict):
            raise PostersError(f"--set {override}: {parent} holds a value, not further keys")
    try:
        target[last] = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise PostersError(f"--set {override}: the value is not YAML: {error}") from error


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it, but with 1e-3 a number and a repeated key an error."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # of a date in a thirteenth month
            raise yaml.constructor.ConstructorError(
                None, None, f"{node.value}: {error}", node.start_mark
            ) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, f"a key is text, not {key!r}", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)
