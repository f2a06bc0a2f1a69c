"""The section on audits and the page of one, as a browser shows them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from lineage.connectors.audits.models import Audit, Divergence
from tests.e2e.estate import HOSTILE, Estate
from tests.e2e.test_pages import AUDIT, AXE, SIDEWAYS

OFFSETS = {f"orders/{number}": 12_345_678 + number for number in range(6)}


@pytest.fixture
def audited(estate: Estate) -> list[str]:
    """A copy with a history of audits, the last of which found it damaged; its pages."""
    now = timezone.now()
    live = estate.connector.generations.get(state="live")
    kinds = {"passed": 0, "failed": 0, "diverged": 120}
    made = []
    for number, state in enumerate(["passed", "passed", "failed", "passed", "diverged"]):
        audit = Audit.objects.create(
            connector=estate.connector,
            run=estate.finished,
            generation=live.number,
            state=state,
            message=f"{HOSTILE} {state}",
            from_offsets=dict.fromkeys(OFFSETS, 0),
            to_offsets=OFFSETS,
            verified_through=OFFSETS,
            verified_at=now - timedelta(hours=1),
            finished_at=now - timedelta(hours=5 - number),
            rows=None if state == "failed" else 456_376,
            log_rows=None if state == "failed" else 456_376,
            digest="" if state == "failed" else "0123456789abcdef",
            log_digest="" if state == "failed" else "fedcba9876543210",
            changed=kinds[state],
            hash_seconds=0.9,
            log_seconds=4.2,
        )
        Audit.objects.filter(pk=audit.pk).update(started_at=now - timedelta(hours=5 - number))
        made.append(audit)
    long = "x" * 299 + "…"
    Divergence.objects.bulk_create(
        Divergence(
            connector=estate.connector,
            first_seen=made[-1],
            last_seen=made[-1],
            key_hash=f"{number:032x}",
            key=f"order-{number} {HOSTILE}",
            kind=("changed", "missing", "extra")[number % 3],
            columns=["note", "amount"],
            expected=None if number % 3 == 2 else {"note": HOSTILE, "amount": number},
            found=None if number % 3 == 1 else {"note": long, "amount": None},
            equal_at=made[-2].finished_at,
            repaired_at=now if number == 5 else None,
        )
        for number in range(120)
    )
    return [
        "/copies/orders_sqlite",
        *(f"/copies/orders_sqlite/audits/{made[index].pk}" for index in (0, 2, 4)),
    ]


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_pages_of_audits_are_quiet_narrow_and_accessible(
    browser: Browser, live_server: object, audited: list[str], theme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=str(live_server),
        bypass_csp=True,
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda it: complaints.append(str(it)))
    for path in audited:
        page.goto(path)
        page.evaluate(AXE)
        assert page.evaluate(AUDIT) == [], path
        assert page.evaluate(SIDEWAYS) == 0, path
    assert complaints == []
    context.close()


def test_a_copy_shows_what_differs_and_both_values(page: Page, audited: list[str]) -> None:
    page.goto(audited[0])
    section = page.locator("#audits")
    expect(section.get_by_text("120 keys of 456,376")).to_be_visible()
    expect(section.get_by_text("12,345,678").first).to_be_visible()
    row = section.locator("tbody tr", has_text="order-0").first
    expect(row.get_by_text(HOSTILE).first).to_be_visible()
    assert section.locator("svg.trend rect").count() == 4
    section.get_by_role("link", name="All 119 that are kept").click()
    page.wait_for_url("**/audits/**")
    page.locator("select[name=kind]").select_option("missing")
    page.wait_for_url("**kind=missing**")
    expect(page.locator("#rows tbody tr")).to_have_count(40)


def test_repair_is_offered_and_works_without_script(
    browser: Browser, live_server: object, audited: list[str]
) -> None:
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    page.goto(audited[0])
    page.get_by_role("button", name="Repair").click()
    expect(page.get_by_role("heading", name="Repair orders_sqlite")).to_be_visible()
    page.goto(audited[0])
    expect(page.locator("#audits").get_by_role("link", name="Show the run")).to_be_visible()
    context.close()
