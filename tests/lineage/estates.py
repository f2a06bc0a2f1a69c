"""Estates of any size, straight into the ledger: contexts, services, topics, a hub, and a past."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.utils import timezone

from catalog.models import BoundedContext, Cluster, Service, Topic
from lineage.ledger import Observation, record

NAMES = (
    "ordering", "paying", "shipping", "stock", "pricing", "catalogue", "customers", "fraud",
    "loyalty", "invoicing", "notifying", "returns",
)  # fmt: skip
FACTS = ("created", "changed", "cancelled", "confirmed", "enriched", "priced", "settled", "audit")


@dataclass(frozen=True)
class Size:
    """How much there is of everything; `abroad` is the share of reads from other contexts."""

    contexts: int
    services: int
    topics: int
    readers: float = 2.5
    abroad: float = 0.25
    copies: int = 4


SMALL = Size(contexts=12, services=30, topics=40)
MIDDLE = Size(contexts=12, services=120, topics=200)
LARGE = Size(contexts=80, services=2000, topics=5000)


def build(size: Size, *, seed: int = 7, now: datetime | None = None) -> Cluster:
    """Make the estate, with three months of past: edges that came later, and some that went."""
    now = now or timezone.now()
    cluster = Cluster.objects.create(
        name="estate", bootstrap_servers="127.0.0.1:9092", state="connected", reached_at=now
    )
    chance = Random(seed)
    contexts = [BoundedContext(name=name) for name in _names(size.contexts)]
    BoundedContext.objects.bulk_create(contexts)
    homes = _spread(contexts, size.services, chance)
    services = [
        Service(
            name=f"{home.name}-{_job(at)}",
            context=home,
            recognised_by={
                "groups": [f"{home.name}-{_job(at)}"],
                "transactional_ids": [f"{home.name}-{_job(at)}-tx"],
            },
        )
        for at, home in enumerate(homes)
    ]
    Service.objects.bulk_create(services)
    topics = _topics(cluster, services, size, chance)
    Topic.objects.bulk_create(topics)
    _write(cluster, list(_flows(services, topics, size, chance)), now, chance)
    return cluster


def _names(count: int) -> list[str]:
    return [
        NAMES[at % len(NAMES)] + (f"-{at // len(NAMES) + 1}" if at >= len(NAMES) else "")
        for at in range(count)
    ]


def _job(number: int) -> str:
    kinds = ("api", "worker", "view", "sync", "mailer", "report", "projector", "gateway")
    return f"{kinds[number % len(kinds)]}-{number}"


def _spread(contexts: list[BoundedContext], count: int, chance: Random) -> list[BoundedContext]:
    """Give each context services, the first ones more than the last."""
    weights = [1 / (1 + at / 8) for at in range(len(contexts))]
    rest = count - len(contexts)
    return [*contexts, *chance.choices(contexts, weights, k=max(rest, 0))][:count]


def _topics(cluster: Cluster, services: list[Service], size: Size, chance: Random) -> list[Topic]:
    found = []
    for at in range(size.topics):
        writer = services[at % len(services)]
        home = writer.context.name if writer.context else "none"
        found.append(
            Topic(
                cluster=cluster,
                name=f"{home}.{FACTS[at % len(FACTS)]}.{at}",
                context=writer.context,
                writer=writer,
                declared=True,
            )
        )
    return found


Flow = tuple[tuple[str, str], tuple[str, str], tuple[str, ...]]


def _flows(
    services: list[Service], topics: list[Topic], size: Size, chance: Random
) -> Iterator[Flow]:
    at_home: dict[str, list[Service]] = {}
    for service in services:
        at_home.setdefault(service.context.name if service.context else "", []).append(service)
    near = _near([*at_home], chance)
    for at, topic in enumerate(topics):
        writer = services[at % len(services)]
        yield (
            ("transactional_id", f"{writer.name}-tx"),
            ("topic", topic.name),
            ("transaction", "producer"),
        )
        home = writer.context.name if writer.context else ""
        for _ in range(max(1, round(chance.gauss(size.readers, 1)))):
            abroad = chance.random() < size.abroad
            there = chance.choice(near[home]) if abroad else home
            reader = chance.choice(at_home[there])
            yield ("topic", topic.name), ("group", reader.name), ("member", "offset")
    # one topic that a third of all read, and who nobody recognises
    for service in services[:: max(len(services) // 200, 3)]:
        yield ("topic", topics[0].name), ("group", service.name), ("member", "offset")
    yield ("client_id", "console-producer"), ("topic", topics[1].name), ("batch",)
    for number in range(size.copies):
        yield ("topic", topics[number * 3].name), ("copy", f"copy_{number}"), ("connector",)
    for service in services[:3]:
        for kind in ("changelog", "repartition"):
            inner = ("topic", f"{service.name}-store-{kind}")
            yield ("transactional_id", f"{service.name}-tx"), inner, ("producer",)
            yield inner, ("group", service.name), ("member",)


def _near(names: list[str], chance: Random) -> dict[str, list[str]]:
    """Who listens to whom: a context has a few others that it feeds, one of them most."""
    found = {}
    for name in names:
        others = [other for other in names if other != name] or [name]
        few = chance.sample(others, min(5, len(others)))
        found[name] = [few[0]] * 6 + few
    return found


def _write(cluster: Cluster, flows: list[Flow], now: datetime, chance: Random) -> None:
    """Record each flow twice: when it began, and now, unless it has ended or is only declared."""
    seen: list[Observation] = []
    for source, target, kinds in dict.fromkeys(flows):
        began = now - timedelta(days=chance.randint(1, 90), minutes=chance.randint(0, 1440))
        ended = chance.random() < 0.08
        last = now - timedelta(days=chance.random()) if ended else now - timedelta(seconds=3)
        shown: Iterable[str] = ("declared",) if chance.random() < 0.04 else kinds
        for kind in shown:
            detail = {"partitions": list(range(6)), "lag": chance.randint(0, 900)}
            seen.extend(Observation(*source, *target, kind, at, detail) for at in (began, last))
    for start in range(0, len(seen), 20_000):
        record(cluster, seen[start : start + 20_000], now)
