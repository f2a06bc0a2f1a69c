import gzip
import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Cluster, Service
from lineage.models import Evidence, FieldFlow
from lineage.openlineage.models import NodeFacet

pytestmark = pytest.mark.django_db
LINEAGE = "/api/v1/lineage"
EDGES = "/api/v1/lineage/edges"
_FACET = {"_producer": "https://example.org/job", "_schemaURL": "https://example.org/facet.json"}
RUN = "0190a1c4-0000-7000-8000-000000000001"


def event(**changes: Any) -> dict[str, Any]:
    made = {
        "eventType": "COMPLETE",
        "eventTime": "2026-03-01T10:00:00.000Z",
        "producer": "https://example.org/job",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": RUN},
        "job": {"namespace": "flink", "name": "enrich"},
        "inputs": [{"namespace": "kafka://one:9092", "name": "orders"}],
        "outputs": [{"namespace": "postgres://db:5432", "name": "shop.public.orders"}],
        **changes,
    }
    return {key: value for key, value in made.items() if value is not None}


def post(client: Client, body: Any, path: str = LINEAGE, **more: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json", **more)


@pytest.fixture(autouse=True)
def clusters() -> tuple[Cluster, Cluster]:
    return (
        Cluster.objects.create(name="local", bootstrap_servers="127.0.0.1:9092"),
        Cluster.objects.create(name="one", bootstrap_servers="SSL://zero:9093,one:9092"),
    )


def edges(client: Client, **query: str) -> set[tuple[str, str, str]]:
    found = client.get(EDGES, query).json()["results"]
    return {
        (
            f"{it['source']['known_by'] or it['source']['kind']}:{it['source']['name']}",
            f"{it['target']['known_by'] or it['target']['kind']}:{it['target']['name']}",
            ",".join(proof["kind"] for proof in it["evidence"]),
        )
        for it in found
    }


def test_inputs_and_outputs_become_edges_of_the_cluster_that_the_event_names(
    client: Client,
) -> None:
    answer = post(client, event())
    assert (answer.status_code, answer.json()) == (
        201,
        {"event": "RunEvent", "edges": 2, "fields": 0},
    )
    expected = {
        ("topic:orders", "job:flink/enrich", "openlineage"),
        ("job:flink/enrich", "dataset:postgres://db:5432/shop.public.orders", "openlineage"),
    }
    assert edges(client) == edges(client, cluster="one") == expected
    assert edges(client, cluster="local") == set()
    assert edges(client, as_of="2026-03-01T09:59:59Z") == set()
    (detail,) = Evidence.objects.filter(edge__source_kind="topic").values_list("detail", flat=True)
    assert detail["run_id"] == RUN
    assert detail["state"] == "COMPLETE"


def test_a_topic_of_no_known_cluster_is_the_default_ones(client: Client) -> None:
    post(client, event(inputs=[{"namespace": "kafka://elsewhere:9092", "name": "orders"}]))
    assert len(edges(client, cluster="local")) == 2


@pytest.mark.parametrize(
    "recognised_by",
    [{"jobs": ["flink/enrich"]}, {"jobs": ["enr*"]}, {}],
    ids=["namespace and name", "pattern of the name", "a service named so"],
)
def test_a_job_is_the_service_that_the_catalog_knows(
    client: Client, recognised_by: dict[str, Any]
) -> None:
    name = "billing" if recognised_by else "enrich"
    Service.objects.create(name=name, recognised_by=recognised_by)
    post(client, event())
    assert ("topic:orders", f"service:{name}", "openlineage") in edges(client)


def test_the_same_event_again_changes_nothing(client: Client) -> None:
    rich = event(outputs=[output_with_columns()])
    post(client, rich)
    before = [list(model.objects.order_by("pk").values()) for model in (Evidence, FieldFlow)]
    assert post(client, rich).status_code == 201
    after = [list(model.objects.order_by("pk").values()) for model in (Evidence, FieldFlow)]
    assert before == after


@pytest.mark.parametrize("state", ["FAIL", "ABORT"])
def test_a_run_that_failed_has_read_but_not_written(client: Client, state: str) -> None:
    post(client, event(eventType=state))
    assert edges(client) == {("topic:orders", "job:flink/enrich", "openlineage")}


@pytest.mark.parametrize("state", ["START", "RUNNING", "OTHER", None])
def test_every_other_state_counts(client: Client, state: str | None) -> None:
    post(client, event(eventType=state))
    assert len(edges(client)) == 2


def test_a_job_event_needs_no_run(client: Client) -> None:
    answer = post(client, event(run=None, eventType=None))
    assert answer.json() == {"event": "JobEvent", "edges": 2, "fields": 0}


def test_a_time_without_a_zone_is_utc(client: Client) -> None:
    post(client, event(eventTime="2026-03-01T10:00:00"))
    (seen,) = set(Evidence.objects.values_list("last_seen", flat=True))
    assert seen.isoformat() == "2026-03-01T10:00:00+00:00"


def output_with_columns() -> dict[str, Any]:
    return {
        "namespace": "postgres://db:5432",
        "name": "shop.public.orders",
        "facets": {
            "columnLineage": {
                **_FACET,
                "fields": {
                    "total": {
                        "inputFields": [
                            {
                                "namespace": "kafka://one:9092",
                                "name": "orders",
                                "field": "lines.price",
                                "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION"}],
                            }
                        ]
                    }
                },
                "dataset": [{"namespace": "kafka://one:9092", "name": "orders", "field": "state"}],
            },
            "schema": {**_FACET, "fields": [{"name": "total", "type": "numeric"}]},
        },
    }


