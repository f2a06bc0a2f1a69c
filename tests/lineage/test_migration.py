"""What was recorded before there were proofs is read as before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from lineage.reading import read

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_existing_intervals_get_their_proofs() -> None:
    executor = MigrationExecutor(connection)
    newest = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "lineage"]
    try:
        executor.migrate([("lineage", "0001_initial")])
        _record(executor.loader.project_state([("lineage", "0001_initial")]).apps)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(newest)
    (row,) = read(BEGIN + timedelta(hours=5))
    assert (row.first_seen, row.last_seen) == (BEGIN, BEGIN + timedelta(hours=5))
    assert row.detail == {"n": 2}


def _record(apps: Any) -> None:
    cluster = apps.get_model("catalog", "Cluster").objects.create(name="c", bootstrap_servers="x:1")
    ends = {"source_kind": "topic", "target_kind": "group", "target_name": "g"}
    edge = apps.get_model("lineage", "Edge").objects.create(
        cluster=cluster, source_name="t", **ends
    )
    for number, hour in enumerate((0, 4, 9)):
        apps.get_model("lineage", "Evidence").objects.create(
            edge=edge,
            kind="offset",
            first_seen=BEGIN + timedelta(hours=hour),
            last_seen=BEGIN + timedelta(hours=hour + 2),
            detail={"n": number + 1},
        )
