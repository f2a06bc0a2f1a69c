"""The whole shop as it runs: five processes, a real Kafka, and the registry served by itself.

Services are killed and restarted under way. Then the shop front closes, the shop comes to rest, and
the topics must tell one consistent story.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from broker.connection import Connection
from examples.shop.events import (
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    StockLevel,
    key_of,
)
from examples.shop.processes import PROCESSES
from examples.shop.schemas.shipment_pb2 import Shipment
from examples.shop.topics import TOPICS, create
from examples.shop.wire import Record, Wire, connect_registry
from tests.ports import free_port

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(170)]

_ROOT = Path(__file__).parents[2]
_ENDED = {OrderStatus.CONFIRMED, OrderStatus.REJECTED}
_MODULES = {process.name: process.module for process in PROCESSES}


def _until(happens: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.5)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/subjects", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@pytest.fixture(scope="module")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The registry alone, as `manage.py serve` runs it; it needs no Kafka."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment["VAR_DIR"] = str(tmp_path_factory.mktemp("registry"))
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v", "0"], cwd=_ROOT, env=environment, check=True)
    command = [*manage, "serve", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(command, cwd=_ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        _until(lambda: _answers(url), 30, "the registry answers")
        yield url
    finally:
        server.terminate()
        server.wait(15)


class Shop:
    """The running processes, by service."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *services: str, **more: str) -> None:
        for service in services or tuple(_MODULES):
            with (self.folder / f"{service}.log").open("ab") as log:
                self.running[service] = subprocess.Popen(
                    [sys.executable, "-m", _MODULES[service]],
                    cwd=_ROOT,
                    env={**self.environment, **more},
                    stderr=log,
                )

    def kill(self, *services: str) -> None:
        for service in services:
            self.running[service].kill()
            self.running[service].wait()

    def stop(self, *services: str) -> dict[str, int]:
        """Ask services to end, and return their exit statuses; fails after five seconds."""
        names = services or tuple(self.running)
        deadline = time.monotonic() + 5
        for name in names:
            self.running[name].terminate()
        return {
            name: self.running[name].wait(max(deadline - time.monotonic(), 0.1)) for name in names
        }

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()

    def mails(self) -> list[str]:
        outbox = self.folder / "shop" / "outbox.jsonl"
        lines = outbox.read_text().splitlines() if outbox.exists() else []
        return [json.loads(line)["order_id"] for line in lines]


@pytest.fixture
def shop(kafka: Connection, registry_url: str, tmp_path: Path) -> Iterator[Shop]:
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": registry_url,
        "VAR_DIR": str(tmp_path),
        "SHOP_ORDERS_PER_SECOND": "6",
    }
    shop = Shop(environment, tmp_path)
    try:
        yield shop
    finally:
        for process in shop.running.values():
            process.kill()
            process.wait()


@pytest.fixture
def wire(registry_url: str) -> Iterator[Wire]:
    with connect_registry(registry_url) as registry:
        yield Wire(registry, "test", {topic.name for topic in TOPICS})


@dataclass
class Told:
    """What committed records tell, by topic, each partition in its order."""

    orders: dict[str, list[Order]]
    payments: dict[str, list[Payment]]
    levels: list[StockLevel]
    shipments: Counter[str]
    partitions: dict[str, set[int]]
    sources: dict[str, set[str]]


def _read(kafka: Connection, wire: Wire) -> Told:
    told = Told(
        defaultdict(list), defaultdict(list), [], Counter(), defaultdict(set), defaultdict(set)
    )
    consumer = Consumer(
        kafka.confluent(**{
            "group.id": "shop-test",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        })
    )
    unread = {(topic.name, number) for topic in TOPICS for number in range(topic.partitions)}
    consumer.assign([TopicPartition(*place, 0) for place in sorted(unread)])
    while unread:
        for message in consumer.consume(500, 0.5):
            if message.error() is not None:
                unread.discard((message.topic() or "", message.partition() or 0))
                continue
            record = wire.decode(message)
            assert record is not None
            assert message.key() == key_of(record.fact).encode()
            told.sources[record.topic].add(_source(message))
            _tell(told, record)
    consumer.close()
    return told


