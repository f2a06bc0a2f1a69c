"""Trying a schema as a person does it: with and without script, wide and narrow, audited."""

import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from registry.models import Version
from tests.e2e.estate import HOSTILE, Estate
from tests.e2e.test_pages import AUDIT, AXE, SIDEWAYS

SCHEMA = "textarea[name=schema]"
BREAKING = json.dumps({
    "type": "record",
    "name": "Order",
    "fields": [{"name": "id", "type": "string", "doc": HOSTILE}, {"name": "sum", "type": "int"}],
})


def _try(page: Page, schema: str) -> None:
    page.goto("/registry/subjects/orders-value")
    page.get_by_role("link", name="Try a schema").click()
    expect(page.get_by_label("Subject", exact=True)).to_have_value("orders-value")
    page.locator(SCHEMA).fill(schema)
    page.get_by_role("button", name="Try it").click()


@pytest.mark.parametrize("script", [True, False])
def test_it_says_what_would_break_and_whom_and_registers_nothing(
    browser: Browser, live_server: object, estate: Estate, script: bool
) -> None:
    before = Version.objects.count()
    context = browser.new_context(base_url=str(live_server), java_script_enabled=script)
    page = context.new_page()
    _try(page, BREAKING)
    expect(page.locator(".outcome")).to_contain_text("refused")
    expect(page.locator("#changes")).to_contain_text("READER_FIELD_MISSING_DEFAULT_VALUE")
    expect(page.locator("#changes tr", has_text="note")).to_contain_text("removed")
    expect(page.locator("#readers tr", has_text="email")).to_contain_text("breaking")
    expect(page.locator(SCHEMA)).to_have_value(BREAKING)
    assert page.locator("main img").count() == 0
    assert Version.objects.count() == before
    context.close()


def test_a_mistake_is_marked_where_it_is(page: Page) -> None:
    _try(page, '{"type": "record",\n "name" "Order"}')
    expect(page.get_by_role("alert")).to_contain_text("line 2, column 9")
    expect(page.locator(SCHEMA)).to_have_attribute("aria-invalid", "true")
    expect(page.locator(SCHEMA)).to_have_value(re.compile('"name" "Order"'))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("schema", [BREAKING, "{"])
def test_answers_are_accessible_and_fit_at_390_px(
    browser: Browser, live_server: object, estate: Estate, theme: str, schema: str
) -> None:
    context = browser.new_context(
        base_url=str(live_server),
        bypass_csp=True,
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": 390, "height": 844},
    )
    page = context.new_page()
    _try(page, schema)
    expect(page.locator("#outcome, #problem")).to_have_count(1)
    assert page.evaluate(SIDEWAYS) == 0
    page.evaluate(AXE)
    assert page.evaluate(AUDIT) == []
    context.close()


def test_a_versions_id_and_guid_find_it_from_anywhere(page: Page) -> None:
    version = Version.objects.select_related("schema").get(
        subject__name="orders-value", subject__context__name=".", version=2
    )
    page.goto("/topics")
    for words in (f"id:{version.schema.number}", str(version.schema.guid)):
        page.keyboard.press("/")
        page.keyboard.press("Control+a")
        # both find the same version: only the answer tells that the second was looked for
        with page.expect_response(re.compile(re.escape(urlencode({"q": words})))):
            page.keyboard.type(words)
        expect(page.locator("#found a").first).to_contain_text("version 2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/registry/subjects/orders-value\?version=2$"))


def test_any_two_versions_are_compared_from_the_page(page: Page) -> None:
    page.goto("/registry/subjects/orders-value")
    page.get_by_label("From version").select_option("2")
    page.get_by_label("to version").select_option("1")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#changes")).to_contain_text("from version 2 to 1")
    expect(page.locator("#changes tr", has_text="note")).to_contain_text("removed")
