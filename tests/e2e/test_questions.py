"""The questions to lineage, asked by hand: a form that answers as it is filled in."""

from playwright.sync_api import Page, expect

from tests.e2e.estate import Estate


def test_a_story_is_found_by_naming_both_ends(page: Page, estate: Estate) -> None:
    page.goto("/lineage")
    page.get_by_role("link", name="Shortest story").click()
    page.get_by_label("From", exact=True).fill("service:stock")
    page.get_by_label("To", exact=True).fill("service:email")
    page.get_by_label("To", exact=True).blur()
    story = "stock writes stock · orders reads stock and writes orders · email reads orders"
    expect(page.get_by_text(story)).to_be_visible()
    expect(page.locator("figure.graph[data-drawn]")).to_have_count(1)
    expect(page.locator("tbody tr")).to_have_count(3)
    assert "source=service%3Astock" in page.url
    page.reload()
    expect(page.get_by_text(story)).to_be_visible()


def test_a_list_is_narrowed_and_shared_by_its_address(page: Page, estate: Estate) -> None:
    page.goto("/lineage/declared")
    page.locator("select[name=state]").select_option("violated")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("payments")
    assert "state=violated" in page.url
    page.get_by_role("link", name="payments").first.click()
    expect(page.get_by_role("heading", name="payments")).to_be_visible()


def test_questions_are_asked_without_script(page: Page, estate: Estate) -> None:
    browser = page.context.browser
    assert browser is not None
    page.goto("/lineage/reach")
    origin = page.evaluate("() => location.origin")
    context = browser.new_context(base_url=origin, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/lineage/reach")
    plain.get_by_label("Of", exact=True).fill("service:stock")
    plain.get_by_role("button", name="Show").click()
    expect(plain.locator("tbody tr").nth(3)).to_be_visible()
    context.close()
