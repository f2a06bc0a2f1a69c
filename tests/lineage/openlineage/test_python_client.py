"""The official Python client posts to our served app: its lineage is in the API and on the page."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openlineage.client import OpenLineageClient, event_v2, facet_v2
from openlineage.client.transport.http import HttpConfig, HttpTransport

from tests.serving import Served, serve

RUN = "0190a1c4-0000-7000-8000-000000000002"
COLUMNS = facet_v2.column_lineage_dataset


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served"), OPENLINEAGE_RECEIVE_KEY="s3cret") as found:
        yield found


def client(served: Served, **config: Any) -> OpenLineageClient:
    auth = {"type": "api_key", "apiKey": "s3cret"}
    settings = HttpConfig.from_dict({"url": served.url, "auth": auth, **config})
    return OpenLineageClient(transport=HttpTransport(settings))


def fetch(served: Served, path: str, **query: str) -> bytes:
    url = f"{served.url}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
    return body


def run_event(state: event_v2.RunState, time: str) -> event_v2.RunEvent:
    orders = "kafka://broker.example:9092"
    lineage = COLUMNS.ColumnLineageDatasetFacet(
        fields={
            "customer": COLUMNS.Fields(
                inputFields=[COLUMNS.InputField(orders, "orders", "customer.id")]
            )
        }
    )
    return event_v2.RunEvent(
        eventType=state,
        eventTime=time,
        run=event_v2.Run(RUN),
        job=event_v2.Job("flink", "enrich"),
        inputs=[event_v2.InputDataset(orders, "orders")],
        outputs=[
            event_v2.OutputDataset(
                "postgres://db:5432", "shop.public.orders", facets={"columnLineage": lineage}
            )
        ],
        producer="https://example.org/enrich",
    )


def test_a_run_of_the_python_client_appears(served: Served) -> None:
    sending = client(served)
    for state, time in (
        (event_v2.RunState.START, "2026-03-01T10:00:00Z"),
        (event_v2.RunState.COMPLETE, "2026-03-01T10:05:00Z"),
    ):
        sending.emit(run_event(state, time))
    edges = json.loads(fetch(served, "/api/v1/lineage/edges", kind="openlineage"))["results"]
    ends = {(edge["source"]["name"], edge["target"]["name"]) for edge in edges}
    dataset = "postgres://db:5432/shop.public.orders"
    assert ends == {("orders", "flink/enrich"), ("flink/enrich", dataset)}
    (read,) = (edge for edge in edges if edge["source"]["name"] == "orders")
    assert read["target"]["known_by"] == "job"
    assert (read["first_seen"], read["last_seen"]) == (
        "2026-03-01T10:00:00Z",
        "2026-03-01T10:05:00Z",
    )
    assert read["evidence"][0]["detail"]["run_id"] == RUN


def test_its_job_and_datasets_are_on_the_page(served: Served) -> None:
    client(served, compression="gzip").emit(
        run_event(event_v2.RunState.RUNNING, "2026-03-01T10:04:00Z")
    )
    page = fetch(served, "/lineage", focus="job:flink/enrich").decode()
    assert "flink/enrich" in page
    assert "postgres://db:5432/shop.public.orders" in page
    assert "openlineage" in page


def test_static_events_of_the_client_are_taken(served: Served) -> None:
    documentation = facet_v2.documentation_dataset.DocumentationDatasetFacet("all orders")
    sending = client(served)
    sending.emit(
        event_v2.DatasetEvent(
            eventTime="2026-03-01T10:00:00Z",
            dataset=event_v2.StaticDataset(
                "kafka://broker.example:9092", "orders", facets={"documentation": documentation}
            ),
            producer="https://example.org/enrich",
        )
    )
    sending.emit(
        event_v2.JobEvent(
            eventTime="2026-03-01T10:00:00Z",
            job=event_v2.Job("dbt", "model"),
            inputs=[event_v2.InputDataset("postgres://db:5432", "shop.public.orders")],
            producer="https://example.org/dbt",
        )
    )
    told = json.loads(fetch(served, "/api/v1/lineage/facets", kind="topic", name="orders"))
    assert told["results"][0]["value"]["description"] == "all orders"
    edges = json.loads(fetch(served, "/api/v1/lineage/edges", target="job:dbt/model"))
    assert edges["count"] == 1


def test_the_client_without_the_key_is_refused(served: Served, tmp_path: Path) -> None:
    refused = OpenLineageClient(transport=HttpTransport(HttpConfig(url=served.url)))
    with pytest.raises(Exception, match="401"):
        refused.emit(run_event(event_v2.RunState.OTHER, "2026-03-01T10:00:00Z"))
