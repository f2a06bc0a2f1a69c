"""Whether the ledger is as it was: marks that every write renews, and that one query reads.

What may be remembered of the ledger is its topology (edges, proofs, names), and evidence of
instants that have settled: a sample of now changes nothing that was known hours ago. A write that
does, late or by compaction, draws the mark of the past anew.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import randbits

from django.db import connection
from django.utils import timezone

from catalog.models import Cluster
from lineage.models import Edge, Evidence, ProducerName, Proof, Revision

SETTLED = timedelta(hours=3)
"""How old an instant has to be to be answered from memory."""
_LATE = timedelta(hours=2)
# the hour between both is what clocks of several machines may differ by


@dataclass(frozen=True)
class Mark:
    """The state of the ledger's topology, and of its settled past; equal ones are the same state.

    The newest ids stand beside the marks of each cluster: rows that came in by another way than
    `lineage.ledger` are noticed as well.
    """

    grown: tuple[object, ...]
    rewritten: tuple[tuple[int, int], ...]
    past: tuple[object, ...]


_NEWEST = [(model, model._meta.db_table) for model in (Edge, Proof, ProducerName, Evidence)]  # noqa: SLF001  (documented API)
_READ = "SELECT " + ", ".join(f"(SELECT MAX(id) FROM {table})" for _, table in _NEWEST)  # noqa: S608


def read_mark() -> Mark:
    """Return the mark of now; two queries of a few index steps."""
    with connection.cursor() as cursor:
        # the ids first: what is written in between is then read again rather than missed
        cursor.execute(_READ)
        *newest, evidence = cursor.fetchone()
    rows = list(
        Revision.objects.order_by("cluster_id").values_list(
            "cluster_id", "grown", "rewritten", "past"
        )
    )
    return Mark(
        (*newest, *((cluster, grown) for cluster, grown, _, _ in rows)),
        tuple((cluster, rewritten) for cluster, _, rewritten, _ in rows),
        (*((cluster, past) for cluster, _, _, past in rows), evidence if not rows else 0),
    )


def is_settled(at: datetime) -> bool:
    """Whether an instant is old enough that samples of now leave it alone."""
    return at <= timezone.now() - SETTLED


def renew(
    cluster: Cluster,
    *,
    grown: bool = False,
    rewritten: bool = False,
    since: datetime | None = None,
) -> None:
    """Draw marks anew, within the transaction that writes; `since` is what it wrote from on."""
    drawn = {
        "grown": grown or rewritten,
        "rewritten": rewritten,
        "past": since is not None and since < timezone.now() - _LATE,
    }
    fresh = {name: randbits(62) for name, wanted in drawn.items() if wanted}
    if not fresh:
        return
    Revision.objects.bulk_create(
        [Revision(cluster=cluster, **fresh)],
        update_conflicts=True,
        unique_fields=["cluster"],
        update_fields=list(fresh),
    )
