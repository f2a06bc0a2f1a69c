"""What script adds: search as you type, keys, the theme, the graph, the progress of a run."""

import re

from django.utils import timezone
from playwright.sync_api import Page, expect

from lineage.connectors.models import Run
from tests.e2e.estate import HOSTILE, Estate


def test_the_list_narrows_as_one_types_and_the_url_keeps_it(page: Page) -> None:
    page.goto("/topics")
    page.get_by_label("Search", exact=True).press_sequentially("pay")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/topics\?q=pay$"))
    expect(page.locator("tbody mark")).to_have_text("pay")
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_label("Search", exact=True)).to_have_value("pay")


def test_a_column_sorts_and_a_facet_narrows_together(page: Page) -> None:
    page.goto("/topics")
    page.get_by_role("link", name="Single writer").click()
    expect(page.locator("tbody tr").first).to_contain_text("violated")
    page.locator("select[name=state]").select_option("verified")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"state=verified"))
    expect(page).to_have_url(re.compile(r"sort=state"))


def test_slash_finds_anything_from_anywhere_by_keys_alone(page: Page) -> None:
    page.goto("/services")
    page.keyboard.press("/")
    page.keyboard.type("orders")
    hits = page.locator("#found")
    expect(hits.get_by_role("link")).to_have_count(5)
    page.keyboard.press("ArrowDown")
    expect(hits.get_by_role("link").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(hits).to_be_empty()
    page.keyboard.press("Control+k")
    page.keyboard.type("orders")
    expect(hits.get_by_role("link")).to_have_count(5)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/topics/local/orders$"))


def test_the_theme_is_chosen_and_remembered(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    toggle = page.get_by_role("button", name="Theme")
    toggle.click()
    toggle.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/topics")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_the_graph_is_drawn_with_links_that_arrows_walk(page: Page) -> None:
    page.goto("/topics/local/orders")
    graph = page.locator("figure.graph")
    expect(graph).to_have_attribute("data-drawn", "", timeout=60_000)
    expect(graph.locator(".node.focus")).to_contain_text("orders")
    writer = graph.get_by_role("link", name="orders (service orders)")
    writer.focus()
    page.keyboard.press("ArrowRight")
    expect(graph.get_by_role("link", name="orders (topic orders)")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/services/orders$"))


def test_regenerating_shows_its_progress_until_it_ends(page: Page, estate: Estate) -> None:
    page.goto("/copies/orders_sqlite")
    page.get_by_role("button", name="Regenerate", exact=True).click()
    expect(page).to_have_url(re.compile("/runs/"))
    run = Run.objects.get(connector=estate.connector, state="running")
    Run.objects.filter(pk=run.pk).update(phase="load", done=250, total=1000, worker="w")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "250", timeout=15_000)
    page.goto("/copies/orders_sqlite")
    expect(page.get_by_role("link", name="Show the run in progress")).to_be_visible()
    page.get_by_role("link", name="Show the run in progress").click()
    expect(page).to_have_url(re.compile(f"/runs/{run.pk}$"))
    Run.objects.filter(pk=run.pk).update(
        state="succeeded", phase="swap", done=1000, finished_at=timezone.now()
    )
    expect(page.locator(".statement")).to_contain_text("succeeded", timeout=15_000)
    expect(page.locator("[data-poll]")).to_have_count(0)


def test_a_run_can_be_cancelled(page: Page, estate: Estate) -> None:
    page.goto("/copies/orders_sqlite")
    page.get_by_role("button", name="Regenerate", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".statement")).to_contain_text("cancelled")


def test_hostile_names_stay_text(page: Page, estate: Estate) -> None:
    page.on("dialog", lambda _: (_ for _ in ()).throw(AssertionError("a name was run")))
    page.goto("/lineage")
    expect(page.locator("figure.graph")).to_have_attribute("data-drawn", "", timeout=60_000)
    expect(page.locator("figure.graph .node", has_text="onerror")).to_have_count(1)
    assert page.locator("main img").count() == 0
    page.goto("/topics?q=onerror")
    expect(page.locator("tbody a", has_text=HOSTILE)).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("onerror")
    expect(page.locator("#found a")).to_contain_text(HOSTILE)
    assert page.locator("main img").count() == 0
