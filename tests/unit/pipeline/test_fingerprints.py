from components.store_path import StorePath
from pipeline import fingerprints


def test_code_changes_with_any_file_of_a_package(tmp_path, monkeypatch):
    package = tmp_path / "components"
    (package / "trainer").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "trainer" / "head.py").write_text("a = 1")
    (package / "pixels.py").write_text("b = 1")
    monkeypatch.setattr(fingerprints.importlib.resources, "files", lambda name: tmp_path / name)
    names = ("components.trainer", "components.pixels")
    first = fingerprints.code(*names)
    assert first == fingerprints.code(*names)
    (package / "trainer" / "head.py").write_text("a = 2")
    second = fingerprints.code(*names)
    (package / "pixels.py").write_text("b = 2")
    assert len({first, second, fingerprints.code(*names)}) == 3


def test_a_path_by_content_stays_until_the_content_changes(tmp_path):
    file = tmp_path / "schema.pbtxt"
    file.write_text("one")
    first = fingerprints.by_content(file, tmp_path / "copies")
    assert (first.name, first.parents[1]) == ("schema.pbtxt", tmp_path / "copies")
    assert fingerprints.by_content(file, tmp_path / "copies") == first
    file.write_text("two")
    assert fingerprints.by_content(file, tmp_path / "copies") != first


def test_a_path_by_content_may_lie_on_a_store(tmp_path):
    file = tmp_path / "schema.pbtxt"
    file.write_text("one")
    path = str(fingerprints.by_content(file, StorePath("gs://bucket/schema")))
    assert path.startswith("gs://bucket/schema/")
    assert path.endswith("/schema.pbtxt")
