"""docs/cost.md and the examples in the configurations: what they promise is what is printed."""

import io
import re
import textwrap
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from components.spans import reading
from pipeline import config as configuration
from pipeline import cost, windows
from pipeline.runners import kubeflow
from tests.bare_image import ROOT


def estimate(config) -> list[str]:
    spans = (reading.Span(1, Path("/data/span-1"), "digest", {"labels": {}}),)
    window = windows.Window(spans, ("Drama", "Comedy"))
    console = Console(file=io.StringIO(), width=200)
    job = kubeflow.build(config, window, kubeflow.runner_of(config))
    cost.estimate(config, job).show(console)
    return console.file.getvalue().splitlines()


def load(name: str, prices: dict, workspace: Path):
    text = yaml.safe_dump(prices, default_flow_style=True, width=10_000).strip()
    return configuration.load(name, [f"prices={text}", f"workspace={workspace}"])


def test_example_of_the_document_prints_what_it_shows(tmp_path):
    settings, shown = re.findall(r"(?m)(?:^    .*\n)+", (ROOT / "docs" / "cost.md").read_text())
    prices = yaml.safe_load(textwrap.dedent(settings))["prices"]
    printed = estimate(load("vertex", prices, tmp_path))
    _, total, trainer, _ = textwrap.dedent(shown).splitlines()
    assert printed[:2] == [total, trainer]


@pytest.mark.parametrize("name", ["kubeflow", "vertex"])
def test_example_of_the_configuration_is_complete(name, tmp_path):
    text = (ROOT / "configs" / f"{name}.yaml").read_text()
    example = re.search(r"(?m)^# prices:\n(?:#   .*\n)+", text)[0]
    prices = yaml.safe_load(example.replace("# ", "", 1).replace("\n# ", "\n"))["prices"]
    printed = estimate(load(name, prices, tmp_path))
    assert printed[0].startswith("Estimated, if nothing is cached: ")
    assert any(line.startswith("  Trainer ") for line in printed)
