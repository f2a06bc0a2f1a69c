"""A real Chromium against a real server over a small estate."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.e2e import estate as estates
from tests.e2e.estate import Estate

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
]


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    asked = os.environ.get("CHROMIUM")
    return asked or next((found for name in names if (found := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver; its event loop shares the thread with Django's calls of the tests."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as driver:
        yield driver
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser(playwright: Playwright, live_server: object) -> Iterator[Browser]:
    """One Chromium for the session; it goes before the server, which waits for its connections."""
    executable = _chromium()
    if executable is None and not Path(playwright.chromium.executable_path).exists():
        pytest.skip("no Chromium found: install one, or name it in CHROMIUM")
    started = playwright.chromium.launch(executable_path=executable, args=FLAGS)
    yield started
    started.close()


@pytest.fixture
def estate(transactional_db: None) -> Estate:
    """The estate, built anew for each test."""
    return estates.build()


@pytest.fixture
def page(browser: Browser, live_server: object, estate: Estate) -> Iterator[Page]:
    """A page of a fresh profile; paths are relative to the server."""
    context = browser.new_context(
        base_url=str(live_server), viewport={"width": 1280, "height": 900}
    )
    yield context.new_page()
    context.close()
