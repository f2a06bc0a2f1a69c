"""Real services on a real Kafka: each edge found and proven, none invented while they come and go.

Java's own clients and Kafka Streams (both group protocols, at least once and exactly once) and
librdkafka's: idempotent, transactional and bare producers; classic, KIP-848, share and streams
groups; readers by assignment that commit, and one that does not, which nothing in Kafka tells.
"""

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from broker.connection import Connection
from catalog.models import Cluster
from lineage import actions
from lineage.sampling.run import Watch
from tests.lineage.sampling.scenario.company import (
    BY_PRODUCT,
    COUNTS_BY,
    COUNTS_LOG,
    JAVA,
    LOOKUP_LOG,
    PYTHON,
    Company,
)

pytestmark = [pytest.mark.kafka, pytest.mark.django_db]

Edges = dict[tuple[str, str], set[str]]
WROTE = {"producer", "batch"}
READ = {"member", "offset", "commit"}
TRANSACTED = {*WROTE, "transaction", "transaction_log"}
EXPECTED: Mapping[tuple[str, str], set[str]] = {
    ("source:order-service", "topic:orders"): {*WROTE, "header"},
    ("source:lookup-service", "topic:lookup"): {*WROTE, "header"},
    ("producer_id", "topic:shipments"): WROTE,
    ("group:g-billing", "topic:invoices"): TRANSACTED,
    ("group:enricher", f"topic:{BY_PRODUCT}"): {*WROTE, "topology"},
    ("group:enricher", f"topic:{LOOKUP_LOG}"): {*WROTE, "topology"},
    ("group:enricher", "topic:enriched"): WROTE,
    ("group:totals", f"topic:{COUNTS_BY}"): WROTE,
    ("group:totals", f"topic:{COUNTS_LOG}"): WROTE,
    ("group:totals", "topic:totals"): WROTE,
    ("group:mapper", "topic:mapped"): TRANSACTED,
    ("topic:orders", "group:g-billing"): READ,
    ("topic:orders", "group:g-shipping"): READ,
    ("topic:orders", "group:enricher"): {*READ, "topology"},
    ("topic:lookup", "group:enricher"): {*READ, "topology"},
    (f"topic:{BY_PRODUCT}", "group:enricher"): {*READ, "topology"},
    ("topic:invoices", "group:totals"): READ,
    (f"topic:{COUNTS_BY}", "group:totals"): READ,
    ("topic:shipments", "group:mapper"): READ,
    ("topic:invoices", "group:g-classic"): READ,
    ("topic:invoices", "group:g-share"): {"member"},
    ("topic:audit", "group:g-simple"): {"offset", "commit"},
}
"""Who reads and writes what, and by which evidence at least; `ghost` and `legacy` leave none."""
STAMPED = {("source:legacy-producer", "topic:audit"): {"header"}}
# seen in the act only, or not where a stamp is passed on
BY_CHANCE = {"transaction", "header"}


def seen(company: Company) -> Edges:
    """Edges without the scenario's mark; the numbers of unnamed producers left out."""
    found: Edges = {}
    for edge in actions.list_edges():
        if company.mark in edge.source.name or company.mark in edge.target.name:
            pair = (_plain(edge.source.key, company), _plain(edge.target.key, company))
            found.setdefault(pair, set()).update(proof.kind for proof in edge.evidence)
    return found


def _plain(key: str, company: Company) -> str:
    name = key.replace(f"-{company.mark}", "")
    if name.startswith("producer_id:"):
        return "producer_id"
    if name.startswith("transactional_id:"):
        # the same actor, until its first commit is seen
        billing = name == "transactional_id:billing-tx-1"
        return "group:g-billing" if billing else name.replace("transactional_id", "group")[:12]
    return name


def anonymous(company: Company) -> int:
    """How many unnamed writers of shipments are shown."""
    edges = actions.list_edges(target=company.named("shipments"))
    return len({edge.source for edge in edges})


def missing(edges: Edges, expected: Mapping[tuple[str, str], set[str]] = EXPECTED) -> object:
    """Edges, and kinds of evidence, that are expected and not there."""
    return {
        pair: kinds - edges.get(pair, set()) - BY_CHANCE
        for pair, kinds in expected.items()
        if pair not in edges or not kinds - BY_CHANCE <= edges[pair]
    }


def sample_until(
    company: Company, watch: Watch, wanted: Callable[[Edges], bool], seconds: float = 60
) -> Edges:
    """Sample each second; every sample is free of false edges, whatever is under way."""
    deadline = time.monotonic() + seconds
    while True:
        assert watch.sample().failed == {}
        edges = seen(company)
        assert edges.keys() <= EXPECTED.keys() | STAMPED.keys()
        if wanted(edges) or time.monotonic() > deadline:
            assert company.dead() == []
            return edges
        time.sleep(0.5)


def test_every_edge_is_found_and_proven(kafka: Connection, tmp_path: Path) -> None:
    cluster = Cluster.objects.create(name="c", bootstrap_servers=kafka.bootstrap_servers)
    with Company(kafka, tmp_path) as company, Watch(cluster) as watch:
        company.start("+".join(JAVA))
        for actor in PYTHON:
            company.start(actor)
        edges = sample_until(company, watch, lambda found: not missing(found))
        assert missing(edges) == {}
        assert edges.keys() == EXPECTED.keys()
        # stronger kinds than those named come by chance alone
        assert {
            pair: kinds - EXPECTED[pair] - BY_CHANCE
            for pair, kinds in edges.items()
            if kinds - EXPECTED[pair] - BY_CHANCE
        } == {}
        company.end("shipping", kill=True)
        company.end("legacy")
        company.start("shipping")
        company.start("stamped-legacy")
        edges = sample_until(company, watch, lambda found: STAMPED.keys() <= found.keys(), 20)
        assert edges.keys() == EXPECTED.keys() | STAMPED.keys()
        assert anonymous(company) == 1


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_a_hundred_samples_invent_nothing(kafka: Connection, tmp_path: Path) -> None:
    """With restarts, kills, rebalances and new producer ids in between, in a seeded order."""
    chance = random.Random(7)
    cluster = Cluster.objects.create(name="c", bootstrap_servers=kafka.bootstrap_servers)
    with Company(kafka, tmp_path) as company, Watch(cluster) as watch:
        for actor in (*JAVA, *PYTHON):
            company.start(actor)
        samples = 0
        extra = False
        turns = [name for name in (*JAVA, *PYTHON) if name != "legacy"] * 2
        chance.shuffle(turns)
        while samples < 100:
            for _ in range(4):
                sample_until(company, watch, lambda _: True)
                samples += 1
                time.sleep(0.7)
            if extra:
                company.end("second", kill=chance.random() < 0.5)
            else:
                # members come and go: a rebalance of a classic group
                company.start("classic", as_instance="second")
            extra = not extra
            actor = turns.pop() if turns else "shipping"
            company.end(actor, kill=chance.random() < 0.5)
            company.start(actor)
        company.end("legacy")
        company.start("stamped-legacy")
        edges = sample_until(
            company, watch, lambda found: not missing(found, {**EXPECTED, **STAMPED}), 90
        )
        assert missing(edges, {**EXPECTED, **STAMPED}) == {}
        assert anonymous(company) == 1
        # a restart of the sampler finds the same
        with Watch(cluster) as again:
            assert sample_until(company, again, lambda _: True).keys() == edges.keys()