def test_column_lineage_becomes_field_flows(client: Client) -> None:
    assert post(client, event(outputs=[output_with_columns()])).json()["fields"] == 2
    later = event(outputs=[output_with_columns()], eventTime="2026-03-02T10:00:00Z")
    post(client, later)
    flow = FieldFlow.objects.get(target_field="total")
    assert (flow.cluster.name, flow.source_kind, flow.source_name, flow.source_field) == (
        "one",
        "topic",
        "orders",
        "lines.price",
    )
    assert (flow.target_kind, flow.target_name) == (
        "dataset",
        "postgres://db:5432/shop.public.orders",
    )
    assert (flow.kind, flow.transformation, flow.inferred) == (
        "openlineage",
        "DIRECT/AGGREGATION",
        False,
    )
    assert (flow.last_seen - flow.first_seen).days == 1
    assert FieldFlow.objects.get(target_field="").source_field == "state"


def test_facets_are_kept_by_the_newest_and_can_be_deleted(client: Client) -> None:
    documented = {
        "eventTime": "2026-03-01T10:00:00Z",
        "producer": "https://example.org/x",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent",
        "dataset": {
            "namespace": "postgres://db:5432",
            "name": "shop.public.orders",
            "facets": {
                "documentation": {**_FACET, "description": "all orders"},
                "ownership": {**_FACET, "owners": [{"name": "team:sales"}]},
                "vendor_special": {**_FACET, "any": {"thing": 1}},
                "vendor_large": {**_FACET, "text": "x" * 20_000},
            },
        },
    }
    assert post(client, documented).json()["event"] == "DatasetEvent"
    query = {"kind": "dataset", "name": "postgres://db:5432/shop.public.orders"}
    told = client.get(f"{LINEAGE}/facets", query).json()["results"]
    values = {it["facet"]: it["value"] for it in told}
    assert values["documentation"]["description"] == "all orders"
    assert values["ownership"]["owners"] == [{"name": "team:sales"}]
    assert values["vendor_special"]["any"] == {"thing": 1}
    assert values["vendor_large"]["left_out_bytes"] > 20_000
    documented["eventTime"] = "2026-02-01T10:00:00Z"
    documented["dataset"]["facets"] = {"documentation": {**_FACET, "description": "older"}}  # type: ignore[index]
    post(client, documented)
    assert NodeFacet.objects.get(facet="documentation").value["description"] == "all orders"
    documented["eventTime"] = "2026-04-01T10:00:00Z"
    documented["dataset"]["facets"] = {"vendor_special": {**_FACET, "_deleted": True}}  # type: ignore[index]
    post(client, documented)
    assert not NodeFacet.objects.filter(facet="vendor_special").exists()


