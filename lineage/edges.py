"""The words of lineage: nodes, edges, what proves them, and how far to believe it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import prod
from typing import Any, Literal, get_args

NodeKind = Literal["service", "topic", "copy", "actor", "dataset"]
NODE_KINDS: tuple[NodeKind, ...] = get_args(NodeKind)
PLACES = frozenset({"topic", "dataset"})
"""Where data lies; the other kinds are who writes and reads it."""

STRENGTH: dict[str, float] = {
    "connector": 0.99,  # our own copy says what it reads
    "member": 0.95,  # the coordinator lists the member and its partitions
    "topology": 0.95,  # the coordinator knows the topology of a streams group
    "transaction": 0.95,  # the coordinator lists the partitions of the transaction
    "connect": 0.95,  # Kafka Connect says so itself
    "transaction_log": 0.95,  # the coordinator logged the topics of the transaction
    "commit": 0.95,  # the group's commit carries the writer's producer id
    "producer": 0.95,  # the partition leader lists the producer
    "batch": 0.9,  # the log holds batches of that producer
    "offset": 0.9,  # the group committed an offset
    "trace": 0.6,  # records bear a trace that came from elsewhere; anybody can write that
    "header": 0.6,  # the record says so itself; anybody can write that
    "openlineage": 0.6,  # the job says so itself, likewise
}
"""How far one kind of evidence is believed, as a probability; unlisted kinds count 0.5."""

PRESENCE = frozenset({"member", "topology", "connector", "connect"})
FRESH_PRESENCE = timedelta(seconds=60)
FRESH_MOVEMENT = timedelta(minutes=10)


@dataclass(frozen=True, order=True, slots=True)
class Node:
    """A service, topic or copy; a dataset outside Kafka; or an actor that no pattern recognises.

    An actor is named as Kafka names it, and `known_by` says what that name is: `group`,
    `transactional_id`, `client_id`, `source`, `producer_id`, or OpenLineage's `job`.
    """

    kind: NodeKind
    name: str
    context: str | None = field(default=None, compare=False)
    known_by: str = ""

    @property
    def key(self) -> str:
        """A text that no other node has, for URLs and drawings: `topic:orders`."""
        return f"{self.known_by or self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One kind of proof of an edge: when it was first and last seen, and its particulars."""

    kind: str
    first_seen: datetime
    last_seen: datetime
    detail: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True, slots=True)
class EdgeView:
    """Data was seen to flow from source to target; `active` while the newest proof is fresh."""

    source: Node
    target: Node
    evidence: tuple[EvidenceView, ...]
    first_seen: datetime
    last_seen: datetime
    confidence: float
    active: bool


def confidence(kinds: Iterable[str]) -> float:
    """Return the probability that the edge is real: independent proofs, each wrong now and then.

    `1 - Π (1 - strength)`, each kind of evidence counted once, rounded to three digits. Age plays
    no part: what was once seen did happen, and `active` tells whether it still does.
    """
    return _confidence(frozenset(kinds))


@lru_cache(maxsize=1000)
def _confidence(kinds: frozenset[str]) -> float:
    # in one order: a product rounded last may differ in its last digit
    return round(1 - prod(1 - STRENGTH.get(kind, 0.5) for kind in sorted(kinds)), 3)


def by_strength(proof: "EvidenceView") -> tuple[float, str]:
    """Order kinds of evidence: the strongest first, then by name."""
    return -STRENGTH.get(proof.kind, 0.5), proof.kind


def is_fresh(kind: str, last_seen: datetime, at: datetime) -> bool:
    """Whether that evidence still speaks for the present at `at`.

    Presence (a member, a running connector) is renewed with each sample and fades within a
    minute; movement (a batch, a commit) comes when there is something to move: ten minutes.
    """
    return at - last_seen <= (FRESH_PRESENCE if kind in PRESENCE else FRESH_MOVEMENT)


def edge_view(
    source: Node, target: Node, evidence: Iterable[EvidenceView], at: datetime
) -> EdgeView:
    """Sum up the evidence of one edge as of `at`; kinds in order of strength."""
    proofs = tuple(sorted(evidence, key=by_strength))
    firsts = [proof.first_seen for proof in proofs]
    lasts = [proof.last_seen for proof in proofs]
    return EdgeView(
        source=source,
        target=target,
        evidence=proofs,
        first_seen=min(firsts),
        last_seen=max(lasts),
        confidence=_confidence(frozenset({proof.kind for proof in proofs})),
        active=any(is_fresh(proof.kind, proof.last_seen, at) for proof in proofs),
    )
