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


def test_templates_are_code_too(tmp_path, monkeypatch):
    templates = tmp_path / "components" / "report" / "templates"
    templates.mkdir(parents=True)
    monkeypatch.setattr(fingerprints.importlib.resources, "files", lambda name: tmp_path / name)
    found = {fingerprints.code("components.report")}
    for name in ("page.html", "style.css", "card.md"):
        (templates / name).write_text("text")
        found.add(fingerprints.code("components.report"))
    assert len(found) == 4
    (templates / "page.cpython-310.pyc").write_text("compiled")
    assert fingerprints.code("components.report") in found


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


def test_code_that_is_taken_to_have_changed():
    names = ("components.trainer", "components.pixels")
    first = fingerprints.code(*names)
    for package in ("components.trainer", "components.trainer.head", "components", names[1]):
        with fingerprints.pretending([package]):
            assert fingerprints.code(*names) != first
    with fingerprints.pretending(["components.train", "components.evaluator"]):
        assert fingerprints.code(*names) == first
    assert fingerprints.code(*names) == first


def test_where_the_source_of_a_package_or_module_is():
    assert fingerprints.source_of("components.trainer").name == "trainer"
    assert fingerprints.source_of("components.pixels").name == "pixels.py"
    for name in ("components.nothing", "nothing", "", "components/trainer"):
        assert fingerprints.source_of(name) is None
