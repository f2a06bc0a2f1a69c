"""The workload of the connectors' bench: keyed order events with updates and tombstones."""

import json
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from random import Random
from typing import Any

from fastavro import parse_schema, schemaless_writer

from lineage.connectors.engine_parts import Writer
from lineage.connectors.mapping import avro, avro_rows, json_schema

SHARE_UPDATES = 0.20
SHARE_TOMBSTONES = 0.02
_CURRENCY = {"type": "enum", "name": "Currency", "symbols": ["EUR", "USD"]}
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "customer", "type": "string"},
        {"name": "product", "type": "string"},
        {"name": "quantity", "type": "int"},
        {"name": "amount", "type": "long"},
        {"name": "currency", "type": _CURRENCY},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "updated", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "version", "type": "int"},
        {"name": "paid", "type": "boolean"},
        {"name": "discount", "type": "double"},
    ],
}  # fmt: skip
_BEGIN_MS = 1_760_000_000_000


def writer_of_orders(form: str) -> Writer:
    """Return what reads them: `avro`, or `json` of the same fields."""
    text = json.dumps(SCHEMA)
    plan, origin = avro.plan(text), partial(writer_of_orders, form)
    if form == "avro":
        return Writer(plan, avro.decoder(text), avro_rows.direct(text), origin)
    return Writer(plan, json_schema.decoder(json.loads), origin=origin)


def make_orders(count: int, seed: int = 1) -> Iterator[tuple[bytes, bytes | None]]:
    """So many (key, value) pairs, values framed with schema id 1; a tombstone's value is None."""
    random = Random(seed)
    parsed = parse_schema(json.loads(json.dumps(SCHEMA)))
    versions: list[int] = []
    for at in range(count):
        draw = random.random()
        if versions and draw < SHARE_TOMBSTONES:
            yield _key(random.randrange(len(versions))), None
            continue
        if versions and draw < SHARE_TOMBSTONES + SHARE_UPDATES:
            number = random.randrange(len(versions))
        else:
            number = len(versions)
            versions.append(0)
        versions[number] += 1
        value = _order(number, versions[number], at, random)
        out = BytesIO()
        out.write(b"\x00\x00\x00\x00\x01")
        schemaless_writer(out, parsed, value)
        yield _key(number), out.getvalue()


def _key(number: int) -> bytes:
    return f"order-{number:08d}".encode()


def _order(number: int, version: int, at: int, random: Random) -> dict[str, Any]:
    return {
        "id": f"order-{number:08d}",
        "customer": f"customer-{number % 9973}",
        "product": f"product-{number % 97}",
        "quantity": 1 + number % 9,
        "amount": random.randrange(100, 100_000),
        "currency": "EUR" if number % 3 else "USD",
        "note": None if at % 3 else f"note {at}",
        "created": _BEGIN_MS + number,
        "updated": _BEGIN_MS + at,
        "version": version,
        "paid": at % 2 == 0,
        "discount": at / 7,
    }
