"""How fresh each kind of evidence is, and what cannot be observed."""

from collections import defaultdict

from django.utils import timezone

from catalog.models import Cluster
from catalog.policies.contract import Finding, Subject
from catalog.policies.words import listing, span
from lineage.actions.edges import cluster_id
from lineage.models import Sampling


def list_samplings(cluster: str | None = None) -> list[Sampling]:
    """Return the last run of each kind of sampler: how old each kind of evidence is, and why.

    Raises ThingMissingError when there is no such cluster.
    """
    rows = Sampling.objects.select_related("cluster").order_by("cluster__name", "kind")
    return list(rows.filter(cluster=cluster_id(cluster)) if cluster else rows)


def find_blind_spots() -> list[Finding]:
    """Return what cannot be observed now: one finding a cause, not one a kind of evidence.

    A cluster that is away is a finding of the catalog's and none here.
    """
    rows = Sampling.objects.exclude(message="").select_related("cluster")
    reached = rows.exclude(cluster__state=Cluster.State.UNREACHABLE)
    causes: dict[tuple[str, str], list[Sampling]] = defaultdict(list)
    for row in reached.order_by("cluster__name", "kind"):
        causes[row.cluster.name, row.message].append(row)
    now = timezone.now()
    found = []
    for (cluster, message), group in causes.items():
        successes = [row.succeeded_at for row in group if row.succeeded_at]
        last = f"last succeeded {span(now - min(successes))} ago" if successes else "never yet"
        kinds = listing(row.kind for row in group)
        subject = Subject("sampling", f"sampling of {kinds}", cluster)
        found.append(Finding("sampling", "warning", subject, f"{message}; {last}"))
    return found
