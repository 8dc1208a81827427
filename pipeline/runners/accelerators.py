"""Accelerators by the names that each platform has for them today, and the machines they fit.

Vertex AI: the values of `AcceleratorType` in its API that are GPUs and not marked as deprecated,
and the machine types that Compute Engine attaches them to. Kubeflow hands the name to Kubernetes as
a resource, which the device plugin of the nodes' vendor defines.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from components.errors import PostersError
from pipeline.runners.capabilities import VERTEX, Runner


@dataclasses.dataclass(frozen=True)
class Fit:
    """The machine types that an accelerator comes with.

    Attributes:
      machines: by machine type, or by the beginning of several, the counts that it takes.
    """

    machines: Mapping[str, tuple[int, ...]]

    def counts(self, machine_type: str) -> tuple[int, ...]:
        """The counts that a machine type takes; none if it does not take this accelerator."""
        matches = [prefix for prefix in self.machines if machine_type.startswith(prefix)]
        return self.machines[max(matches, key=len)] if matches else ()


_N1 = (1, 2, 4)
#: What Vertex AI's pipelines and custom jobs take.
VERTEX_GPUS: Mapping[str, Fit] = {
    "NVIDIA_TESLA_T4": Fit({"n1-": _N1}),
    "NVIDIA_TESLA_P4": Fit({"n1-": _N1}),
    "NVIDIA_TESLA_P100": Fit({"n1-": _N1}),
    "NVIDIA_TESLA_V100": Fit({"n1-": (*_N1, 8)}),
    "NVIDIA_L4": Fit(
        {
            **{f"g2-standard-{cores}": (1,) for cores in (4, 8, 12, 16, 32)},
            "g2-standard-24": (2,),
            "g2-standard-48": (4,),
            "g2-standard-96": (8,),
        }
    ),
    "NVIDIA_TESLA_A100": Fit(
        {**{f"a2-highgpu-{n}g": (n,) for n in (1, 2, 4, 8)}, "a2-megagpu-16g": (16,)}
    ),
    "NVIDIA_A100_80GB": Fit({f"a2-ultragpu-{n}g": (n,) for n in (1, 2, 4, 8)}),
    "NVIDIA_H100_80GB": Fit({f"a3-highgpu-{n}g": (n,) for n in (1, 2, 4, 8)}),
    "NVIDIA_H100_MEGA_80GB": Fit({"a3-megagpu-8g": (8,)}),
    "NVIDIA_H200_141GB": Fit({"a3-ultragpu-8g": (8,)}),
    "NVIDIA_B200": Fit({"a4-highgpu-8g": (8,)}),
    "NVIDIA_GB200": Fit({"a4x-highgpu-4g": (4,)}),
    "NVIDIA_RTX_PRO_6000": Fit({"g4-standard-": (1, 2, 4, 8)}),
}
#: What is gone or of no use to the Trainer, and why.
_VERTEX_REFUSED: Mapping[str, str] = {
    "NVIDIA_TESLA_K80": "Google retired it",
    "TPU_V2": "the Trainer runs on GPUs",
    "TPU_V3": "the Trainer runs on GPUs",
    "TPU_V4_POD": "the Trainer runs on GPUs",
    "TPU_V5_LITEPOD": "the Trainer runs on GPUs",
}
#: What NVIDIA's device plugin calls its resources: whole GPUs, shared ones, and slices.
_KUBERNETES = re.compile(r"^nvidia\.com/(gpu|gpu\.shared|mig-\d+g\.\d+gb)$")
_KUBERNETES_NAMES = "nvidia.com/gpu, nvidia.com/gpu.shared or a slice such as nvidia.com/mig-1g.5gb"


def check(key: str, accelerator: str, runner: Runner) -> None:
    """Refuses an accelerator that the platform does not have, or no longer.

    Args:
      key: of the configuration, for the error.
      accelerator: its name.
      runner: the platform.

    Raises:
      PostersError: with the names that there are.
    """
    if runner is VERTEX:
        if accelerator in VERTEX_GPUS:
            return
        reason = _VERTEX_REFUSED.get(accelerator, "Vertex AI has none of that name")
        names = ", ".join(VERTEX_GPUS)
    else:
        if _KUBERNETES.match(accelerator):
            return
        reason = "no device plugin that the Trainer can use calls a resource so"
        names = _KUBERNETES_NAMES
    raise PostersError(f"{key}: {accelerator}: {reason}. There are {names}.")


def check_machine(key: str, machine_type: str, accelerator: str | None, count: int) -> None:
    """Refuses a machine type of Vertex AI that does not take so many of an accelerator.

    Args:
      key: of the configuration, for the error.
      machine_type: such as `n1-standard-8`.
      accelerator: a name in `VERTEX_GPUS`, or None.
      count: how many.

    Raises:
      PostersError: with the machine types or counts that fit.
    """
    built_in = [
        name
        for name, fit in VERTEX_GPUS.items()
        if not machine_type.startswith("n1-") and fit.counts(machine_type)
    ]
    if accelerator is None:
        if built_in:
            raise PostersError(
                f"{key}: {machine_type} comes with {built_in[0]}: name it as accelerator, or take "
                "a machine type without one, such as n1-standard-8."
            )
        return
    fit = VERTEX_GPUS[accelerator]
    counts = fit.counts(machine_type)
    if not counts:
        machines = ", ".join(f"{name}..." if name.endswith("-") else name for name in fit.machines)
        raise PostersError(
            f"{key}: {machine_type} does not take {accelerator}, which goes with {machines}."
        )
    if count not in counts:
        raise PostersError(
            f"{key}: {machine_type} takes {' or '.join(map(str, counts))} of {accelerator}, not "
            f"{count}."
        )
