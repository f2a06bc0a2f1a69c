"""Reading the ledger: the evidence as of an instant, one row a kind; of all edges or of some."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection

from lineage.topology import Raw, RawEdge, Topology, read_topology

# SQLite takes 32,766 variables in one statement; a plan for more rows is no better
_EDGES_A_QUERY = 5000


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
SELECT p.edge_id, p.kind, p.first_seen{as_text}, v.last_seen{as_text}, v.detail
FROM lineage_proof p
JOIN lineage_evidence v ON v.id = (
  SELECT w.id FROM lineage_evidence w
  WHERE w.edge_id = p.edge_id AND w.kind = p.kind AND w.first_seen <= %s
  ORDER BY w.first_seen DESC LIMIT 1)
WHERE p.first_seen <= %s
"""


def read(
    at: datetime, topology: Topology | None = None, *, cluster: int | None = None
) -> list[Row]:
    """Return what had been seen by `at`, everywhere or in one cluster.

    What was seen after `at` does not count: an interval that goes on is cut off there. Each row
    is one step in the index by the beginnings of intervals, however long the history.
    """
    edges = (topology or read_topology()).edges
    if cluster is None:
        return list(_rows(at, edges, "", ()))
    edges = {it.id: it for it in edges.values() if it.cluster == cluster}
    where = " AND p.edge_id IN (SELECT e.id FROM lineage_edge e WHERE e.cluster_id = %s)"
    return list(_rows(at, edges, where, [cluster]))


def read_edges(
    at: datetime, edges: Iterable[RawEdge], *, kinds: Sequence[str] | None = None
) -> list[Row]:
    """Return what had been seen by `at` of those edges."""
    wanted = {it.id: it for it in edges}
    found: list[Row] = []
    where, values = _of_kinds(kinds)
    ids = iter(sorted(wanted))
    while chunk := list(islice(ids, _EDGES_A_QUERY)):
        holes = ", ".join(["%s"] * len(chunk))
        found += _rows(at, wanted, f"{where} AND p.edge_id IN ({holes})", [*values, *chunk])
    return found


def _of_kinds(kinds: Sequence[str] | None) -> tuple[str, list[Any]]:
    return (f" AND p.kind IN ({', '.join(['%s'] * len(kinds))})", [*kinds]) if kinds else ("", [])


def _rows(
    at: datetime, edges: Mapping[int, RawEdge], where: str, values: Sequence[Any]
) -> Iterator[Row]:
    """Yield rows. By hand: an ORM's row costs as much as ten of these."""
    instant = connection.ops.adapt_datetimefield_value(at)
    # an expression has no declared type: SQLite's text then does not pass a converter, and
    # PostgreSQL's JSON is read once where many rows say the same
    as_text = " || ''" if connection.vendor == "sqlite" else ""
    told: dict[str, dict[str, Any]] = {"{}": {}}
    when: dict[str, datetime] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SELECT.format(as_text=as_text) + where, [instant, instant, *values])
        for number, kind, first, last, detail in cursor.fetchall():
            edge = edges.get(number)
            if edge is None:
                # it came after the topology was read
                continue
            if detail not in told:
                told[detail] = json.loads(detail)
            ended = _instant(last, when)
            yield Row(
                edge.cluster,
                edge.source,
                edge.target,
                kind,
                _instant(first, when),
                min(at, ended),
                told[detail],
            )


def _instant(value: Any, when: dict[str, datetime]) -> datetime:
    """Return an instant as the database gave it; SQLite keeps text, in UTC."""
    if isinstance(value, datetime):
        return value
    found = when.get(value)
    if found is None:
        found = when[value] = datetime.fromisoformat(value + "+00:00")
    return found
