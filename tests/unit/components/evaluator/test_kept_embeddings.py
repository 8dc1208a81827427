import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator import kept_embeddings
from components.evaluator.kept_embeddings import KeptEmbeddings
from tests import folder_store

WIDTH = 3
ONE, TWO, THREE = (kept_embeddings.digest(name) for name in (b"1", b"2", b"3"))
ROWS = np.arange(6, dtype=np.float32).reshape(2, WIDTH)


@pytest.fixture(params=["local", "store"])
def folder(request, tmp_path):
    start = str(tmp_path)
    if request.param == "store":
        start = f"{folder_store.SCHEME}://{start}"
    return kept_embeddings.folder_of(start, "abc")


def _keep(folder, digests, rows, width=WIDTH):
    kept = KeptEmbeddings(folder, width)
    kept.add(digests, rows)
    kept.publish()


def _parts(tmp_path):
    return sorted((tmp_path / "embeddings" / "abc").iterdir())


def test_what_is_kept_is_found_by_whoever_opens_the_folder_next(folder):
    _keep(folder, [ONE, TWO], ROWS)
    found, known = KeptEmbeddings(folder, WIDTH).find([TWO, THREE, ONE, TWO])
    assert known.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(found[known], ROWS[[1, 0, 1]])
    assert np.isnan(found[1]).all()


def test_what_is_added_is_found_at_once(folder):
    kept = KeptEmbeddings(folder, WIDTH)
    kept.add([ONE], ROWS[:1])
    np.testing.assert_array_equal(kept.find([ONE])[0], ROWS[:1])


def test_workers_that_add_at_once_leave_all_that_they_added(folder, tmp_path):
    workers = [KeptEmbeddings(folder, WIDTH) for _ in range(2)]
    for worker, digests in zip(workers, ([ONE, TWO], [TWO, THREE]), strict=True):
        worker.add(digests, ROWS)
        worker.publish()
        worker.publish()  # there is nothing new
    assert len(_parts(tmp_path)) == 2
    assert KeptEmbeddings(folder, WIDTH).find([ONE, TWO, THREE])[1].all()


def test_what_is_no_number_is_not_kept(folder, tmp_path):
    _keep(folder, [ONE, TWO], np.array([[np.nan] * 3, [1, 2, np.inf]], np.float32))
    assert not (tmp_path / "embeddings").exists()


def test_other_widths_and_kinds_are_passed_over(folder, tmp_path):
    _keep(folder, [ONE, TWO], ROWS)
    (part,) = _parts(tmp_path)
    content = part.read_bytes()
    foreign = {
        "part-text": b"not embeddings",
        "part-empty": b"",
        "part-cut": content[:-4],
        "part-longer": content * 2,
        "part-flipped": content[:-1] + bytes([content[-1] ^ 1]),
        "notes.txt": b"",
    }
    for name, content in foreign.items():
        part.with_name(name).write_bytes(content)
    found, known = KeptEmbeddings(folder, WIDTH).find([ONE, TWO, THREE])
    assert known.tolist() == [True, True, False]
    np.testing.assert_array_equal(found[:2], ROWS)
    assert not KeptEmbeddings(folder, WIDTH + 1).find([ONE])[1].any()


def test_a_folder_that_is_removed_meanwhile_does_no_harm(folder, tmp_path):
    kept = KeptEmbeddings(folder, WIDTH)
    kept.add([ONE], ROWS[:1])
    kept.publish()
    KeptEmbeddings(folder, WIDTH).discard()
    assert not list((tmp_path / "embeddings").glob("*/*"))
    kept.add([TWO], ROWS[1:])
    kept.publish()
    assert KeptEmbeddings(folder, WIDTH).find([ONE, TWO])[1].tolist() == [False, True]
    kept.discard()
    kept.discard()
    assert not kept.find([ONE, TWO])[1].any()


@given(place=st.integers(0, 2000), value=st.integers(0, 255))
def test_a_damaged_byte_never_gives_another_embedding(tmp_path_factory, place, value):
    root = tmp_path_factory.mktemp("damaged")
    folder = kept_embeddings.folder_of(str(root), "abc")
    _keep(folder, [ONE, TWO], ROWS)
    (part,) = _parts(root)
    content = bytearray(part.read_bytes())
    content[place % len(content)] = value
    part.write_bytes(content)
    found, known = KeptEmbeddings(folder, WIDTH).find([ONE, TWO])
    np.testing.assert_array_equal(found[known], ROWS[known])
