"""Rows packed a batch at a time, column by column, are those packed one by one."""

import json
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.records import Record
from lineage.connectors import batches, vectors
from lineage.connectors.columns import Column, Kind, Layout
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_packing import lead_vectors
from lineage.connectors.engine_parts import Writer
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.keying import EventKeying, TextKeying
from lineage.connectors.mapping import avro, avro_rows, json_schema, json_typed
from lineage.connectors.packing import row_packer
from lineage.connectors.vectors import Texts, buffer_of, copy_pieces, texts_of, utf8_texts
from tests.lineage.connectors.test_packing import ANYTHING, FIELDS, LAYOUT, ROWS, packed
from tests.lineage.connectors.test_quick_rows import LONGS, TEXTS, encoded, layouts, records


def same(writer: Writer, layout: Layout, payloads: list[bytes]) -> None:
    """Assert that a batch is packed as each of its rows is, or not at all where one cannot be."""
    single, many = writer.packer(layout, 1), writer.packs(layout, 1)
    assert many is not None
    expected: list[bytes | None] = []
    for payload in payloads:
        try:
            expected.append(single(("ké",), payload))
        except Exception:  # noqa: BLE001  (decoders raise what they please)
            expected.append(None)
    leads = [texts_of(["ké".encode()] * len(payloads))]
    try:
        found = many(leads, payloads)
    except Exception:  # noqa: BLE001
        assert None in expected
    else:
        assert found == expected


@settings(max_examples=120, deadline=None)
@given(records(), st.data())
def test_flat_avro_is_read_column_by_column_as_record_by_record(
    drawn: tuple[dict[str, Any], list[dict[str, Any]]], data: st.DataObject
) -> None:
    schema, values = drawn
    text = json.dumps(schema)
    plan, layout = layouts(text)
    wider = {"integer": ["integer", "bigint", "double"], "real": ["real", "double"]}
    columns = [
        Column(each.name, data.draw(st.sampled_from(wider.get(each.kind, [each.kind]))))
        for each in layout.columns
    ]
    writer = Writer(plan, avro.decoder(text), avro_rows.direct(text))
    payloads = [encoded(schema, value) for value in values]
    same(writer, Layout(tuple(columns), 1), payloads)
    # some end too soon, or are no records at all
    cut = [payload[: data.draw(st.integers(0, len(payload)))] for payload in payloads]
    noise = data.draw(st.lists(st.binary(max_size=60), max_size=3))
    mixed = data.draw(st.permutations([*payloads, *cut, *noise]))
    same(writer, Layout(tuple(columns), 1), mixed)


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "q": LONGS | ANYTHING,
        "n": st.floats(allow_nan=False) | st.integers() | ANYTHING,
        "b": st.booleans() | ANYTHING,
        "s": TEXTS | ANYTHING,
        "at": st.datetimes().map(lambda at: at.isoformat() + "Z") | ANYTHING,
        "in": st.none() | ANYTHING | st.fixed_dictionaries({}, optional={"u": st.uuids().map(str)}),
    },
)
USUAL = st.fixed_dictionaries({
    "q": st.none() | LONGS,
    "n": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "b": st.none() | st.booleans(),
    "s": st.none() | st.text("aé\0", max_size=5),
    "at": st.none() | st.datetimes().map(lambda at: at.isoformat() + "Z"),
    "in": st.none() | st.fixed_dictionaries({"u": st.none() | st.uuids().map(str)}),
})


@settings(max_examples=120, deadline=None)
@given(st.lists(VALUES | USUAL | ANYTHING, max_size=4) | st.lists(USUAL, min_size=1, max_size=6))
def test_json_is_packed_column_by_column_as_value_by_value(values: list[Any]) -> None:
    plan = json_schema.plan(json.dumps({"properties": FIELDS}))
    layout = Layout((Column("k", "text"), *(source.column for source in plan.columns)), 1)
    writer = Writer(plan, json_schema.decoder(json.loads))
    same(writer, layout, [json.dumps(value).encode() for value in values])


