"""The contract of a policy: a pure look at a snapshot of the catalog that yields findings.

A policy is one file of this folder with `check(snapshot) -> Iterable[Finding]`; adding one is
adding a file and naming it in `catalog.policies.POLICIES`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from catalog.observation import Access, CopyState, StoppedCopy

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class TopicState:
    """One topic: what is declared of it, what Kafka says, and who was observed at it.

    `present` is true while Kafka has it; `gone` when Kafka had it once. `retention_ms` is -1 for
    ever, `None` when unknown.
    """

    cluster: str
    name: str
    kind: str = "unknown"
    context: str | None = None
    writer: str | None = None
    writer_context: str | None = None
    canonical: bool = False
    declared: bool = False
    present: bool = True
    gone: bool = False
    cleanup_policy: str = "delete"
    retention_ms: int | None = None
    accesses: tuple[Access, ...] = ()

    @property
    def internal(self) -> bool:
        """Return whether it is Kafka's own, of which nothing is expected."""
        return self.kind == "internal"


@dataclass(frozen=True)
class ClusterState:
    """One cluster; `message` says why the last attempt failed. Unattempted counts as reachable."""

    name: str
    reachable: bool
    message: str = ""
    reached_at: datetime | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything that a policy may look at, as of one instant."""

    now: datetime
    topics: tuple[TopicState, ...] = ()
    clusters: tuple[ClusterState, ...] = field(default=())
    copies: tuple[CopyState, ...] = ()
    stopped: tuple[StoppedCopy, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What a finding is about: a topic (of a cluster), a service, a copy or a cluster."""

    kind: str
    name: str
    cluster: str | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that contradicts a policy, in words that name the evidence."""

    rule: str
    severity: Severity
    subject: Subject
    message: str

    @property
    def id(self) -> str:
        """Return an id that stays the same for as long as the finding stands."""
        path = [self.rule, self.subject.kind, self.subject.cluster, self.subject.name]
        return "/".join(part for part in path if part)


def gravity(finding: Finding) -> tuple[int, str]:
    """Return what findings are sorted by: the gravest first, then by rule and subject."""
    return SEVERITIES.index(finding.severity), finding.id


class Policy(Protocol):
    """One rule."""

    def __call__(self, snapshot: Snapshot) -> Iterable[Finding]:
        """Yield what contradicts the rule."""
        ...


def about(topic: TopicState) -> Subject:
    """Return a topic as the subject of a finding."""
    return Subject("topic", topic.name, topic.cluster)
