"""Reading the ledger: the evidence as of an instant, one row a kind; of all edges or of some."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection

from lineage.edges import EvidenceView
from lineage.topology import Raw, RawEdge, Topology, read_topology

# SQLite takes 32,766 variables in one statement; a plan for more rows is no better
_EDGES_A_QUERY = 5000


Proven = tuple[int, str, datetime, datetime, dict[str, Any]]
"""An edge's id, a kind of evidence for it, from when to when, and the newest particulars."""


class Row(NamedTuple):
    """One kind of evidence for one edge, from first to last time seen up to the instant asked."""

    cluster: int
    source: Raw
    target: Raw
    kind: str
    first_seen: datetime
    last_seen: datetime
    detail: dict[str, Any] = {}


# an expression in SQLite has no type that would be converted
_AS_TEXT = {"sqlite": " || ''", "postgresql": "::text"}
_SELECT = "SELECT p.edge_id, p.kind, p.first_seen{as_text}, v.last_seen{as_text}, v.detail "
_NEWEST = """
FROM lineage_evidence w
WHERE w.edge_id = p.edge_id AND w.kind = p.kind AND w.first_seen <= %s
ORDER BY w.first_seen DESC LIMIT 1
"""
_AS_OF = {
    "sqlite": f"""
        FROM lineage_proof p JOIN lineage_evidence v ON v.id = (SELECT w.id {_NEWEST})
        WHERE p.first_seen <= %s
    """,
    # joined by id as above, it reads the whole table where many proofs are asked for
    "postgresql": f"""
        FROM lineage_proof p
        CROSS JOIN LATERAL (SELECT w.last_seen, w.detail {_NEWEST}) v
        WHERE p.first_seen <= %s
    """,
}


def read(
    at: datetime, topology: Topology | None = None, *, cluster: int | None = None
) -> list[Row]:
    """Return what had been seen by `at`, everywhere or in one cluster.

    What was seen after `at` does not count: an interval that goes on is cut off there. Each row
    is one step in the index by the beginnings of intervals, however long the history.
    """
    edges = (topology or read_topology()).edges
    return _rows(edges, _proofs(at, cluster=cluster))


def read_edges(
    at: datetime, edges: Iterable[RawEdge], *, kinds: Sequence[str] | None = None
) -> list[Row]:
    """Return what had been seen by `at` of those edges."""
    wanted = {it.id: it for it in edges}
    return _rows(wanted, _proofs(at, wanted, kinds=kinds))


def _rows(edges: Mapping[int, RawEdge], proofs: Iterable[Proven]) -> list[Row]:
    """Return rows of the edges that are known: others came after the topology was read."""
    return [
        Row(edge.cluster, edge.source, edge.target, *it[1:])
        for it in proofs
        if (edge := edges.get(it[0])) is not None
    ]


def read_proofs(
    at: datetime, edges: Mapping[int, RawEdge] | None = None, *, cluster: int | None = None
) -> dict[int, list[EvidenceView]]:
    """Return what had been seen by `at`, by edge: of those edges, or of all of a cluster."""
    found: dict[int, list[EvidenceView]] = {}
    proofs = _proofs(at, edges, cluster)
    for number, kind, first, last, detail in proofs:
        proof = EvidenceView(kind, first, last, detail)
        if number in found:
            found[number].append(proof)
        else:
            found[number] = [proof]
    return found


def proved_by(kind: str, at: datetime) -> set[int]:
    """Return the edges for which that kind of evidence had been seen by `at`."""
    instant = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT edge_id FROM lineage_proof WHERE kind = %s AND first_seen <= %s",
            [kind, instant],
        )
        return {number for (number,) in cursor.fetchall()}


def _proofs(
    at: datetime,
    edges: Collection[int] | None = None,
    cluster: int | None = None,
    kinds: Sequence[str] | None = None,
) -> Iterator[Proven]:
    """Yield what had been seen. By hand: an ORM's row costs as much as ten of these."""
    instant = connection.ops.adapt_datetimefield_value(at)
    where, values = "", list[Any]()
    if kinds:
        where, values = f" AND p.kind IN ({_holes(kinds)})", [*kinds]
    if cluster is not None:
        where += " AND p.edge_id IN (SELECT e.id FROM lineage_edge e WHERE e.cluster_id = %s)"
        values.append(cluster)
    told: dict[str, dict[str, Any]] = {"{}": {}}
    when: dict[str, datetime] = {}
    statement = as_text(_SELECT) + _AS_OF[connection.vendor] + where
    for number, kind, first, last, detail in _fetched(
        statement, [instant, instant, *values], edges
    ):
        if detail not in told:
            told[detail] = json.loads(detail)
        yield number, kind, instant_of(first, when), min(instant_of(last, when), at), told[detail]


def _fetched(
    statement: str, values: list[Any], edges: Collection[int] | None
) -> Iterator[tuple[Any, ...]]:
    """Yield what a statement finds: of those edges, so many at once, or of all."""
    ids = iter(sorted(edges or ()))
    chunks = iter(lambda: list(islice(ids, _EDGES_A_QUERY)), [])
    with connection.cursor() as cursor:
        for chunk in [[]] if edges is None else chunks:
            here = f" AND p.edge_id IN ({_holes(chunk)})" if chunk else ""
            cursor.execute(statement + here, [*values, *chunk])
            yield from cursor.fetchall()


def _holes(values: Collection[object]) -> str:
    return ", ".join(["%s"] * len(values))


def as_text(statement: str) -> str:
    """Ask for instants as text, of which most come many times: to convert each costs too much."""
    return statement.replace("{as_text}", _AS_TEXT[connection.vendor])


def instant_of(value: Any, when: dict[str, datetime]) -> datetime:
    """Return an instant as the database gave it, text or not; text is in UTC.

    `when` keeps what was read: most instants come many times.
    """
    if isinstance(value, datetime):
        return value
    found = when.get(value)
    if found is None:
        zone = "" if value.endswith("+00") else "+00:00"
        found = when[value] = datetime.fromisoformat(value + zone)
    return found
