"""Jobs of the catalog, started by the schedule."""

from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from catalog.actions import synchronise as synchronise_cluster
from catalog.models import Cluster

# a worker that dies in the middle frees its cluster after this long
_LEASE = timedelta(minutes=3)


@shared_task(name="catalog.tasks.synchronise", expires=30, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def synchronise() -> None:
    """Synchronise every cluster that no other worker is synchronising.

    A job that waited for half a minute is dropped, and a cluster that answers slowly is asked by
    one worker alone: neither a full queue nor a hung broker takes the workers from other jobs.
    """
    for cluster in Cluster.objects.order_by("name"):
        if _take(cluster):
            try:
                synchronise_cluster(cluster)
            finally:
                Cluster.objects.filter(pk=cluster.pk).update(busy_until=None)


def _take(cluster: Cluster) -> bool:
    """Take the cluster for this worker; false when another has it."""
    now = timezone.now()
    free = Q(busy_until=None) | Q(busy_until__lt=now)
    taken = Cluster.objects.filter(free, pk=cluster.pk).update(busy_until=now + _LEASE)
    return taken == 1
