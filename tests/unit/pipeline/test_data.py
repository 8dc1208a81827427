import pytest

from components.errors import PostersError
from pipeline import config, data


@pytest.fixture
def root(tmp_path):
    for span in (2, 9, 10, 100):
        for split in data.SPLITS:
            folder = tmp_path / "data" / f"span-{span}" / split
            folder.mkdir(parents=True)
            (folder / "data-00000-of-00001.tfrecord").write_bytes(b"x")
        (tmp_path / "data" / f"span-{span}" / "vocabulary.txt").write_text("Drama\nFilm-Noir\n")
    (tmp_path / "data" / ".span-101.tmp").mkdir()
    return tmp_path / "data"


def _find(root, *overrides):
    return data.find_span(config.load("sample", [f"data_root={root}", *overrides]))


def test_the_latest_span_is_the_highest_number_not_the_last_name(root):
    assert _find(root).number == 100


def test_a_span_can_be_chosen(root):
    span = _find(root, "span=9")
    assert (span.number, span.labels) == (9, ("Drama", "Film-Noir"))


def test_a_span_that_is_not_there_lists_those_that_are(root):
    with pytest.raises(PostersError, match=r"no span-3; it has 2, 9, 10, 100"):
        _find(root, "span=3")


def test_an_empty_data_root_says_how_to_fill_it(tmp_path):
    with pytest.raises(PostersError, match="posters ingest"):
        _find(tmp_path / "nowhere")


@pytest.mark.parametrize("split", data.SPLITS)
@pytest.mark.parametrize("how", ["no shard", "empty shard"])
def test_an_empty_split_is_named(root, split, how):
    shard = root / "span-100" / split / "data-00000-of-00001.tfrecord"
    if how == "no shard":
        shard.unlink()
    else:
        shard.write_bytes(b"")
    with pytest.raises(PostersError, match=f"the {split} split has"):
        _find(root)


@pytest.mark.parametrize("text", ["", "Drama\nDrama\n"])
def test_a_bad_vocabulary_is_named(root, text):
    (root / "span-100" / "vocabulary.txt").write_text(text)
    with pytest.raises(PostersError, match=r"vocabulary\.txt"):
        _find(root)


def test_a_missing_vocabulary_is_named(root):
    (root / "span-100" / "vocabulary.txt").unlink()
    with pytest.raises(PostersError, match=r"vocabulary\.txt cannot be read"):
        _find(root)