def _source(message: Message) -> str:
    headers = message.headers()
    assert isinstance(headers, list)
    (source,) = (value for name, value in headers if name == "ce_source")
    assert isinstance(source, bytes)
    return source.decode()


def _tell(told: Told, record: Record) -> None:
    fact = record.fact
    if isinstance(fact, StockLevel):
        told.levels.append(fact)
        return
    told.partitions[key_of(fact)].add(record.partition)
    if isinstance(fact, Order):
        told.orders[fact.id].append(fact)
    elif isinstance(fact, Payment):
        told.payments[fact.order_id].append(fact)
    elif isinstance(fact, Shipment):
        told.shipments[fact.order_id] += 1


def _is_at_rest(shop: Shop, told: Told) -> bool:
    latest = {level.product: level for level in told.levels}
    confirmed = {name for name, steps in told.orders.items() if steps[-1].status == "CONFIRMED"}
    return (
        all(steps[-1].status in _ENDED for steps in told.orders.values())
        and not any(level.reserved for level in latest.values())
        and confirmed == set(told.shipments)
        and confirmed == set(shop.mails())
    )


def test_one_consistent_story_in_spite_of_kills(shop: Shop, kafka: Connection, wire: Wire) -> None:
    create(kafka.bootstrap_servers)
    create(kafka.bootstrap_servers)
    shop.start()
    _until(lambda: len(shop.mails()) >= 10, 40, "the first mails")

    shop.kill("orders", "payments")
    assert shop.stop("email") == {"email": 0}
    shop.start("orders", "payments", "email")
    before = len(shop.mails())
    _until(lambda: len(shop.mails()) >= before + 20, 40, "mails after the restart")
    shop.kill("stock")
    shop.start("stock")

    assert shop.stop("orders") == {"orders": 0}
    shop.start("orders", SHOP_ORDERS_PER_SECOND="0")
    _until(lambda: _is_at_rest(shop, _read(kafka, wire)), 40, "the shop at rest")
    assert set(shop.stop().values()) == {0}

    told = _read(kafka, wire)
    _check_orders(told)
    _check_stock(told)
    assert max(Counter(shop.mails()).values()) == 1
    assert {len(numbers) for numbers in told.partitions.values()} == {1}
    assert told.sources == {topic.name: {f"/shop/{topic.name}"} for topic in TOPICS}
    for service in _MODULES:
        assert "Traceback" not in shop.log(service)


def _check_orders(told: Told) -> None:
    rejected = [OrderStatus.REQUESTED, OrderStatus.REJECTED]
    promised = [OrderStatus.REQUESTED, OrderStatus.VALIDATED]
    for name, steps in told.orders.items():
        statuses = [step.status for step in steps]
        paid = [payment.status for payment in told.payments.get(name, [])]
        if statuses == rejected:
            assert paid == []
        elif statuses == [*promised, OrderStatus.CONFIRMED]:
            assert paid == [PaymentStatus.REQUESTED, PaymentStatus.CONFIRMED]
        else:
            assert statuses == [*promised, OrderStatus.REJECTED]
            assert paid == [PaymentStatus.REQUESTED, PaymentStatus.DECLINED]
    assert set(told.payments) <= set(told.orders)


def _check_stock(told: Told) -> None:
    """Each step of an order moved its pieces once, and the last level is the sum of all."""
    sold: Counter[str] = Counter()
    for steps in told.orders.values():
        if steps[-1].status is OrderStatus.CONFIRMED:
            sold[steps[-1].product] += steps[-1].quantity
    came: Counter[str] = Counter()
    latest: dict[str, StockLevel] = {}
    for level in told.levels:
        if level.order_id is None:
            known = latest.get(level.product)
            came[level.product] += level.available - (known.available if known else 0)
        latest[level.product] = level
    assert len(latest) == 12
    for product, level in latest.items():
        assert level.available == came[product] - sold[product]
