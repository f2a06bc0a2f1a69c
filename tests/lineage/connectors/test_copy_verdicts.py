"""Whether a copy equals its log is said wherever the copy is shown, and by what it was found."""

import json
import re

import pytest
from django.test import Client
from django.utils import timezone

from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare, find_connector
from lineage.connectors.audits.actions import standings, verdict_of
from lineage.connectors.audits.models import Audit, Divergence
from lineage.connectors.definition import KEYS
from lineage.connectors.deployment.jdbc import jdbc_target
from lineage.connectors.edit_views import KEYS as EXPLAINED
from lineage.connectors.models import Run
from registry.actions import Submission, register

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html"}
DECLARED = {
    "name": "orders_copy",
    "topics": ["orders"],
    "target": "postgresql://me:${COPIES_PASSWORD}@db/x",
    "table": "orders",
    "key": "order_id",
    "columns": {"order_id": {"from": "id"}, "email": {"mask": "redact"}},
    "schedule": {"audit": "1h"},
}


@pytest.fixture(autouse=True)
def _declared() -> None:
    ensure_cluster("local", "127.0.0.1:1")
    declare(DECLARED)


def audited(state: str, generation: int = 1, **found: int) -> Audit:
    connector = find_connector("orders_copy")
    run = connector.runs.create(kind="audit", state="succeeded", message=f"said: {state}")
    audit = Audit.objects.create(
        connector=connector,
        run=run,
        state=state,
        generation=generation,
        log_rows=9,
        finished_at=timezone.now(),
        **found,
    )
    if state == "diverged":
        Divergence.objects.create(
            connector=connector,
            first_seen=audit,
            last_seen=audit,
            key="the-key",
            key_hash="1",
            kind="changed",
            seen_at=timezone.now(),
        )
    return audit


def page(client: Client, path: str) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_list_of_copies_says_which_one_differs(client: Client) -> None:
    assert standings() == {"orders_copy": "unknown"}
    find_connector("orders_copy").generations.create(number=1, state="live", table="orders")
    audited("diverged", changed=1)
    assert standings() == {"orders_copy": "diverged"}
    shown = page(client, "/copies?log=diverged")
    assert 'href="/copies/orders_copy#audits"' in shown
    assert "orders_copy" not in page(client, "/copies?log=equal").split("<tbody>")[1]


def test_what_an_audit_found_of_a_table_that_was_replaced_is_no_longer_shown(
    client: Client,
) -> None:
    connector = find_connector("orders_copy")
    first = connector.generations.create(number=1, state="live", table="orders")
    audited("diverged", changed=1)
    shown = page(client, "/copies/orders_copy")
    assert re.search(r"diverged</span> ?</a> in 1 key", shown)
    assert "the-key" in shown
    first.state = "retired"
    first.save()
    connector.generations.create(
        number=2, state="live", table="orders", digest="abc", live_at=timezone.now()
    )
    shown = page(client, "/copies/orders_copy")
    assert re.search(r"equal</span> ?</a> to the log", shown)
    assert "the-key" not in shown
    assert verdict_of("orders_copy").open == 0
    assert standings() == {"orders_copy": "equal"}


def test_the_run_of_an_audit_shows_its_verdict_and_leads_to_the_keys(client: Client) -> None:
    audit = audited("diverged", changed=2, missing=1)
    shown = page(client, f"/runs/{audit.run_id}")
    address = f"/copies/orders_copy/audits/{audit.pk}"
    assert f'href="{address}"' in shown
    assert "Keys that differed" in shown
    assert "in generation none" not in shown
    assert 'action="/copies/orders_copy/repair"' in page(client, address)
    audited("passed")
    assert 'action="/copies/orders_copy/repair"' not in page(client, address)


def test_a_run_without_audit_or_generation_shows_neither(client: Client) -> None:
    run = find_connector("orders_copy").runs.create(kind="replay", state="succeeded")
    shown = page(client, f"/runs/{run.pk}")
    assert "<dt>Took</dt>" in shown
    assert "<dt>Rows</dt>" not in shown


def test_a_number_of_a_run_says_what_it_counts(client: Client) -> None:
    run = find_connector("orders_copy").runs.create(phase="read log", done=5, total=20, worker="w")
    assert "of 20 records" in page(client, f"/runs/{run.pk}")
    Run.objects.update(phase="load")
    assert "of 20 rows" in page(client, f"/runs/{run.pk}")


def test_a_copy_says_all_that_it_is_declared_with(client: Client) -> None:
    shown = page(client, "/copies/orders_copy")
    for said in ("order_id: {from: id}", "email: {mask: redact}", "Audit by itself", "1h"):
        assert said in shown, said


def test_a_copy_on_connect_is_offered_nothing_that_only_our_engine_can_do(client: Client) -> None:
    declare({**DECLARED, "columns": ["id"], "key": None, "engine": "connect"})
    shown = page(client, "/copies/orders_copy")
    for act in ("audit", "regenerate", "repair"):
        assert f'action="/copies/orders_copy/{act}"' not in shown, act
        assert f"connectors {act} orders_copy" not in shown, act
    assert "No record was left out" not in shown


def test_a_password_that_only_connect_needs_need_not_be_known_here() -> None:
    def expand(text: str) -> str:
        assert "$" not in text
        return text

    made = jdbc_target("a", "postgresql://me:${COPIES_PASSWORD}@db/x", expand)
    assert (made.username, made.secret) == ("me", "COPIES_PASSWORD")
    assert made.url.startswith("jdbc:postgresql://db/x")


def test_the_form_explains_every_key() -> None:
    assert {key for key, _ in EXPLAINED} == set(KEYS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nkey: [id\n", "line 3, column 1: expected"),
        ("name: a\ntopics: [a]\ntable: t\ntarget: sqlite:///x\ncolour: 1", "(line 5)"),
        (
            "name: a\ntopics: [a]\ntable: t\ntarget: sqlite:///x\nschedule:\n  audit: 1 hour",
            '<code>schedule.audit</code> <span class="quiet">(line 6)</span>: &#x27;1 hour&#x27;',
        ),
        (
            "name: a\ntopics: [a]\ntable: orders\ntarget: postgresql://me:${COPIES_PASSWORD}@db/x",
            "is the table of connector orders_copy",
        ),
    ],
)
def test_a_fault_is_said_once_and_where(client: Client, text: str, said: str) -> None:
    answer = client.post("/edit-copy", {"text": text, "act": "check"}, headers=HTML)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert said in shown
    assert "connector a:" not in shown
    assert "unpack" not in shown


def test_a_check_shows_the_columns_by_the_schemas(client: Client) -> None:
    fields = [{"name": "id", "type": "long"}]
    schema = json.dumps({"type": "record", "name": "Order", "fields": fields})
    register("orders-value", Submission(schema))
    text = "name: a\ntopics: [orders]\ntable: t\nmode: events\ntarget: sqlite:///x\n"
    answer = client.post("/edit-copy", {"text": text, "act": "check"}, headers=HTML)
    shown = answer.content.decode().split('id="columns"')[1]
    assert answer.status_code == 200
    for said in ("bigint", "kafka_offset", "$offset", "$timestamp"):
        assert said in shown, said
