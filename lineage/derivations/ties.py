"""What ties an input to a view in Kafka's own records: one producer id, or one topology. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lineage.derivations.derivation import Tie, Triple
from lineage.edges import Node
from lineage.reading import Row

Raw = tuple[str, str]
_INTERNAL = ("-changelog", "-repartition")


@dataclass(frozen=True)
class NamedRow:
    """A raw row of the ledger with the nodes that its ends are shown as."""

    row: Row
    source: Node
    target: Node


ByGroup = dict[tuple[int, str], list[NamedRow]]


@dataclass(frozen=True)
class Bearer:
    """A producer id of a cluster, and one name of whoever bears it; how that became known."""

    cluster: int
    producer_id: int
    raw: Raw
    evidence: str


def find_ties(rows: Sequence[NamedRow], bearers: Iterable[Bearer]) -> dict[Triple, Tie]:
    """Return each tie by input, deriver and view; only between edges of one and the same deriver.

    A producer id that commits a group's offsets and writes a topic ties what the group committed
    to that topic. The ledger keeps which group a producer id commits, not for which of its topics:
    all topics of the group with evidence of commits count.
    """
    return dict([*_streams(rows), *_commits(rows, list(bearers))])


def _commits(rows: Sequence[NamedRow], bearers: list[Bearer]) -> Iterator[tuple[Triple, Tie]]:
    producers: dict[tuple[int, Raw], set[int]] = defaultdict(set)
    groups: dict[tuple[int, int], set[str]] = defaultdict(set)
    for it in bearers:
        producers[it.cluster, it.raw].add(it.producer_id)
        if it.raw[0] == "group" and it.evidence == "commit":
            groups[it.cluster, it.producer_id].add(it.raw[1])
    committed = _by_group(each for each in rows if each.row.kind == "commit")
    for each in [it for it in rows if it.target.kind == "topic"]:
        for producer_id in _producers_of(each.row, producers):
            for group in sorted(groups.get((each.row.cluster, producer_id), ())):
                detail = f"producer {producer_id} writes it and commits the offsets of {group}"
                yield from _joined(each, committed, group, Tie("commit", detail))


def _by_group(rows: Iterable[NamedRow]) -> ByGroup:
    found: ByGroup = defaultdict(list)
    for each in rows:
        if each.row.target[0] == "group":
            found[each.row.cluster, each.row.target[1]].append(each)
    return found


def _joined(
    written: NamedRow, reads: ByGroup, group: str, tie: Tie
) -> Iterator[tuple[Triple, Tie]]:
    """Tie all that the group reads to what was written, where both ends are one deriver."""
    for read in reads.get((written.row.cluster, group), ()):
        if read.target == written.source:
            yield (read.source, written.source, written.target), tie


def _producers_of(row: Row, producers: dict[tuple[int, Raw], set[int]]) -> list[int]:
    """The producer ids that a written row may stand for."""
    kind, name = row.source
    told = row.detail.get("producer_id")
    found = set(producers.get((row.cluster, row.source), ()))
    if isinstance(told, int):
        found.add(told)
    if kind == "producer_id" and name.isdecimal():
        found.add(int(name))
    return sorted(found)


def _streams(rows: Sequence[NamedRow]) -> Iterator[tuple[Triple, Tie]]:
    """Tie what a Streams application reads to its repartition and changelog topics.

    The coordinator knows a topology of the streams protocol (KIP-1071). Under the older protocol
    the name of an internal topic begins with the application's id, which is its group.
    """
    reads = _by_group(rows)
    for each in rows:
        if each.target.kind == "topic":
            for group in _applications(each, reads):
                detail = f"a topology of the Streams application {group} joins them"
                yield from _joined(each, reads, group, Tie("topology", detail))


def _applications(each: NamedRow, reads: ByGroup) -> list[str]:
    """The groups that are the application of a written internal topic."""
    cluster, (kind, name), topic = each.row.cluster, each.row.source, each.row.target[1]
    if kind == "group" and each.row.kind == "topology":
        return [name] if (cluster, name) in reads else []
    return [it for it in applications(topic) if (cluster, it) in reads][:1]


def applications(topic: str) -> list[str]:
    """Return what may be the application of an internal topic, by its name; the longest first."""
    if not topic.endswith(_INTERNAL):
        return []
    parts = topic.split("-")
    return ["-".join(parts[:at]) for at in range(len(parts) - 1, 0, -1)]
