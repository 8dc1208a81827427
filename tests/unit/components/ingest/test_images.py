import pytest

from components.errors import PostersError
from components.ingest.images import ListingDigest, choose, list_images
from components.paths import Entry


def listing(folder):
    """The chosen entry of every id."""
    found = {}
    for identifier, entry in list_images(str(folder)):
        found.setdefault(identifier, []).append(entry)
    return {identifier: choose(entries) for identifier, entries in found.items()}


def digest(folder):
    result = ListingDigest()
    for _, entry in list_images(str(folder)):
        result.add(entry)
    return result.hexdigest()


def test_images_are_found_by_name_whatever_the_suffixs_case(tmp_path):
    for name in ("1.jpg", "2.JPEG", "3.Png", "4.gif", "5.bmp", "6.txt", "7", "8.webp", ".jpg"):
        (tmp_path / name).write_bytes(b"12")
    found = listing(tmp_path)
    assert sorted(found) == ["", "1", "2", "3", "4", "5", "8"]
    assert found["2"] == Entry("2.JPEG", 2, True)


def test_of_several_files_the_first_suffix_is_taken(tmp_path):
    for name in ("1.png", "1.jpg", "1.gif"):
        (tmp_path / name).touch()
    assert listing(tmp_path)["1"].name == "1.jpg"
    assert choose([]) is None


def test_an_id_cannot_leave_the_folder(tmp_path):
    (tmp_path / "outside.jpg").touch()
    inside = tmp_path / "images"
    inside.mkdir()
    (inside / "in.jpg").touch()
    assert list(listing(inside)) == ["in"]


def test_folders_and_broken_links_are_listed_as_no_files(tmp_path):
    (tmp_path / "1.jpg").mkdir()
    (tmp_path / "2.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "3.jpg").symlink_to("3.jpg")
    assert [entry.is_file for entry in listing(tmp_path).values()] == [False] * 3


def test_the_digest_tells_names_and_sizes_but_no_times_or_other_files(tmp_path):
    path = tmp_path / "1.jpg"
    path.write_bytes(b"ab")
    before = digest(tmp_path)
    path.unlink()
    path.write_bytes(b"cd")
    (tmp_path / "notes.txt").touch()
    assert digest(tmp_path) == before
    path.write_bytes(b"abc")
    assert digest(tmp_path) != before


def test_the_digest_does_not_depend_on_the_order():
    entries = [Entry(f"{number}.jpg", number, True) for number in range(9)]
    one, other = ListingDigest(), ListingDigest()
    for entry in entries:
        one.add(entry)
    for entry in reversed(entries):
        other.add(entry)
    assert one.hexdigest() == other.hexdigest()


def test_a_missing_folder(tmp_path):
    with pytest.raises(PostersError, match=r"cannot list the images folder .*none: No such file"):
        listing(tmp_path / "none")


def test_a_file_where_a_folder_should_be(tmp_path):
    path = tmp_path / "images.zip"
    path.touch()
    with pytest.raises(PostersError, match=r"images\.zip is not a folder"):
        listing(path)
