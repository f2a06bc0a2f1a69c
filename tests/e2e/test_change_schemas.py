"""Deleting, restoring and configuring as a person does it, by keys and without script."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from registry.actions.scopes import own_mode
from registry.naming import SubjectName
from tests.e2e.estate import HOSTILE, Estate

ORDERS = SubjectName(".", "orders-value")


@pytest.mark.parametrize("script", [True, False])
def test_a_version_is_deleted_by_name_and_registered_again(
    browser: Browser, live_server: object, estate: Estate, script: bool
) -> None:
    context = browser.new_context(base_url=str(live_server), java_script_enabled=script)
    page = context.new_page()
    page.goto("/registry/subjects/orders-value")
    page.get_by_role("link", name="Soft-delete version 2").click()
    confirm = page.get_by_label(re.compile("to go on"))
    confirm.fill("orders")
    page.get_by_role("button", name="Soft-delete").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    expect(confirm).to_have_value("orders")
    confirm.fill("orders-value")
    confirm.press("Enter")
    expect(page.locator(".note.good")).to_contain_text("was soft-deleted")
    page.get_by_role("button", name="Register version 2 again").click()
    expect(page.locator(".note.good")).to_contain_text("as version 3 with the same id")
    context.close()


def test_a_mode_is_changed_and_put_back(page: Page) -> None:
    page.goto("/registry/subjects/orders-value")
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Mode").select_option("READONLY")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("#effects tbody tr")).to_have_count(1)
    page.get_by_label(re.compile("to go on")).fill("orders-value")
    page.get_by_role("button", name="Change it").click()
    expect(page.locator("#done")).to_be_visible()
    assert own_mode(ORDERS) == "READONLY"
    page.get_by_role("link", name="Undo").click()
    page.get_by_label(re.compile("to go on")).fill("orders-value")
    page.get_by_role("button", name="Change it").click()
    expect(page.locator("#done")).to_be_visible()
    assert own_mode(ORDERS) is None


def test_what_a_contract_says_stays_text(page: Page) -> None:
    page.on("dialog", lambda _: (_ for _ in ()).throw(AssertionError("a text was run")))
    page.goto("/registry/subjects/payments-value")
    expect(page.locator("#contract code")).to_have_text(HOSTILE)
    expect(page.locator("#contract dd").first).to_have_text(HOSTILE)
    assert page.locator("main img").count() == 0


def test_a_context_narrows_its_list_as_one_types(page: Page) -> None:
    page.goto("/registry/contexts/:.:")
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    page.get_by_label("Search", exact=True).press_sequentially("pay")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/registry/contexts/:\.:\?q=pay&"))
