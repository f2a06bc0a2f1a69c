"""Derivations of a real Kafka: what a transaction ties is certain, the rest is likely."""

from datetime import timedelta

import pytest
from django.utils import timezone

from broker.connection import Connection
from catalog.models import Service
from lineage.derivations.actions import list_derivations
from lineage.sampling.run import Watch
from tests.lineage.sampling.test_whole_sample import cluster_of, scenario

pytestmark = [pytest.mark.kafka, pytest.mark.django_db]


def test_a_transaction_ties_what_it_read_to_what_it_wrote(kafka: Connection) -> None:
    before = timezone.now()
    with scenario(kafka) as it, Watch(cluster_of(kafka), connection=kafka) as watch:
        Service.objects.create(
            name="billing",
            recognised_by={
                "groups": [it.name("billing")],
                "transactional_ids": [it.name("billing-tx-1")],
            },
        )
        it.write("orders", it.producer(**{"enable.idempotence": True}))
        it.write("audit", it.producer())
        it.transact()
        simple = it.consumer("other")
        simple.subscribe([it.name("audit")])
        it.await_records(simple)
        Service.objects.create(name="other", recognised_by={"groups": [it.name("other")]})
        watch.sample()
        watch.sample()
        (found,) = list_derivations(view=it.name("invoices"))
        assert found.deriver.name == "billing"
        assert found.certainty == "certain"
        (read,) = found.inputs
        assert read.node.name == it.name("orders")
        assert "commits the offsets of" in read.because
        assert {proof.kind for proof in found.written.evidence} >= {"producer"}
        assert list_derivations(service="other") == []
        earlier = before - timedelta(hours=1)
        assert list_derivations(view=it.name("invoices"), as_of=earlier) == []
