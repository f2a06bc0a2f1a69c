"""Tables as of a time on the page of a copy: readable, accessible, asked for without script."""

from datetime import UTC, datetime

from playwright.sync_api import Browser, expect

from lineage.connectors.models import Run
from tests.e2e.estate import Estate
from tests.e2e.test_pages import AUDIT, AXE, SIDEWAYS

INSTANT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def with_tables(estate: Estate) -> str:
    Run.objects.filter(connector=estate.connector).update(state=Run.State.SUCCEEDED)
    for state, table, at in (
        ("built", "orders__asof_20260131T120000Z", None),
        ("failed", "o", INSTANT),
    ):
        estate.connector.generations.create(
            as_of=INSTANT, table=table, state=state, rows=400, digest="0f" * 8, dropped_at=at
        )
    return f"/copies/{estate.connector.name}"


def test_the_page_is_accessible_and_fits_a_narrow_screen(
    browser: Browser, live_server: object, estate: Estate
) -> None:
    path = with_tables(estate)
    context = browser.new_context(
        base_url=str(live_server),
        bypass_csp=True,
        color_scheme="dark",
        viewport={"width": 390, "height": 900},
    )
    page = context.new_page()
    page.goto(path)
    expect(page.locator("#as-of tbody tr")).to_have_count(2)
    page.evaluate(AXE)
    assert page.evaluate(AUDIT) == []
    assert page.evaluate(SIDEWAYS) == 0
    context.close()


def test_one_is_asked_for_and_dropped_without_script(
    browser: Browser, live_server: object, estate: Estate
) -> None:
    path = with_tables(estate)
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    page.goto(path)
    page.get_by_label("As of (UTC)").fill("2026-01-31T12:00:01")
    page.get_by_role("button", name="Build the table").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("As-of")
    page.get_by_role("button", name="Cancel").click()
    page.goto(path)
    page.get_by_role("button", name="Drop orders__asof_20260131T120000Z").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Drop")
    context.close()
    asked = Run.objects.filter(connector=estate.connector).values_list("kind", "state")
    assert set(asked) >= {("as-of", "cancelled"), ("drop", "running")}
