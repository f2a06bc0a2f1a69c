"""Reading the ledger around a few nodes: what a question about them needs, and no more.

The answer has to be that of the whole: so with each actor come all the raw nodes that are the same
one (names tied by producer ids, a service's other names, a copy's group, producers that follow each
other), and all the edges of these. One end of every raw edge is a place, a topic or a dataset: read
are places, then those who write or read them with all their places, and so on.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from fnmatch import fnmatchcase

from django.db.models import Q

from catalog.models import Cluster
from catalog.recognition import PATTERN_KEYS, Recogniser, has_wildcard
from lineage.identity import COPY_GROUP_PREFIX, DEPLOYED_GROUP_PREFIX, copy_of
from lineage.models import Edge, ProducerName
from lineage.reading import Raw, Row, clusters_of, read

Name = tuple[int, int, str, str, datetime, datetime]
"""A producer id of a cluster, the raw node that it named, and from when to when that was seen."""

PLACES = frozenset({"topic", "dataset"})
_PRODUCER_ID = "producer_id"
_NAMES_A_QUERY = 1000
_WITH_CLIENTS = ("member", "topology")


class Frontier:
    """What was read so far, as of one instant: rows of evidence, and names of producers."""

    def __init__(self, at: datetime, recogniser: Recogniser, *, cluster: int | None = None) -> None:
        self._at = at
        self._cluster = cluster
        self._clusters = clusters_of(cluster)
        self._cluster_names = tuple(
            Cluster.objects.filter(pk__in=self._clusters).values_list("name", flat=True)
        )
        self._recogniser = recogniser
        self._services = recogniser.services
        self._rows: dict[tuple[int, Raw, Raw, str], Row] = {}
        self._read: set[Raw] = set()
        self._closed: set[Raw] = set()
        self._named: set[str] = set()
        self._looked_up: set[Raw] = set()
        self._all_clients: bool = False
        self._all_jobs: set[str] | None = None
        self.names: set[Name] = set()

    @property
    def rows(self) -> list[Row]:
        """The rows that were read."""
        return list(self._rows.values())

    def start(self, focus: str) -> set[Raw]:
        """Read whatever may be called so, by name or key; return the places to go on from."""
        name = focus.partition(":")[2]
        called = {focus, name} - {""}
        kinds = [kind for kind in Edge.NodeKind.values if kind not in PLACES]
        actors = {(kind, text) for kind in kinds for text in called}
        for text in called & self._services.keys():
            actors |= self._raws_of({text})
        return self._close(actors) | {(kind, text) for kind in PLACES for text in called}

    def around(self, places: Collection[Raw]) -> set[Raw]:
        """Read the places and all who write or read them; return the places of these."""
        self._take(places)
        wanted = set(places)
        actors = {
            end
            for row in self._rows.values()
            if _places(row) & wanted
            for end in (row.source, row.target)
            if end[0] not in PLACES
        }
        return self._close(actors) - wanted

    def _take(self, nodes: Collection[Raw]) -> list[Row]:
        fresh = set(nodes) - self._read
        if not fresh:
            return []
        self._read |= fresh
        rows = read(self._at, cluster=self._cluster, nodes=fresh)
        for row in rows:
            self._rows[row.cluster, row.source, row.target, row.kind] = row
        return rows

    def _close(self, actors: set[Raw]) -> set[Raw]:
        """Read all edges of the actors and of whoever is one with them; return their places."""
        places: set[Raw] = set()
        while fresh := actors - self._closed:
            self._closed |= fresh
            self._take(fresh)
            mine = [
                row for row in self._rows.values() if row.source in fresh or row.target in fresh
            ]
            places |= {place for row in mine for place in _places(row)}
            actors |= self._tied(fresh)
            actors |= {same for raw in fresh for same in _copies(raw)}
            actors |= self._raws_of(self._services_of(fresh, mine))
            actors |= self._followers(fresh, mine)
        return places

    def _tied(self, raws: set[Raw]) -> set[Raw]:
        """Return the raw nodes that share a producer id with these."""
        fresh = raws - self._looked_up
        self._looked_up |= fresh
        numbers = {int(name) for kind, name in fresh if kind == _PRODUCER_ID and name.isdecimal()}
        names = sorted(name for kind, name in fresh if kind != _PRODUCER_ID)
        rows = ProducerName.objects.all()
        if self._cluster is not None:
            rows = rows.filter(cluster=self._cluster)
        for start in range(0, len(names), _NAMES_A_QUERY):
            chunk = rows.filter(
                node_kind__in={kind for kind, _ in fresh},
                node_name__in=names[start : start + _NAMES_A_QUERY],
            )
            numbers |= set(chunk.values_list("producer_id", flat=True))
        ordered = sorted(numbers)
        found: set[Name] = set()
        for start in range(0, len(ordered), _NAMES_A_QUERY):
            found |= set(
                rows.filter(producer_id__in=ordered[start : start + _NAMES_A_QUERY]).values_list(
                    "cluster_id",
                    "producer_id",
                    "node_kind",
                    "node_name",
                    "first_seen",
                    "last_seen",
                )
            )
        self.names |= found
        return {(kind, name) for _, _, kind, name, *_ in found} | {
            (_PRODUCER_ID, str(number)) for _, number, *_ in found
        }

    def _services_of(self, raws: set[Raw], rows: list[Row]) -> set[str]:
        clients = {("client_id", it) for row in rows for it in row.detail.get("client_ids", ())}
        return {
            service.name
            for kind, name in raws | clients
            for sought in self._sought(kind, name)
            for service in self._recogniser.candidates(kind, sought)
        }

    def _sought(self, kind: str, name: str) -> list[str]:
        """What patterns are held against: a producer id is unique within its cluster only."""
        if kind != _PRODUCER_ID:
            return [name]
        return [f"{cluster}/{name}" for cluster in self._cluster_names]

    def _raws_of(self, services: set[str]) -> set[Raw]:
        """Return the raw nodes that patterns of the services recognise; of each service once."""
        fresh = [self._services[name] for name in services - self._named]
        self._named |= services
        found: set[Raw] = set()
        for kind, key in PATTERN_KEYS.items():
            patterns = {it for service in fresh for it in service.recognised_by.get(key, ())}
            if kind == _PRODUCER_ID:
                patterns = {pattern.rpartition("/")[2] for pattern in patterns}
            if patterns and kind in Edge.NodeKind.values and kind != "job":
                found |= set(_matching(kind, patterns, self._clusters))
            if patterns and kind == "client_id":
                found |= self._with_clients(patterns)
        return found | self._jobs({service.name for service in fresh})

    def _jobs(self, services: set[str]) -> set[Raw]:
        """Return the jobs of the services: by a pattern, by half of a name, by the same name."""
        if not services:
            return set()
        if self._all_jobs is None:
            ends = Edge.objects.filter(cluster__in=self._clusters)
            self._all_jobs = {
                name
                for end in ("source", "target")
                for name in ends.filter(**{f"{end}_kind": "job"}).values_list(
                    f"{end}_name", flat=True
                )
            }
        return {
            ("job", name)
            for name in self._all_jobs
            if services & {it.name for it in self._recogniser.candidates("job", name)}
        }

    def _with_clients(self, patterns: set[str]) -> set[Raw]:
        """Return the groups whose members bear such client ids; no index holds these."""
        if not self._all_clients:
            self._all_clients = True
            for row in read(self._at, cluster=self._cluster, kinds=_WITH_CLIENTS):
                self._rows[row.cluster, row.source, row.target, row.kind] = row
        return {
            row.target if row.source[0] == "topic" else row.source
            for row in self._rows.values()
            for client in row.detail.get("client_ids", ())
            if any(fnmatchcase(client, pattern) for pattern in patterns)
        }

    def _followers(self, raws: set[Raw], rows: list[Row]) -> set[Raw]:
        """Return the other unnamed writers of one topic of each unnamed producer.

        Those that follow it write all the topics that it writes.
        """
        one: dict[Raw, str] = {}
        for row in rows:
            if row.source[0] == _PRODUCER_ID and row.source in raws:
                one[row.source] = min(row.target[1], one.get(row.source, row.target[1]))
        self._take({("topic", topic) for topic in one.values()})
        wanted = set(one.values())
        return {
            row.source
            for row in self._rows.values()
            if row.source[0] == _PRODUCER_ID and row.target[1] in wanted
        }


def _places(row: Row) -> set[Raw]:
    return {end for end in (row.source, row.target) if end[0] in PLACES}


def _copies(raw: Raw) -> Iterator[Raw]:
    if (copy := copy_of(*raw)) is not None:
        yield "copy", copy
        yield "group", COPY_GROUP_PREFIX + copy
        yield "group", DEPLOYED_GROUP_PREFIX + copy


def _matching(kind: str, patterns: set[str], clusters: list[int]) -> Iterator[Raw]:
    """Yield the observed names of one kind that match; of a pattern its literal beginning."""
    for end in ("source", "target"):
        asked = Q(**{f"{end}_name__in": [it for it in patterns if not has_wildcard(it)]})
        for pattern in filter(has_wildcard, patterns):
            asked |= Q(**{f"{end}_name__startswith": _beginning(pattern)})
        rows = Edge.objects.filter(asked, cluster__in=clusters, **{f"{end}_kind": kind})
        for name in rows.values_list(f"{end}_name", flat=True).distinct():
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                yield kind, name
    asked = Q(node_name__in=[it for it in patterns if not has_wildcard(it)])
    for pattern in filter(has_wildcard, patterns):
        asked |= Q(node_name__startswith=_beginning(pattern))
    named = ProducerName.objects.filter(asked, node_kind=kind)
    for name in named.values_list("node_name", flat=True).distinct():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            yield kind, name


def _beginning(pattern: str) -> str:
    return pattern[: min(pattern.find(sign) for sign in "*?[" if sign in pattern)]
