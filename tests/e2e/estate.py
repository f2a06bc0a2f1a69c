"""A small estate in the database, as a catalog file, samples and clients would have left it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from django.utils import timezone

from catalog.models import BoundedContext, Cluster, Service, Topic
from lineage.connectors.models import Connector, Generation, Quarantine, Run
from lineage.ledger import Observation, record
from lineage.models import Sampling
from registry.actions import Submission, register
from registry.actions.delete import delete_subject
from registry.actions.mode import set_mode
from registry.identity import Reference
from registry.naming import SubjectName

CONTEXTS = {"orders": "ordering", "payments": "paying", "stock": "warehouse", "email": "notifying"}
READS = {"orders": ["stock", "payments"], "payments": ["orders"], "email": ["orders", "payments"]}
# what nobody should ever call a thing, and what a page must survive
HOSTILE = "<img src=x onerror=alert(1)>"


@dataclass(frozen=True)
class Estate:
    """What tests ask for by name."""

    cluster: Cluster
    connector: Connector
    finished: Run


def build() -> Estate:
    """Make services, topics, evidence, schemas and copies; payments has a rogue writer."""
    now = timezone.now()
    cluster = Cluster.objects.create(
        name="local", bootstrap_servers="127.0.0.1:9092", state="connected", reached_at=now
    )
    _declare(cluster, now)
    record(cluster, _observations(now), now)
    Sampling.objects.create(cluster=cluster, kind="groups", sampled_at=now, succeeded_at=now)
    _register()
    return _copies(cluster, now)


def _declare(cluster: Cluster, now: datetime) -> None:
    for name, context in CONTEXTS.items():
        pattern = [f"shop-{name}*"]
        service = Service.objects.create(
            name=name,
            context=BoundedContext.objects.create(name=context, description=f"All of {context}"),
            description=f"{HOSTILE} in a description",
            recognised_by={"groups": pattern, "client_ids": pattern},
        )
        if name == "email":
            continue
        Topic.objects.create(
            cluster=cluster,
            name=name,
            kind="event",
            context=service.context,
            writer=service,
            canonical=True,
            declared=True,
            description=HOSTILE,
            partitions=6,
            replication_factor=1,
            cleanup_policy="delete",
            retention_ms=604_800_000,
            size_bytes=5_000_000,
            records=12_345,
            configs={"cleanup.policy": "delete"},
            synchronised_at=now,
        )
    Topic.objects.create(cluster=cluster, name=HOSTILE, synchronised_at=now, partitions=1)


def _observations(now: datetime) -> list[Observation]:
    at = now - timedelta(seconds=2)
    found = [
        Observation("client_id", f"shop-{name}-1", "topic", name, "batch", at)
        for name in ("orders", "payments", "stock")
    ]
    found += [
        Observation("topic", topic, "group", f"shop-{name}", "member", at)
        for name, topics in READS.items()
        for topic in topics
    ]
    return [
        *found,
        Observation("client_id", HOSTILE, "topic", "payments", "batch", at),
        Observation("topic", "orders", "copy", "orders_sqlite", "connector", at),
    ]


def _register() -> None:
    first = {"name": "id", "type": "string", "doc": f"key {HOSTILE}"}
    second = {"name": "note", "type": ["null", "string"], "default": None}
    for fields in ([first], [first, second]):
        schema = {"type": "record", "name": "Order", "fields": fields}
        register("orders-value", Submission(text=json.dumps(schema)), "python/2.11.0")
    last = {"type": "record", "name": "Paid", "fields": [{"name": "order", "type": "Order"}]}
    register("Order", Submission(text=json.dumps({**schema, "fields": [first]})))
    reference = Reference("Order", "Order", 1)
    register("payments-value", _with_contract(json.dumps(last), reference))
    register(":.staging:orders-value", Submission(text='"string"'))
    set_mode(SubjectName(".staging", ""), "READONLY")
    register("gone-value", Submission(text='"string"'))
    delete_subject(SubjectName(".", "gone-value"))


def _with_contract(text: str, reference: Reference) -> Submission:
    """A schema with metadata, tags and a rule, hostile ones among them."""
    rule = {"name": "check", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": HOSTILE}
    return Submission(
        text=text,
        references=(reference,),
        metadata={"properties": {"owner": HOSTILE}, "tags": {"Paid.order": [HOSTILE]}},
        ruleset={"domainRules": [{**rule, "doc": HOSTILE, "params": {"dlq.topic": "bad"}}]},
    )


def _copies(cluster: Cluster, now: datetime) -> Estate:
    connector = Connector.objects.create(
        name="orders_sqlite",
        cluster=cluster,
        context=BoundedContext.objects.get(name="ordering"),
        topics=["orders"],
        target="sqlite:///copies/orders.sqlite3",
        table="orders",
        lag=12,
        rows=400,
        measured_at=now,
    )
    Generation.objects.create(
        connector=connector, number=1, state="retired", table="orders__g1", retired_at=now
    )
    generation = Generation.objects.create(
        connector=connector, number=2, state="live", table="orders", rows=400, live_at=now
    )
    Quarantine.objects.create(
        connector=connector, topic="orders", partition=0, offset=7, key=HOSTILE, reason=HOSTILE
    )
    _troubled(cluster, now)
    run = Run.objects.create(
        connector=connector,
        generation=generation,
        state="succeeded",
        phase="swap",
        done=400,
        total=400,
        message="generation 1 is live",
        log=[{"at": now.isoformat(), "message": HOSTILE}],
        finished_at=now,
    )
    return Estate(cluster, connector, run)


def _troubled(cluster: Cluster, now: datetime) -> None:
    """Copies that are behind, being rebuilt, and stopped."""
    definition = {"topics": ["stock"], "target": "${COPIES}", "table": "stock"}
    behind = Connector.objects.create(
        name="stock_rebuilt",
        cluster=cluster,
        **definition,
        definition={"name": "stock_rebuilt", **definition},
        lag=12_000,
        lag_at_worst=90_000,
        level_in_seconds=75,
        rows=123_456,
        rows_per_second=1_000,
        measured_at=now,
    )
    Run.objects.create(
        connector=behind,
        worker="one",
        phase="load",
        done=5_000,
        total=20_000,
        scheduled=True,
        message="loading stock__new",
        log=[{"at": (now - timedelta(seconds=9)).isoformat(), "message": "load: loading"}],
    )
    Connector.objects.create(
        name="stock_stopped",
        cluster=cluster,
        **definition,
        definition={"name": "stock_stopped", **definition},
        state="stopped",
        trouble="offset-gone",
        message="stock/0: offsets 3 to 9 were deleted before they were copied: regenerate",
    )


def page_paths(estate: Estate) -> dict[str, str]:
    """Every kind of page, by name."""
    return {
        "overview": "/",
        "topics": "/topics",
        "topic": "/topics/local/orders",
        "violated topic": "/topics/local/payments",
        "services": "/services",
        "service": "/services/orders",
        "bounded context": "/bounded-contexts/ordering",
        "subjects": "/registry",
        "subject": "/registry/subjects/orders-value",
        "subject with a contract": "/registry/subjects/payments-value",
        "subject compared": "/registry/subjects/orders-value?version=1&since=2#changes",
        "subject in a context": "/registry/subjects/:.staging:orders-value",
        "subjects of any state": "/registry?state=any&q=id:1",
        "deleted subject": "/registry/subjects/gone-value",
        "schema context": "/registry/contexts/:.staging:",
        "all schema contexts": "/registry/contexts/:.__GLOBAL:",
        "config and mode": "/registry/settings/orders-value",
        "a change of settings": "/registry/settings/orders-value?compatibilityLevel=FULL",
        "a deletion": "/registry/delete/orders-value",
        "a deletion that is refused": "/registry/delete/Order",
        "a deletion for good": "/registry/delete/gone-value?permanent=true",
        "try a schema": "/registry/try?subject=orders-value",
        "lineage": "/lineage",
        "lineage around a topic": "/lineage?focus=topic:orders&hops=2",
        "lineage by context": "/lineage?fold=context",
        "orphans": "/lineage/orphans",
        "declared and observed": "/lineage/declared",
        "changes": "/lineage/diff",
        "couplings": "/lineage/couplings",
        "cycles": "/lineage/cycles",
        "story": "/lineage/path?source=service:orders&target=email",
        "reach": "/lineage/reach?node=service:orders",
        "footprint": "/lineage/footprint?service=orders",
        "impact": "/lineage/impact",
        "impact of a topic": "/lineage/impact?of=topic:orders",
        "impact of a field": "/lineage/impact?subject=orders-value&version=2&field=id&change=type",
        "impact of a misspelt field": "/lineage/impact?of=topic:orders&field=nothing",
        "unrecognised actor": f"/lineage/actor?kind=client_id&name={quote(HOSTILE)}",
        "lineage around a context": "/lineage?focus=context:ordering",
        "lineage with others folded": "/lineage?focus=topic:orders&hops=2&fold=others",
        "lineage opened and closed": "/lineage?focus=topic:orders&expand=up:service:payments"
        "&collapse=service:email&folded=warehouse&internal=show&nodes=300",
        "lineage then": "/lineage?as_of=2030-01-01T00:00:00Z&q=orders&state=stale",
        "lineage of nothing": "/lineage?focus=topic:nowhere",
        "an edge": "/lineage/edge?source=topic:orders&target=service:email",
        "copies": "/copies",
        "copy": "/copies/orders_sqlite",
        "copy being rebuilt": "/copies/stock_rebuilt",
        "copy that stopped": "/copies/stock_stopped",
        "declare a copy": "/edit-copy",
        "change a copy": "/edit-copy/stock_stopped",
        "run": f"/runs/{estate.finished.pk}",
        "findings": "/findings",
        "search": "/search?q=ord",
    }
