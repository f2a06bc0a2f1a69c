"""Deploy copies on Kafka Connect, take them back, and say how they stand."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from broker.observe import Observer
from catalog.actions import connection_of
from catalog.models import Cluster
from lineage.connectors.actions import definition_of, find_connector, target_url
from lineage.connectors.deployment.client import ConnectCluster, shown
from lineage.connectors.deployment.errors import (
    ConnectRefusedError,
    ConnectUnavailableError,
    ConnectUnsetError,
    DeploymentMissingError,
    EngineMismatchError,
    NotRenderableError,
)
from lineage.connectors.deployment.jdbc import jdbc_target
from lineage.connectors.deployment.models import Deployment
from lineage.connectors.deployment.rendering import (
    Rendering,
    Workers,
    connector_name,
    render,
)
from lineage.connectors.deployment.schemas import shape_of
from lineage.connectors.errors import ConnectorError, DefinitionInvalidError, TargetInvalidError
from lineage.connectors.models import Connector
from lineage.identity import COPY_GROUP_PREFIX

# Connect ends tasks gracefully within task.shutdown.graceful.timeout.ms (5 s by default)
_LET_GO_SECONDS = 15.0
_PAUSE_SECONDS = 0.3
_MAKES_ROWS = (
    "topics", "connection.url", "collection.name.format", "insert.mode", "primary.key.",
    "transforms",
)  # fmt: skip


@dataclass(frozen=True)
class DeploymentView:
    """How a copy is, or would be, on Kafka Connect; `deployment` is None when it is not.

    `outdated`: its definition, or a schema, has changed since it was deployed.
    """

    connector: str
    name: str
    engine: str
    rendering: Rendering
    deployment: Deployment | None
    outdated: bool = False


# -- reading ------------------------------------------------------------------------------------
def describe(name: str) -> DeploymentView:
    """Return what is deployed, or would be; asks no one, so converters are those of Confluent.

    Raises ConnectorMissingError.
    """
    connector = find_connector(name)
    deployment = deployment_of(connector)
    made = rendering_of(connector, deployment.tasks if deployment else 1)
    outdated = bool(deployment and _told_apart(made.config) != _told_apart(deployment.config))
    if deployment:
        made.config = dict(deployment.config)
    engine = str(connector.definition.get("engine") or "own")
    return DeploymentView(name, connector_name(name), engine, made, deployment, outdated)


def _told_apart(config: Mapping[str, str]) -> dict[str, str]:
    """Return a configuration without the converters: which are installed is Connect's to say."""
    return {key: value for key, value in config.items() if ".converter" not in key}


def rendering_of(
    connector: Connector, tasks: int = 1, converters: frozenset[str] | None = None
) -> Rendering:
    """Render a connector's definition with the schemas that are registered now."""
    try:
        definition = definition_of(connector)
        target = jdbc_target(connector.name, definition.target, target_url)
    except (DefinitionInvalidError, TargetInvalidError) as error:
        return Rendering({}, refusals=[str(error)])
    workers = Workers(
        registry=settings.KAFKA_CONNECT_REGISTRY_URL.rstrip("/"),
        secret=settings.KAFKA_CONNECT_SECRET,
        converters=converters,
        tasks=tasks,
    )
    return render(definition, connector.definition, target, shape_of(definition), workers)


def deployment_of(connector: Connector) -> Deployment | None:
    """Return the deployment of a copy, if it has one."""
    return Deployment.objects.filter(connector=connector).select_related("connector").first()


def find_deployment(name: str) -> Deployment:
    """Return the deployment of a copy; raises DeploymentMissingError."""
    deployment = deployment_of(find_connector(name))
    if deployment is None:
        raise DeploymentMissingError(f"{name} is not deployed on Kafka Connect")
    return deployment


def cluster_at(address: str) -> ConnectCluster:
    """Return the Connect cluster of an address, as KAFKA_CONNECT_URLS names it."""
    for url in settings.KAFKA_CONNECT_URLS:
        if shown(url) == address:
            return ConnectCluster(url)
    raise ConnectUnsetError(f"KAFKA_CONNECT_URLS no longer names {address}")


# -- acting -------------------------------------------------------------------------------------
def deploy(name: str, connect: str = "", tasks: int = 0) -> Deployment:
    """Create or change the connector of a copy on Kafka Connect; the same again changes nothing.

    `connect` selects one of KAFKA_CONNECT_URLS, where several read the copy's cluster. What is
    new there, or makes other rows, begins at the beginning of the log. Raises
    EngineMismatchError, NotRenderableError, ConnectUnsetError, ConnectUnavailableError,
    ConnectRefusedError, BrokerError.
    """
    connector = find_connector(name)
    if definition_of(connector).engine != "connect":
        raise EngineMismatchError(
            f"{name} is kept by our own engine: declare it with `engine: connect` first"
        )
    standing = deployment_of(connector)
    cluster = cluster_at(standing.connect) if standing else _choose(connector.cluster, connect)
    if standing and connect and standing.connect != cluster_named(connect):
        raise ConnectUnsetError(f"{name} is deployed on {standing.connect}: undeploy it first")
    tasks = tasks or (standing.tasks if standing else 1)
    made = rendering_of(connector, tasks, cluster.plugins())
    if made.refusals:
        raise NotRenderableError(
            f"Kafka Connect cannot keep {name} as it is declared: {'; '.join(made.refusals)}"
        )
    errors = cluster.validate(made.config)
    if errors:
        raise ConnectRefusedError(_by_field(cluster, errors), errors)
    if standing is None:
        _check_let_go(connector)
        return _put(connector, cluster, made, tasks, alone=tasks > 1)
    anew = _rows(made.config) != _rows(standing.config)
    # nobody tells here whether there is a table: the watch sees it by what was committed
    alone = tasks > 1 and (anew or standing.alone or standing.tasks == 1)
    if anew:
        _start_over(cluster, connector_name(name))
    deployment = _put(connector, cluster, made, tasks, alone=alone)
    if anew:
        _persist(lambda: cluster.resume(connector_name(name)))
    return deployment


