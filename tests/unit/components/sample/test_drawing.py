import os
from pathlib import Path

import psutil
import pytest

from components.files import folder_digest
from components.sample import drawing

COUNT, SEED = 12, 7


@pytest.fixture()
def three_processes(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(drawing, "_WORTH_A_PROCESS", 4)


def _workers():
    return [
        child
        for child in psutil.Process().children()
        if any(drawing.__name__ in word for word in child.cmdline())
    ]


def _draw(folder, progress=lambda done: None):
    folder.mkdir()
    drawing.draw(folder, SEED, COUNT, progress)


@pytest.fixture(scope="module")
def drawn_by_one(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "images"
    _draw(folder)
    return folder


def test_several_processes_draw_what_one_does(drawn_by_one, tmp_path, three_processes):
    calls = []
    _draw(tmp_path / "images", calls.append)
    assert folder_digest(tmp_path / "images") == folder_digest(drawn_by_one)
    assert calls == sorted(calls)
    assert calls[-1] == COUNT


def test_an_error_of_the_system_in_one_of_them_is_that_error(
    drawn_by_one, tmp_path, three_processes
):
    last = max(drawn_by_one.iterdir())
    (tmp_path / last.name).mkdir()
    with pytest.raises(IsADirectoryError):
        drawing.draw(tmp_path, SEED, COUNT, lambda done: None)


def test_what_lies_in_the_working_folder_is_not_taken_for_this_project(
    drawn_by_one, tmp_path, three_processes, monkeypatch
):
    (tmp_path / "components.py").write_text("raise ImportError('another project')")
    monkeypatch.chdir(tmp_path)
    _draw(Path("images"))
    assert folder_digest(tmp_path / "images") == folder_digest(drawn_by_one)


def test_any_other_is_told_in_its_words(tmp_path, three_processes, monkeypatch):
    monkeypatch.setattr(drawing, "_WORKER", "raise ValueError('out of paint')")
    with pytest.raises(RuntimeError, match=r"ended with 1: (?s:.)*out of paint"):
        _draw(tmp_path / "images")


def test_an_interruption_leaves_none_of_them(tmp_path, three_processes):
    def interrupt(done):
        assert _workers()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _draw(tmp_path / "images", interrupt)
    assert not _workers()
