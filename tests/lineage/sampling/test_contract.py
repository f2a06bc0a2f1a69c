"""What every kind of evidence owes: one contract, checked for each sampler there is."""

import re
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from django.db.models import F
from django.utils import timezone

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.errors import AccessDeniedError, BrokerUnavailableError
from broker.observe import Layout, Observer, Partition
from catalog.models import Cluster
from lineage.edges import STRENGTH
from lineage.ledger import Naming
from lineage.models import Edge, Evidence, Sampling
from lineage.sampling.models import Cursor
from lineage.sampling.run import Watch
from lineage.sampling.sampler import Sample, Sampler, View
from lineage.sampling.samplers import all_samplers
from tests.ports import free_port

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
each = pytest.mark.parametrize("sampler", all_samplers(), ids=lambda it: it.name)


@pytest.fixture
def cluster(kafka: Connection) -> Cluster:
    return Cluster.objects.create(name="c", bootstrap_servers=kafka.bootstrap_servers)


@each
def test_says_what_it_sees_and_what_it_needs(sampler: Sampler) -> None:
    assert re.fullmatch(r"[a-z_]{1,40}", sampler.name)
    assert sampler.permissions
    assert type(sampler).__doc__
    row = re.search(rf"^\| `{sampler.name}` \|(.*)\|$", docs(), re.MULTILINE)
    assert row, f"docs/lineage.md does not tell of {sampler.name}"
    for needed in sampler.permissions:
        assert needed.replace("`", "") in row[1].replace("`", "")


def docs() -> str:
    return (ROOT / "docs/lineage.md").read_text()


def test_the_page_tells_of_each_kind_of_evidence_and_of_no_other() -> None:
    table = docs().split("## How far each kind is believed")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", table, re.MULTILINE))
    assert {kind: float(strength) for kind, strength in told.items()} == STRENGTH


@pytest.mark.kafka
@each
def test_looks_at_a_live_cluster_twice(
    kafka: Connection, cluster: Cluster, sampler: Sampler
) -> None:
    create_topics(kafka, [NewTopic(f"contract-{sampler.name}")])
    producer = Producer(kafka.confluent(enable_idempotence=True))
    producer.produce(f"contract-{sampler.name}", b"v", headers={"ce_source": "/contract"})
    assert producer.flush(10) == 0
    at = timezone.now()
    kinds = {str(kind) for kind in Edge.NodeKind.values}
    with Observer(kafka) as observer:
        memory: dict[str, Any] = {}
        for _ in range(2):
            view = View(cluster, observer, at, memory)
            sample = sampler.sample(view)
            assert isinstance(sample, Sample)
            for it in sample.observations:
                assert {it.source_kind, it.target_kind} <= kinds
                assert "topic" in {it.source_kind, it.target_kind}
                assert it.evidence_kind in STRENGTH
                assert it.seen_at <= at
            assert all(isinstance(it, Naming) and it.producer_id >= 0 for it in sample.names)


@pytest.mark.kafka
@each
def test_a_second_look_by_a_new_process_invents_nothing(
    kafka: Connection, cluster: Cluster, sampler: Sampler
) -> None:
    at = timezone.now()
    with Watch(cluster, samplers=[sampler]) as watch:
        watch.sample(at)
        # the past is read in parts
        while Cursor.objects.filter(next_offset__lt=F("until_offset")).exists():
            watch.sample(at)
    before = list(Edge.objects.order_by("pk").values_list("pk", flat=True))
    intervals = Evidence.objects.count()
    with Watch(cluster, samplers=[sampler]) as watch:
        watch.sample(at)
    assert list(Edge.objects.order_by("pk").values_list("pk", flat=True)) == before
    assert Evidence.objects.count() == intervals


class Broken:
    """A kind that fails with an error of ours, or with one that nobody thought of."""

    name = "broken"
    permissions: tuple[str, ...] = ("READ on nothing",)

    def __init__(self, error: Exception) -> None:
        self.error = error

    def sample(self, view: View) -> Sample:
        raise self.error


@pytest.mark.kafka
@pytest.mark.parametrize(
    "error", [AccessDeniedError("no"), KeyError("a bug"), ZeroDivisionError(), ValueError("odd")]
)
def test_a_kind_that_raises_fails_alone(cluster: Cluster, error: Exception) -> None:
    with Watch(cluster, samplers=[Broken(error), *all_samplers()]) as watch:
        outcome = watch.sample()
    assert list(outcome.failed) == ["broken"]
    rows = {row.kind: row for row in Sampling.objects.all()}
    assert rows["broken"].message
    assert rows["broken"].succeeded_at is None
    assert all(row.succeeded_at for kind, row in rows.items() if kind != "broken")


@each
def test_a_cluster_that_goes_away_is_an_error_of_the_cluster(
    sampler: Sampler, settings: Any
) -> None:
    """Not of one kind: nobody is to be asked again, and nothing is taken for gone."""
    settings.KAFKA_CONNECT_URLS = []
    away = Connection(f"127.0.0.1:{free_port()}")
    cluster = Cluster.objects.create(name="x", bootstrap_servers=away.bootstrap_servers)
    with Observer(away, timeout=1.0) as observer:
        view = View(cluster, observer, timezone.now())
        place = Partition("app-repartition", 0)
        # it went after it was asked for the layout
        view.__dict__["layout"] = Layout({place: 1}, frozenset(), {place.topic: 1})
        try:
            sample = sampler.sample(view)
        except BrokerUnavailableError:
            return
    assert sample == Sample()
