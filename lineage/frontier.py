"""Reading the ledger around a few nodes: what a question about them needs, and no more.

The answer has to be that of the whole: so with each actor come all the raw nodes that are the same
one (names tied by producer ids, a service's other names, a copy's group, producers that follow each
other), and all the edges of these. One end of every raw edge is a place, a topic or a dataset:
walked are places, then those who write or read them with all their places, and so on. That is
walked in memory; evidence is read once, of the edges that it came to.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from fnmatch import fnmatchcase

from lineage.edges import PLACES
from lineage.identity import COPY_GROUP_PREFIX, DEPLOYED_GROUP_PREFIX, copy_of
from lineage.models import Edge
from lineage.reading import Row, read_edges
from lineage.recognised import Recognised
from lineage.topology import Raw, RawEdge

_PRODUCER_ID = "producer_id"
_WITH_CLIENTS = ("member", "topology")


class Frontier:
    """The edges that were come to so far, as of one instant."""

    def __init__(self, at: datetime, known: Recognised, *, cluster: int | None = None) -> None:
        self._at = at
        self._cluster = cluster
        self._known = known
        self._services = known.recogniser.services
        self._by_client = known.recogniser.knows_clients
        self._taken: set[Raw] = set()
        self._closed: set[Raw] = set()
        self._named: set[str] = set()
        self._clients: dict[Raw, set[str]] | None = None
        # client ids of groups' members, and the edges whose evidence was asked for them
        self._seen: dict[Raw, set[str]] = {}
        self._asked: set[int] = set()
        self.edges: dict[int, RawEdge] = {}

    def rows(self) -> list[Row]:
        """Read what speaks for the edges."""
        return read_edges(self._at, self.edges.values())

    def start(self, focus: str) -> set[Raw]:
        """Come to whatever may be called so, by name or key; return the places to go on from."""
        name = focus.partition(":")[2]
        called = {focus, name} - {""}
        kinds = [kind for kind in Edge.NodeKind.values if kind not in PLACES]
        actors = {(kind, text) for kind in kinds for text in called}
        for text in called & self._services.keys():
            actors |= self._raws_of({text})
        return self._close(actors) | {(kind, text) for kind in PLACES for text in called}

    def around(self, places: Collection[Raw]) -> set[Raw]:
        """Come to the places and all who write or read them; return the places of these."""
        wanted = set(places)
        actors = {
            end
            for edge in self._take(wanted)
            for end in (edge.source, edge.target)
            if end[0] not in PLACES
        }
        return self._close(actors) - wanted

    def include(self, actors: Collection[Raw]) -> None:
        """Come to all edges of some actors and of whoever is one with them."""
        self._close(set(actors))

    def _take(self, nodes: Collection[Raw]) -> list[RawEdge]:
        found = list(self._known.topology.touching(nodes, self._at, self._cluster))
        self.edges.update((edge.id, edge) for edge in found)
        return found

    def _close(self, actors: set[Raw]) -> set[Raw]:
        """Come to all edges of the actors and of whoever is one with them; return their places."""
        places: set[Raw] = set()
        while fresh := actors - self._closed:
            self._closed |= fresh
            mine = self._take(fresh)
            places |= {end for edge in mine for end in (edge.source, edge.target)}
            actors |= self._tied(fresh)
            actors |= {same for raw in fresh for same in _copies(raw)}
            actors |= self._raws_of(self._services_of(fresh))
            actors |= self._followers(fresh, mine)
        return {it for it in places if it[0] in PLACES}

    def _tied(self, raws: set[Raw]) -> set[Raw]:
        """Return the raw nodes that share a producer id with these."""
        topology = self._known.topology
        bearers = [
            other
            for raw in raws
            for it in topology.numbers.get(raw, ())
            for other in topology.borne[it.cluster, it.producer_id]
        ]
        clusters = self._known.clusters
        bearers += (
            it
            for kind, name in raws
            if kind == _PRODUCER_ID and name.isdecimal()
            for cluster in clusters
            for it in topology.borne.get((cluster, int(name)), ())
        )
        return {
            raw
            for it in bearers
            if self._cluster in {None, it.cluster}
            for raw in ((it.kind, it.name), (_PRODUCER_ID, str(it.producer_id)))
        }

    def _services_of(self, raws: set[Raw]) -> set[str]:
        found = {
            service.name
            for raw in raws
            for sought in {self._known.sought(it, *raw) for it in self._known.clusters}
            for service in self._known.recogniser.candidates(raw[0], sought)
        }
        if self._by_client and (unknown := raws & self._known.unknown):
            for client in {it for ids in self._clients_of(unknown).values() for it in ids}:
                candidates = self._known.recogniser.candidates("client_id", client)
                found |= {service.name for service in candidates}
        return found

    def _clients_of(self, raws: Collection[Raw]) -> dict[Raw, set[str]]:
        """Return the client ids of members of those groups, as of the instant."""
        touching = self._known.topology.touching(raws, self._at, self._cluster)
        fresh = [edge for edge in touching if edge.id not in self._asked]
        self._asked |= {edge.id for edge in fresh}
        for row in read_edges(self._at, fresh, kinds=_WITH_CLIENTS) if fresh else ():
            reader = row.target if row.source[0] == "topic" else row.source
            self._seen.setdefault(reader, set()).update(row.detail.get("client_ids", ()))
        return {raw: self._seen[raw] for raw in raws if raw in self._seen}

    def _raws_of(self, services: set[str]) -> set[Raw]:
        """Return the raw nodes that patterns of the services recognise; of each service once."""
        fresh = services - self._named
        self._named |= fresh
        found = self._known.raws_of(fresh)
        patterns = {
            pattern
            for name in fresh
            for pattern in self._services[name].recognised_by.get("client_ids", ())
        }
        return found | self._with_clients(patterns) if patterns else found

    def _with_clients(self, patterns: set[str]) -> set[Raw]:
        """Return the groups that only such client ids of their members tell to be the service's."""
        if self._clients is None:
            self._clients = self._clients_of(self._known.unknown)
        return {
            raw
            for raw, clients in self._clients.items()
            if any(fnmatchcase(it, pattern) for it in clients for pattern in patterns)
        }

    def _followers(self, raws: set[Raw], edges: list[RawEdge]) -> set[Raw]:
        """Return the other unnamed writers of one topic of each unnamed producer.

        Those that follow it write all the topics that it writes.
        """
        one: dict[Raw, Raw] = {}
        for edge in edges:
            if edge.source[0] == _PRODUCER_ID and edge.source in raws:
                one[edge.source] = min(edge.target, one.get(edge.source, edge.target))
        return {
            edge.source for edge in self._take(set(one.values())) if edge.source[0] == _PRODUCER_ID
        }


def _copies(raw: Raw) -> Iterator[Raw]:
    if (copy := copy_of(*raw)) is not None:
        yield "copy", copy
        yield "group", COPY_GROUP_PREFIX + copy
        yield "group", DEPLOYED_GROUP_PREFIX + copy
