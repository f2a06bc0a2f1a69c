"""Who may read and write: the cluster's access control entries on topics. Not who does."""

from dataclasses import asdict

from django.db import transaction

from broker.observe import Acl
from lineage.sampling.models import Permission
from lineage.sampling.sampler import Sample, View


class Acls:
    """Keeps the entries on topics, each from when it was first seen until it was gone.

    They are permissions: never an edge, never counted as traffic. Blind to super users, and to
    authorizers that keep their rules elsewhere; a cluster without an authorizer has none.
    """

    name = "acl"
    permissions: tuple[str, ...] = ("DESCRIBE on the cluster",)

    def sample(self, view: View) -> Sample:
        """Compare the entries with those known; what did not change costs no write."""
        now = set(view.observer.acls() or ())
        rows = Permission.objects.filter(cluster=view.cluster, gone_at=None)
        known = {_acl(row): row.pk for row in rows}
        gone = [pk for acl, pk in known.items() if acl not in now]
        fresh = [
            Permission(cluster=view.cluster, first_seen=view.at, **asdict(acl))
            for acl in sorted(now - known.keys(), key=repr)
        ]
        if gone or fresh:
            with transaction.atomic():
                Permission.objects.filter(pk__in=gone).update(gone_at=view.at)
                Permission.objects.bulk_create(fresh, batch_size=1000)
        return Sample()


def _acl(row: Permission) -> Acl:
    return Acl(row.principal, row.host, row.operation, row.allowed, row.pattern, row.topic)
