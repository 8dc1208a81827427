import re
from xml.etree import ElementTree

import numpy as np
import pytest

from components.report.charts import calibration, figure, learning, matrix, ranking, unit_chart
from components.report.curves import curves

#: What Matplotlib, or whoever rewrites what it wrote, could take for something else than text.
NASTY = '<b>&"#000001"$x$3.14159'


def _curves():
    truth = np.arange(40) % 3 == 0
    return curves(truth, np.where(truth, 0.6, 0.4) + np.arange(40) / 200)


def _bins():
    return [
        {"mean_probability": 0.1, "share_positive": 0.2, "count": 4},
        {"mean_probability": float("nan"), "share_positive": float("nan"), "count": 0},
    ]


def _history(epochs):
    return [
        {
            "stage": 1 + (epoch > 2),
            "epoch": epoch,
            "loss": 1 / epoch,
            "eval_loss": None,
            "eval_macro_auc": 0.6,
        }
        for epoch in range(1, epochs + 1)
    ]


DRAWINGS = {
    "precision and recall": lambda: ranking.precision_recall(NASTY, _curves(), _curves()),
    "thresholds": lambda: ranking.thresholds(NASTY, _curves()),
    "calibration": lambda: calibration.calibration(NASTY, NASTY, _bins()),
    "loss": lambda: learning.loss(_history(6)),
    "one epoch": lambda: learning.ranking(_history(1)),
    "matrix": lambda: matrix.together(NASTY, NASTY, [NASTY, "b"], np.array([[3, 1], [1, 0]])),
    "matrix of what XML lacks": lambda: matrix.together(
        "lacks", NASTY, ["Dra\x07ma\x1b", "\ufffeb\uffff"], np.array([[3, 1], [1, 0]])
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_chart_is_one_element_in_the_pages_colors_that_says_what_it_shows(name):
    drawn = DRAWINGS[name]()
    root = ElementTree.fromstring(drawn)
    assert root.tag == "svg" and root.get("class") == "chart"
    assert len(root.get("aria-label")) > 15
    assert "var(--" in drawn
    for element in root.iter():
        assert element.tag not in ("style", "metadata", "image")
        for key, value in element.items():
            # No color of its own, neither light nor dark; no address, no font.
            assert key == "aria-label" or not re.search(
                r"#[0-9a-f]{6}\b|https?:|font-family|nan", value
            )


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_chart_has_the_same_bytes(name):
    assert DRAWINGS[name]() == DRAWINGS[name]()


def test_what_was_drawn_before_on_the_same_axes_leaves_no_trace():
    alone = ranking.precision_recall("a", _curves(), None)
    unit_chart._bare_figure.cache_clear()
    unit_chart._frame.cache_clear()
    assert ranking.precision_recall("a", _curves(), None) == alone
    assert ranking.precision_recall("b", _curves(), _curves()) != alone
    with pytest.raises(ZeroDivisionError), unit_chart.unit_chart("x", "recall", "") as found:
        found.axes.plot([0, 1], [0, 1])
        1 / 0  # noqa: B018
    with unit_chart.unit_chart("x", "recall", "") as found:
        assert not found.axes.lines
    assert ranking.precision_recall("a", _curves(), None) == alone


def test_a_legend_names_the_lines_that_are_drawn_and_the_axes_what_they_are():
    def texts(drawn):
        return [text.text for text in ElementTree.fromstring(drawn).iter("text")]

    ticks = ["0", "0.5", "1"]
    names = ["recall", *ticks, "precision", "this model", "chance"]
    assert sorted(texts(ranking.precision_recall("a", _curves(), None))) == sorted(names + ticks)
    assert "last blessed" in texts(ranking.precision_recall("a", _curves(), _curves()))


def test_the_row_that_fine_tuning_begins_with_is_no_epoch():
    history = [
        {"stage": stage, "epoch": epoch, "loss": 0.5 if epoch else None, "eval_macro_auc": 0.6}
        for stage, epoch in [(1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2)]
    ]
    for draw in (learning.loss, learning.ranking):
        root = ElementTree.fromstring(draw(history))
        assert "over 5 epochs." in root.get("aria-label")
        texts = [text.text for text in root.iter("text")]
        assert "5" in texts and "6" not in texts


def test_charts_of_one_page_share_no_identifier():
    found = [
        draw(label, _curves(), *others)
        for label in ("\u6620", "\u753b", "a", "A")
        for draw, others in ((ranking.thresholds, ()), (ranking.precision_recall, (None,)))
    ]
    found += [calibration.calibration(name, "a", _bins()) for name in ("c", "d")]
    identifiers = [set(re.findall(r'\bid="([^"]+)"', drawn)) for drawn in found]
    assert all(identifiers)
    assert len(set.union(*identifiers)) == sum(map(len, identifiers))


def test_names_are_written_as_they_are():
    drawn = matrix.together("m", "In truth", [NASTY, "b"], np.array([[3, 1], [1, 2]]))
    texts = ["".join(text.itertext()) for text in ElementTree.fromstring(drawn).iter("text")]
    assert texts.count(NASTY) == 2


def test_without_an_example_there_is_no_calibration():
    assert calibration.calibration("c", "Drama", _bins()[1:]) is None
    assert calibration.calibration("c", "Drama", []) is None


def test_the_matrix_says_what_goes_together_most():
    counts = np.array([[10, 5, 0], [5, 5, 0], [0, 0, 0]])
    drawn = matrix.together("m", "In truth", ["Drama", "War", "News"], counts)
    assert "In truth: 100 % of War are Drama, 50 % of Drama are War." in drawn


def test_a_name_makes_the_settings_last_no_longer_than_its_block():
    import matplotlib

    before = dict(matplotlib.rcParams)
    with figure.figure("x", 100, 100) as drawn:
        figure.to_svg(drawn, "nothing")
    assert dict(matplotlib.rcParams) == before
