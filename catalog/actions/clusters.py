"""Clusters: known by name, reached at their addresses."""

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from broker.connection import Connection
from catalog.errors import ThingMissingError
from catalog.models import Cluster


def ensure_cluster(name: str, bootstrap_servers: str) -> Cluster:
    """Return the cluster of that name, made or moved to these addresses where needed."""
    cluster, _ = Cluster.objects.get_or_create(
        name=name, defaults={"bootstrap_servers": bootstrap_servers}
    )
    if cluster.bootstrap_servers != bootstrap_servers:
        cluster.bootstrap_servers = bootstrap_servers
        cluster.state = Cluster.State.UNKNOWN
        cluster.message = ""
        cluster.save(update_fields=["bootstrap_servers", "state", "message"])
    return cluster


def find_cluster(name: str) -> Cluster:
    """Return the cluster of that name; raises ThingMissingError."""
    found = Cluster.objects.filter(name=name).first()
    if found is None:
        raise ThingMissingError(f"no cluster is called {name!r}")
    return found


def connection_of(cluster: Cluster) -> Connection:
    """Return how to reach a cluster: with the security settings that name its very addresses."""
    return connection_to(cluster.bootstrap_servers)


def connection_to(bootstrap_servers: str) -> Connection:
    """Return how to reach the cluster at these addresses (see KAFKA_CLIENT_FILES)."""
    addresses = frozenset(it.strip() for it in bootstrap_servers.split(",") if it.strip())
    return Connection(bootstrap_servers, settings.KAFKA_CLIENT_SECRETS.get(addresses, {}))


def note_reached(cluster: Cluster) -> None:
    """Record that the cluster answered just now, at the addresses that `cluster` has."""
    now = timezone.now()
    cluster.state, cluster.message, cluster.reached_at = Cluster.State.CONNECTED, "", now
    _unmoved(cluster).update(state=cluster.state, message="", reached_at=now)


def note_unreachable(cluster: Cluster, message: str) -> bool:
    """Record that the cluster did not answer, and why; return whether that is news."""
    cluster.state, cluster.message = Cluster.State.UNREACHABLE, message
    if _unmoved(cluster).filter(state=cluster.state).update(message=message):
        return False
    return bool(_unmoved(cluster).update(state=cluster.state, message=message))


def _unmoved(cluster: Cluster) -> QuerySet[Cluster]:
    """Its row, unless it got other addresses in the meantime, of which nothing is known."""
    return Cluster.objects.filter(pk=cluster.pk, bootstrap_servers=cluster.bootstrap_servers)
