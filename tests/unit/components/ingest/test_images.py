import pytest

from components.errors import PostersError
from components.ingest.images import list_images


def test_images_are_found_by_name_whatever_the_suffixs_case(tmp_path):
    for name in ("1.jpg", "2.JPEG", "3.Png", "4.gif", "5.bmp", "6.txt", "7", "8.webp", ".jpg"):
        (tmp_path / name).write_bytes(b"12")
    listing = list_images(tmp_path)
    assert sorted(listing.files) == ["", "1", "2", "3", "4", "5"]
    assert listing.files["2"].path == tmp_path / "2.JPEG"
    assert listing.files["2"].byte_count == 2


def test_of_several_files_the_first_suffix_is_taken(tmp_path):
    for name in ("1.png", "1.jpg", "1.gif"):
        (tmp_path / name).touch()
    assert list_images(tmp_path).files["1"].path.name == "1.jpg"


def test_an_id_cannot_leave_the_folder(tmp_path):
    (tmp_path / "outside.jpg").touch()
    inside = tmp_path / "images"
    inside.mkdir()
    (inside / "in.jpg").touch()
    listing = list_images(inside)
    for identifier in ("../outside", "../images/in", "./in", str(inside / "in"), "in.jpg"):
        assert identifier not in listing.files


def test_folders_and_broken_links_are_listed_as_no_files(tmp_path):
    (tmp_path / "1.jpg").mkdir()
    (tmp_path / "2.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "3.jpg").symlink_to("3.jpg")
    assert not any(file.is_file for file in list_images(tmp_path).files.values())
    assert len(list_images(tmp_path).files) == 3


def test_the_digest_tells_names_and_sizes_but_no_times_or_other_files(tmp_path):
    path = tmp_path / "1.jpg"
    path.write_bytes(b"ab")
    before = list_images(tmp_path).digest
    path.unlink()
    path.write_bytes(b"cd")
    (tmp_path / "notes.txt").touch()
    assert list_images(tmp_path).digest == before
    path.write_bytes(b"abc")
    assert list_images(tmp_path).digest != before


def test_a_missing_folder(tmp_path):
    with pytest.raises(PostersError, match=r"cannot list the images folder .*none: No such file"):
        list_images(tmp_path / "none")


def test_a_file_where_a_folder_should_be(tmp_path):
    path = tmp_path / "images.zip"
    path.touch()
    with pytest.raises(PostersError, match=r"images\.zip is not a folder"):
        list_images(path)