def _rows(config: Mapping[str, str]) -> dict[str, str]:
    """Return what decides where rows go and what is in them."""
    return {key: value for key, value in config.items() if key.startswith(_MAKES_ROWS)}


def _start_over(cluster: ConnectCluster, there: str) -> None:
    """Stop a connector and forget its offsets: another table, or other rows, need the whole log."""
    try:
        _persist(lambda: cluster.stop(there))
        # refused until the tasks have ended
        _persist(lambda: cluster.forget_offsets(there), (ConnectRefusedError,))
    except DeploymentMissingError:
        pass  # nothing is there: nothing is remembered


def as_put(deployment: Deployment) -> dict[str, str]:
    """Return the configuration that Connect has for now: of one task until the table is made."""
    return dict(deployment.config) | ({"tasks.max": "1"} if deployment.alone else {})


def _put(
    connector: Connector, cluster: ConnectCluster, made: Rendering, tasks: int, *, alone: bool
) -> Deployment:
    """Note the deployment before it exists, so that our own worker never copies beside it."""
    deployment, is_new = Deployment.objects.update_or_create(
        connector=connector,
        defaults={
            "connect": cluster.shown,
            "config": made.config,
            "tasks": tasks,
            "alone": alone,
            "deployed_at": timezone.now(),
        },
    )
    try:
        _persist(lambda: cluster.put(connector_name(connector.name), as_put(deployment)))
    except ConnectRefusedError:
        if is_new:
            deployment.delete()
        raise
    return deployment


def undeploy(name: str) -> None:
    """Take a copy off Kafka Connect; its table stays, its offsets there are deleted.

    Only when no task can write any more does our own worker get leave to copy again.
    """
    deployment = find_deployment(name)
    cluster, there = cluster_at(deployment.connect), connector_name(name)
    try:
        _start_over(cluster, there)
        _persist(lambda: cluster.delete(there))
    except DeploymentMissingError:
        pass  # deleted on Connect's side, by whomever
    deployment.delete()


def restart(name: str) -> Deployment:
    """Start failed tasks of a deployed copy again, after what stopped them was mended."""
    deployment = find_deployment(name)
    cluster_at(deployment.connect).restart(connector_name(name))
    return deployment


def cluster_named(connect: str) -> str:
    """Return the address that a name such as `host:8083` stands for; raises ConnectUnsetError."""
    known = [shown(url) for url in settings.KAFKA_CONNECT_URLS]
    for address in known:
        if connect.rstrip("/") in {address, address.partition("://")[2]}:
            return address
    raise ConnectUnsetError(
        f"no Kafka Connect is called {connect!r}; KAFKA_CONNECT_URLS names "
        f"{', '.join(known) or 'none'}"
    )


def _choose(cluster: Cluster, connect: str) -> ConnectCluster:
    """Return the Connect cluster that is asked for, or the one that reads the same Kafka."""
    if connect:
        chosen = cluster_at(cluster_named(connect))
        if not _reads(chosen, cluster):
            raise ConnectUnsetError(f"{chosen.shown} reads another Kafka than {cluster.name}")
        return chosen
    known = [ConnectCluster(url) for url in settings.KAFKA_CONNECT_URLS]
    if not known:
        raise ConnectUnsetError("no Kafka Connect is known: set KAFKA_CONNECT_URLS")
    silent: list[str] = []
    fitting = list(_fitting(known, cluster, silent))
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(one.shown for one in fitting)
        raise ConnectUnsetError(f"several read {cluster.name}: say which one of {names}")
    if silent:
        raise ConnectUnavailableError("; ".join(silent))
    raise ConnectUnsetError(f"none of KAFKA_CONNECT_URLS reads the Kafka of {cluster.name}")


def _fitting(
    known: list[ConnectCluster], cluster: Cluster, silent: list[str]
) -> Iterator[ConnectCluster]:
    for one in known:
        try:
            if _reads(one, cluster):
                yield one
        except ConnectUnavailableError as error:
            silent.append(str(error))


def _reads(one: ConnectCluster, cluster: Cluster) -> bool:
    """Whether workers are joined to a Kafka; one whose id is not known yet is taken at its word."""
    return not cluster.kafka_id or one.kafka_cluster_id() == cluster.kafka_id


def _check_let_go(connector: Connector) -> None:
    """Refuse while our own worker is in the copy's group: two would write one table."""
    group = COPY_GROUP_PREFIX + connector.name
    with Observer(connection_of(connector.cluster)) as observer:
        found = [each for each in observer.list_groups() if each.name == group]
        members = sum(len(each.members) for each in observer.groups(found).items) if found else 0
    if members:
        raise EngineMismatchError(
            f"our own worker still holds {connector.name}: try again in 10 s (a worker that was "
            "killed is forgotten after that long)"
        )


def _persist(act: Callable[[], None], besides: tuple[type[ConnectorError], ...] = ()) -> None:
    """Try again while Connect is busy, with a rebalance mostly, or refuses in one of these ways."""
    deadline = time.monotonic() + _LET_GO_SECONDS
    again: tuple[type[ConnectorError], ...] = (ConnectUnavailableError, *besides)
    while True:
        try:
            act()
        except again:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _by_field(cluster: ConnectCluster, errors: dict[str, list[str]]) -> str:
    told = "; ".join(f"{name}: {' '.join(said)}" for name, said in sorted(errors.items()))
    return f"{cluster.shown} refuses the configuration: {told}"
