"""The configuration's sections about clusters: where they are, their images, what nodes may use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.schedules import timezones
from pipeline.section import Section

#: Repository, optional tag, optional digest; a registry's port also has a colon.
_IMAGE = re.compile(
    r"^(?P<repository>[a-z0-9][\w.-]*(?::\d+)?(?:/[\w.-]+)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)


def check_image(image: str) -> str:
    """Refuses the name of a container image that may be another image tomorrow.

    Raises:
      ValueError: it has no tag and no digest, or the tag `latest`.
    """
    match = _IMAGE.match(image)
    if not match:
        raise ValueError("write it as repository:tag or repository@sha256:<64 digits>")
    if not (match["tag"] or match["digest"]):
        raise ValueError("an image needs a tag or a digest, or nobody knows later what ran")
    if match["tag"] == "latest" and not match["digest"]:
        raise ValueError("latest is another image tomorrow: give a tag of its own, or a digest")
    return image


#: The name of a container image, with a tag that is not `latest` or with a digest.
Image = Annotated[str, AfterValidator(check_image)]


def check_timezone(name: str) -> str:
    """Returns the name of a time zone.

    Raises:
      ValueError: there is none of that name.
    """
    if name not in timezones.known():
        raise ValueError("there is no time zone of that name (capitals count)")
    return name


#: A time zone by its name in the IANA database.
TimeZone = Annotated[str, AfterValidator(check_timezone)]


class Images(Section):
    """What the containers are made from.

    Attributes:
      default: for every node.
      by_node: for the node of that name, in place of the default.
    """

    default: Image
    by_node: Mapping[str, Image] = Field(default_factory=dict)


class KubeflowConfig(Section):
    """A Kubeflow Pipelines installation.

    Attributes:
      host: address of its API, such as https://kubeflow.example.com/pipeline.
      namespace: of the person or team, where the installation has several.
      experiment: what runs are listed under.
      service_account: the Kubernetes account that the containers run as; None for the
        installation's own.
      schedule_timezone: the one time zone that the installation reads the cron of its recurring
        runs in: CRON_SCHEDULE_TIMEZONE of its ml-pipeline-scheduledworkflow.
      store: folder on an object store for all that runs write: artifacts, pushed models, records.
      images: see `Images`.
    """

    host: str
    namespace: str | None = None
    experiment: str = "posters"
    service_account: str | None = None
    schedule_timezone: TimeZone = "UTC"
    store: str
    images: Images


class TrainerJob(Section):
    """The machine of a custom job of Vertex AI; one, as the Trainer spreads over one's GPUs alone.

    Attributes:
      machine_type: as Compute Engine names it, such as n1-standard-8.
      accelerator: its type as Vertex AI names it, or None.
      accelerator_count: how many; the Trainer fine-tunes on all of them.
      boot_disk_gb: size of the machine's disk in gigabytes.
    """

    machine_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$")]
    accelerator: str | None = None
    accelerator_count: Annotated[int, Field(ge=1, le=16)] = 1
    boot_disk_gb: Annotated[int, Field(ge=100, le=64_000)] = 100


class VertexConfig(Section):
    """A Google Cloud project with Vertex AI.

    Attributes:
      project: the project's id.
      region: where jobs run, such as europe-west4; the bucket should be there too.
      service_account: address of the account that the containers run as.
      network: full name of a VPC network to run in; None for Google's own.
      store: folder on Google Cloud Storage for all that runs write.
      images: see `Images`.
      trainer_job: trains in a custom job on a machine of this kind; None to train in the node
        itself, on what `resources` gives it.
    """

    project: str
    region: str
    service_account: str
    network: str | None = None
    store: str
    images: Images
    trainer_job: TrainerJob | None = None


class NodeResources(Section):
    """What one node may use; what is not given is as in `ResourcesConfig.default`.

    Attributes:
      cpu: processor cores.
      memory_gb: memory in gigabytes, 10**9 bytes each.
      accelerator: its type as the platform names it, or None.
      accelerator_count: how many of them.
    """

    cpu: Annotated[float, Field(gt=0, le=416)] | None = None
    memory_gb: Annotated[float, Field(gt=0, le=12_000)] | None = None
    accelerator: str | None = None
    accelerator_count: Annotated[int, Field(ge=1, le=16)] = 1


class Machine(Section):
    """What every node may use.

    Attributes:
      cpu: processor cores.
      memory_gb: memory in gigabytes, 10**9 bytes each.
    """

    cpu: Annotated[float, Field(gt=0, le=416)] = 4
    memory_gb: Annotated[float, Field(gt=0, le=12_000)] = 16


class ResourcesConfig(Section):
    """Cores, memory and accelerators on a cluster; a run on this machine takes what it finds.

    Attributes:
      default: for every node.
      by_node: for the node of that name, over the default.
    """

    default: Machine = Machine()
    by_node: Mapping[str, NodeResources] = Field(default_factory=dict)

    def of(self, node: str) -> NodeResources:
        """What a node may use, with nothing left open."""
        own = self.by_node.get(node, NodeResources())
        missing = {
            key: value
            for key, value in self.default.model_dump().items()
            if getattr(own, key) is None
        }
        return own.model_copy(update=missing)
