"""Declared against observed, topic by topic: the catalog's single writer and who was seen.

The verdict is the catalog's own (`catalog.policies.single_writer`), so that a topic's page, the
findings and this list never disagree. Declarations have no past: as of an instant, today's
declaration is held against what had been observed then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from catalog.actions import TopicView, describe_topics, find_cluster
from catalog.models import Topic
from catalog.observation import Access
from catalog.policies.single_writer import is_nameless

VERDICTS = ("verified", "unverified", "violated")


@dataclass(frozen=True)
class DeclaredView:
    """One topic: who is declared to write it, who was observed, and the verdict with its reasons.

    `observed` write it now, services and actors; `earlier` did and stopped. `undeclared` are the
    observed ones, now or earlier, that are not declared, without bare producer ids; `unrecognised`
    are all observed actors in whom no service is recognised, bare producer ids too.
    """

    cluster: str
    topic: str
    context: str | None
    declared: str | None
    observed: tuple[str, ...]
    earlier: tuple[str, ...]
    undeclared: tuple[str, ...]
    unrecognised: tuple[str, ...]
    seen: datetime | None
    verdict: str
    reasons: tuple[str, ...]

    @property
    def unobserved(self) -> bool:
        """Whether a writer is declared that was never seen writing."""
        return self.declared is not None and self.seen is None


def list_declared(
    *,
    verdict: str | None = None,
    cluster: str | None = None,
    context: str | None = None,
    topic: str | None = None,
    as_of: datetime | None = None,
) -> list[DeclaredView]:
    """List the topics that are declared or that Kafka has, the gravest verdict first.

    Kafka's own topics are left out. Raises ThingMissingError when there is no such cluster.
    """
    rows = (
        Topic.objects
        .filter(Q(declared=True) | Q(gone_at=None))
        .exclude(kind=Topic.Kind.INTERNAL)
        .defer("configs", "description")
        .order_by("cluster__name", "name")
    )
    if cluster:
        rows = rows.filter(cluster=find_cluster(cluster))
    if context:
        rows = rows.filter(context__name=context)
    if topic:
        rows = rows.filter(name=topic)
    views = [_view(found) for found in describe_topics(rows, as_of)]
    chosen = [view for view in views if verdict in {None, "", view.verdict}]
    return sorted(chosen, key=lambda view: -VERDICTS.index(view.verdict))


def _view(found: TopicView) -> DeclaredView:
    declared = found.writer.declared
    writing = [access for access in found.accesses if access.direction == "writes"]
    foreign = [it for it in writing if it.service != declared or it.service is None]
    return DeclaredView(
        cluster=found.cluster,
        topic=found.name,
        context=found.context,
        declared=declared,
        observed=_names(it for it in writing if it.active),
        earlier=_names(it for it in writing if not it.active),
        undeclared=_names(it for it in foreign if not is_nameless(it)),
        unrecognised=_names(it for it in writing if it.service is None),
        seen=max((it.last_seen for it in writing if it.service == declared), default=None)
        if declared
        else None,
        verdict=found.writer.verdict,
        reasons=found.writer.reasons,
    )


def _names(accesses: Iterable[Access]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(access.service or access.actor for access in accesses))
