"""The whole DAG on real posters and a real ImageNet extractor, where they are to be had.

They are not the project's to give away: the tests look for them beside the checkout.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from components.tflite.convert import QUANTIZATIONS
from pipeline.cli.main import OK, main
from tests.e2e.conftest import World

SHARED = Path(__file__).parents[3] / "shared" / "data"
ROWS = 1500

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"there are no real posters in {SHARED}"),
]


def test_a_subset_of_real_posters_trains_blesses_and_pushes(tmp_path):
    posters = SHARED / "posters"
    with (posters / "MovieGenre.csv").open(encoding="iso-8859-1", newline="") as file:
        rows = list(csv.reader(file))[: ROWS + 1]
    with (tmp_path / "subset.csv").open("w", encoding="iso-8859-1", newline="") as file:
        csv.writer(file).writerows(rows)
    ingested = main(
        [
            "ingest", "--csv", str(tmp_path / "subset.csv"), "--images", str(posters / "images"),
            "--out", str(tmp_path / "data"), "--set=ingest.min_label_count=50",
        ]
    )  # fmt: skip
    assert ingested == OK
    # A process of its own: what other tests left in this one is not the run's memory.
    run = subprocess.run(
        [
            sys.executable, "-m", "pipeline.cli.main", "run", "--config", "local",
            f"--set=workspace={tmp_path / 'workspace'}",
            f"--set=data_root={tmp_path / 'data'}",
            f"--set=trainer.hub_handle={SHARED / 'hub' / 'mobilenet_v2_035_224'}",
        ],
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert run.returncode == OK
    summary = World(tmp_path).last_summary()
    assert summary["status"] == "pushed"
    assert summary["metrics"]["macro_f1_lift"] > 1.15
    assert summary["metrics"]["macro_auc"] > 0.6
    assert summary["peak_memory_bytes"] < 4 << 30
    page = tmp_path / "workspace" / "runs" / summary["run_id"] / "report.html"
    assert page.stat().st_size < 3e6
    (version,) = (tmp_path / "workspace" / "models").iterdir()
    for quantization in QUANTIZATIONS:
        lite = tmp_path / quantization
        exported = main(
            [
                "export", "--config", "local", "--data", str(tmp_path / "data"),
                "--model", str(version), "--quantization", quantization, "--out", str(lite),
            ]
        )  # fmt: skip
        assert exported == OK
        report = json.loads((lite / "parity.json").read_text())
        assert report["examples"] > 150
        assert report["largest_difference"] <= 1e-2
        assert report["within_score_bound"]
