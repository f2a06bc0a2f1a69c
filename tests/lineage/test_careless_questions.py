"""What a careless or hostile client asks lineage: refused at once, saying what is wrong where."""

import json
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Cluster, Service
from catalog.recognition import Recogniser
from lineage.ledger import Observation, record

pytestmark = pytest.mark.django_db
API = "/api/v1/lineage"
_LONG = "x" * 60_000
# each question, what it cannot do without, and its parameters that name something
_QUESTIONS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "edges": ({}, ("source", "target", "cluster")),
    "graph": ({"focus": "orders"}, ("focus", "cluster")),
    "upstream": ({"node": "orders"}, ("node", "cluster")),
    "downstream": ({"node": "orders"}, ("node", "cluster")),
    "path": ({"source": "orders", "target": "orders"}, ("source", "target", "cluster")),
    "diff": ({"since": "2026-01-01T00:00:00Z"}, ("cluster",)),
    "orphans": ({}, ("cluster",)),
    "declared": ({}, ("topic", "context", "cluster")),
    "couplings": ({}, ("cluster",)),
    "cycles": ({}, ("cluster",)),
    "footprint": ({"service": "group:billing"}, ("service", "cluster")),
    "facets": ({}, ("name", "cluster")),
    "fields": ({"node": "orders"}, ("node", "field", "cluster")),
    "impact": ({"of": "orders"}, ("of", "field", "subject", "version", "cluster")),
    "derivations": ({}, ("view", "service", "stream", "cluster")),
    "actor": ({"kind": "group", "name": "billing"}, ("name",)),
}
_NAMES = [(path, name) for path, (_, names) in _QUESTIONS.items() for name in names]
_TIMED = [it for it in _QUESTIONS if it != "facets"]


@pytest.fixture(autouse=True)
def estate(db: None) -> None:
    cluster = Cluster.objects.create(name="local", bootstrap_servers="one:9092")
    now = timezone.now()
    record(cluster, [Observation("topic", "orders", "group", "billing", "member", now)], now)


def ask(client: Client, path: str, **query: str) -> Any:
    return client.get(f"{API}/{path}", {**_QUESTIONS[path][0], **query})


def refused(answer: Any, where: str) -> None:
    assert 400 <= answer.status_code < 500
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert where in problem["detail"]


@pytest.mark.parametrize("path", _QUESTIONS)
def test_the_questions_are_answered(client: Client, path: str) -> None:
    assert ask(client, path).status_code == 200


@pytest.mark.parametrize(("path", "name"), _NAMES)
def test_a_name_that_none_can_have_is_refused(client: Client, path: str, name: str) -> None:
    answer = ask(client, path, **{name: _LONG})
    refused(answer, name)
    assert len(answer.content) < 1000
    refused(ask(client, path, **{name: "a\0b"}), name)


@pytest.mark.parametrize("path", [it for it in _QUESTIONS if it != "actor"])
def test_a_cluster_that_is_not_known_is_refused(client: Client, path: str) -> None:
    refused(ask(client, path, cluster="elsewhere"), "elsewhere")


@pytest.mark.parametrize("instant", ["yesterday", "2026-02-30T00:00:00Z", "1e400", "\0"])
@pytest.mark.parametrize("path", _TIMED)
def test_what_is_no_instant_is_refused(client: Client, path: str, instant: str) -> None:
    refused(ask(client, path, as_of=instant), "")


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("path", _TIMED)
def test_either_end_of_the_calendar_is_an_instant(client: Client, path: str, instant: str) -> None:
    assert ask(client, path, as_of=instant).status_code in {200, 404}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("graph", "hops"),
        ("graph", "cap"),
        ("upstream", "depth"),
        ("upstream", "cap"),
        ("fields", "depth"),
        ("derivations", "depth"),
        ("orphans", "idle"),
    ],
)
@pytest.mark.parametrize(
    "number", ["0", "-1", "999999999999999999999", "1.5", "NaN", "x", "9" * 5000]
)
def test_a_number_out_of_reach_is_refused(
    client: Client, path: str, name: str, number: str
) -> None:
    refused(ask(client, path, **{name: number}), name)


def test_a_long_name_is_matched_no_longer_than_patterns_are() -> None:
    """Nor kept: the address line of a request has room for 60 kB, a page shows what it asks for."""
    services = [Service(pk=1, name="billing", recognised_by={"groups": ["billing-*"]})]
    recogniser = Recogniser(services)
    begun = time.process_time()
    short = [recogniser.candidates("group", f"billing-{it}") for it in range(2000)]
    between = time.process_time()
    long = [recogniser.candidates("group", f"billing-{it}{_LONG}") for it in range(20)]
    assert {it.name for found in (*short, *long) for it in found} == {"billing"}
    # it was a hundred times as long, growing with the square of the length
    assert time.process_time() - between < 20 * max(between - begun, 0.01)
    assert not any(len(name) > 500 for _, name in recogniser._known)


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, "null", '"x"', "7", '{"a": NaN}'])
@pytest.mark.parametrize("path", ["", "/batch"])
def test_what_is_no_json_object_is_refused(client: Client, path: str, body: str) -> None:
    refused(client.post(API + path, body, content_type="application/json"), "")


@pytest.mark.parametrize("text", ["x" * 1_000_000, "a\0b"])
def test_an_event_of_a_name_that_none_can_have_is_refused(client: Client, text: str) -> None:
    event = {
        "eventTime": "2026-03-01T10:00:00Z",
        "producer": "urn:a:b",
        "schemaURL": "urn:a:b",
        "job": {"namespace": "flink", "name": text},
    }
    answer = client.post(API, json.dumps(event), content_type="application/json")
    refused(answer, "U+0000" if "\0" in text else "job")
    assert len(answer.content) < 1000
