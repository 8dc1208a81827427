"""The page at `/`, in a real browser against a real server."""

import json

import pytest
import requests

from tests.examples import encode, picture
from tests.serving import LABELS, NEIGHBOURS
from tests.serving_process import ServerProcess

pytestmark = pytest.mark.browser

#: Gives the page files as a drop or a paste does, which a browser lets no script of ours do.
HAND_OVER = """([kind, name, type, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const options = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(kind === "drop"
    ? new DragEvent("drop", { ...options, dataTransfer: transfer })
    : new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
}"""


@pytest.fixture
def tab(chromium, server):
    """The page on a phone; whatever it complains of fails the test."""
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    tab = context.new_page()
    complaints, asked = [], []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{server.url}/")
    tab.locator("#model", has_text="version 100").wait_for()
    yield tab
    # A refusal of the server's is in the console too; it is what some tests ask for.
    assert [words for words in complaints if "400 (Bad Request)" not in words] == []
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def _rows(tab):
    """Labels and scores, in the order of the bars."""
    return [
        (row.locator("th").inner_text(), float(row.locator("td.number").inner_text()))
        for row in tab.locator("article").first.locator("tr").all()
    ]


def _scores(server, image):
    [row] = server.predict(image).json()["predictions"]
    return dict(zip(row["genres"], row["scores"], strict=True))


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_poster_dropped_or_pasted_shows_its_scores_as_bars(tab, server, kind):
    image = encode(picture(5, 200, 300))
    tab.evaluate(HAND_OVER, [kind, "poster.jpg", "image/jpeg", list(image)])
    tab.wait_for_selector("article table")
    rows, wanted = _rows(tab), _scores(server, image)
    assert [label for label, _ in rows] == sorted(LABELS, key=lambda label: -wanted[label])
    for label, score in rows:
        assert score == pytest.approx(wanted[label], abs=6e-4)
    given = [label for label, score in rows if score > 0.5]
    words = ", ".join(label for label in LABELS if label in given) or "no label"
    assert tab.locator("article h2").inner_text() == f"poster.jpg: {words}"
    assert tab.locator("tr.given").count() == len(given)
    # The line at 0.5 lies in the middle of every bar, and the bar ends at its score.
    for row, (_, score) in zip(tab.locator("tr").all(), rows, strict=True):
        bar, fill, line = (
            row.locator(name).bounding_box() for name in (".bar", ".fill", ".threshold")
        )
        assert fill["width"] == pytest.approx(score * bar["width"], abs=1)
        assert line["x"] == pytest.approx(bar["x"] + bar["width"] / 2, abs=1)
    assert tab.locator("article img[src^=blob]").evaluate(
        "image => image.decode().then(() => true)"
    )


def test_files_can_be_chosen_with_the_keyboard_alone(tab):
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "files"
    with tab.expect_file_chooser() as chooser:
        tab.keyboard.press("Space")
    image = encode(picture(6))
    files = [
        {"name": name, "mimeType": "image/jpeg", "buffer": image} for name in ("a.jpg", "b.jpg")
    ]
    chooser.value.set_files(files)
    tab.locator("article table").nth(1).wait_for()
    tab.locator("[role=status]", has_text="b.jpg: ").wait_for()


def test_a_text_file_shows_why_not_and_the_page_goes_on(tab):
    tab.evaluate(HAND_OVER, ["drop", "notes.txt", "text/plain", list(b"Dear diary")])
    tab.wait_for_selector("article .why")
    words = "not a JPEG, PNG, GIF or BMP image (10 bytes)"
    assert tab.locator(".why").inner_text() == words
    assert words in tab.locator("[role=status]").inner_text()
    tab.evaluate(HAND_OVER, ["drop", "p.jpg", "image/jpeg", list(encode(picture(1)))])
    tab.wait_for_selector("article table")


def test_a_name_that_is_markup_stays_text(tab):
    name = "<img src=x onerror=document.title='x'>"
    tab.evaluate(HAND_OVER, ["drop", name, "image/jpeg", list(encode(picture(1)))])
    tab.wait_for_selector("article table")
    assert tab.locator("article h2").inner_text().startswith(name)
    assert tab.title() == "Try a poster"


def test_the_nearest_training_posters_stand_beside_the_bars(tab):
    tab.evaluate(HAND_OVER, ["drop", "p.jpg", "image/jpeg", list(NEIGHBOURS[6])])
    tab.wait_for_selector(".neighbours img")
    shown = tab.locator(".neighbours li")
    assert shown.count() == 5
    # It is one of them, and so the nearest to itself.
    assert shown.first.inner_text() == f"{LABELS[6 % len(LABELS)]} (tt6)"
    for picture_ in tab.locator(".neighbours img").all():
        assert picture_.evaluate("image => image.decode().then(() => image.naturalWidth)") == 16


def test_it_says_from_when_the_data_are(tab):
    said = tab.locator("#model").inner_text()
    assert said.startswith("Model posters, version 100")
    assert "trained on 5000 posters, data of 2024-05-31" in said
    assert tab.locator("#report").is_hidden()


@pytest.fixture(scope="module")
def reported(model_folder, tmp_path_factory):
    """A server that wants a token, on a model whose run left a report."""
    root = tmp_path_factory.mktemp("reported")
    run = root / "runs" / "20240531T000000.000000Z"
    run.mkdir(parents=True)
    (run / "summary.json").write_text(json.dumps({"pushed_path": str(model_folder)}))
    (run / "report.html").write_text("<style>p { color: rgb(1, 2, 3) }</style><p>A good model</p>")
    (root / "token").write_text("s3cret")
    arguments = ("--set", f"workspace={root}", "--token-file", str(root / "token"))
    with ServerProcess(model_folder.parent, arguments=arguments) as process:
        yield process


def test_the_report_is_a_click_away_also_where_a_token_is_wanted(chromium, reported):
    context = chromium.new_context()
    tab = context.new_page()
    tab.goto(f"{reported.url}/")
    tab.locator("#token").fill("s3cret")
    tab.keyboard.press("Enter")
    with context.expect_page() as opened:
        tab.locator("#report").click()
    paragraph = opened.value.locator("p")
    assert paragraph.inner_text() == "A good model"
    assert paragraph.evaluate("p => getComputedStyle(p).color") == "rgb(1, 2, 3)"
    context.close()
    assert requests.get(f"{reported.url}/report", timeout=60).status_code == 401
    wrong = requests.post(f"{reported.url}/report", data={"token": "x"}, timeout=60)
    assert (wrong.status_code, list(wrong.json())) == (401, ["error"])
