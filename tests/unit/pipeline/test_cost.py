import io
import json

import pytest
from rich.console import Console

from components.errors import PostersError
from pipeline import config as configuration
from pipeline import cost

PRICES = (
    "prices={currency: EUR, cpu_hour: 0.04, memory_gb_hour: 0.005, run: 0.03,"
    " accelerator_hour: {NVIDIA_TESLA_T4: 0.4}, machine_hour: {n1-standard-16: 0.8}}"
)
MINUTES = "prices.minutes={default: 3, by_node: {Trainer: 60, Examples: 6}}"
GPU = "resources.by_node={Trainer: {cpu: 8, memory_gb: 30, accelerator: NVIDIA_TESLA_T4}}"


def load(tmp_path, *overrides):
    settings = [f"workspace={tmp_path}", PRICES, MINUTES, GPU, *overrides]
    return configuration.load("vertex", settings)


def make_job(**waits_for: str) -> dict:
    """Tasks by name, each with those that it waits for; those called resolver run no container."""
    spec = {"root": {"dag": {"tasks": {}}}, "components": {}, "deploymentSpec": {"executors": {}}}
    for name, others in waits_for.items():
        first, *rest = others.split() or [""]
        task = {"componentRef": {"name": name}, "dependentTasks": rest}
        if first:
            given = {"taskOutputArtifact": {"producerTask": first, "outputArtifactKey": "x"}}
            task["inputs"] = {"artifacts": {"x": given}}
        spec["root"]["dag"]["tasks"][name] = task
        spec["components"][name] = {"executorLabel": name}
        kind = "importer" if name == "resolver" else "container"
        spec["deploymentSpec"]["executors"][name] = {kind: {}}
    return {"pipelineSpec": spec}


JOB = make_job(
    Examples="", Statistics="Examples", Trainer="Examples resolver", resolver="", Last="Trainer"
)
#: Four cores and 16 GB for an hour.
PLAIN_HOUR = 4 * 0.04 + 16 * 0.005
TRAINER_HOUR = 8 * 0.04 + 30 * 0.005 + 0.4


def write_summary(tmp_path, run_id: str, *nodes: tuple[str, str, float]) -> None:
    folder = tmp_path / "runs" / run_id
    folder.mkdir(parents=True)
    listed = [{"id": name, "state": state, "seconds": s} for name, state, s in nodes]
    (folder / "summary.json").write_text(json.dumps({"nodes": listed}))


def test_every_node_is_paid_for_by_what_it_is_given(tmp_path):
    found = cost.estimate(load(tmp_path), JOB)
    assert [node.node for node in found.nodes] == ["Trainer", "Examples", "Last", "Statistics"]
    assert [node.cost for node in found.nodes] == pytest.approx(
        [TRAINER_HOUR, PLAIN_HOUR / 10, PLAIN_HOUR / 20, PLAIN_HOUR / 20]
    )
    assert found.cost == pytest.approx(0.03 + TRAINER_HOUR + PLAIN_HOUR / 5)
    assert {node.source for node in found.nodes} == {"prices.minutes"}


def test_hours_are_those_of_the_longest_way(tmp_path):
    assert cost.estimate(load(tmp_path), JOB).hours == pytest.approx((6 + 60 + 3) / 60)


def test_start_is_paid_for_too(tmp_path):
    plain = cost.estimate(load(tmp_path), JOB)
    found = cost.estimate(load(tmp_path, "prices.startup_minutes=2"), JOB)
    more = 2 / 60 * (TRAINER_HOUR + 3 * PLAIN_HOUR)
    assert found.cost == pytest.approx(plain.cost + more)
    assert found.hours == pytest.approx(plain.hours + 3 * 2 / 60)


def test_accelerators_are_counted(tmp_path):
    two = load(tmp_path, "resources.by_node.Trainer.accelerator_count=2")
    assert cost.estimate(two, JOB).cost == pytest.approx(
        cost.estimate(load(tmp_path), JOB).cost + 0.4
    )


def test_custom_job_is_paid_for_beside_the_node_that_waits(tmp_path):
    config = load(
        tmp_path,
        "resources.by_node={}",
        "vertex.trainer_job={machine_type: n1-standard-16, accelerator: NVIDIA_TESLA_T4,"
        " accelerator_count: 4}",
    )
    [trainer] = [n for n in cost.estimate(config, JOB).nodes if n.node == "Trainer"]
    assert trainer.cost == pytest.approx(PLAIN_HOUR + 0.8 + 4 * 0.4)


def test_minutes_are_those_of_the_newest_run_that_did_the_work(tmp_path):
    write_summary(tmp_path, "1", ("Trainer", "run", 6000), ("Examples", "run", 60))
    write_summary(tmp_path, "2", ("Trainer", "run", 1800), ("Examples", "cached", 0.1))
    write_summary(tmp_path, "3", ("Trainer", "failed", 5))
    (tmp_path / "runs" / "4").mkdir()  # killed: there is no summary
    found = {node.node: node for node in cost.estimate(load(tmp_path), JOB).nodes}
    assert (found["Trainer"].minutes, found["Trainer"].source) == (30, "run 2")
    assert (found["Examples"].minutes, found["Examples"].source) == (1, "run 1")
    assert (found["Last"].minutes, found["Last"].source) == (3, "prices.minutes")


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("prices.accelerator_hour={}", "prices.accelerator_hour.NVIDIA_TESLA_T4"),
        ("prices.minutes={by_node: {Trainer: 1}}", "prices.minutes.by_node.Examples"),
        ("vertex.trainer_job={machine_type: e2-standard-4}", "prices.machine_hour.e2-standard-4"),
    ],
)
def test_what_is_not_known_is_named(tmp_path, override, key):
    with pytest.raises(PostersError, match=f"^{key}: missing"):
        cost.estimate(load(tmp_path, override), JOB)


def test_cap_lets_pass_what_costs_no_more(tmp_path):
    found = cost.estimate(load(tmp_path), JOB)
    cost.check_cap(found, found.cost)
    with pytest.raises(PostersError) as caught:
        cost.check_cap(found, 0.5)
    assert str(caught.value).startswith(
        f"--max-cost 0.5: the run would cost about {found.cost:.2f} EUR: Trainer 0.87, "
        "Examples 0.02, Last 0.01, Statistics 0.01, the run itself 0.03."
    )


def test_cap_without_prices_is_refused():
    with pytest.raises(PostersError, match="no section prices"):
        cost.check_cap(None, 5)


def test_printed_estimate(tmp_path):
    console = Console(file=io.StringIO(), width=200)
    cost.estimate(load(tmp_path), JOB).show(console)
    lines = console.file.getvalue().splitlines()
    assert lines[0] == ("Estimated, if nothing is cached: 1.1 hours, 0.95 EUR by your prices")
    assert lines[1].split() == ["Trainer", "60.0", "min", "0.87", "EUR", "prices.minutes"]
    assert lines[-1].split() == ["the", "run", "itself", "0.03", "EUR"]


@pytest.mark.parametrize("value", ["-1", ".nan", ".inf"])
def test_price_is_an_amount(tmp_path, value):
    with pytest.raises(PostersError, match=r"prices\.cpu_hour"):
        load(tmp_path, f"prices.cpu_hour={value}")
