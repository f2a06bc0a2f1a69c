"""What a person sees of copies at a glance: which one differs, and what a definition would make."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from lineage.connectors.audits.models import Audit
from tests.e2e.estate import Estate

SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def diverged(estate: Estate) -> Audit:
    """An audit that found a key of orders_sqlite to differ."""
    run = estate.connector.runs.create(kind="audit", state="succeeded", message="diverged: 1 key")
    return Audit.objects.create(
        connector=estate.connector,
        run=run,
        state="diverged",
        generation=2,
        changed=1,
        log_rows=400,
        finished_at=timezone.now(),
    )


def test_a_copy_that_differs_is_found_from_the_overview_and_repaired(
    page: Page, diverged: Audit
) -> None:
    page.goto("/")
    row = page.locator("tr", has=page.get_by_role("link", name="orders_sqlite", exact=True))
    expect(row.filter(has_text="behind")).to_contain_text("diverged")
    page.goto("/copies")
    page.get_by_label("To the log").select_option("diverged")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody").get_by_role("link", name="diverged").click()
    expect(page.locator("#live-copy .statement")).to_contain_text("diverged in 1 key")
    page.get_by_role("link", name="audited").click()
    page.get_by_role("button", name="Repair").click()
    expect(page.get_by_role("heading", name="Repair orders_sqlite")).to_be_visible()


def test_the_run_of_an_audit_leads_to_the_keys(page: Page, diverged: Audit) -> None:
    page.goto(f"/runs/{diverged.run_id}")
    page.get_by_role("link", name="which keys").click()
    expect(page.get_by_role("heading", name="Keys that differed")).to_be_visible()


def test_a_definition_is_tried_before_it_is_declared(page: Page, estate: Estate) -> None:
    page.goto("/edit-copy")
    definition = page.get_by_label("Definition")
    definition.fill("name: tried\ntopics: [orders]\ntarget: sqlite:///x\ntable: t\nmode: tabel\n")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text("mode (line 5)")
    definition.fill("name: tried\ntopics: [orders]\ntarget: sqlite:///x\ntable: t\n")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#columns tbody tr")).to_have_count(3)
    page.goto("/copies")
    expect(page.get_by_text("tried")).to_have_count(0)


def test_no_list_scrolls_the_page_sideways_in_half_a_screen(page: Page, diverged: Audit) -> None:
    for width in (700, 1000, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        for path in ("/copies", "/lineage/declared", "/lineage/impact?of=topic:orders"):
            page.goto(path)
            assert page.evaluate(SIDEWAYS) == 0, (width, path)
