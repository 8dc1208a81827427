"""What a run on a cluster will take and cost, estimated from the configuration's own prices.

The estimate is for a run in which nothing is cached. It knows the machines that nodes and the
Trainer's custom job get; storage, traffic and the workers of a Beam runner elsewhere are not in it.
"""

from __future__ import annotations

import dataclasses
import graphlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from components.errors import PostersError
from pipeline.cluster_config import NodeResources
from pipeline.config import Config
from pipeline.price_config import PricesConfig
from pipeline.runners.resources import containers

#: What a summary calls a node that really ran.
_RAN = "run"


@dataclasses.dataclass(frozen=True)
class NodeCost:
    """What one node takes.

    Attributes:
      node: its name.
      minutes: from the start of its container to its end.
      source: where the minutes are from, in words.
      cost: in the estimate's currency.
    """

    node: str
    minutes: float
    source: str
    cost: float


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What a run takes if nothing is cached.

    Attributes:
      currency: three letters.
      nodes: the most expensive first.
      fee: what the service takes for the run.
      hours: from the first node's start to the last one's end, all that can running at once.
    """

    currency: str
    nodes: tuple[NodeCost, ...]
    fee: float
    hours: float

    @property
    def cost(self) -> float:
        """Of the whole run."""
        return self.fee + sum(node.cost for node in self.nodes)

    def show(self, console: Console) -> None:
        """Prints the sum, and a line for each node."""
        console.print(
            f"Estimated, if nothing is cached: {self.hours:.1f} hours, {self.cost:.2f} "
            f"{self.currency} by your prices"
        )
        for node in self.nodes:
            line = f"  {node.node:<18} {node.minutes:7.1f} min {node.cost:9.2f} {self.currency}"
            console.print(f"{line}  {node.source}", markup=False, soft_wrap=True)
        if self.fee:
            console.print(f"  {'the run itself':<18} {'':11} {self.fee:9.2f} {self.currency}")


def estimate(config: Config, job: Mapping[str, Any]) -> Estimate:
    """Estimates what a compiled job takes and costs.

    Args:
      config: has a section `prices`.
      job: the PipelineJob as JSON has it.

    Raises:
      PostersError: a price or a node's minutes are not known.
    """
    prices = config.prices
    measured = _measured(Path(config.workspace) / "runs")
    nodes = []
    for name, _ in containers(job):
        minutes, source = _minutes(name, prices, measured)
        minutes += prices.startup_minutes
        nodes.append(NodeCost(name, minutes, source, minutes / 60 * _per_hour(config, name)))
    hours = _longest_path(job, {node.node: node.minutes for node in nodes}) / 60
    nodes.sort(key=lambda node: -node.cost)
    return Estimate(prices.currency, tuple(nodes), prices.run, hours)


def check_cap(found: Estimate | None, cap: float) -> None:
    """Refuses a run that would cost more than it may.

    Args:
      found: the estimate, or None where the configuration has no prices.
      cap: in the currency of the prices.

    Raises:
      PostersError: with what each node costs, or if nothing is known.
    """
    if found is None:
        raise PostersError(
            "--max-cost: the configuration has no section prices, so nothing can be compared. "
            "docs/cost.md says how to write one."
        )
    if found.cost <= cap:
        return
    parts = [f"{node.node} {node.cost:.2f}" for node in found.nodes if node.cost >= 0.005]
    parts += [f"the run itself {found.fee:.2f}"] if found.fee else []
    raise PostersError(
        f"--max-cost {cap:g}: the run would cost about {found.cost:.2f} {found.currency}: "
        f"{', '.join(parts)}. Give the dearest node less (resources.by_node), or raise the limit."
    )


def _measured(runs: Path) -> dict[str, tuple[float, str]]:
    """Minutes by node and the run that took them, from the newest run that did not take a cache."""
    found: dict[str, tuple[float, str]] = {}
    for path in sorted(runs.glob("*/summary.json"), reverse=True):
        summary = json.loads(path.read_text(encoding="utf-8"))
        for node in summary["nodes"]:
            if node["state"] == _RAN:
                found.setdefault(node["id"], (node["seconds"] / 60, f"run {path.parent.name}"))
    return found


def _minutes(
    node: str, prices: PricesConfig, measured: Mapping[str, tuple[float, str]]
) -> tuple[float, str]:
    if node in measured:
        return measured[node]
    minutes = prices.minutes.by_node.get(node, prices.minutes.default)
    if minutes is None:
        raise PostersError(
            f"prices.minutes.by_node.{node}: missing, and no run in the workspace has shown how "
            "long the node takes. Give it, or prices.minutes.default for all."
        )
    return minutes, "prices.minutes"


def _per_hour(config: Config, node: str) -> float:
    """What a node costs for an hour: its container, and the custom job that it waits for."""
    wanted: NodeResources = config.resources.of(node)
    prices = config.prices
    cost = wanted.cpu * prices.cpu_hour + wanted.memory_gb * prices.memory_gb_hour
    cost += _accelerators(prices, node, wanted.accelerator, wanted.accelerator_count)
    job = config.vertex.trainer_job if config.vertex and node == "Trainer" else None
    if job:
        cost += _price(prices.machine_hour, "machine_hour", job.machine_type, node)
        cost += _accelerators(prices, node, job.accelerator, job.accelerator_count)
    return cost


def _accelerators(prices: PricesConfig, node: str, name: str | None, count: int) -> float:
    return count * _price(prices.accelerator_hour, "accelerator_hour", name, node) if name else 0.0


def _price(table: Mapping[str, float], key: str, name: str, node: str) -> float:
    if name not in table:
        raise PostersError(
            f"prices.{key}.{name}: missing, and {node} runs on it. Give what it costs an hour."
        )
    return table[name]


def _longest_path(job: Mapping[str, Any], minutes: Mapping[str, float]) -> float:
    """Minutes from start to end if every task begins as soon as what it waits for is done."""
    tasks = job["pipelineSpec"]["root"]["dag"]["tasks"]
    waits = {
        name: {
            *task.get("dependentTasks", ()),
            *(
                given["taskOutputArtifact"]["producerTask"]
                for given in task.get("inputs", {}).get("artifacts", {}).values()
            ),
        }
        for name, task in tasks.items()
    }
    ends: dict[str, float] = {}
    for name in graphlib.TopologicalSorter(waits).static_order():
        start = max((ends[earlier] for earlier in waits[name]), default=0.0)
        ends[name] = start + minutes.get(tasks[name]["componentRef"]["name"], 0.0)
    return max(ends.values(), default=0.0)
