"""Clusters: known by name, reached at their addresses."""

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
    """Return how to reach a cluster."""
    return Connection(cluster.bootstrap_servers)
