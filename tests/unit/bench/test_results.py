"""The chart of `make bench`."""

from xml.etree import ElementTree

from bench import results


def test_the_chart_says_each_figure_in_full(tmp_path):
    ours = {"seconds": 85.02, "peak_memory_bytes": 3 * 10**9}
    found = {
        "floor": {"seconds": 52.49},
        "textbook": {"seconds": 1277.9, "peak_memory_bytes": 20 * 10**9},
        "ours": {"from nothing": ours, "again": {"seconds": 1, "peak_memory_bytes": 1}},
    }
    results.draw(found, tmp_path / "chart.svg")
    root = ElementTree.parse(tmp_path / "chart.svg").getroot()
    texts = {"".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"52.5", "1,278", "85", "20", "3"} <= texts


def test_without_the_others_the_chart_is_of_ours_alone(tmp_path):
    ours = {"from nothing": {"seconds": 1.5, "peak_memory_bytes": 10**9}}
    results.draw({"floor": None, "textbook": None, "ours": ours}, tmp_path / "chart.svg")
    assert "textbook" not in (tmp_path / "chart.svg").read_text()
