"""Pages that change the registry: nothing without the name, what would change said before."""

import json
from urllib.parse import quote

import pytest
from django.test import Client

from registry.actions import Submission, register
from registry.actions.config import set_config
from registry.actions.delete import delete_subject, delete_version
from registry.actions.mode import set_mode
from registry.actions.scopes import config_in_scope, mode_in_scope, own_config, own_mode
from registry.identity import Reference
from registry.models import Association, Schema, Version
from registry.naming import GLOBAL_CONTEXT, SubjectName

PAGE = {"Accept": "text/html"}
ORDERS = SubjectName(".", "orders-value")
TEXTS = ['"int"', '"long"', '"double"']

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def orders() -> None:
    for text in TEXTS:
        register("orders-value", Submission(text=text))


def get(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == status, path
    return " ".join(answer.content.decode().split())


def post(client: Client, path: str, status: int, **typed: str) -> str:
    answer = client.post(path, typed, headers=PAGE)
    assert answer.status_code == status, (path, answer.content.decode()[-2000:])
    return answer.headers.get("Location") or " ".join(answer.content.decode().split())


def states() -> list[bool]:
    rows = Version.objects.filter(subject__name="orders-value").order_by("version")
    return [row.deleted_at is None for row in rows]


class TestDelete:
    def test_a_version_goes_softly_once_the_name_is_typed(self, client: Client) -> None:
        page = get(client, "/registry/delete/orders-value?version=2")
        assert "1 version would go: 2." in page
        assert "can still be read" in page
        there = post(
            client, "/registry/delete/orders-value", 302, version="2", confirm="orders-value"
        )
        assert there == "/registry/subjects/orders-value?version=2"
        assert states() == [True, False, True]
        shown = get(client, there)
        assert "Version 2 of orders-value was soft-deleted." in shown
        assert "Register version 2 again" in shown

    @pytest.mark.parametrize("typed", ["", "orders", "orders-value ", "ORDERS-VALUE"])
    def test_another_name_changes_nothing_and_is_marked(self, client: Client, typed: str) -> None:
        page = post(client, "/registry/delete/orders-value", 422, confirm=typed)
        assert 'aria-invalid="true"' in page
        assert "nothing was changed" in page
        assert states() == [True, True, True]

    def test_for_good_only_after_softly_and_with_the_ids_that_are_lost(
        self, client: Client
    ) -> None:
        path = "/registry/delete/orders-value"
        refused = get(client, f"{path}?permanent=true")
        assert "Only what was soft-deleted before" in refused
        assert 'name="confirm"' not in refused
        post(client, path, 404, permanent="true", confirm="orders-value")
        register("other-value", Submission(text=TEXTS[0]))
        delete_subject(ORDERS)
        ids = [row.number for row in Schema.objects.order_by("number")]
        page = get(client, f"{path}?permanent=true")
        assert f"the ids {ids[1]}, {ids[2]} could not be read any more" in page
        there = post(client, path, 302, permanent="true", confirm="orders-value")
        assert there == "/registry"
        assert "orders-value was deleted for good." in get(client, there)
        assert not Version.objects.filter(subject__name="orders-value").exists()

    def test_what_refers_and_what_is_bound_stands_in_the_way(self, client: Client) -> None:
        register("money", Submission(text='{"type": "fixed", "name": "M", "size": 2}'))
        fields = [{"name": "m", "type": "M"}]
        text = json.dumps({"type": "record", "name": "P", "fields": fields})
        register("pay", Submission(text=text, references=(Reference("M", "money", 1),)))
        page = get(client, "/registry/delete/money")
        assert "Other schemas refer to it" in page
        assert "/registry/subjects/pay?version=1" in page
        assert 'name="confirm"' not in page
        refused = post(client, "/registry/delete/money", 422, confirm="money")
        assert "One or more references exist" in refused
        Association.objects.create(
            resource_id="1",
            resource_name="orders",
            resource_namespace="lkc",
            resource_type="topic",
            association_type="value",
            subject="orders-value",
            lifecycle="WEAK",
        )
        assert "remove the association first" in get(client, "/registry/delete/orders-value")

    def test_the_settings_that_go_with_it_are_said(self, client: Client) -> None:
        assert "own config and mode go" not in get(client, "/registry/delete/orders-value")
        set_config(ORDERS, {"compatibilityLevel": "NONE"})
        assert "own config and mode go" in get(client, "/registry/delete/orders-value")

    def test_a_read_only_mode_refuses(self, client: Client) -> None:
        set_mode(ORDERS, "READONLY")
        assert "The mode is READONLY" in get(client, "/registry/delete/orders-value")
        post(client, "/registry/delete/orders-value", 422, confirm="orders-value")
        assert states() == [True, True, True]

    @pytest.mark.parametrize("query", ["", "?version=9", "?version=x", "?permanent=true"])
    def test_what_is_not_there_is_not_found(self, client: Client, query: str) -> None:
        get(client, f"/registry/delete/nobody{query}", 404)
        if "9" in query or "x" in query:
            get(client, f"/registry/delete/orders-value{query}", 404)


class TestRestore:
    def test_it_is_registered_again_with_its_id(self, client: Client) -> None:
        delete_version(ORDERS, "3")
        before = Version.objects.get(subject__name="orders-value", version=3).schema.number
        there = post(client, "/registry/restore/orders-value", 302, version="3")
        assert there == "/registry/subjects/orders-value?version=4"
        assert f"as version 4 with the same id: {before}." in get(client, there)
        assert Version.objects.get(subject__name="orders-value", version=4).registered_by

    def test_what_does_not_fit_any_more_stays_deleted_and_says_why(self, client: Client) -> None:
        delete_version(ORDERS, "3")
        set_config(ORDERS, {"compatibilityLevel": "FORWARD"})
        there = post(client, "/registry/restore/orders-value", 302, version="3")
        assert "Not registered again: Schema being registered is incompatible" in get(client, there)
        assert states() == [True, True, False]


class TestSettings:
    def test_the_change_is_shown_before_it_is_made_and_can_be_undone(self, client: Client) -> None:
        path = "/registry/settings/orders-value"
        page = get(client, f"{path}?compatibilityLevel=FORWARD&mode=READONLY")
        assert 'not set: <span class="name">BACKWARD</span>, inherited' in page
        assert "By FORWARD the newest version is" in page
        assert own_config(ORDERS) is None
        typed = {"compatibilityLevel": "FORWARD", "mode": "READONLY"}
        post(client, path, 422, confirm="x", **typed)
        assert own_config(ORDERS) is None
        there = post(client, path, 302, confirm="orders-value", **typed)
        assert own_config(ORDERS) == {"compatibilityLevel": "FORWARD"}
        assert own_mode(ORDERS) == "READONLY"
        assert 'href="?compatibilityLevel=&amp;mode="' in get(client, there)
        # back again: the mode that locks is taken away first
        post(client, path, 302, confirm="orders-value", compatibilityLevel="", mode="")
        assert own_config(ORDERS) is None
        assert own_mode(ORDERS) is None

    def test_other_settings_are_typed_as_the_api_takes_them(self, client: Client) -> None:
        path = "/registry/settings/orders-value"
        typed = {"normalize": "true", "validateFields": "false", "compatibilityGroup": "major"}
        post(client, path, 302, confirm="orders-value", **typed)
        found = {"normalize": True, "validateFields": False, "compatibilityGroup": "major"}
        assert own_config(ORDERS) == found

    def test_a_context_and_all_contexts_say_how_many_they_concern(self, client: Client) -> None:
        register(":.s:a", Submission(text='"int"'))
        assert "Concerns 1 live subject;" in get(client, "/registry/settings/:.s:")
        assert "Concerns 2 live subjects;" in get(client, "/registry/settings/:.__GLOBAL:")
        path = "/registry/settings/:.__GLOBAL:"
        post(client, path, 302, confirm="all contexts", compatibilityLevel="FULL")
        assert config_in_scope(ORDERS)["compatibilityLevel"] == "FULL"
        post(client, "/registry/settings/:.s:", 302, confirm=".s", mode="READONLY")
        assert mode_in_scope(SubjectName(".s", "a")) == "READONLY"
        assert mode_in_scope(ORDERS) == "READWRITE"

    def test_what_is_refused_is_said_and_nothing_is_half_done(self, client: Client) -> None:
        path = "/registry/settings/orders-value"
        typed = {"compatibilityLevel": "FULL", "mode": "IMPORT", "confirm": "orders-value"}
        page = post(client, path, 422, **typed)
        assert "Cannot import since found existing subjects" in page
        assert own_config(ORDERS) is None

    @pytest.mark.parametrize("scope", ["__GLOBAL", ":*:", "a%00b", "s" * 700])
    def test_scopes_that_are_none_are_not_found(self, client: Client, scope: str) -> None:
        get(client, f"/registry/settings/{scope}", 404)

    def test_an_unknown_word_is_no_choice(self, client: Client) -> None:
        page = get(client, "/registry/settings/orders-value?compatibilityLevel=EVIL&mode=x")
        assert "What would change" not in page


class TestContext:
    def test_it_shows_its_settings_and_its_subjects_alone(self, client: Client) -> None:
        register(":.s:a", Submission(text='"int"'))
        set_config(SubjectName(".s", "a"), {"compatibilityLevel": "NONE"})
        set_mode(SubjectName(GLOBAL_CONTEXT, ""), "READONLY")
        page = get(client, "/registry/contexts/:.s:")
        assert "1 live subject" in page
        assert 'href="/registry/subjects/:.s:a"' in page
        assert "orders-value" not in page
        assert '<strong class="name">READONLY</strong>' in page
        assert 'href="/registry/settings/:.s:"' in page
        assert "orders-value" in get(client, "/registry/contexts/:.:")
        assert "orders-value" in get(client, "/registry/contexts/:.__GLOBAL:")

    @pytest.mark.parametrize("scope", [":.none:", ":*:", ":.s:a", "plain", ":.a%00:"])
    def test_what_is_none_is_not_found(self, client: Client, scope: str) -> None:
        get(client, f"/registry/contexts/{scope}", 404)


@pytest.mark.parametrize("name", ["delete", "restore", "settings"])
def test_other_sites_cannot_post_to_them(name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    foreign = {**PAGE, "Origin": "https://evil.example"}
    for headers in (PAGE, foreign):
        answer = client.post(
            f"/registry/{name}/orders-value",
            {"confirm": "orders-value", "version": "1", "mode": "READONLY"},
            headers=headers,
        )
        assert answer.status_code == 403
    assert states() == [True, True, True]
    assert own_mode(ORDERS) is None


@pytest.mark.parametrize("name", ["a/../b", "..", ".", "./x", "a/./..", "a//b", "%2E%2E", "a%2Fb"])
def test_a_name_that_a_browser_would_resolve_has_an_address(client: Client, name: str) -> None:
    register(name, Submission(text='"int"'))
    page = get(client, f"/registry?q={quote(name)}")
    start = page.index('<table class="subjects">')
    address = page[page.index('href="/registry/', page.index("<tbody>", start)) + 6 :].split('"')[0]
    assert not {".", "..", "%2E", "%2E%2E"}.intersection(address.split("/"))
    assert f'<h1 class="name exact">{name}</h1>' in get(client, address)
