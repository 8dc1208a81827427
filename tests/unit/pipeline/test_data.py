import pytest

from components.errors import PostersError
from pipeline import config, data


@pytest.fixture
def root(tmp_path):
    for span in (2, 9, 10, 100):
        (tmp_path / "data" / f"span-{span}").mkdir(parents=True)
        (tmp_path / "data" / f"span-{span}" / "vocabulary.txt").write_text("Drama\nFilm-Noir\n")
    (tmp_path / "data" / ".span-101.tmp").mkdir()
    return tmp_path / "data"


def _find(root):
    return data.find_span(config.load("sample", [f"data_root={root}"]))


def test_the_newest_span_is_the_highest_number_not_the_last_name(root):
    span = _find(root)
    assert (span.number, span.labels) == (100, ("Drama", "Film-Noir"))


def test_a_span_can_be_chosen(root):
    loaded = config.load("sample", [f"data_root={root}"])
    assert data.find_folder(loaded, number=9) == (9, root / "span-9")
    assert data.find_folder(loaded, root / "span-10") == (10, root / "span-10")
    with pytest.raises(PostersError, match=r"no span-3; it has 2, 9, 10, 100"):
        data.find_folder(loaded, number=3)


def test_an_empty_data_root_says_how_to_fill_it(tmp_path):
    with pytest.raises(PostersError, match="posters ingest"):
        _find(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "Drama\nDrama\n"])
def test_a_bad_vocabulary_is_named(root, text):
    (root / "span-100" / "vocabulary.txt").write_text(text)
    with pytest.raises(PostersError, match=r"vocabulary\.txt"):
        _find(root)


def test_a_missing_vocabulary_is_named(root):
    (root / "span-100" / "vocabulary.txt").unlink()
    with pytest.raises(PostersError, match=r"vocabulary\.txt cannot be read"):
        _find(root)
