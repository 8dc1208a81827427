"""A run's page in a real Chromium: wide and narrow, light and dark, on paper, and in good order."""

import contextlib
import re

import pytest

from components.report import collect, page
from tests import reports

pytestmark = pytest.mark.browser

#: Of `CSS color`: the page's paper in light and in dark mode.
PAPER = {"light": "rgb(251, 250, 247)", "dark": "rgb(20, 24, 29)"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages of a blessed run with long names and bad titles, and of one that came nowhere."""
    root = tmp_path_factory.mktemp("pages")
    long = "Documentary-of-the-very-long-and-unbroken-kind"
    labels = ("Drama", "Comedy", long, reports.SCRIPT)
    left = reports.leave(root / "left", reports.predict(60, labels))
    found = collect.collect(left.sources(labels))
    summary = {
        "run_id": "20260102T030405.000006Z", "error": None, "seconds": 75.4, "import_seconds": 5.0,
        "peak_memory_bytes": 1.5e9,
        "nodes": [{"id": "Trainer", "state": "run", "seconds": 9, "peak_memory_bytes": 10**9}],
    }  # fmt: skip
    (root / "whole.html").write_text(page.render(found, summary))
    bare = {**found, "evaluation": None, "training": None, "missing": ["There is no model."]}
    error = f"Trainer: {reports.SCRIPT} {'/a/long/path' * 30}"
    (root / "failed.html").write_text(page.render(bare, {**summary, "error": error}))
    return root


@contextlib.contextmanager
def _shown(chromium, path, width, scheme="light"):
    """The page, and all that a browser complains of or asks a network for."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    trouble = []
    tab.on("console", lambda message: trouble.append(message.text))
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: trouble.append(request.url))
    tab.goto(path.as_uri())
    asked = [word for word in trouble if not word.startswith("data:image/jpeg;base64,")]
    yield tab, asked
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("name", ["whole", "failed"])
def test_nothing_is_asked_for_nothing_complains_and_nothing_overflows(
    chromium, pages, name, width, scheme
):
    path = pages / f"{name}.html"
    with _shown(chromium, path, width, scheme) as (tab, asked):
        assert asked == [path.as_uri()]
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        body = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert body == PAPER[scheme]


@pytest.mark.parametrize("width", [360, 1400])
def test_every_chart_is_drawn_within_the_page_and_described(chromium, pages, width):
    with _shown(chromium, pages / "whole.html", width) as (tab, _):
        charts = tab.locator("svg.chart")
        # Three a label; calibration, two matrices, two learning curves.
        assert charts.count() == 3 * 4 + 5
        for chart in charts.all():
            box = chart.bounding_box()
            assert box["width"] > 150 and box["height"] > 100
            assert len(chart.get_attribute("aria-label")) > 30
            marks = chart.evaluate(
                "svg => [...svg.querySelectorAll('path, use')].filter("
                "mark => { const box = mark.getBoundingClientRect();"
                " return box.width + box.height > 1 }).length"
            )
            assert marks > 10
        # Text is no smaller than what a phone shows legibly, and in the page's own font.
        sizes = tab.evaluate(
            "[...document.querySelectorAll('svg.chart text')].map("
            "text => text.getBoundingClientRect().height)"
        )
        assert min(sizes) > 8


def test_charts_follow_dark_mode(chromium, pages):
    colors = []
    for scheme in ("light", "dark"):
        with _shown(chromium, pages / "whole.html", 800, scheme) as (tab, _):
            text = "getComputedStyle(document.querySelector('svg.chart text')).fill"
            line = "getComputedStyle(document.querySelector('svg.chart use')).fill"
            colors.append((tab.evaluate(text), tab.evaluate(line)))
    assert colors[0][0] != colors[1][0] and colors[0][1] != colors[1][1]


def test_somebodys_text_stays_text(chromium, pages):
    with _shown(chromium, pages / "whole.html", 800) as (tab, asked):
        assert len(asked) == 1
        assert tab.locator("script").count() == 0
        titles = tab.locator("figcaption .title").all_inner_texts()
        assert titles and set(titles) == {reports.SCRIPT}
        headings = tab.locator("#each h3").all_inner_texts()
        assert headings[-1] == reports.SCRIPT
        assert tab.locator("svg.chart text", has_text="alert(1)").count() == 4
        assert tab.locator("img").count() == len(titles)
        broken = "[...document.images].filter(image => !image.naturalWidth).length"
        assert tab.evaluate(broken) == 0


def test_a_labels_row_leads_to_its_section(chromium, pages):
    with _shown(chromium, pages / "whole.html", 1400) as (tab, _):
        tab.locator("#labels a", has_text="Comedy").click()
        assert tab.url.endswith("#label-2")
        assert "Comedy" in tab.locator(":target h3").inner_text()


def test_it_prints_with_all_settings_on_a_few_sheets_and_nothing_is_cut_off(chromium, pages):
    # What of a sheet of A4 is left within its margins, in CSS pixels.
    with _shown(chromium, pages / "whole.html", 718) as (tab, _):
        printed = tab.pdf(format="A4", prefer_css_page_size=True)
        tab.emulate_media(media="print")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 718
        assert tab.locator("dt", has_text="trainer.head.dropout").is_visible()
        assert not tab.locator("nav").is_visible()
    count = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 3 <= count <= 20