@settings(max_examples=100, deadline=None)
@given(st.lists(USUAL, max_size=3), st.data())
def test_json_that_is_none_is_told(values: list[Any], data: st.DataObject) -> None:
    plan = json_schema.plan(json.dumps({"properties": FIELDS}))
    layout = Layout((Column("k", "text"), *(source.column for source in plan.columns)), 1)
    writer = Writer(plan, json_schema.decoder(json.loads))
    payloads = [json.dumps(value, ensure_ascii=False).encode() for value in values]
    cut = [payload[: data.draw(st.integers(0, len(payload)))] for payload in payloads]
    noise = st.binary(max_size=6) | st.sampled_from([
        b'{"s": "\\ud800"}',
        b'{"x": "\xff"}',
        b'{"n": NaN}',
        b'{"n": 1e400}',
        b"{} {}",
    ])
    mixed = [*payloads, *cut, *data.draw(st.lists(noise, max_size=2))]
    same(writer, layout, data.draw(st.permutations(mixed)))


PATHS: dict[tuple[str, ...], Kind] = {
    ("q",): "bigint",
    ("n",): "double",
    ("in", "u"): "uuid",
    ("s",): "text",
    ("in", "b"): "boolean",
    ("at",): "timestamptz",
}


def test_fields_are_read_alone_where_they_are_as_declared() -> None:
    read = json_typed.columns_of(PATHS)
    assert read is not None
    payloads = [
        b'{"q": 1, "n": 2, "in": {"u": "x", "b": true, "y": [1e999]}, "s": "\\u00e9", "at": "a"}',
        b'{"in": null, "other": {"q": 9}, "at": 5}',
        b'{"q": 1, "q": 18446744073709551616, "s": null, "in": {}}',
    ]
    assert [list(column) for column in read(payloads)] == [
        [1, None, 2**64],
        [2.0, None, None],
        ["x", None, None],
        ["é", None, None],
        [True, None, None],
        ["a", 5, None],
    ]
    for other in (
        b'{"q": 1.0}',
        b'{"q": true}',
        b'{"s": 1}',
        b'{"in": 1}',
        b"[]",
        b"",
        b'{"unasked": "\xff"}',
        b'{"unasked": NaN}',
        b"{} {}",
        b"[" * 100_000,
    ):
        with pytest.raises(ValueError):  # noqa: PT011  (what it says is msgspec's affair)
            read([payloads[0], other])
    # the halves of a character, in two payloads
    with pytest.raises(ValueError, match="utf-8"):
        read([b'{"x": "\xc3', b'\xa9"}'])


def test_some_fields_cannot_be_read_alone() -> None:
    for paths in (
        {("a",): "text", ("a", "b"): "text"},
        {("a", "b"): "text", ("a",): "text"},
        {("a",): "json"},
        {('"',): "text"},
        {("",): "text"},
    ):
        assert json_typed.columns_of(cast("dict[tuple[str, ...], Kind]", paths)) is None


def test_fields_that_are_never_as_declared_are_not_tried_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "_PATIENCE", 3)
    tried = []

    class Counting(json_schema.Decoder):
        @staticmethod
        def columns_of(fields: Any) -> Any:
            read = json_typed.columns_of(fields)
            assert read is not None

            def count(payloads: Sequence[bytes]) -> Any:
                tried.append(len(payloads))
                return read(payloads)

            return count

    plan = json_schema.plan(json.dumps({"properties": {"q": {"type": "integer"}}}))
    layout = Layout((Column("k", "text"), *(source.column for source in plan.columns)), 1)
    pack = Writer(plan, Counting(json.loads)).packs(layout, 1)
    assert pack is not None
    leads = [texts_of([b"k"])]
    usual, other = b'{"q": 1}', b'{"q": 1.0}'
    wanted = pack(leads, [usual])
    # each that is as declared makes good for one that is not
    for payload in (other, usual, other, usual, other, other, other):
        assert pack(leads, [payload]) == wanted
    assert len(tried) == 8
    assert pack(leads, [usual]) == wanted
    assert len(tried) == 8


def test_what_is_usual_goes_column_by_column() -> None:
    plan = json_schema.plan(json.dumps({"properties": FIELDS}))
    layout = Layout((Column("k", "text"), *(source.column for source in plan.columns)), 1)
    pack = Writer(plan, json_schema.decoder(json.loads)).packs(layout, 1)
    assert pack is not None
    values = [
        {"q": 1, "n": 2, "b": True, "s": "é", "at": "2026-01-01T00:00:00Z", "in": None},
        {"q": None, "n": 0.5},
        {},
    ]
    made = pack([texts_of([b"k"] * 3)], [json.dumps(value).encode() for value in values])
    assert None not in made


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_canonical_values_are_packed_column_by_column_as_row_by_row(rows: list[list[Any]]) -> None:
    expected = [packed(row_packer(LAYOUT, "refused"), row) for row in rows]
    try:
        columns = [
            vectors.vector_of(column, [row[at] for row in rows])
            for at, column in enumerate(LAYOUT.columns)
        ]
        found = vectors.packed(LAYOUT, columns)
    except (ArithmeticError, ValueError):
        assert None in expected
    else:
        assert found == expected


