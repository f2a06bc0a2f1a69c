"""Reading the ledger: the evidence as of an instant, one row a kind; of all edges or of some."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection

from catalog.models import Cluster

_NAMES_A_QUERY = 1000
Raw = tuple[str, str]


class Row(NamedTuple):
    """One kind of evidence for one edge, from first to last time seen up to the instant asked."""

    cluster: int
    source: Raw
    target: Raw
    kind: str
    first_seen: datetime
    last_seen: datetime
    detail: dict[str, Any] = {}


_SELECT = """
SELECT e.cluster_id, e.source_kind, e.source_name, e.target_kind, e.target_name, p.kind,
  {first}, {last}, v.detail, p.id
FROM lineage_edge e
JOIN lineage_proof p ON p.edge_id = e.id
JOIN lineage_evidence v ON v.id = (
  SELECT w.id FROM lineage_evidence w
  WHERE w.edge_id = p.edge_id AND w.kind = p.kind AND w.first_seen <= %s
  ORDER BY w.first_seen DESC LIMIT 1)
WHERE p.first_seen <= %s
"""


def read(
    at: datetime,
    *,
    cluster: int | None = None,
    topics: Sequence[str] | None = None,
    nodes: Collection[Raw] | None = None,
    kinds: Sequence[str] | None = None,
) -> list[Row]:
    """Return what had been seen by `at`: at the topics, at the raw nodes, or everywhere.

    `kinds` leaves out other kinds of evidence, where neither topics nor nodes are named.

    What was seen after `at` does not count: an interval that goes on is cut off there. Each row
    is one step in the index by the beginnings of intervals, however long the history.
    """
    if topics is not None:
        nodes = {("topic", name) for name in topics}
    if nodes is None:
        where, values = _of_cluster(cluster)
        if kinds:
            where += f" AND p.kind IN ({', '.join(['%s'] * len(kinds))})"
            values += kinds
        return list(dict(_rows(at, where, values)).values())
    found: dict[int, Row] = {}
    clusters = clusters_of(cluster)
    for where, values in _at_nodes(nodes, clusters):
        found.update(_rows(at, where, values))
    return list(found.values())


def _of_cluster(cluster: int | None) -> tuple[str, list[Any]]:
    return (" AND e.cluster_id = %s", [cluster]) if cluster is not None else ("", [])


def clusters_of(cluster: int | None) -> list[int]:
    """Return that cluster, or all: an index that begins with it is walked for each."""
    if cluster is not None:
        return [cluster]
    return list(Cluster.objects.order_by("pk").values_list("pk", flat=True))


def _at_nodes(nodes: Collection[Raw], clusters: Sequence[int]) -> Iterator[tuple[str, list[Any]]]:
    """Yield conditions, each for one end and kind: as the indexes of edges are."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for kind, name in sorted(nodes):
        by_kind[kind].append(name)
    if not clusters:
        return
    places = ", ".join(["%s"] * len(clusters))
    for kind, names in by_kind.items():
        for start in range(0, len(names), _NAMES_A_QUERY):
            chunk = names[start : start + _NAMES_A_QUERY]
            for end in ("source", "target"):
                holes = ", ".join(["%s"] * len(chunk))
                where = f" AND e.cluster_id IN ({places}) AND e.{end}_kind = %s"
                yield f"{where} AND e.{end}_name IN ({holes})", [*clusters, kind, *chunk]


def _rows(at: datetime, where: str, values: Sequence[Any]) -> Iterator[tuple[int, Row]]:
    """Yield (proof, row). By hand: an ORM's row costs as much as ten of these."""
    instant = connection.ops.adapt_datetimefield_value(at)
    # an expression has no declared type: SQLite's text then does not pass a converter
    as_text = " || ''" if connection.vendor == "sqlite" else ""
    select = _SELECT.format(first=f"p.first_seen{as_text}", last=f"v.last_seen{as_text}")
    with connection.cursor() as cursor:
        cursor.execute(select + where, [instant, instant, *values])
        for it in cursor.fetchall():
            yield (
                it[9],
                Row(
                    it[0],
                    (it[1], it[2]),
                    (it[3], it[4]),
                    it[5],
                    _instant(it[6]),
                    min(_instant(it[7]), at),
                    json.loads(it[8]) if isinstance(it[8], str) and it[8] != "{}" else {},
                ),
            )


def _instant(value: Any) -> datetime:
    """Return an instant as the database gave it; SQLite keeps text, in UTC."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)
