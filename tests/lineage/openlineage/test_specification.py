"""What is emitted, and what is taken, against the very schemas that OpenLineage publishes."""

import os
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone
from openlineage.client import event_v2, facet_v2
from openlineage.client.serde import Serde

from catalog.models import Service, Topic
from lineage.connectors.actions import declare
from lineage.connectors.models import Connector, Run
from lineage.ledger import Observation, record
from lineage.openlineage import events
from lineage.openlineage.checking import check, formats
from lineage.openlineage.emit import emit_once
from lineage.openlineage.errors import EventInvalidError
from tests.lineage.openlineage.estate import Kept, make_estate
from tests.lineage.openlineage.specification import CORE, OURS, SPEC, Published, facets_of

FOLDER = os.environ.get("OPENLINEAGE_SPEC", "")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not FOLDER,
        reason="OPENLINEAGE_SPEC names no folder of published schemas: see CONTRIBUTING.md",
    ),
]
_STATES = {"START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER"}
_TARGETS = {
    "file_copy": "sqlite:////data/a%20folder/50%25 [x]/copy.sqlite3",
    "duck_copy": "duckdb:////data/copies.duckdb",
    "maria_copy": "mysql://writer:s3cret@maria.example/shop",
    "lake_copy": "parquet:////data/lake",
}


@pytest.fixture(scope="module")
def published() -> Published:
    return Published(Path(FOLDER))


def _emitted(client: Client) -> list[dict[str, Any]]:
    """Two rounds of an estate with copies of every kind, between which something changed."""
    now = timezone.now()
    cluster = make_estate(client, now)
    for name, target in _TARGETS.items():
        declare({
            "name": name,
            "topics": ["orders"],
            "target": target,
            "table": name,
            "cluster": "local",
            "columns": {"customer_name": {"mask": "redact"}},
        })
        record(cluster, [Observation("topic", "orders", "copy", name, "connector", now)], now)
    copy = Connector.objects.get(name="file_copy")
    Run.objects.create(connector=copy, state="failed", message="", finished_at=now)
    Run.objects.create(connector=copy)
    kept = Kept()
    emit_once(kept)
    Topic.objects.update(description="Jede Bestellung, auch die stornierte.\n\t\"'\\")
    Service.objects.update(owner="")
    late = now - timedelta(days=1)
    record(
        cluster,
        [Observation("topic", "returns", "group", "billing", "offset", late)],
        timezone.now(),
    )
    emit_once(kept)
    return kept.events


def test_the_schemas_of_all_that_we_claim_are_there(published: Published) -> None:
    claimed = {f"{SPEC}/facets/{version}/{kind}.json" for kind, version in events._VERSIONS.items()}
    assert {CORE, *claimed} <= published.ids


def test_every_event_validates_against_the_schemas_that_it_names(
    client: Client, published: Published
) -> None:
    emitted = _emitted(client)
    assert {one["eventType"] for one in emitted} == _STATES
    seen: set[str] = set()
    for event in emitted:
        assert published.errors(event["schemaURL"], event) == []
        assert published.errors(CORE, event) == []
        for sort, key, facet in facets_of(event):
            assert published.errors(f"{CORE}#/$defs/{sort}", facet) == [], key
            url = facet["_schemaURL"]
            if key.startswith("insideout_"):
                assert url.startswith(OURS)
                continue
            assert published.errors(url, facet) == [], key
            # the document itself says under which key the facet stands
            assert published.errors(url.partition("#")[0], {key: facet}) == []
            seen.add(url.rpartition("/")[2])
    # nothing that we can emit was left out
    assert seen == set(events._VERSIONS)


_TIME = "2026-03-01T10:00:00.000Z"
_PRODUCER = "https://example.org/enrich"


def _theirs() -> Iterator[dict[str, Any]]:
    """Events as the official client makes them, with what facets we have the schemas of."""
    columns, schema = facet_v2.column_lineage_dataset, facet_v2.schema_dataset
    field = columns.InputField(
        "kafka://one:9092",
        "orders",
        "id",
        [columns.Transformation("INDIRECT", "JOIN", "on the customer", masking=False)],
    )
    nested = schema.SchemaDatasetFacetFields(
        "a",
        "struct",
        fields=[schema.SchemaDatasetFacetFields("b", description="inner", ordinal_position=1)],
    )
    dataset = {
        "columnLineage": columns.ColumnLineageDatasetFacet(
            {"id": columns.Fields([field], "as it is", "IDENTITY")}, dataset=[field]
        ),
        "schema": schema.SchemaDatasetFacet([nested]),
        "dataSource": facet_v2.datasource_dataset.DatasourceDatasetFacet("db", "postgres://db:1"),
        "documentation": facet_v2.documentation_dataset.DocumentationDatasetFacet(
            "# All", "text/markdown"
        ),
        "ownership": facet_v2.ownership_dataset.OwnershipDatasetFacet([
            facet_v2.ownership_dataset.Owner("team:a", "MAINTAINER")
        ]),
    }
    statistics = facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=3, size=100, fileCount=1
    )
    job = event_v2.Job(
        "flink",
        "enrich",
        {
            "jobType": facet_v2.job_type_job.JobTypeJobFacet("BATCH", "SPARK", "QUERY"),
            "documentation": facet_v2.documentation_job.DocumentationJobFacet("Enriches."),
            "ownership": facet_v2.ownership_job.OwnershipJobFacet([]),
        },
    )
    run = event_v2.Run(
        "0190a1c4-0000-7000-8000-000000000001",
        {
            "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet("3.5"),
            "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet("no", "JAVA", "at x"),
        },
    )
    source = event_v2.InputDataset("kafka://one:9092", "orders", facets=dict(dataset))
    target = event_v2.OutputDataset(
        "postgres://db:5432",
        "shop.public.orders",
        facets=dict(dataset),
        outputFacets={"outputStatistics": statistics},
    )
    common: Any = {"eventTime": _TIME, "producer": _PRODUCER}
    read: Any = {"job": job, "inputs": [source], "outputs": [target]}
    made = [
        event_v2.RunEvent(eventType=state, run=run, **read, **common) for state in event_v2.RunState
    ]
    static = event_v2.StaticDataset("kafka://one:9092", "orders", facets=dict(dataset))
    for one in (
        *made,
        event_v2.JobEvent(**read, **common),
        event_v2.DatasetEvent(dataset=static, **common),
    ):
        yield orjson.loads(Serde.to_json(one))


