"""Every edge that was ever seen, and every name of a producer, in memory; evidence is not.

Some tens of thousands of rows, which change when something new is seen. Each process keeps them
by the ledger's mark: another process's write is seen by the next question. What only grew is read
from where it ended.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from django.db import connection

from lineage.revision import Mark, read_mark

Raw = tuple[str, str]
K = TypeVar("K")
V = TypeVar("V")


class RawEdge(NamedTuple):
    """An edge of one cluster between raw nodes; `begun` is when it was first seen at all.

    That is as the database gives it: text in SQLite, which is in the order of instants.
    """

    id: int
    cluster: int
    source: Raw
    target: Raw
    begun: Any


class Bearer(NamedTuple):
    """A producer id of a cluster and one raw node that bore it."""

    cluster: int
    producer_id: int
    kind: str
    name: str


@dataclass(frozen=True)
class Growth:
    """What came to a topology of that mark: edges that were not seen before, and bearers."""

    of: Mark
    edges: tuple[RawEdge, ...]
    names: tuple[Bearer, ...]


@dataclass
class Topology:
    """Edges by id and by node, and who bore which producer id. Not to be changed by readers.

    `growths` are the last ones that led to it, one after the other: what was made of an earlier
    topology may grow by them as well.
    """

    mark: Mark
    # read outside of a transaction: what it read is never taken back
    lasting: bool
    edges: dict[int, RawEdge] = field(default_factory=dict)
    at: dict[Raw, list[RawEdge]] = field(default_factory=dict)
    borne: dict[tuple[int, int], list[Bearer]] = field(default_factory=dict)
    numbers: dict[Raw, list[Bearer]] = field(default_factory=dict)
    newest: tuple[int, int, int] = (0, 0, 0)
    counted: tuple[int, int] = (0, 0)
    growths: tuple[Growth, ...] = ()

    def touching(
        self, nodes: Collection[Raw], at: datetime, cluster: int | None = None
    ) -> Iterator[RawEdge]:
        """Yield the edges at the nodes that had been seen by `at`; one between two of them twice.

        An edge that no proof speaks for has not been seen.
        """
        instant = connection.ops.adapt_datetimefield_value(at)
        for node in nodes:
            for edge in self.at.get(node, ()):
                if cluster in {None, edge.cluster} and edge.begun and edge.begun <= instant:
                    yield edge

    def seen_by(self, at: datetime, cluster: int | None = None) -> Iterator[RawEdge]:
        """Yield all edges that had been seen by `at`."""
        instant = connection.ops.adapt_datetimefield_value(at)
        for edge in self.edges.values():
            if cluster in {None, edge.cluster} and edge.begun and edge.begun <= instant:
                yield edge

    def grown(self, mark: Mark, *, lasting: bool) -> "Topology":
        """Return a copy with what came since; this one stays as it is: others may be reading it."""
        found = replace(
            self,
            mark=mark,
            lasting=lasting,
            edges=dict(self.edges),
            at=dict(self.at),
            borne=dict(self.borne),
            numbers=dict(self.numbers),
        )
        growth = found.grow(self.mark)
        found.growths = (*self.growths[1 - _GROWTHS :], growth) if growth else ()
        return found

    def growth_since(self, mark: Mark) -> list[Growth] | None:
        """Return what came since the topology of that mark; None where that is not known."""
        for index, growth in enumerate(self.growths):
            if growth.of == mark:
                return list(self.growths[index:])
        return None

    def grow(self, of: Mark | None = None) -> Growth | None:
        """Read what came since the topology of that mark; return it where nothing moved besides."""
        edge, proof, name = self.newest
        proofs, names = self.counted
        begun: dict[int, Any] = {}
        # an expression has no declared type, thus SQLite's text comes as it is
        as_text = " || ''" if connection.vendor == "sqlite" else ""
        for row in fetch(_PROOFS.format(as_text=as_text), proof):
            proof, proofs = max(proof, row[0]), proofs + 1
            if row[1] not in begun or row[2] < begun[row[1]]:
                begun[row[1]] = row[2]
        raws: dict[Raw, Raw] = {}
        came: list[RawEdge] = []
        for row in fetch(_EDGES, edge):
            edge = max(edge, row[0])
            source, target = (row[2], row[3]), (row[4], row[5])
            source, target = raws.setdefault(source, source), raws.setdefault(target, target)
            self._add(it := RawEdge(row[0], row[1], source, target, begun.pop(row[0], None)))
            came.append(it)
        moved = False
        for number, first in begun.items():
            known = self.edges.get(number)
            if known is not None and (known.begun is None or first < known.begun):
                self._replace(known, seen := known._replace(begun=first))
                came.append(seen)
                moved |= known.begun is not None
        bearers = []
        for row in fetch(_NAMES, name):
            name, names = max(name, row[0]), names + 1
            bearers.append(one := Bearer(*row[1:]))
            _append(self.borne, (one.cluster, one.producer_id), one, shared=self.newest[2] > 0)
            _append(self.numbers, (one.kind, one.name), one, shared=self.newest[2] > 0)
        self.newest, self.counted = (edge, proof, name), (proofs, names)
        if of is None or moved:
            return None
        return Growth(of, tuple(it for it in came if it.begun is not None), tuple(bearers))

    def _add(self, edge: RawEdge) -> None:
        self.edges[edge.id] = edge
        for end in (edge.source, edge.target):
            _append(self.at, end, edge, shared=self.newest[0] > 0)

    def _replace(self, old: RawEdge, new: RawEdge) -> None:
        self.edges[old.id] = new
        for end in (old.source, old.target):
            self.at[end] = [new if it.id == old.id else it for it in self.at[end]]

    def is_whole(self) -> bool:
        """Whether nothing is missing, as an id that was given out early and committed late."""
        (counts,) = fetch(_COUNTS)
        return counts == (len(self.edges), *self.counted)


def _append(known: dict[K, list[V]], key: K, item: V, *, shared: bool) -> None:
    """Append to a list of the mapping, to a copy of it where others may be reading it."""
    others = known.get(key)
    if others is None:
        known[key] = [item]
    elif shared:
        known[key] = [*others, item]
    else:
        others.append(item)


_EDGES = """
SELECT id, cluster_id, source_kind, source_name, target_kind, target_name FROM lineage_edge
WHERE id > %s
"""
_PROOFS = "SELECT id, edge_id, first_seen{as_text} FROM lineage_proof WHERE id > %s"
_NAMES = """
SELECT id, cluster_id, producer_id, node_kind, node_name FROM lineage_producername WHERE id > %s
"""
_COUNTS = """
SELECT (SELECT COUNT(*) FROM lineage_edge), (SELECT COUNT(*) FROM lineage_proof),
  (SELECT COUNT(*) FROM lineage_producername)
"""
# so many growths are told one by one
_GROWTHS = 64
_lock = Lock()
_kept: list[Topology] = []


def fetch(statement: str, *values: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a statement, by hand: an ORM's row costs as much as ten of these."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        yield from cursor.fetchall()


def read_topology() -> Topology:
    """Return the topology as it is now; from memory while the ledger's mark is the same."""
    mark = read_mark()
    known = _kept[0] if _kept else None
    if known is not None and _same(known.mark, mark):
        return known
    with _lock:
        # another thread may have read it meanwhile
        known = _kept[0] if _kept else None
        if known is not None and _same(known.mark, mark):
            return known
        found = _read(known, mark)
        _kept[:] = [found]
    return found


def _same(one: Mark, other: Mark) -> bool:
    return (one.grown, one.rewritten) == (other.grown, other.rewritten)


def _read(known: Topology | None, mark: Mark) -> Topology:
    lasting = not connection.in_atomic_block
    if known is not None and lasting and known.lasting and known.mark.rewritten == mark.rewritten:
        found = known.grown(mark, lasting=True)
        if found.is_whole():
            return found
    found = Topology(mark, lasting)
    found.grow()
    return found
