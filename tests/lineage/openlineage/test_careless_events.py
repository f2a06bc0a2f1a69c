"""Events that are odd where the published schema does not look: taken or refused, never a fault."""

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Cluster
from lineage.models import Edge, FieldFlow
from lineage.openlineage.checking import check
from lineage.openlineage.errors import EventInvalidError
from lineage.openlineage.models import NodeFacet

pytestmark = pytest.mark.django_db
LINEAGE = "/api/v1/lineage"
_BASE = {
    "eventTime": "2026-03-01T10:00:00Z",
    "producer": "https://example.org/job",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
}
_JOB = {"namespace": "flink", "name": "enrich"}
_TABLE = {"namespace": "postgres://db:5432", "name": "shop.public.orders"}
_RUN = {"run": {"runId": "0190a1c4-0000-7000-8000-000000000001"}}
_FACET = {"_producer": "https://example.org/job", "_schemaURL": "https://example.org/facet.json"}


@pytest.fixture(autouse=True)
def cluster() -> Cluster:
    return Cluster.objects.create(name="local", bootstrap_servers="one:9092")


def event(**parts: Any) -> dict[str, Any]:
    return {**_BASE, **parts}


def post(client: Client, body: Any, path: str = LINEAGE) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def written(**facets: Any) -> dict[str, Any]:
    return event(**_RUN, job=_JOB, outputs=[{**_TABLE, **facets}])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (event(**_RUN, job=_JOB, dataset=7), "RunEvent"),
        (event(**_RUN, job=_JOB, dataset={"namespace": 7}), "RunEvent"),
        (event(job=_JOB, eventType=["COMPLETE"]), "JobEvent"),
        (event(job=_JOB, dataset=7), "JobEvent"),
        (event(dataset=_TABLE, inputs=7, outputs=[7], eventType={}), "DatasetEvent"),
        (event(dataset=_TABLE, run=7), "DatasetEvent"),
        (written(inputFacets=7), "RunEvent"),
        (written(inputFacets={"x": 7}), "RunEvent"),
        (written(outputFacets={"columnLineage": {**_FACET, "fields": 7}}), "RunEvent"),
        (written(facets={"insideout_node": {**_FACET, "kind": ["copy"], "name": "x"}}), "RunEvent"),
        (written(facets={"insideout_node": {**_FACET, "kind": "copy", "name": {}}}), "RunEvent"),
    ],
)
def test_what_an_event_has_besides_is_passed_over(
    client: Client, body: dict[str, Any], kind: str
) -> None:
    answer = post(client, body)
    assert (answer.status_code, answer.json()["event"]) == (201, kind)
    assert not FieldFlow.objects.exists()


def test_an_odd_event_does_not_spoil_a_batch(client: Client) -> None:
    odd = [event(**_RUN, job=_JOB, dataset=7), event(job=_JOB, dataset=_TABLE), written()]
    answer = post(client, odd, f"{LINEAGE}/batch").json()
    assert answer["summary"]["successful"] == 2
    assert [it["index"] for it in answer["failed_events"]] == [1]
    assert Edge.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (event(job=_JOB, dataset=_TABLE), "both `job` and `dataset`"),
        (event(**_RUN), "$: 'job' is a required property"),
        (event(**_RUN, job=_JOB, eventTime="0001-01-01T00:00:00Z"), "years 1970 to 9998"),
        (event(**_RUN, job=_JOB, eventTime="9999-12-31T23:59:59-01:00"), "years 1970 to 9998"),
        (
            written(facets={"x": {**_FACET, "_deleted": "yes"}}),
            "x['_deleted']: 'yes' is not of type",
        ),
        (written(facets={"x": {"_deleted": True}}), "'_producer' is a required property"),
    ],
)
def test_what_cannot_be_kept_is_refused(client: Client, body: dict[str, Any], told: str) -> None:
    answer = post(client, body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert told in answer.json()["detail"]


@pytest.mark.parametrize("facet", ["documentation", "schema", "ownership", "anything"])
def test_a_facet_is_deleted_without_saying_what_it_was(client: Client, facet: str) -> None:
    told = {"description": "d", "fields": [], "owners": []}
    assert post(client, written(facets={facet: {**_FACET, **told}})).status_code == 201
    assert NodeFacet.objects.filter(facet=facet).count() == 1
    gone = written(facets={facet: {**_FACET, "_deleted": True}})
    assert post(client, {**gone, "eventTime": "2026-03-01T10:00:01Z"}).status_code == 201
    assert not NodeFacet.objects.filter(facet=facet).exists()


def test_a_deleted_column_lineage_needs_no_fields() -> None:
    assert check(written(facets={"columnLineage": {**_FACET, "_deleted": True}})) == "RunEvent"
    with pytest.raises(EventInvalidError, match="'fields' is a required property"):
        check(written(facets={"columnLineage": {**_FACET, "_deleted": False}}))