_BARE = {"_producer": "urn:a:b", "_schemaURL": "urn:a:c"}
_WRONG: tuple[tuple[str, Any], ...] = (
    ("absent", None),
    ("null", None),
    ("7", 7),
    ("x", "x"),
    ("[]", []),
    ("{}", {}),
    ("a bare facet", _BARE),
    ("a deleted facet", {**_BARE, "_deleted": True}),
    ("a facet deleted by a word", {**_BARE, "_deleted": "yes"}),
)


def _spoilt(event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The event with one thing left out, or of another type, at every place."""
    for path in list(_places(event)):
        for what, value in _WRONG:
            changed = deepcopy(event)
            holder: Any = changed
            for step in path[:-1]:
                holder = holder[step]
            if what == "absent":
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            yield f"{'.'.join(map(str, path))} {what}", changed


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from _places(one, (*path, key))


def _takes(event: dict[str, Any]) -> bool:
    try:
        check(event)
    except EventInvalidError:
        return False
    return True


def _conforms(published: Published, event: dict[str, Any]) -> bool:
    """Whether the published schemas allow it: of the event, and of each facet that we know.

    A facet that is deleted is what its sort is, since all that it says is that it goes.
    """
    return published.allows(CORE, event, formats) and all(
        published.allows(f"{SPEC}/facets/{version}/{kind}.json", {key: facet}, formats)
        for sort, key, facet in facets_of(event)
        for kind, version in events._VERSIONS.items()
        if kind.endswith(sort) and _KEYS[kind] == key
        if not (sort in _DELETED and facet.get("_deleted") is True)
    )


_DELETED = {"DatasetFacet", "JobFacet"}
_KEYS = {
    "ColumnLineageDatasetFacet": "columnLineage",
    "DatasourceDatasetFacet": "dataSource",
    "DocumentationDatasetFacet": "documentation",
    "DocumentationJobFacet": "documentation",
    "ErrorMessageRunFacet": "errorMessage",
    "JobTypeJobFacet": "jobType",
    "OutputStatisticsOutputDatasetFacet": "outputStatistics",
    "OwnershipDatasetFacet": "ownership",
    "OwnershipJobFacet": "ownership",
    "ProcessingEngineRunFacet": "processing_engine",
    "SchemaDatasetFacet": "schema",
}


def test_what_the_published_schemas_allow_we_take_and_nothing_else(
    client: Client, published: Published
) -> None:
    ours = _emitted(client)
    kinds = {(one["eventType"], one["job"]["name"]): one for one in ours}
    examples = [*_theirs(), *kinds.values()]
    assert all(_conforms(published, one) and _takes(one) for one in examples)
    compared, apart = 0, []
    for event in [*list(_theirs())[-3:], kinds["FAIL", "orders_copy.regenerate"]]:
        for name, spoilt in _spoilt(event):
            compared += 1
            if _takes(spoilt) != _conforms(published, spoilt):
                apart.append(name)
    assert apart == []
    assert compared > 1000


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"run": {}}, False),
        ({"run": {"runId": "one"}}, False),
        ({"run": None}, False),
        ({"eventTime": "yesterday"}, False),
        ({"eventTime": "2026-02-30T10:00:00Z"}, False),
        ({"eventTime": 1772359200}, False),
        ({"eventType": "DONE"}, False),
        ({"producer": None}, False),
        ({"schemaURL": None}, False),
        ({"job": {"name": "x"}}, False),
        ({"inputs": [{"name": "x"}]}, False),
        ({"inputs": {}}, False),
        ({"run": {"runId": "0190a1c4-0000-7000-8000-000000000001", "facets": {"x": {}}}}, False),
        ({"eventType": None}, True),
        ({"inputs": [], "outputs": None, "more": {"than": ["known"]}}, True),
        ({"eventTime": "2026-03-01T10:00:00.123456789+05:45"}, True),
    ],
)
def test_both_refuse_and_allow_alike(
    published: Published, change: dict[str, Any], allowed: bool
) -> None:
    event = {**next(_theirs()), **change}
    event = {key: value for key, value in event.items() if value is not None or key == "run"}
    if event["run"] is None:
        event["run"] = []
    assert _takes(event) is allowed
    assert _conforms(published, event) is allowed


@pytest.mark.parametrize(
    "parts",
    ["run", "job", "dataset", "run job", "run dataset", "job dataset", "run job dataset", ""],
)
def test_an_event_is_one_of_three(published: Published, parts: str) -> None:
    run, *_, job, dataset = _theirs()
    every = {**run, **job, **dataset}
    event = {
        key: value
        for key, value in every.items()
        if key not in {"run", "job", "dataset"} or key in parts.split()
    }
    assert _takes(event) is _conforms(published, event)
