"""What every layer of tests shares: a browser, where there is one."""

import shutil

import pytest

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_left_out = []


def _browser():
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(config, items):
    if _browser():
        return
    _left_out[:] = [item for item in items if item.get_closest_marker("browser")]
    if _left_out:
        config.hook.pytest_deselected(items=_left_out)
        items[:] = [item for item in items if item not in _left_out]


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
