"""Pages of a copy: what it lacks, what can be done about it, and the form that declares it."""

import pytest
from django.test import Client
from django.utils import timezone

from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare, find_connector
from lineage.connectors.models import Connector, Run, Worker

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html"}
DECLARED = {
    "name": "orders_copy",
    "topics": ["orders"],
    "target": "postgresql://me:${COPIES_PASSWORD}@db/x",
    "table": "orders",
}


@pytest.fixture(autouse=True)
def _declared() -> None:
    ensure_cluster("local", "127.0.0.1:1")
    declare(DECLARED)


def page(client: Client, path: str) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200
    return answer.content.decode()


def typed(client: Client, path: str, text: str, act: str = "save") -> tuple[int, str]:
    answer = client.post(path, {"text": text, "act": act}, headers=HTML, follow=True)
    return answer.status_code, answer.content.decode()


def test_it_says_that_no_worker_is_there_and_asks_again_only_while_something_moves(
    client: Client,
) -> None:
    assert "No connectors worker has been seen" in page(client, "/copies/orders_copy")
    Worker.objects.create(name="w", pid=1, started_at=timezone.now(), seen_at=timezone.now())
    shown = page(client, "/copies/orders_copy")
    assert "No connectors worker" not in shown
    assert 'data-poll="5000"' in shown
    Connector.objects.update(state="stopped", trouble="offset-gone", message="gone: regenerate")
    shown = page(client, "/copies/orders_copy")
    assert "data-poll" not in shown
    assert "Lengthen retention.ms" in shown
    assert ">Resume</button>" in shown


def test_behind_the_log_with_a_bar_and_the_time_left(client: Client) -> None:
    Connector.objects.update(lag=25, lag_at_worst=100, level_in_seconds=75.2)
    shown = page(client, "/copies/orders_copy")
    assert "level in 1 min 15 s" in shown
    assert "75 of 100</progress>" in shown


def test_a_run_in_progress_is_shown_and_can_be_cancelled(client: Client) -> None:
    run = find_connector("orders_copy").runs.create(phase="load", done=5, total=20, worker="w")
    shown = page(client, "/copies/orders_copy")
    assert "5 of 20</progress>" in shown
    assert 'data-poll="2000"' in shown
    assert f"/runs/{run.pk}/cancel" in shown
    assert ">Regenerate</button>" not in shown


def test_a_rollback_says_what_it_will_do_and_is_started(client: Client) -> None:
    connector = find_connector("orders_copy")
    assert "Roll back" not in page(client, "/copies/orders_copy")
    connector.generations.create(number=1, state="retired", table="t__g1", rows=3)
    connector.generations.create(number=2, state="live", table="t")
    shown = page(client, "/copies/orders_copy")
    assert "Generation 1 (3 rows when it was built) becomes live again" in shown
    answer = client.post("/copies/orders_copy/rollback", headers=HTML)
    assert answer.headers["Location"] == f"/runs/{Run.objects.get().pk}"
    assert Run.objects.get().kind == "rollback"


def test_records_are_chosen_to_be_replayed(client: Client) -> None:
    rows = find_connector("orders_copy").quarantine
    for offset in (7, 8):
        rows.create(topic="orders", partition=1, offset=offset, reason="<odd>")
    shown = page(client, "/copies/orders_copy")
    assert "&lt;odd&gt;" in shown
    assert 'value="orders/1@7"' in shown
    path = "/copies/orders_copy/replay"
    answer = client.post(path, {}, headers=HTML, follow=True)
    assert "Choose the records" in answer.content.decode()
    client.post(path, {"record": ["orders/1@7"]}, headers=HTML)
    assert Run.objects.get().arguments == {"records": [["orders", 1, 7]]}
    Run.objects.update(state="succeeded")
    client.post(path, {"all": "1"}, headers=HTML)
    assert Run.objects.latest("started_at").arguments == {}


def test_the_form_shows_every_fault_and_keeps_what_was_typed(client: Client) -> None:
    text = "name: x y\ntopics: []\ntarget: postgresql://me:hush@db/x\ntable: 7\ncolour: red\n"
    status, shown = typed(client, "/edit-copy", text, "check")
    assert status == 422
    for said in ("5 faults", "colour", "x y", "7 is not", "topics", "holds a password"):
        assert said in shown, said
    assert "me:hush@db" in shown.split("<textarea")[1]
    assert Connector.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("- a", "no mapping"),
        ("a: &x [1]\nb: *x", "an alias"),
        ("x: 2000-99-99", "cannot be read"),
        ("x" * 70_000, "longer than"),
    ],
)
def test_what_cannot_be_read_is_said(client: Client, text: str, said: str) -> None:
    status, shown = typed(client, "/edit-copy", text)
    assert status == 422
    assert said in shown


def test_a_check_changes_nothing_and_saving_does(client: Client) -> None:
    text = '{"name": "other", "topics": ["t"], "target": "${COPIES}", "table": "t"}'
    status, shown = typed(client, "/edit-copy", text, "check")
    assert (status, Connector.objects.count()) == (200, 1)
    assert "Nothing is wrong with it" in shown
    status, shown = typed(client, "/edit-copy", text)
    assert status == 200
    assert "other is created" in shown
    assert typed(client, "/edit-copy", text)[0] == 422
    text = text.replace('"table": "t"', '"table": "t2"')
    assert "makes another copy" in typed(client, "/edit-copy/other", text, "check")[1]
    assert "other is changed" in typed(client, "/edit-copy/other", text)[1]


def test_a_copy_is_forgotten_when_its_name_is_typed(client: Client) -> None:
    assert "table: orders" in page(client, "/edit-copy/orders_copy")
    path = "/copies/orders_copy/forget"
    client.post(path, {"confirm": "other"}, headers=HTML)
    assert Connector.objects.exists()
    client.post(path, {"confirm": "orders_copy"}, headers=HTML)
    assert not Connector.objects.exists()


def test_a_password_of_a_catalog_file_is_not_shown(client: Client) -> None:
    declare(DECLARED | {"target": "postgresql://me:hush@db/x"})
    assert "hush" not in page(client, "/edit-copy/orders_copy")