def test_run_facets_are_particulars_of_the_evidence_within_bounds(client: Client) -> None:
    facets = {
        "processing_engine": {**_FACET, "version": "1.20", "name": "flink"},
        "parent": {
            **_FACET,
            "run": {"runId": RUN},
            "job": {"namespace": "airflow", "name": "nightly"},
        },
        "vendor_plan": {**_FACET, "plan": "x" * 9_000},
    }
    post(client, event(run={"runId": RUN, "facets": facets}))
    kept = Evidence.objects.filter(edge__source_kind="topic").get().detail["facets"]
    assert kept["processing_engine"]["name"] == "flink"
    assert kept["parent"]["job"]["name"] == "nightly"
    assert kept["left_out"] == ["vendor_plan"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"eventTime": "yesterday"}, "$.eventTime"),
        ({"eventTime": "2026-03-01"}, "$.eventTime"),
        ({"eventTime": "0001-01-01T00:00:00+14:00"}, "eventTime"),
        ({"run": {"runId": "7"}}, "$.run.runId"),
        ({"eventType": "FINISHED"}, "$.eventType"),
        ({"inputs": [{"namespace": "kafka://one:9092"}]}, "$.inputs[0]: 'name'"),
        ({"producer": None}, "'producer' is a required property"),
        (
            {"inputs": [{"namespace": "a", "name": "b", "facets": {"schema": {"fields": []}}}]},
            "$.inputs[0].facets.schema: '_producer'",
        ),
        ({"job": {"namespace": "n", "name": "x" * 600}}, "job: "),
        ({"run": None, "job": None}, "no OpenLineage event"),
        ({"job": {"namespace": "n", "name": "a\x00b"}}, "U+0000"),
    ],
)
def test_an_invalid_event_is_refused_saying_where(
    client: Client, changes: dict[str, Any], where: str
) -> None:
    answer = post(client, event(**changes))
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert where in answer.json()["detail"]
    assert Evidence.objects.count() == 0


def test_nesting_beyond_all_reason_is_refused(client: Client) -> None:
    deep: dict[str, Any] = {"name": "x"}
    for _ in range(400):
        deep = {"name": "x", "fields": [deep]}
    schema = {"schema": {**_FACET, "fields": [deep]}}
    answer = post(client, event(inputs=[{"namespace": "a", "name": "b", "facets": schema}]))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b'"x"', 400), (b"x" * 1_100_000, 413)],
)
def test_what_is_no_event_is_refused(client: Client, body: bytes, status: int) -> None:
    answer = client.post(LINEAGE, body, content_type="application/json")
    assert answer.status_code == status


def test_a_form_of_another_origin_is_refused(client: Client) -> None:
    answer = client.post(LINEAGE, json.dumps(event()), content_type="text/plain")
    assert answer.status_code == 415


def test_gzip_is_unzipped_within_the_limit(client: Client) -> None:
    def zipped(body: bytes) -> Any:
        return client.post(
            LINEAGE,
            gzip.compress(body),
            content_type="application/json",
            HTTP_CONTENT_ENCODING="gzip",
        )

    assert zipped(json.dumps(event()).encode()).status_code == 201
    assert zipped(b" " * 50_000_000).status_code == 413
    answer = client.post(
        LINEAGE, b"no gzip", content_type="application/json", HTTP_CONTENT_ENCODING="gzip"
    )
    assert answer.status_code == 400


def test_the_key_is_asked_for_where_one_is_set(client: Client, settings: Any) -> None:
    settings.OPENLINEAGE_RECEIVE_KEY = "s3cret"
    assert post(client, event()).status_code == 401
    assert post(client, event(), HTTP_AUTHORIZATION="Bearer other").status_code == 401
    assert post(client, event(), HTTP_AUTHORIZATION="Bearer s3cret").status_code == 201


def test_a_batch_takes_what_it_can(client: Client) -> None:
    answer = post(client, [event(), {"x": 1}, 7], f"{LINEAGE}/batch").json()
    assert answer["status"] == "partial_success"
    assert answer["summary"] == {
        "received": 3,
        "successful": 1,
        "failed": 2,
        "retriable": 0,
        "non_retriable": 2,
    }
    assert [it["index"] for it in answer["failed_events"]] == [1, 2]
    assert len(edges(client)) == 2


def test_without_any_cluster_the_one_of_the_settings_is_made(client: Client) -> None:
    Cluster.objects.all().delete()
    assert post(client, event()).status_code == 201
    assert [it.name for it in Cluster.objects.all()] == ["local"]
