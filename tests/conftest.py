"""What all layers of tests share: a browser, where there is one, and how workers share tests."""

import shutil
from pathlib import Path

import pytest

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_left_out = []
#: Fixtures of a whole layer that take long to make: all tests with one of them go to one worker.
_SHARED_FIXTURES = ("world",)


def _browser():
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(config, items):
    if not _browser():
        _leave_out_browsers(config, items)
    if hasattr(config, "workerinput"):
        _share_out(items)


def _leave_out_browsers(config, items):
    _left_out[:] = [item for item in items if item.get_closest_marker("browser")]
    if _left_out:
        config.hook.pytest_deselected(items=_left_out)
        items[:] = [item for item in items if item not in _left_out]


def _share_out(items):
    """Keeps a file's tests on one worker, the longest first, so that both end together."""
    for item in items:
        shared = [name for name in _SHARED_FIXTURES if name in item.fixturenames]
        item.add_marker(pytest.mark.xdist_group((shared or [str(item.path)])[0]))
    layers = [Path(path).name for path in items[0].config.getini("testpaths")] if items else []
    items.sort(key=lambda item: -layers.index(_layer(item, layers)))


def _layer(item, layers):
    return next((part for part in reversed(item.path.parts) if part in layers), layers[0])


def pytest_terminal_summary(terminalreporter):
    if _left_out:
        terminalreporter.write_line(
            f"{len(_left_out)} tests in a browser were left out: none of {', '.join(_BROWSERS)} is "
            "on PATH."
        )


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium, driven; it reaches nothing but files."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=_browser(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()
