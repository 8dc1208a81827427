"""The real RunReport on what a run leaves: what the page, its data and the model card say."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from tfx import types
from tfx.types.experimental import simple_artifacts

from components.report import card, collect, content, evaluation, page
from components.report.component import RunReport
from components.serving_check.report import ServingReport
from tests import folder_store, reports
from tests.examples import write_records

ROOT = Path(__file__).parents[2]
SUMMARY = {
    "run_id": "20260102T030405.000006Z",
    "error": None,
    "seconds": 75.4,
    "import_seconds": 5.0,
    "peak_memory_bytes": 1.5e9,
    "nodes": [
        {"id": "Trainer", "state": "run", "seconds": 70.0, "peak_memory_bytes": 1.5e9},
        {"id": "Pusher", "state": "cached", "seconds": 0.1, "peak_memory_bytes": 9e8},
    ],
}


class _Text(HTMLParser):
    """What a reader sees, and the tags."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.words, self._hidden = [], [], False
        self.feed(markup)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._hidden = tag == "style"

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    return reports.leave(tmp_path_factory.mktemp("left"), reports.predict())


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The least that a run leaves, to be copied and damaged."""
    answers = reports.predict(30, reports.LABELS[:2])
    return reports.leave(tmp_path_factory.mktemp("small"), answers)


@pytest.fixture(scope="module")
def written(left):
    """The folder that the node wrote."""
    node = _node(left)
    report = simple_artifacts.File()
    report.uri = str(left.root / "report" / "11")
    executor = node.executor_spec.executor_class()
    executor.Do(left.artifacts, {"report": [report]}, node.exec_properties)
    return Path(report.uri)


def _node(left):
    kinds = {key: type(found) for key, [found] in left.artifacts.items()}
    channels = {key: types.Channel(type=kind) for key, kind in kinds.items()}
    return RunReport(**channels, **left.parameters())


def test_the_nodes_parameters_are_what_every_runner_knows(left):
    assert {type(value) for value in _node(left).exec_properties.values()} == {str}
    assert _node(left).outputs["report"].type is simple_artifacts.File


def test_the_node_writes_the_page_its_data_and_the_card(written):
    assert {path.name for path in written.iterdir()} == {page.FILE, content.FILE, card.FILE}
    found = content.read(str(written))
    assert found["missing"] == []
    assert page.render(found) == (written / page.FILE).read_text()
    assert card.render(found) == (written / card.FILE).read_text()


def test_the_page_tells_everything(written):
    shown = _Text((written / page.FILE).read_text())
    for word in [
        "Blessed and pushed", "Pushed to /models/17", "every score is a number", "last blessed",
        "macro-F1", "mean average precision", "Calibration", "Labels that go together", "1990s",
        "embedded", "spans 1, 3", "sha256:3f3f", "2026-01-03", "What follows is of the new spans",
        "News (2)", "table.csv:9", "0.210", "1921, 1990, 2016", "25 %",
        "The last blessed model knows 3 of the 4 labels", "0123456789abcdef",
        "trainer.head.dropout", "Most wrong: missed", "A score of 0.5 is a "
        "probability of 0.300", "only the runner knows them", "epochs 5",
    ]:  # fmt: skip
        assert word in shown.text, word
    assert shown.text.count("Precision and recall") == len(reports.LABELS)
    assert "no better than chance" not in shown.text


def test_the_page_needs_nothing_else_and_somebodys_text_stays_text(written):
    markup = (written / page.FILE).read_text()
    shown = _Text(markup)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(shown.tags)
    assert reports.SCRIPT in shown.text
    outside = re.sub(r"data:image/jpeg;base64,[\w+/=]+", "", markup)
    assert not re.search(r"https?:|\"//|@import|url\((?!#)", outside)
    assert "default-src 'none'" in markup
    identifiers = re.findall(r'\bid="([^"]+)"', markup)
    assert len(identifiers) == len(set(identifiers))
    for reference in re.findall(r'(?:href="#|url\(#)([^")]+)', markup):
        assert reference in identifiers


def test_with_the_runs_summary_the_page_has_seconds_and_memory(written):
    shown = _Text(page.render(content.read(str(written)), SUMMARY))
    for word in ["2026-01-02 03:04 UTC", "1 min 15 s", "1.50 GB", "Trainer", "cached", "900 MB"]:
        assert word in shown.text, word
    assert "only the runner knows" not in shown.text


def test_a_refused_model_is_said_to_be_refused_and_why(tmp_path):
    left = reports.leave(tmp_path, reports.predict(30), blessed=False)
    shown = _Text(page.render(collect.collect(left.sources())))
    assert "Refused Not pushed: what served before still serves." in shown.text
    assert "War falls by 0.210 (evaluator.max_label_f1_drop)" in shown.text
    assert shown.text.index("War falls") < shown.text.index("every score is a number")
    assert "Pushed to" not in shown.text


def test_a_model_blessed_by_hand_is_said_to_be(small):
    found = collect.collect(small.sources(reports.LABELS[:2]))
    found["evaluation"]["blessed"] = False
    record = {"user": "ann", "time": "2026-01-02", "reason": "seen by <b>eye</b>"}
    summary = {**SUMMARY, "by_hand": record, "pushed_path": "/models/18"}
    shown = _Text(page.render(found, summary)).text
    assert "Refused, then blessed by hand By hand, by ann on 2026-01-02: seen by <b>eye" in shown
    assert "Pushed to /models/18" in shown


def test_labels_shuffled_against_scores_are_said_to_be_no_better_than_chance(tmp_path):
    answers = reports.predict(1100, shuffled=True)
    left = reports.leave(tmp_path, answers, blessed=False)
    found = collect.collect(left.sources())
    for one in found["evaluation"]["by_label"]:
        best = one["best"]
        # The best of all thresholds is picked with the labels in sight: a little above.
        assert best["all_positive_f1"] <= best["f1"] < best["all_positive_f1"] + 0.03
    for shown in (_Text(page.render(found)).text, card.render(found)):
        assert "The model is no better than chance." in shown


def test_without_a_baseline_the_page_says_so(tmp_path):
    answers = dataclasses.replace(reports.predict(30), baseline_labels=None, baseline_scores=None)
    left = reports.leave(tmp_path, answers)
    shown = _Text(page.render(collect.collect(left.sources())))
    assert "No earlier blessed model stands beside it; the verdict says why." in shown.text
    assert "last blessed" not in shown.text


def test_a_model_whose_scores_are_no_numbers_still_has_a_page(tmp_path):
    answers = reports.predict(30)
    answers.scores[3, 1] = np.nan
    left = reports.leave(tmp_path, answers, blessed=False)
    found = collect.collect(left.sources())
    content.write(str(tmp_path), found)
    shown = _Text(page.render(content.read(str(tmp_path))))
    assert "No curve" in shown.text
    # It cannot be ranked, which is another thing, and said by a rule.
    assert "no better than chance" not in shown.text


@pytest.mark.parametrize(
    ("gone", "note"),
    [
        ("statistics", "Split-train/FeatureStats.pb cannot be read"),
        ("gate_report", "The gate's report"),
        ("examples", "pictures are not among the test examples"),
        ("examples/window.json", "Which spans were trained on cannot be read"),
        ("model", "The model's description"),
        ("evaluation/verdict.json", "no verdict can be read"),
        ("evaluation/predictions.npz", "no predictions can be read"),
        ("span-3/manifest.json", "manifest.json is missing"),
        ("span-3", "rejected.csv is missing"),
    ],
)
def test_a_piece_that_is_gone_is_said(small, tmp_path, gone, note):
    shutil.copytree(small.root, tmp_path, dirs_exist_ok=True)
    path = tmp_path / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    found = collect.collect(reports.Left(tmp_path).sources(reports.LABELS[:2]))
    assert any(note in said for said in found["missing"]), found["missing"]
    assert note in _Text(page.render(found)).text
    card.render(found)


@pytest.mark.parametrize(
    ("damaged", "note"),
    [
        ("statistics/Split-train/FeatureStats.pb", "Split-train/FeatureStats.pb cannot be read"),
        ("examples", "The examples in"),
    ],
)
def test_a_piece_that_is_damaged_is_said(small, tmp_path, damaged, note):
    shutil.copytree(small.root, tmp_path, dirs_exist_ok=True)
    sources = reports.Left(tmp_path).sources(reports.LABELS[:2])
    if damaged == "examples":
        for path in Path(sources.test_examples).iterdir():
            write_records(path, [b"no example at all"])
    else:
        (tmp_path / damaged).write_bytes((tmp_path / damaged).read_bytes()[:-3])
    found = collect.collect(sources)
    assert any(note in said for said in found["missing"]), found["missing"]


def test_the_pieces_may_lie_on_a_store(small, tmp_path):
    sources = small.sources(reports.LABELS[:2])
    pieces = ("statistics", "gate_report", "model", "evaluation", "blessing", "serving")
    there = {key: f"{folder_store.SCHEME}://{getattr(sources, key)}" for key in pieces}
    window = sources.window
    spans = [
        dataclasses.replace(span, folder=f"{folder_store.SCHEME}://{span.folder}")
        for span in window.spans
    ]
    there["window"] = dataclasses.replace(window, spans=tuple(spans))
    found = collect.collect(dataclasses.replace(sources, **there))
    assert found["missing"] == []
    out = f"{folder_store.SCHEME}://{tmp_path}"
    content.write(out, found)
    assert page.render(content.read(out)).count("<article") == 2


def test_a_run_that_came_nowhere_has_a_page(left):
    node = dataclasses.replace(
        left.sources(), statistics=None, gate_report=None, test_examples=None, model=None,
        evaluation=None, blessing=None, serving=None, pushed_to=None,
    )  # fmt: skip
    found = collect.collect(node)
    summary = {**SUMMARY, "error": "StatisticsGen: no <b>space</b>\nat all", "nodes": []}
    shown = _Text(page.render(found, summary))
    assert "Failed StatisticsGen: no <b>space</b> at all" in shown.text
    assert len(found["missing"]) == 4
    assert "There is no model." in card.render(found)


def test_what_the_serving_check_refused_is_said_on_every_runner(small, tmp_path):
    """Without a summary, which only the local runner writes."""
    shutil.copytree(small.root, tmp_path, dirs_exist_ok=True)
    refused = ServingReport(False, ("one poster takes <9000> ms",), 16)
    refused.write(str(tmp_path / "infra_blessing"))
    shown = _Text(page.render(collect.collect(reports.Left(tmp_path).sources(reports.LABELS[:2]))))
    assert "Blessed, but does not serve one poster takes <9000> ms" in shown.text


def test_the_card_has_the_fields_sections_and_figures(written):
    found = (written / card.FILE).read_text()
    assert re.findall(r"^## (.*)$", found, re.MULTILINE) == [
        "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
        "Quantitative analyses", "Caveats and recommendations",
    ]  # fmt: skip
    macro = content.read(str(written))["evaluation"]["figures"]["macro_f1"]
    assert f"| macro-F1 | {macro:.3f} |" in found
    rows = [line for line in found.splitlines() if line.startswith("| War |")]
    assert len(rows) == 1 and rows[0].count("|") == 11
    assert "Drama, Comedy, Horror, War" in found
    assert "; 5 epochs." in found


def test_a_label_that_is_markup_breaks_neither_page_nor_card(tmp_path):
    labels = ("$a$ | *b*", "<img src=x onerror=alert(1)>", '"&amp;', "\u6620\u753b")
    left = reports.leave(tmp_path, reports.predict(30, labels))
    found = collect.collect(left.sources(labels))
    markup = page.render(found)
    shown = _Text(markup)
    assert shown.tags.count("img") == markup.count("data:image/jpeg")
    for label in labels:
        assert label in shown.text
    rows = [line for line in card.render(found).splitlines() if line.startswith("| \\$a")]
    assert not rows  # a dollar sign means nothing in Markdown
    assert "| $a$ \\| \\*b\\* |" in card.render(found)
    assert "\\<img" in card.render(found)


def test_the_page_of_twenty_labels_and_1100_posters_is_small(tmp_path):
    labels = tuple(f"Label {place}" for place in range(20))
    left = reports.leave(tmp_path, reports.predict(1100, labels))
    assert len(page.render(collect.collect(left.sources(labels))).encode()) < 3e6


def test_of_many_labels_the_first_have_charts_and_the_rest_are_in_the_table(tmp_path):
    labels = tuple(f"Label {place}" for place in range(evaluation.DETAILED + 2))
    left = reports.leave(tmp_path, reports.predict(20, labels))
    markup = page.render(collect.collect(left.sources(labels)))
    shown = _Text(markup)
    assert shown.tags.count("article") == evaluation.DETAILED
    assert "The 2 further labels have no charts here" in shown.text
    assert f'#label-{evaluation.DETAILED}"' in markup
    assert f'#label-{evaluation.DETAILED + 1}"' not in markup
    assert labels[-1] in shown.text


def test_a_page_is_made_again_without_tensorflow_or_matplotlib(written):
    script = (
        "import sys\n"
        "from components.report import card, content, page\n"
        f"found = content.read({str(written)!r})\n"
        "page.render(found), card.render(found)\n"
        "heavy = ('tensorflow', 'tfx', 'apache_beam', 'matplotlib', 'numpy')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_pages_data_of_another_format_is_refused(written, tmp_path):
    found = content.read(str(written))
    (tmp_path / content.FILE).write_text(json.dumps({**found, "format": 99}))
    with pytest.raises(content.PostersError, match=r"format 99.*run again"):
        content.read(str(tmp_path))
