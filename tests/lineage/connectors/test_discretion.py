"""What quarantine, audits and messages tell of a copy that masks columns: no more than the copy."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.core import serializers
from django.test import Client
from fastavro import parse_schema, schemaless_writer

from broker.connection import Connection
from lineage.connectors.actions import declare, find_connector, list_runs, regenerate, replay
from lineage.connectors.audits.actions import open_divergences, request_audit, request_repair
from lineage.connectors.columns import Layout, row_maker
from lineage.connectors.declared_columns import read_columns
from lineage.connectors.definition import check
from lineage.connectors.discretion import HIDDEN, Discretion, hidden_columns
from lineage.connectors.mapping import avro
from lineage.connectors.models import Audit, Divergence, Quarantine, Run
from lineage.connectors.shaping import Shaper
from lineage.connectors.sinks import open_sink
from registry.actions import Submission, register
from tests.lineage.connectors.scene import Scene, carried_out

CUSTOMER = {
    "type": "record",
    "name": "Customer",
    "fields": [
        {"name": "email", "type": "string"},
        {
            "name": "home",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Home",
                    "fields": [
                        {"name": "city", "type": "string"},
                        {"name": "street", "type": "string"},
                    ],
                },
            ],
        },
        {"name": "amount", "type": "long"},
    ],
}
GOOD: dict[str, Any] = {"name": "c", "topics": ["t"], "target": "sqlite:///x", "table": "t"}
MASKED: dict[str, Any] = {
    "record_key": {"mask": "hash"},
    "email": {"mask": "redact"},
    "home": {"mask": "hash"},
}
STREET = {"street": "S"}
NAMES = {"record_key", "email", "email_verified", "home_city", "home_street", "homely", "amount"}


# -- which columns, and what is told --------------------------------------------------------------
@pytest.mark.parametrize(
    ("columns", "names", "hidden"),
    [
        ({"home": {"mask": "hash"}}, NAMES, {"home_city", "home_street"}),
        ({"home": {"mask": "hash"}}, NAMES | {"home"}, {"home"}),
        ({"mail": {"from": "email", "mask": "hash"}}, NAMES, {"email"}),
        ({"place": {"from": "home.city", "mask": "hash"}}, NAMES | {"place"}, {
            "place", "home_city",
        }),
        ({"place": {"from": "home", "mask": "hash"}}, NAMES | {"place_city"}, {
            "place_city", "home_city", "home_street",
        }),
        # the same field, declared to be shown
        ({"mail": {"from": "email", "mask": "hash"}, "email": "keep"}, NAMES | {"mail"}, {"mail"}),
        ({"day": {"expression": "email", "mask": "partial"}}, NAMES | {"day"}, {"day"}),
        ({"email": "keep", "note": "drop"}, NAMES, set()),
        (["email"], NAMES, set()),
        (None, NAMES, set()),
    ],
)  # fmt: skip
def test_hidden_is_what_may_hold_a_masked_field(
    columns: Any, names: set[str], hidden: set[str]
) -> None:
    assert hidden_columns(read_columns(columns)[0], names) == hidden


@pytest.mark.parametrize(
    ("declared", "key"),
    [
        ({}, "ann@example.com"),
        ({"columns": {"other": {"mask": "hash"}}}, "ann@example.com"),
        ({"columns": {"record_key": {"mask": "partial"}}}, "****@example.com"),
        ({"columns": {"record_key": {"mask": "redact"}}}, "[redacted]"),
        ({"key": ["id"], "columns": {"id": {"mask": "partial"}}}, "****@example.com"),
        ({"mode": "events", "columns": {"kafka_key": {"mask": "redact"}}}, "[redacted]"),
        ({"mode": "history", "columns": {"record_key": {"mask": "redact"}}}, "[redacted]"),
        ({"key_format": "schema", "columns": {"id": {"mask": "redact"}}}, HIDDEN),
    ],
)
def test_a_key_is_told_as_the_copy_shows_it(declared: dict[str, Any], key: str) -> None:
    assert Discretion(check(GOOD | declared), b"").key(b"ann@example.com") == key


def test_a_hashed_key_is_the_copys_own_hash_or_hidden_without_the_secret() -> None:
    definition = check(GOOD | {"columns": {"record_key": {"mask": "hash"}}})
    assert len(Discretion(definition, b"pepper").key(b"ann")) == 64
    assert Discretion(definition, b"").key(b"ann") == HIDDEN
    assert Discretion(definition, b"").key(None) == ""


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "cannot be decoded: UnicodeDecodeError('utf-8', b'ann\\xff', 3, 4, 'x')",
            "cannot be decoded: UnicodeDecodeError, in words that may hold what is masked",
        ),
        (
            "the key cannot be decoded: ValueError('ann')",
            "the key cannot be decoded: ValueError, in words that may hold what is masked",
        ),
        ("'ann' is no whole number of 64 bits", "a value is no whole number of 64 bits"),
        ("key 'ann' is no whole number", "the key is no whole number"),
        ("column x: the result is no whole number", "column x: the result is no whole number"),
        ("the value is not framed with a schema id", "the value is not framed with a schema id"),
    ],
)
def test_reasons_are_told_without_values(reason: str, told: str) -> None:
    assert Discretion(check(GOOD | {"columns": MASKED}), b"").reason(reason) == told
    assert Discretion(check(GOOD), b"").reason(reason) == reason


@pytest.mark.parametrize(
    ("declared", "home"),
    [
        ({"flatten": 0, "columns": {"city": {"from": "home.city", "mask": "redact"}}}, STREET),
        ({"columns": {"home": "json", "home_city": {"mask": "redact"}}}, STREET),
        ({"columns": {"home": "json", "home.city": "drop"}}, STREET),
        # renamed is not hidden, and what is masked as a whole is whole
        ({"columns": {"home": "json", "city": {"from": "home.city"}}}, STREET | {"city": "C"}),
    ],
)  # fmt: skip
def test_a_record_left_whole_is_without_the_fields_masked_or_dropped(
    declared: dict[str, Any], home: dict[str, str]
) -> None:
    plan = Shaper(check(GOOD | declared), b"pepper").plan(avro.plan(json.dumps(CUSTOMER)))
    layout = Layout(tuple(source.column for source in plan.columns), 0)
    value = {"email": "e", "home": {"city": "C", "street": "S"}, "amount": 1}
    row = dict(zip(layout.names, row_maker(layout, plan, 0)(value), strict=True))
    assert json.loads(row["home"]) == home


# -- a copy that came to be masked ----------------------------------------------------------------
def encoded(schema_id: int, email: bytes, city: str) -> bytes:
    out = BytesIO()
    out.write(b"\x00" + schema_id.to_bytes(4, "big"))
    value = {"email": "", "home": {"city": city, "street": "Secret Lane"}, "amount": 3}
    schemaless_writer(out, parse_schema(json.loads(json.dumps(CUSTOMER))), value)
    # the text of the first field, as it is
    framed = out.getvalue()
    return framed[:5] + bytes([len(email) * 2]) + email + framed[6:]


CLEAR = ("ann@", "bob@", "eve@", "Bonn", "Secret", "Paris")


def kept() -> str:
    """All that is kept of runs, audits and quarantine, as it is stored."""
    return str([
        serializers.serialize("json", model.objects.all(), ensure_ascii=False)
        for model in (Quarantine, Divergence, Audit, Run)
    ])


def clear_values(text: str) -> list[str]:
    return [value for value in CLEAR if value in text]


@pytest.mark.kafka
@pytest.mark.django_db(transaction=True)
def test_nothing_beside_the_copy_shows_what_is_masked(
    kafka: Connection, sqlite_target: str, settings: Any, client: Client
) -> None:
    settings.MASK_SECRET = "pepper"
    scene = Scene(kafka, sqlite_target)
    schema = register(f"{scene.topic}-value", Submission(json.dumps(CUSTOMER))).schema.id
    for key in (b"ann@example.com", b"bob@example.com"):
        scene.writer.write(scene.topic, key, encoded(schema, key, "Bonn"))
    damaged = encoded(schema, b"eve@example.com\xff", "Paris")
    scene.writer.write(scene.topic, b"eve@example.com", damaged)
    scene.writer.flush()
    scene.copy()
    _edit(sqlite_target, scene.topic, "Paris")
    _carry_out(request_audit, scene.topic)
    # nothing is masked yet
    assert {"eve@", "Bonn", "Paris"} <= {*clear_values(kept())}

    declare(find_connector(scene.topic).definition | {"columns": MASKED})
    assert clear_values(kept()) == []
    # the table is as it was before, in clear, until it is regenerated
    _carry_out(request_audit, scene.topic)
    assert open_divergences(scene.topic)
    assert clear_values(kept()) == []
    declare(find_connector(scene.topic).definition | {"columns": MASKED | {"one": {"constant": 1}}})
    refused = carried_out(request_audit(scene.topic))
    assert (refused.state, "regenerate it, then audit" in refused.message) == ("failed", True)
    declare(find_connector(scene.topic).definition | {"columns": MASKED})
    run = carried_out(regenerate(scene.topic))
    assert run.state == "succeeded", run.message
    _edit(sqlite_target, scene.topic, "Paris")
    Quarantine.objects.all().delete()
    _carry_out(request_audit, scene.topic)
    (found,) = open_divergences(scene.topic)
    assert found.found is not None
    assert found.found["home_city"] == HIDDEN
    scene.copy()
    scene.writer.write(scene.topic, b"eve@example.com", damaged)
    scene.writer.flush()
    scene.copy()
    left_out = Quarantine.objects.latest("at")
    assert len(left_out.key) == 64
    assert "UnicodeDecodeError" in left_out.reason
    carried_out(replay(scene.topic))
    assert "UnicodeDecodeError" in Quarantine.objects.latest("at").reason
    _carry_out(request_repair, scene.topic)
    assert clear_values(kept()) == []
    _shows_nothing(client, scene.topic)


def _carry_out(ask: Any, name: str) -> None:
    run = carried_out(ask(name))
    assert run.state == "succeeded", run.message


def _edit(target: str, connector: str, city: str) -> None:
    """Write a clear value into the copy by hand."""
    sink = open_sink(target)
    live = sink.live(connector)
    assert live is not None
    assert live.layout is not None
    row = next(iter(sink.read("orders", live.layout)))
    row[live.layout.names.index("home_city")] = city
    sink.merge("orders", live.layout, [row], [])
    sink.close()


def _shows_nothing(client: Client, name: str) -> None:
    api = f"/api/v1/connectors/{name}"
    audit = Audit.objects.latest("started_at").pk
    paths = [
        *(f"{api}{tail}" for tail in ("", "/quarantine", "/audits", f"/audits/{audit}")),
        "/api/v1/runs",
        "/api/v1/findings",
        f"/copies/{name}",
        f"/copies/{name}/audits/{audit}",
        *(f"/runs/{run.pk}" for run in list_runs(name)),
    ]
    for path in paths:
        accept = "application/json" if path.startswith("/api") else "text/html"
        answer = client.get(path, headers={"Accept": accept})
        assert answer.status_code == 200, path
        assert clear_values(answer.content.decode()) == [], path
