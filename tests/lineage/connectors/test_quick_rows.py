"""What is made for speed equals what says the same plainly: rows, files of survivors, tallies."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.records import Record
from lineage.connectors.columns import Column, Layout, Row, row_maker
from lineage.connectors.digests import digest
from lineage.connectors.engine_parts import Writer
from lineage.connectors.engine_proof import Tally
from lineage.connectors.engine_survivors import Survivors
from lineage.connectors.mapping import avro, avro_rows, json_schema
from lineage.connectors.row_making import compiled_maker

LONGS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
TIME = {"type": "long", "logicalType": "timestamp-millis"}
KINDS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    ("int", st.integers(-(2**31), 2**31 - 1)),
    ("long", LONGS),
    ("string", TEXTS),
    ("bytes", st.binary(max_size=80)),
    ("boolean", st.booleans()),
    ("float", st.floats(width=32, allow_nan=False)),
    ("double", st.floats(allow_nan=False)),
    (TIME, st.integers(-(2**50), 2**50)),
    ({"type": "long", "logicalType": "timestamp-micros"}, LONGS),
    ({"type": "int", "logicalType": "date"}, st.integers(-(2**31), 2**31 - 1)),
    ({"type": "string", "avro.java.string": "String"}, TEXTS),
]


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    fields, values = [], {}
    for at, (kind, value) in enumerate(draw(st.lists(st.sampled_from(KINDS), max_size=9))):
        name = f"f{at}"
        null = draw(st.sampled_from([None, 0, 1]))
        schema = kind if null is None else (["null", kind] if null == 0 else [kind, "null"])
        fields.append({"name": name, "type": schema})
        values[name] = value if null is None else st.none() | value
    fields += [
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}},
        {"name": "x", "type": {"type": "fixed", "name": "X", "size": 3}},
        {"name": "again", "type": ["null", "E"]},
    ]
    values |= {
        "e": st.sampled_from("ABC"),
        "x": st.binary(min_size=3, max_size=3),
        "again": st.none() | st.sampled_from("ABC"),
    }
    schema = {"type": "record", "name": "R", "fields": fields}
    return schema, draw(st.lists(st.fixed_dictionaries(values), min_size=1, max_size=5))


def encoded(schema: dict[str, Any], value: dict[str, Any]) -> bytes:
    out = BytesIO()
    schemaless_writer(out, parse_schema(avro._timeless(json.loads(json.dumps(schema)))), value)
    return out.getvalue()


def layouts(text: str) -> tuple[Any, Layout]:
    plan = avro.plan(text)
    key = Column("k", "text")
    return plan, Layout((key, *(source.column for source in plan.columns), Column("z", "text")), 1)


@settings(max_examples=150, deadline=None)
@given(records(), st.data())
def test_flat_records_are_read_as_the_general_decoder_reads_them(
    drawn: tuple[dict[str, Any], list[dict[str, Any]]], data: st.DataObject
) -> None:
    schema, values = drawn
    text = json.dumps(schema)
    plan, layout = layouts(text)
    direct = avro_rows.direct(text)
    assert direct is not None
    plain = row_maker(layout, plan, 1)
    decode = avro.decoder(text)
    both = Writer(plan, decode, direct).reader(layout, 1)
    for value in values:
        payload = encoded(schema, value)
        wanted = ["k", *plain(decode(payload))]
        assert direct.reader(layout, plan, 1)(("k",), payload) == wanted
        assert compiled_maker(layout, plan, 1)(("k",), decode(payload)) == wanted
        broken = payload[: data.draw(st.integers(0, len(payload)))]
        assert outcome(both, broken) == outcome(lambda k, p: [*k, *plain(decode(p))], broken)


def outcome(read: Any, payload: bytes) -> Any:
    try:
        return read(("k",), payload)
    except Exception:  # noqa: BLE001  (decoders raise what they please)
        return "refused"


def test_what_is_not_flat_has_no_reader_of_its_own() -> None:
    inner = {"type": "record", "name": "I", "fields": [{"name": "a", "type": "int"}]}
    for kind in (inner, {"type": "map", "values": "int"}, ["null", "int", "string"]):
        text = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]})
        assert avro_rows.direct(text) is None
    assert avro_rows.direct('"string"') is None


def test_rows_of_nested_and_absent_fields_equal_the_loop() -> None:
    text = json.dumps({
        "properties": {
            "a": {"type": "integer"},
            "b": {"properties": {"c": {"type": "string"}, "d": {"format": "date-time"}}},
        }
    })
    plan = json_schema.plan(text)
    layout = Layout((Column("k", "text"), *(source.column for source in plan.columns)), 1)
    plain, quick = row_maker(layout, plan, 1), compiled_maker(layout, plan, 1)
    values: list[Any] = [{"a": 1, "b": {"c": "x"}}, {"a": 2}, {}, {"b": None}, {"a": 1, "b": {}}]
    for value in values:
        assert quick(("k",), value) == ["k", *plain(value)]


def test_json_is_read_as_exactly_as_the_standard_library_does() -> None:
    decode = json_schema.decoder(json.loads)
    for text in ('{"a":1e3}', '{"a":12345678901234567890123}', '{"a":NaN}', '{"a":-0.1,"a":2}'):
        assert repr(decode(text.encode())) == repr(json.loads(text))


RECORDS = st.lists(
    st.builds(
        Record,
        st.just("t"),
        st.integers(0, 1),
        st.integers(0, 99),
        st.just(0),
        st.sampled_from([b"a", b"b", b"c", b"\xff"]),
        st.none() | st.binary(max_size=5),
        st.none() | st.just((("h", b"1"), ("g", None))),
    ),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(RECORDS, st.integers(0, 3_000), st.integers(1, 4))
def test_survivors_on_disk_are_those_in_memory(
    written: list[Record], memory: int, batch: int
) -> None:
    held, spilling = Survivors(), Survivors(memory)
    for at in range(0, len(written), batch):
        last = {record.key: record for record in written[at : at + batch]}
        held.put(last)
        spilling.put(last)
    for _ in range(2):
        wanted = {one.key: one for chunk in held.chunks(3) for one in chunk}
        found = [one for chunk in spilling.chunks(3) for one in chunk]
        assert len(found) == len(wanted)
        assert {one.key: one for one in found} == wanted
    spilling.close()


def test_survivors_leave_no_files(tmp_path: Path) -> None:
    survivors = Survivors(0, tmp_path)
    survivors.put({b"a": Record("t", 0, 1, 0, b"a", b"x", None)})
    assert survivors.spilled
    assert list(tmp_path.iterdir())
    survivors.close()
    assert not list(tmp_path.iterdir())


def test_a_tally_gives_the_digest_and_tells_rows_apart() -> None:
    layout = Layout((Column("id", "text"), Column("n", "bigint")), 1)
    rows: list[Row] = [["a", 1], ["b", -1], ["c", None]]
    one, other = Tally(layout, named=True), Tally(layout)
    one.add(rows)
    other.add(reversed(rows))
    assert one.equals(other)
    assert one.digest == digest(layout, rows)
    others: list[list[Row]] = [
        [["a", 1], ["b", -2], ["c", None]],
        rows[:2],
        [["a", -1], ["b", 1], rows[2]],
    ]
    for changed in others:
        damaged = Tally(layout)
        damaged.add(changed)
        assert not one.equals(damaged)
    unfit = Tally(layout)
    unfit.add([["\ud800", 2**70]])
    assert unfit.rows == 1
