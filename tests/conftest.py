"""What all layers of tests share: what a machine may lack, and how workers share tests."""

import functools
import gc
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from tests import databases

# No test asserts wall time: on a busy machine one example may take long.
settings.register_profile("posters", deadline=None)
settings.load_profile("posters")

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_left_out: dict[str, list] = {}


def _browser():
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


#: By marker: whether the machine has what such tests need, what they are, and what it lacks.
_NEEDS = {
    "browser": (_browser, "tests in a browser", f"none of {', '.join(_BROWSERS)} is on PATH"),
    "mysql": (
        lambda: databases.is_there("mysql"),
        "tests with a server of MariaDB",
        "there is no mariadbd, which the package mariadb-server brings",
    ),
    "postgresql": (
        lambda: databases.is_there("postgresql"),
        "tests with a server of PostgreSQL",
        "there is no initdb, which the package postgresql brings",
    ),
}


def pytest_configure():
    gc.disable()


def pytest_collection_finish():
    """What test modules have loaded is no garbage: not searching it saves up to 3 % of the time."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config, items):
    for marker, (is_there, *_) in _NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and not is_there():
            _left_out[marker] = marked
            config.hook.pytest_deselected(items=marked)
            items[:] = [item for item in items if item not in marked]
    if hasattr(config, "workerinput"):
        _longest_first(items)


def _longest_first(items):
    """Gives workers the layer first that takes longest, slow files first: all end together."""
    layers = [Path(path).name for path in items[0].config.getini("testpaths")] if items else []
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (-layers.index(_layer(item, layers)), item.path not in slow))


def _layer(item, layers):
    return next((part for part in reversed(item.path.parts) if part in layers), layers[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """As loadfile, but files that ask for the same costly fixture go to one worker, who has it."""
    from xdist.scheduler import LoadFileScheduling

    class LoadShared(LoadFileScheduling):
        def _split_scope(self, nodeid):
            path = super()._split_scope(nodeid)
            return _costly_fixture(config.rootpath / path) or path

    return LoadShared(config, log) if config.getoption("dist") == "loadfile" else None


@functools.cache
def _costly_fixture(path):
    if path.parent.name == "serving":
        return "model_folder"
    return "first_run" if re.search(r"\bfirst_run\b", path.read_text()) else None


def pytest_terminal_summary(terminalreporter):
    for marker, items in _left_out.items():
        _, what, why = _NEEDS[marker]
        terminalreporter.write_line(f"{len(items)} {what} were left out: {why}.")


@pytest.fixture(scope="module")
def chromium():
    """The system's Chromium, driven; it reaches nothing but files.

    Per module: Playwright leaves its event loop running in this thread for later tests to find.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=_browser(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()
