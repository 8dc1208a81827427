import json

import pytest

from components.errors import PostersError
from pipeline import config, windows
from tests.spans import VOCABULARY, write_manifest

NUMBERS = (1, 2, 3, 5, 9, 10, 11, 99, 100)
SIZES = {"train": 12, "eval": 4, "test": 4}
#: span-5 came late.
LATE = {5: "2025-12-29"}


def _write(root, number, **changes):
    folder = root / f"span-{number}"
    folder.mkdir(parents=True)
    (folder / "vocabulary.txt").write_text("".join(f"{label}\n" for label in VOCABULARY))
    counts = {split: {"Drama": 2} for split in SIZES}
    date = LATE.get(number, f"2026-{number // 28 + 1:02}-{number % 28 + 1:02}")
    write_manifest(folder, {**SIZES, **changes}, counts, date)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("windows") / "data"
    for number in NUMBERS:
        _write(root, number)
    return root


def _resolve(root, window, exclude="[]"):
    settings = [f"data_root={root}", f"window={window}", f"exclude_spans={exclude}"]
    return windows.resolve(config.load("sample", settings))


@pytest.mark.parametrize(
    ("window", "numbers"),
    [
        ("latest", (100,)),
        ("all", NUMBERS),
        ("9", (9,)),
        ("[99, 10]", (10, 99)),
        ("{last: 1}", (100,)),
        ("{last: 4}", (10, 11, 99, 100)),
        ("{last: 6}", (5, 9, 10, 11, 99, 100)),
        ("{last: 1000}", NUMBERS),
        ("{since: 2026-01-11}", (10, 11, 99, 100)),
        ("{since: 2026-01-03, until: 2026-01-11}", (2, 3, 9, 10)),
        ("{until: 2026-01-02}", (1, 5)),
    ],
)
def test_what_a_window_holds(root, window, numbers):
    found = _resolve(root, window)
    assert found.numbers == numbers
    assert found.labels == VOCABULARY
    assert [span.folder.name for span in found.spans] == [f"span-{n}" for n in numbers]


@pytest.mark.parametrize(
    ("window", "exclude", "numbers"),
    [
        ("latest", "[100]", (99,)),
        ("all", "[3, 100]", (1, 2, 5, 9, 10, 11, 99)),
        ("{last: 2}", "[99]", (11, 100)),
        ("[9, 10]", "[9]", (10,)),
        ("{since: 2026-01-11}", "[99]", (10, 11, 100)),
    ],
)
def test_excluded_spans_are_as_if_they_were_not_there(root, window, exclude, numbers):
    assert _resolve(root, window, exclude).numbers == numbers


@pytest.mark.parametrize(
    ("window", "exclude", "words"),
    [
        ("all", "[4]", "exclude_spans: .* has no span-4; it has 1-3, 5, 9-11, 99, 100"),
        ("all", list(NUMBERS), "exclude_spans: all spans of .* are left out"),
        ("9", "[9]", "exclude_spans leaves out all that it names"),
    ],
)
def test_what_cannot_be_excluded_is_named(root, window, exclude, words):
    with pytest.raises(PostersError, match=words):
        _resolve(root, window, exclude)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("4", ["window:", "no span-4; it has 1-3, 5, 9-11, 99, 100"]),
        ("[3, 4, 6]", ["window:", "no span-4, span-6; it has"]),
        ("{since: 2027-01-01}", ["window: no span", "since 2027-01-01", "span-5 of 2025-12-29"]),
    ],
)
def test_a_window_of_what_is_not_there_says_what_is(root, window, words):
    with pytest.raises(PostersError) as caught:
        _resolve(root, window)
    for word in words:
        assert word in str(caught.value)


def test_spans_without_a_date_are_named_only_where_dates_are_asked_for(tmp_path):
    for number in (1, 2):
        _write(tmp_path, number)
    path = tmp_path / "span-1" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["date"]
    path.write_text(json.dumps(manifest))
    assert _resolve(tmp_path, "all").numbers == (1, 2)
    with pytest.raises(PostersError, match=r"window: span 1 of .* before spans had a date"):
        _resolve(tmp_path, "{since: 2026-01-01}")


def test_a_span_is_known_by_its_manifest(tmp_path):
    _write(tmp_path, 1)
    before = _resolve(tmp_path, "all").spans[0].digest
    path = tmp_path / "span-1" / "manifest.json"
    path.write_text(path.read_text() + " ")
    assert _resolve(tmp_path, "all").spans[0].digest != before
    path.write_text("{}")
    with pytest.raises(PostersError, match=r"manifest\.json is not what `posters ingest` writes"):
        _resolve(tmp_path, "all")
    path.unlink()
    with pytest.raises(PostersError, match=r"manifest\.json cannot be read"):
        _resolve(tmp_path, "all")


def test_a_split_may_be_empty_in_one_span_and_not_in_all(tmp_path):
    _write(tmp_path, 1)
    _write(tmp_path, 2, test=0)
    assert _resolve(tmp_path, "all").numbers == (1, 2)
    with pytest.raises(PostersError, match=r"span 2 of .*: the test split has no example"):
        _resolve(tmp_path, "latest")


def test_the_spans_of_a_copy_are_looked_for_in_the_data_root(root):
    loaded = config.load("sample", ["data_root=/elsewhere", "window={last: 2}"])
    found = windows.resolve_in_copy(loaded, root)
    assert [str(span.folder) for span in found.spans] == [
        "/elsewhere/span-99",
        "/elsewhere/span-100",
    ]
    # A single span's folder is that span, whatever the window.
    assert windows.resolve_in_copy(loaded, root / "span-9").numbers == (9,)


@pytest.mark.parametrize(
    ("window", "words", "slug"),
    [
        ("3", "span 3", "span-3"),
        ("all", "spans 1-3, 5, 9-11, 99, 100", "spans-1-3-5-9-11-99-100"),
    ],
)
def test_a_window_has_a_name(root, window, words, slug):
    found = _resolve(root, window)
    assert (str(found), found.slug) == (words, slug)


def test_a_long_name_is_cut(tmp_path):
    for number in range(1, 60, 2):
        _write(tmp_path, number)
    assert _resolve(tmp_path, "all").slug == "spans-1-to-59-30-of-them"
