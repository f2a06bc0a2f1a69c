"""The whole graph as of an instant: who is joined to whom, the evidence only of what is shown.

That an edge had been seen by then the topology tells. Two things of an outline take evidence: when
unnamed producers were seen last (those that followed each other are one), and with which client
ids members of groups that nothing else recognises were seen.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any

from django.db import connection
from django.utils import timezone

from catalog.models import Topic
from lineage.edges import EdgeView, EvidenceView, Node, edge_view
from lineage.graph.flow import Ends, Flow, Pair
from lineage.graph.merging import joined
from lineage.lifetimes import read_lifetimes
from lineage.numbered import Steps
from lineage.reading import instant_of, proved_by, read_edges, read_proofs
from lineage.recognised import Recognised, read_recognised
from lineage.revision import is_settled, read_mark
from lineage.succession import Life, successors
from lineage.topology import RawEdge

ANONYMOUS = "producer_id"
FEW = 500
"""Names that are looked up one by one; of more of them a whole table is read."""
_WITH_CLIENTS = ("member", "topology")


class Seen(Sequence[list[int]]):
    """Who is next to each number as of an instant, looked up where a walk comes to."""

    def __init__(self, steps: Steps, instant: Any, count: int) -> None:
        self._steps = steps
        self._instant = instant
        self._count = count
        self._known: dict[int, list[int]] = {}

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return self._count

    def __getitem__(self, number: Any) -> Any:
        """Return the steps of a number; not to be changed, only to be set anew."""
        found = self._known.get(number)
        if found is None:
            if number >= self._count:
                raise IndexError(number)
            is_more = number >= len(self._steps.to)
            found = [] if is_more else self._steps.by(number, self._instant)
            self._known[number] = found
        return found

    def __setitem__(self, number: int, steps: list[int]) -> None:
        """Set the steps of a number."""
        self._known[number] = steps

    def copy(self) -> "Seen":
        """Return one that may be changed without this one."""
        found = Seen(self._steps, self._instant, self._count)
        found._known = dict(self._known)
        return found


class Outline(Flow):
    """The graph over the numbers that nodes have in `known`; some more come at its end."""

    succ: Seen
    pred: Seen

    def __init__(self, known: Recognised, at: datetime, cluster: int | None = None) -> None:
        self.known = known
        self.at = at
        self.cluster = cluster
        self._numbered = numbered = known.numbered(cluster)
        self.nodes = list(numbered.nodes)
        self._more: dict[Node, int] = {}
        self._instant = instant = connection.ops.adapt_datetimefield_value(at)
        unsure = numbered.unsure[: bisect_right(numbered.unsure_begun, instant)]
        other = self._clients() | self._successors(unsure)
        self.succ = Seen(numbered.succ, instant, len(self.nodes))
        self.pred = Seen(numbered.pred, instant, len(self.nodes))
        self._gone: set[int] = set()
        self._unsure: dict[Pair, list[RawEdge]] = {}
        for edge, source, target in unsure:
            self._join(edge, (other.get(source, source), other.get(target, target)))

    def _join(self, edge: RawEdge, pair: Pair) -> None:
        known = self._unsure.get(pair)
        if known is not None:
            known.append(edge)
            return
        self._unsure[pair] = [edge]
        source, target = pair
        if target not in self.succ[source]:
            self.succ[source] = [*self.succ[source], target]
            self.pred[target] = [*self.pred[target], source]

    def _behind(self, pair: Pair) -> list[RawEdge]:
        """Return the raw edges between two nodes, those that were seen later among them."""
        sure, unsure = self._numbered.behind.get(pair, []), self._unsure.get(pair, [])
        return [*sure, *unsure] if sure and unsure else sure or unsure

    # -- what depends on the instant --------------------------------------------------------------
    def _successors(self, seen: Iterable[tuple[RawEdge, int, int]]) -> dict[int, int]:
        """Return by which number each unnamed producer goes that was followed by another."""
        nodes = self.nodes
        written: dict[int, list[RawEdge]] = defaultdict(list)
        for edge, source, _ in seen:
            if nodes[source].known_by == ANONYMOUS:
                written[source].append(edge)
        alike: dict[frozenset[str], list[int]] = defaultdict(list)
        for number, edges in written.items():
            alike[frozenset([edge.target[1] for edge in edges])].append(number)
        # one that nobody can have followed is nobody else
        rivals = {topics: numbers for topics, numbers in alike.items() if len(numbers) > 1}
        if not rivals:
            return {}
        last_seen = read_lifetimes(self.known.topology, self.at).last_seen
        when: dict[str, datetime] = {}
        lives = [
            Life(
                nodes[number].name,
                topics,
                # those that were seen first come first
                instant_of(written[number][0].begun, when),
                max(last_seen(edge.id, self.at) for edge in written[number]),
            )
            for topics, numbers in rivals.items()
            for number in numbers
        ]
        known = {nodes[number].name: number for number in written}
        return {
            known[name]: known[newest]
            for name, newest in successors(lives).items()
            if name != newest
        }

    def _clients(self) -> dict[int, int]:
        """Return the numbers of services by which groups go whose members' client ids tell."""
        known = self.known
        if not known.recogniser.knows_clients:
            return {}
        clients: dict[int, set[str]] = defaultdict(set)
        readers: dict[int, tuple[int, tuple[str, str]]] = {}
        edges = {it.id: it for it in known.topology.touching(known.unknown, self.at, self.cluster)}
        for row in read_edges(self.at, edges.values(), kinds=_WITH_CLIENTS):
            reader = row.target if row.source[0] == "topic" else row.source
            number = self._numbered.by_raw[row.cluster, reader]
            readers[number] = row.cluster, reader
            clients[number].update(row.detail.get("client_ids", ()))
        found: dict[int, int] = {}
        for number, ids in clients.items():
            cluster, raw = readers[number]
            node = known.identities(cluster).node(*raw, None, sorted(ids))
            if node != self.nodes[number]:
                found[number] = self._number(node)
        return found

    def _number(self, node: Node) -> int:
        number = self._numbered.number.get(node, self._more.get(node))
        if number is None:
            number = self._more[node] = len(self.nodes)
            self.nodes.append(node)
        return number

    # -- looking up -------------------------------------------------------------------------------
    def find(self, node: Node) -> int | None:
        """Return the number of a node that has edges."""
        number = self._numbered.number.get(node, self._more.get(node))
        return number if number is not None and self.degree(number) else None

    def called(self, text: str) -> list[Node]:
        """Return the nodes of that name or key that have edges."""
        return list(self.nodes_of(self.numbers_called(text)).values())

    def numbers_called(self, text: str) -> list[int]:
        """Return their numbers."""
        found = list(self._numbered.called.get(text, ()))
        found += (
            number
            for node, number in self._more.items()
            if text in {node.name, node.key, f"{node.kind}:{node.name}"}
        )
        return [it for it in found if self.degree(it)]

    def folded(self, keep: Node | None = None) -> "Outline":
        """Return the graph without topics that are internal to one service, as `fold_internal`."""
        kept = self.find(keep) if keep else None
        gone = {
            number
            for number in self._numbered.internal
            if number != kept and len({*self.succ[number], *self.pred[number]}) == 1
        }
        if not gone:
            return self
        return self._without(gone)

    def _without(self, gone: set[int]) -> "Outline":
        """Return a copy without nodes at which there is one other."""
        succ, pred = self.succ.copy(), self.pred.copy()
        for number in gone:
            (user,) = {*self.succ[number], *self.pred[number]}
            succ[user] = [it for it in succ[user] if it not in gone]
            pred[user] = [it for it in pred[user] if it not in gone]
            succ[number], pred[number] = [], []
        found = copy(self)
        remembered = {"pairs", "edges", "graph"}
        found.__dict__ = {name: it for name, it in vars(self).items() if name not in remembered}
        found.__dict__ |= {"succ": succ, "pred": pred, "_gone": gone}
        return found

    def ends(self) -> list[Ends]:
        """Return all edges without what speaks for them, with the contexts of their ends."""
        nodes = self.nodes_of({number for pair in self.pairs for number in pair})
        return [Ends(nodes[source], nodes[target]) for source, target in self.pairs]

    @cached_property
    def edges(self) -> list[EdgeView]:
        """All edges with their evidence, by the keys of their ends."""
        return list(self.edges_of(self.pairs).values())

    def proved_by(self, kind: str) -> set[Pair]:
        """Return the pairs for which that kind of evidence had been seen."""
        ids = proved_by(kind, self.at)
        return {pair for pair in self.pairs if any(it.id in ids for it in self._behind(pair))}

    @cached_property
    def pairs(self) -> list[Pair]:
        """All pairs that are joined, in the order of their keys."""
        instant, gone = self._instant, self._gone
        found = [pair for pair, begun in self._numbered.pairs if begun <= instant]
        if self._unsure:
            begun, rank, nodes = self._numbered.begun, self._numbered.rank, self.nodes
            more = [it for it in self._unsure if it not in begun or begun[it] > instant]
            if self._more:
                found = sorted(found + more, key=lambda it: (nodes[it[0]].key, nodes[it[1]].key))
            else:
                found = sorted(found + more, key=lambda it: (rank[it[0]], rank[it[1]]))
        if gone:
            found = [pair for pair in found if pair[0] not in gone and pair[1] not in gone]
        return found

    # -- what is shown ----------------------------------------------------------------------------
    def edges_of(self, pairs: Collection[Pair]) -> dict[Pair, EdgeView]:
        """Read the evidence of some edges."""
        proofs = self._proofs(pairs, self.at)
        nodes = self.nodes_of({number for pair in pairs for number in pair}, proofs)
        found: dict[Pair, EdgeView] = {}
        for pair in pairs:
            ends = nodes[pair[0]], nodes[pair[1]]
            if evidence := self._evidence(pair, proofs):
                found[pair] = edge_view(*ends, evidence, self.at)
            else:
                # folded into another by compaction since the topology was read
                begun = instant_of(self._behind(pair)[0].begun, {})
                found[pair] = EdgeView(*ends, (), begun, begun, 0.0, active=False)
        return found

    def edges_before(self, at: datetime) -> list[EdgeView]:
        """Return the edges as they were known at an earlier instant, between the nodes of this one.

        A name that was learnt since, or a producer that was restarted, makes no difference.
        """
        proofs = self._proofs(self.pairs, at)
        nodes = self.nodes_of({number for pair in self.pairs for number in pair})
        return [
            edge_view(nodes[pair[0]], nodes[pair[1]], evidence, at)
            for pair in self.pairs
            if (evidence := self._evidence(pair, proofs))
        ]

    def _proofs(self, pairs: Collection[Pair], at: datetime) -> dict[int, list[EvidenceView]]:
        behind = {edge.id: edge for pair in pairs for edge in self._behind(pair)}
        whole = len(behind) > len(self.known.topology.edges) // 3
        return read_proofs(at, None if whole else behind, cluster=self.cluster)

    def _evidence(self, pair: Pair, proofs: dict[int, list[EvidenceView]]) -> list[EvidenceView]:
        edges = self._behind(pair)
        if len(edges) == 1:
            return proofs.get(edges[0].id, [])
        return joined(it for edge in edges for it in proofs.get(edge.id, ()))

    def nodes_of(
        self, numbers: Iterable[int], proofs: dict[int, list[EvidenceView]] | None = None
    ) -> dict[int, Node]:
        """Return nodes with the contexts of topics, which the catalog knows, and of copies."""
        found = {number: self.nodes[number] for number in numbers}
        names = {node.name for node in found.values() if node.kind == "topic"}
        topics = Topic.objects.exclude(context=None)
        if self.cluster is not None:
            topics = topics.filter(cluster=self.cluster)
        if len(names) <= FEW:
            topics = topics.filter(name__in=names)
        contexts = (
            dict(topics.order_by("-cluster").values_list("name", "context__name")) if names else {}
        )
        for number, node in found.items():
            if node.kind == "topic" and (context := contexts.get(node.name)):
                found[number] = Node("topic", node.name, context)
            elif node.kind == "copy":
                found[number] = Node("copy", node.name, self._context_of_copy(number, proofs))
        return found

    def _context_of_copy(
        self, number: int, proofs: dict[int, list[EvidenceView]] | None
    ) -> str | None:
        """Return the context that the newest proof of a copy tells."""
        edges = {
            edge.id: edge
            for source in self.pred[number]
            for edge in self._behind((source, number))
            if edge.target[0] == "copy"
        }
        if proofs is None or not proofs.keys() >= edges.keys():
            proofs = read_proofs(self.at, edges)
        told = [it for number in edges for it in proofs.get(number, ())]
        newest = max(told, key=lambda it: it.last_seen, default=None)
        return newest.detail.get("context") if newest else None


_MOST_KEPT = 4
_kept: dict[tuple[datetime, int | None], tuple[Recognised, object, Outline]] = {}
_lock = Lock()


def read_outline(as_of: datetime | None = None, cluster: int | None = None) -> Outline:
    """Return the outline as of an instant, or of now.

    Of a few instants that have settled the last ones are kept, with the evidence that was read of
    them: the pages of one answer, and several questions to one instant, read it once.
    """
    known = read_recognised()
    if as_of is None or not is_settled(as_of):
        return Outline(known, as_of or timezone.now(), cluster)
    key, past = (as_of, cluster), read_mark().past
    with _lock:
        found = _kept.get(key)
    if found is not None and found[0] is known and found[1] == past:
        return found[2]
    outline = Outline(known, as_of, cluster)
    with _lock:
        for old in [it for it, kept in _kept.items() if kept[0] is not known or kept[1] != past]:
            del _kept[old]
        while len(_kept) >= _MOST_KEPT:
            del _kept[next(iter(_kept))]
        _kept[key] = known, past, outline
    return outline
