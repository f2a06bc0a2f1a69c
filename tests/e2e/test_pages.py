"""Every page as a browser shows it: silent console, no sideways scroll, accessible."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.estate import Estate, page_paths

AXE = (Path(__file__).parent / "assets" / "axe.min.js").read_text()
AUDIT = """() => axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})
  .then((found) => found.violations.map((it) =>
    `${it.id}: ${it.nodes.map((node) => node.target).join(' ')}`))"""
UNDRAWN = "figure.graph:not([data-drawn])"
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

Visit = Callable[[Page, str], list[str]]


@pytest.fixture
def visit() -> Visit:
    """Open a path, wait until its graphs are drawn, and return what the console complained of."""

    def open_page(page: Page, path: str) -> list[str]:
        complaints: list[str] = []
        page.on(
            "console",
            lambda it: complaints.append(it.text) if it.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda it: complaints.append(str(it)))
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        expect(page.locator(UNDRAWN)).to_have_count(0, timeout=60_000)
        return complaints

    return open_page


def test_no_page_complains_or_scrolls_sideways_at_390_px(
    page: Page, estate: Estate, visit: Visit
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for name, path in page_paths(estate).items():
        assert visit(page, path) == [], name
        assert page.evaluate(SIDEWAYS) == 0, name


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("dark", 390)])
def test_axe_finds_nothing_at_aa(
    browser: Browser, live_server: object, estate: Estate, visit: Visit, theme: str, width: int
) -> None:
    # the auditor itself is injected, which the pages' own policy rightly forbids
    context = browser.new_context(
        base_url=str(live_server),
        bypass_csp=True,
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    for name, path in page_paths(estate).items():
        visit(page, path)
        page.evaluate(AXE)
        # a link half under the bar at the top, where an address led, counts as half its size
        page.evaluate("() => window.scrollTo(0, 0)")
        assert page.evaluate(AUDIT) == [], name
    context.close()


def test_pages_read_without_script(browser: Browser, live_server: object, estate: Estate) -> None:
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    page.goto("/topics")
    page.get_by_role("link", name="payments").first.click()
    expect(page.get_by_role("heading", name="payments")).to_be_visible()
    expect(page.get_by_text("violated").first).to_be_visible()
    expect(page.locator("#neighbourhood td", has_text="is read by").first).to_be_visible()
    page.goto("/topics")
    page.get_by_label("Search", exact=True).fill("stock")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_graph_is_never_wider_than_its_place(
    page: Page, estate: Estate, visit: Visit, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/lineage", "/topics/local/orders", "/"):
        visit(page, path)
        canvas = page.locator("figure.graph .canvas").first
        assert canvas.evaluate("it => it.scrollWidth - it.clientWidth") <= 0, path


def test_names_of_contexts_are_drawn_above_edges(page: Page, estate: Estate, visit: Visit) -> None:
    visit(page, "/")
    last = page.locator("figure.graph svg > g > *").last
    assert last.evaluate("it => it.classList.contains('cluster-name')")


def test_nothing_is_fetched_from_elsewhere(page: Page, estate: Estate, visit: Visit) -> None:
    hosts: set[str] = set()
    page.on("request", lambda it: hosts.add(it.url.split("/")[2]))
    visit(page, "/lineage")
    assert len(hosts) == 1
