"""Orders as Avro on a topic, and what a copy of them must hold."""

import json
import random
import sqlite3
from contextlib import closing
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import psycopg
from fastavro import parse_schema, schemaless_writer

from broker.produce import RecordWriter

ORDER: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "amount", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}
WIDER_ORDER = ORDER | {
    "fields": [*ORDER["fields"], {"name": "gift", "type": ["null", "boolean"], "default": None}]
}
_BEGIN = 1_700_000_000_000
Fold = dict[str, tuple[int, str | None]]


def encode(schema: dict[str, Any], schema_id: int, value: dict[str, Any]) -> bytes:
    """Return a value as Confluent's Avro serializer frames it."""
    out = BytesIO()
    out.write(b"\x00" + schema_id.to_bytes(4, "big"))
    schemaless_writer(out, parse_schema(json.loads(json.dumps(schema))), value)
    return out.getvalue()


class Orders:
    """Writes random orders (inserts, updates, tombstones) and folds them as a model does."""

    def __init__(self, writer: RecordWriter, topic: str, schema_id: int, seed: int = 1) -> None:
        self.fold: Fold = {}
        self.written = 0
        self._writer = writer
        self._topic = topic
        self._id = schema_id
        self._random = random.Random(seed)
        self._parsed = parse_schema(json.loads(json.dumps(ORDER)))

    def write(self, count: int, keys: int = 2000) -> None:
        """Write so many records over so many keys, and wait until Kafka has them."""
        for _ in range(count):
            key = f"o-{self._random.randrange(keys)}"
            self.written += 1
            if self._random.random() < 0.1:
                self.fold.pop(key, None)
                self._writer.write(self._topic, key.encode(), None)
                continue
            note = None if self._random.random() < 0.5 else f"é {self.written}"
            self.fold[key] = self.written, note
            out = BytesIO()
            out.write(b"\x00" + self._id.to_bytes(4, "big"))
            value = {"amount": self.written, "note": note, "at": _BEGIN + self.written}
            schemaless_writer(out, self._parsed, value)
            self._writer.write(self._topic, key.encode(), out.getvalue())
        self._writer.flush()


def query(target: str, statement: str) -> list[tuple[Any, ...]]:
    """Read a target as any outside reader would."""
    if target.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(target).path[1:], timeout=20)) as db:
            return db.execute(statement).fetchall()
    with psycopg.connect(target, autocommit=True) as server:
        return server.execute(statement.encode()).fetchall()


def copied(target: str, table: str = "orders") -> Fold:
    """What the copy holds; empty while there is no table."""
    try:
        rows = query(target, f'SELECT record_key, amount, note FROM "{table}"')
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return {}
    return {row[0]: (row[1], row[2]) for row in rows}
