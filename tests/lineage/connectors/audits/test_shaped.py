"""Audits of copies whose columns are declared, and of histories: in the shape of the copy."""

from typing import Any

import pytest

from broker.connection import Connection
from lineage.connectors.actions import declare
from lineage.connectors.audits.actions import open_divergences, request_audit, request_repair
from lineage.connectors.audits.models import Audit
from lineage.connectors.discretion import HIDDEN
from lineage.connectors.sinks import open_sink
from tests.lineage.connectors.audits.test_runs import Scene

pytestmark = [pytest.mark.kafka, pytest.mark.django_db(transaction=True)]
COLUMNS: dict[str, Any] = {
    "remark": {"from": "note", "mask": "hash"},
    "cents": {"expression": "amount * 100"},
    "day": {"expression": "date_trunc('day', at)", "mask": "partial"},
    "source": {"constant": "shop"},
    "at": "drop",
}


def shaped(kafka: Connection, target: str, **said: Any) -> Scene:
    scene = Scene(kafka, target)
    name = scene.name
    declare({"name": name, "topics": [name], "target": target, "table": "orders"} | said)
    scene.orders.write(300, keys=80)
    scene.copy()
    return scene


def last() -> Audit:
    return Audit.objects.order_by("-started_at")[0]


def test_a_copy_with_columns_is_equal_and_what_is_masked_is_not_shown(
    kafka: Connection, target: str, settings: Any
) -> None:
    settings.MASK_SECRET = "pepper"
    scene = shaped(kafka, target, columns=COLUMNS)
    run = scene.run(request_audit)
    assert (run.state, last().state) == ("succeeded", "passed"), run.message
    assert last().rows == len(scene.orders.fold)
    key = next(key for key, (_, note) in sorted(scene.orders.fold.items()) if note)
    # amount, then what is computed: remark stands where note stood
    scene.edit([[key, 1, "by hand", 2, "seen", "shop"]], [])
    scene.run(request_audit)
    (found,) = open_divergences(scene.name)
    assert found.expected is not None
    assert found.found is not None
    assert found.expected["cents"] == 100 * scene.orders.fold[key][0]
    assert {found.expected[name] for name in ("remark", "day")} == {HIDDEN}
    assert {found.found[name] for name in ("remark", "day")} == {HIDDEN}
    assert "by hand" not in repr((found.expected, found.found))
    scene.run(request_repair)
    scene.run(request_audit)
    assert last().state == "passed"


def test_a_history_is_audited_by_its_versions(kafka: Connection, target: str) -> None:
    scene = shaped(kafka, target, mode="history")
    scene.writer.write(scene.name, None, b"no key")  # no version of any key
    scene.writer.flush()
    scene.copy()
    run = scene.run(request_audit)
    assert (run.state, last().state) == ("succeeded", "passed"), run.message
    assert last().rows == 300
    sink = open_sink(target)
    live = sink.live(scene.name)
    assert live is not None
    assert live.layout is not None
    deleted = live.layout.names.index("deleted")
    assert {row[deleted] for row in sink.read("orders", live.layout)} == {False, True}
    sink.close()