@pytest.mark.parametrize(
    "lengths",
    [[0], [3] * 9, [1, 2] * 5, [*range(60)], [0, 5_000, 7], [300 + at for at in range(40)]],
    ids=["empty", "one length", "two", "many", "very long", "long ones"],
)
def test_pieces_are_copied_to_their_places(lengths: list[int]) -> None:
    pieces = [bytes([at % 251]) * length for at, length in enumerate(lengths)]
    texts = texts_of(pieces)
    turned = Texts(texts.data, texts.starts[::-1].copy(), texts.lengths[::-1].copy())
    into = np.zeros(sum(lengths) + len(lengths), np.uint8)
    ends = np.cumsum(turned.lengths + 1)
    copy_pieces(turned, into, ends - turned.lengths - 1)
    assert into.tobytes() == b"".join(piece + b"\0" for piece in reversed(pieces))


def test_a_character_is_not_put_together_from_two_keys() -> None:
    assert utf8_texts(["é".encode(), b"a"]).data.tobytes() == "éa".encode()
    with pytest.raises(UnicodeDecodeError):
        utf8_texts([b"\xc3", b"\xa9"])
    assert buffer_of(b"").tobytes() == b"\0"


# -- through the fold -----------------------------------------------------------------------------
class TwoSchemas:
    """A record's first byte tells its schema; one of 'z' has none."""

    def __init__(self) -> None:
        self._writers = {}
        for name in ("a", "b"):
            text = json.dumps({
                "type": "record",
                "name": name.upper(),
                "fields": [{"name": name, "type": "long"}],
            })
            self._writers[name.encode()] = Writer(
                avro.plan(text), avro.decoder(text), avro_rows.direct(text)
            )

    def writer(self, record: Record) -> tuple[Writer, bytes]:
        value = record.value or b""
        if value[:1] not in self._writers:
            raise PoisonRecordError("no schema")
        return self._writers[value[:1]], value[1:]

    def key(self, raw: bytes) -> Any:
        raise NotImplementedError


def record(at: int, value: bytes | None, key: bytes | None = b"k") -> Record:
    return Record("t", 0, at, 1_000 + at, key, value, None)


def test_records_of_several_schemas_are_packed_in_their_places() -> None:
    given = [
        record(0, b"a\x02"),
        record(1, b"b\x04"),
        record(2, None),
        record(3, b"z\x04"),
        record(4, b"a\x06", b"\xff"),
        record(5, b"a"),
        record(6, b"b\x08"),
    ]
    for keying in (TextKeying("id"), EventKeying()):
        preparation = Preparation(TwoSchemas(), keying, lambda *_told: None)
        preparation.fit_all(given)
        layout = preparation.layout
        assert layout is not None
        pack = row_packer(layout)
        rows = [pack(row) if isinstance(row, list) else None for row in preparation.rows_of(given)]
        assert [at for at, row in enumerate(rows) if row is None] == [2, 3, 5]
        assert preparation.packing.rows(given) == rows
        assert preparation.packing.rows(given[:1]) == rows[:1]
        assert preparation.packing.rows([]) == []


def test_keys_that_are_no_text_are_led_in_another_way() -> None:
    layout = Layout((Column("id", "text"),), 1)
    keying = TextKeying("id")
    for keys in ([b"a", b"b"], [b"a", b"\xff"]):
        found = lead_vectors(keying, [record(0, b"", key) for key in keys], layout)
        assert len(found) == 1
        (lead,) = found
        assert isinstance(lead, Texts)
        texts = [
            lead.data[start : start + length].tobytes().decode()
            for start, length in zip(lead.starts.tolist(), lead.lengths.tolist(), strict=True)
        ]
        assert texts == [keying.lead(record(0, b"", key), layout)[0] for key in keys]
