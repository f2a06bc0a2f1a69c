"""Regenerations whose rows go from the log's bytes to the database's, whatever goes wrong."""

import json
from io import BytesIO
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from broker.records import Record
from lineage.connectors.columns import Plan, Row
from lineage.connectors.digests import digest
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_parts import Writer
from lineage.connectors.engine_regenerate import Built, Regeneration
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.keying import TextKeying
from lineage.connectors.mapping import avro, avro_rows
from lineage.connectors.sinks import open_sink
from tests.lineage.connectors.test_fold import TOPIC, Log

FIELDS = [
    {"name": "n", "type": "long"},
    {"name": "t", "type": ["null", "string"]},
    {"name": "d", "type": "double"},
]
WIDER = [*FIELDS, {"name": "x", "type": "boolean"}]
SCHEMAS = [json.dumps({"type": "record", "name": "R", "fields": each}) for each in (FIELDS, WIDER)]


class AvroDecoder:
    """The first byte of a value is the number of its schema."""

    def __init__(self) -> None:
        self._writers = [
            Writer(avro.plan(text), avro.decoder(text), avro_rows.direct(text)) for text in SCHEMAS
        ]

    def writer(self, record: Record) -> tuple[Writer, bytes]:
        found = record.value or b""
        if found[:1] not in {b"\0", b"\1"}:
            raise PoisonRecordError("no such schema")
        return self._writers[found[0]], found[1:]

    def key(self, raw: bytes) -> tuple[Plan, Any]:
        raise NotImplementedError


def value(
    number: int, text: str | None = "é", double: float = 0.5, *, wider: bool = False
) -> bytes:
    out = BytesIO()
    out.write(bytes([wider]))
    record = {"n": number, "t": text, "d": double} | ({"x": True} if wider else {})
    schemaless_writer(out, parse_schema(json.loads(SCHEMAS[wider])), record)
    return out.getvalue()


def rebuild(log: Log, target: str) -> tuple[Built, dict[str, Row], list[tuple[bytes, str]]]:
    """Build; return what is told, the rows by key, and what was put into quarantine, and why."""
    sink, quarantine = open_sink(target), list[tuple[bytes, str]]()
    preparation = Preparation(
        AvroDecoder(),
        TextKeying("record_key"),
        lambda record, why: quarantine.append((record.key or b"", why)),
    )
    built = Regeneration("c", "copy", [TOPIC], log, preparation, sink, lambda *_: None).run()
    live = sink.live("c")
    assert live is not None
    assert live.layout is not None
    rows = list(sink.read("copy", live.layout))
    assert digest(live.layout, rows) == built.digest
    sink.close()
    return built, {row[0]: row[1:] for row in rows}, quarantine


@pytest.mark.postgres
def test_a_log_with_trouble_of_every_kind(postgres_target: str) -> None:
    log = Log()
    for key, raw in [
        (b"a", value(1)),
        (b"a", value(2, None)),
        (b"gone", value(1)),
        (b"gone", None),
        (b"nan", value(3, "x", nan)),
        (b"short", value(4)),
        (b"short", value(5)[:-3]),
        (b"nul", value(6, "before")),
        (b"nul", value(7, "a\0b")),
        (b"utf", value(8, "ab").replace(b"ab", b"\xff\xfe")),
        (b"\xff", value(9)),
        (b"\\xff", value(10)),  # the same key as text; that of the last partition counts
        (b"none", b"what?"),
    ]:
        log.append(key, raw)
    built, rows, quarantine = rebuild(log, postgres_target)
    assert isnan(rows.pop("nan")[2])
    assert rows == {
        "a": [2, None, 0.5],
        "short": [4, "é", 0.5],
        "nul": [6, "before", 0.5],
        "\\xff": [9, "é", 0.5],
    }
    assert {key for key, _ in quarantine} == {b"short", b"nul", b"utf", b"none"}
    assert "refused by the database" in dict(quarantine)[b"nul"]
    assert built.digest.rows == 5


@pytest.mark.postgres
def test_one_digest_in_every_kind_of_target(postgres_target: str, tmp_path: Path) -> None:
    log = Log()
    for at in range(1200):
        log.append(f"k{at % 700}".encode(), value(at, f"é{at}", at / 7) if at % 9 else None)
    log.append(b"nan", value(1, "", nan))
    packed, rows, _ = rebuild(log, postgres_target)
    plain, others, _ = rebuild(log, f"sqlite:///{tmp_path / 'c.db'}")
    assert packed.digest == plain.digest
    assert rows.keys() == others.keys()


@pytest.mark.postgres
def test_a_schema_that_comes_in_the_midst_widens_the_load(postgres_target: str) -> None:
    log = Log()
    for at in range(1500):
        # met by no sample of the survivors
        log.append(f"k{at}".encode(), value(at, wider=at == 777))
    _, rows, quarantine = rebuild(log, postgres_target)
    assert not quarantine
    assert rows["k777"] == [777, "é", 0.5, True]
    assert rows["k776"] == [776, "é", 0.5, None]
    assert len(rows) == 1500
