"""A cluster with passwords and ACLs: what is forbidden degrades its kind alone, and is told."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from django.test import Client

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.embedded import EmbeddedKafka
from broker.errors import BrokerError
from catalog.models import Cluster, Service
from config.clients import addresses_of
from lineage import actions
from lineage.models import Evidence, Sampling
from lineage.sampling.run import Watch

pytestmark = [pytest.mark.kafka, pytest.mark.django_db]
Rule = tuple[ResourceType, str, AclOperation]
TOPICS: Rule = (ResourceType.TOPIC, "*", AclOperation.READ)
GROUPS: Rule = (ResourceType.GROUP, "*", AclOperation.DESCRIBE)
IDS: Rule = (ResourceType.TRANSACTIONAL_ID, "*", AclOperation.DESCRIBE)
CLUSTER: Rule = (ResourceType.BROKER, "kafka-cluster", AclOperation.DESCRIBE)
EVERYTHING = (TOPICS, GROUPS, IDS, CLUSTER)
SECRET = "hush-hush"


class Secured:
    """The broker, its administrator, and what the observer may do."""

    def __init__(self, broker: EmbeddedKafka) -> None:
        self.admin_connection = broker.connection
        self.connection = broker.connection_as("observer")
        self.admin = AdminClient(broker.connection.confluent())

    def allow(self, *rules: Rule, principal: str = "User:observer") -> None:
        """Let the observer do this and nothing else."""
        anything: list[Any] = [ResourceType.ANY, None, ResourcePatternType.ANY]
        anyhow: list[Any] = ["User:observer", None, AclOperation.ANY, AclPermissionType.ANY]
        mine = AclBindingFilter(*anything, *anyhow)
        for future in self.admin.delete_acls([mine]).values():
            future.result(10)
        made = [
            AclBinding(
                kind, name, ResourcePatternType.LITERAL, principal, "*", operation,
                AclPermissionType.ALLOW,
            )
            for kind, name, operation in rules
        ]  # fmt: skip
        for future in self.admin.create_acls(made).values():
            future.result(10)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    made = EmbeddedKafka(
        tmp_path_factory.mktemp("secured"), users={"admin": "a", "observer": SECRET}
    )
    made.start()
    create_topics(made.connection, [NewTopic("orders", 1), NewTopic("invoices", 1)])
    transact(made.connection)
    yield made
    made.stop()


@pytest.fixture
def secured(broker: EmbeddedKafka) -> Secured:
    return Secured(broker)


def transact(connection: Connection, values: int = 3) -> None:
    """Write orders, then derive invoices from them in a transaction of `billing`."""
    writer = Producer(connection.confluent(enable_idempotence=True))
    for number in range(values):
        writer.produce("orders", str(number))
    assert writer.flush(20) == 0
    reader = Consumer(
        connection.confluent(
            group_id="g-billing", auto_offset_reset="earliest", enable_auto_commit=False
        )
    )
    producer = Producer(connection.confluent(transactional_id="billing-tx"))
    producer.init_transactions(20)
    reader.subscribe(["orders"])
    messages = reader.consume(values, 20)
    assert len(messages) == values
    producer.begin_transaction()
    for message in messages:
        producer.produce("invoices", message.value())
    producer.send_offsets_to_transaction(
        reader.position(reader.assignment()), reader.consumer_group_metadata(), 20
    )
    producer.commit_transaction(20)
    reader.close()


@pytest.fixture
def cluster(secured: Secured) -> Cluster:
    return Cluster.objects.create(
        name="safe", bootstrap_servers=secured.connection.bootstrap_servers
    )


def edges() -> set[tuple[str, str]]:
    return {
        (edge.source.key.split(":")[0] + ":" + edge.source.name, edge.target.name)
        for edge in actions.list_edges()
        if edge.source.known_by != "producer_id"
    }


ALL_EDGES = {("topic:orders", "g-billing"), ("group:g-billing", "invoices")}


def test_with_these_permissions_everything_is_seen(
    secured: Secured, cluster: Cluster, client: Client
) -> None:
    secured.allow(*EVERYTHING)
    Service.objects.create(name="seer", recognised_by={"principals": ["User:observer"]})
    with Watch(cluster, connection=secured.connection) as watch:
        outcome = watch.sample()
        assert outcome.failed == {}
        assert not Sampling.objects.exclude(message="").exists()
        assert edges() == ALL_EDGES
        evidence = Evidence.objects.count()
        url = "/api/v1/lineage/permissions"
        (permitted,) = client.get(url, {"topic": "orders"}).json()["results"]
        assert (permitted["principal"], permitted["operation"], permitted["service"]) == (
            "User:observer",
            "read",
            "seer",
        )
        secured.allow(GROUPS, IDS, CLUSTER)
        watch.sample()
        assert client.get(url).json()["results"] == []
        then = client.get(url, {"as_of": outcome.at.isoformat()}).json()["results"]
        assert [it["topic"] for it in then] == ["*"]
        # what is permitted is no evidence of anything
        assert not Evidence.objects.filter(kind="acl").exists()
        assert Evidence.objects.count() == evidence


@pytest.mark.parametrize(
    ("lacking", "degraded", "seen"),
    [
        (TOPICS, {"producers", "headers", "history", "commits", "transaction_log"}, set()),
        (GROUPS, {"offsets"}, ALL_EDGES),
        (IDS, {"transactions"}, ALL_EDGES),
        (CLUSTER, {"acl"}, ALL_EDGES),
    ],
    ids=["topics", "groups", "transactional-ids", "cluster"],
)
def test_what_is_forbidden_degrades_its_kind_alone(
    secured: Secured,
    cluster: Cluster,
    client: Client,
    lacking: Rule,
    degraded: set[str],
    seen: set[tuple[str, str]],
) -> None:
    rules = [rule for rule in EVERYTHING if rule != lacking]
    if lacking == TOPICS:
        # topics that may not be described are not in Kafka's answers at all
        rules.append((ResourceType.TOPIC, "*", AclOperation.DESCRIBE))
    secured.allow(*rules)
    with Watch(cluster, connection=secured.connection) as watch:
        watch.sample()
    samplings = client.get("/api/v1/lineage/samplings").json()["results"]
    told = {it["kind"]: it["message"] for it in samplings if it["message"]}
    assert told.keys() == degraded
    assert all("needs" in message for message in told.values())
    page = client.get("/", headers={"Accept": "text/html"}).content.decode()
    assert all(kind in page for kind in degraded)
    assert seen <= edges()
    assert edges() <= ALL_EDGES


def test_a_permission_that_is_revoked_and_given_back_loses_nothing(
    secured: Secured, cluster: Cluster
) -> None:
    secured.allow(*EVERYTHING)
    with Watch(cluster, connection=secured.connection) as watch:
        watch.sample()
        before = edges()
        assert before == ALL_EDGES
        without = [rule for rule in EVERYTHING if rule != TOPICS]
        secured.allow(*without, (ResourceType.TOPIC, "*", AclOperation.DESCRIBE))
        create_topics(secured.admin_connection, [NewTopic("meanwhile", 1)])
        writer = Producer(secured.admin_connection.confluent())
        writer.produce("meanwhile", b"v", headers={"ce_source": "/unseen"})
        assert writer.flush(10) == 0
        watch.sample()
        assert edges() == before
        secured.allow(*EVERYTHING)
        deadline = time.monotonic() + 10
        while edges() == before and time.monotonic() < deadline:
            watch.sample()
        assert edges() == before | {("source:/unseen", "meanwhile")}


def test_a_wrong_password_is_told_and_no_secret_is(
    secured: Secured, cluster: Cluster, client: Client
) -> None:
    wrong = Connection(
        secured.connection.bootstrap_servers,
        {**secured.connection.security, "sasl.password": "guess-guess"},
    )
    with Watch(cluster, connection=wrong, timeout=3.0) as watch, pytest.raises(BrokerError):
        watch.sample()
    told = client.get("/api/v1/clusters").content + client.get("/").content
    assert client.get("/api/v1/clusters").json()["results"][0]["state"] == "unreachable"
    assert b"guess-guess" not in told


def test_settings_for_its_addresses_open_it(
    secured: Secured, cluster: Cluster, client: Client, settings: Any
) -> None:
    secured.allow(*EVERYTHING)
    addresses = addresses_of(cluster.bootstrap_servers)
    settings.KAFKA_CLIENT_SECRETS = {addresses: secured.connection.security}
    assert client.post("/api/v1/lineage/sample").status_code == 200
    assert edges() >= ALL_EDGES
    everywhere = client.get("/api/v1/clusters").content + client.get("/").content
    assert SECRET.encode() not in everywhere
