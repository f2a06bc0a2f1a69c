"""Reading the ledger: evidence as of an instant, summed up in the database, one row a kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Max, Min, Q

from lineage.models import Evidence

_IDS_A_QUERY = 1000
_TOPICS_A_QUERY = 1000


@dataclass(frozen=True)
class Row:
    """One kind of evidence for one edge, from first to last time seen up to the instant asked."""

    cluster: int
    source: tuple[str, str]
    target: tuple[str, str]
    kind: str
    first_seen: datetime
    last_seen: datetime
    detail: dict[str, Any] = field(default_factory=dict, hash=False)


def read(
    at: datetime, *, cluster: int | None = None, topics: Sequence[str] | None = None
) -> list[Row]:
    """Return what had been seen by `at`; of the given topics only, or of all.

    What was seen after `at` does not count: an interval that goes on is cut off there.
    """
    rows = Evidence.objects.filter(first_seen__lte=at)
    if cluster is not None:
        rows = rows.filter(edge__cluster=cluster)
    if topics is not None and len(topics) <= _TOPICS_A_QUERY:
        rows = rows.filter(
            Q(edge__source_kind="topic", edge__source_name__in=topics)
            | Q(edge__target_kind="topic", edge__target_name__in=topics)
        )
    summed = list(
        rows
        .order_by()
        .values_list(
            "edge__cluster_id",
            "edge__source_kind",
            "edge__source_name",
            "edge__target_kind",
            "edge__target_name",
            "kind",
        )
        .annotate(Min("first_seen"), Max("last_seen"), Max("pk"))
    )
    details = dict(_details([row[8] for row in summed]))
    return [
        Row(
            cluster=row[0],
            source=(row[1], row[2]),
            target=(row[3], row[4]),
            kind=row[5],
            first_seen=row[6],
            last_seen=min(row[7], at),
            detail=details.get(row[8], {}),
        )
        for row in summed
    ]


def _details(ids: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    for start in range(0, len(ids), _IDS_A_QUERY):
        yield from (
            Evidence.objects
            .filter(pk__in=ids[start : start + _IDS_A_QUERY])
            .exclude(detail={})
            .values_list("pk", "detail")
        )
