"""Rows made of bytes without becoming values are those of the plain way, and PostgreSQL's."""

import json
from collections.abc import Callable
from decimal import Decimal
from math import nan
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.connectors.columns import Column, Kind, Layout, Row, row_maker
from lineage.connectors.digests import digest
from lineage.connectors.engine_parts import Writer
from lineage.connectors.engine_proof import Tally, prove
from lineage.connectors.errors import (
    CopyDivergedError,
    SinkError,
    SinkRefusedError,
    SinkUnavailableError,
)
from lineage.connectors.mapping import avro, avro_rows, json_schema
from lineage.connectors.packing import UNFIT, has_form, row_packer
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.postgres import PostgresSink
from lineage.connectors.sinks.postgres_connection import index_beside
from tests.lineage.connectors.orders import query
from tests.lineage.connectors.test_quick_rows import LONGS, TEXTS, encoded, layouts, records

VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": LONGS,
    "real": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80),
    "bytes": st.binary(max_size=80),
    "uuid": st.uuids().map(str),
    "timestamptz": st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    "timestamp": st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    "date": st.integers(-719_162, 2_932_896),
    "time": st.integers(0, 86_399_999_999),
}
LAYOUT = Layout(
    (
        Column("id", "integer"),
        *(Column(f"a_{kind}", kind, 6 if kind.startswith("time") else 0) for kind in VALUES),
    ),
    1,
)
ROWS = st.lists(st.tuples(*(st.none() | values for values in VALUES.values())), max_size=8).map(
    lambda found: [[at, *values] for at, values in enumerate(found)]
)


def packed(pack: Callable[..., bytes], *given: Any) -> bytes | None:
    """The bytes of a row; None where a value has no form, as a time of 290,000 years ago."""
    try:
        return pack(*given)
    except UNFIT:
        return None


@settings(max_examples=150, deadline=None)
@given(records(), st.data())
def test_flat_avro_is_packed_as_its_rows_are(
    drawn: tuple[dict[str, Any], list[dict[str, Any]]], data: st.DataObject
) -> None:
    schema, values = drawn
    text = json.dumps(schema)
    plan, layout = layouts(text)
    # a column of the table that is wider than the schema's
    wider = {"integer": "double", "real": "double"}
    layout = Layout(
        tuple(
            Column(each.name, data.draw(st.sampled_from([each.kind, wider[each.kind]])))
            if each.kind in wider
            else each
            for each in layout.columns
        ),
        1,
    )
    direct = avro_rows.direct(text)
    assert direct is not None
    decode = avro.decoder(text)
    plain, pack = row_maker(layout, plan, 1), row_packer(layout)
    quick = direct.packer(layout, plan, 1)
    for value in values:
        payload = encoded(schema, value)
        row = ["ké", *plain(decode(payload))]
        expected = packed(pack, row)
        assert packed(quick, ("ké",), payload) == expected
        assert packed(Writer(plan, decode).packer(layout, 1), ("ké",), payload) == expected
        # what ends too soon is refused, or was enough
        broken = payload[: data.draw(st.integers(0, len(payload)))]
        try:
            found = quick(("ké",), broken)
        except UNFIT:
            continue
        assert found == pack(["ké", *plain(decode(broken))])


FIELDS: dict[str, Any] = {
    "q": {"type": "integer"},
    "n": {"type": "number"},
    "b": {"type": "boolean"},
    "s": {"type": "string"},
    "at": {"type": "string", "format": "date-time"},
    "in": {"properties": {"u": {"type": "string", "format": "uuid"}}},
}
ANYTHING = st.none() | st.booleans() | LONGS | st.floats() | TEXTS | st.integers()


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "q": LONGS | ANYTHING,
            "n": st.floats(allow_nan=False) | ANYTHING,
            "b": st.booleans() | ANYTHING,
            "s": TEXTS | ANYTHING,
            "at": st.datetimes().map(lambda at: at.isoformat() + "Z") | ANYTHING,
            "in": st.none() | st.fixed_dictionaries({}, optional={"u": st.uuids().map(str)}),
        },
    )
)
def test_json_is_packed_as_its_rows_are_or_refused(value: dict[str, Any]) -> None:
    plan = json_schema.plan(json.dumps({"properties": FIELDS}))
    layout = Layout((Column("k", "text"), *(source.column for source in plan.columns)), 1)
    writer = Writer(plan, json_schema.decoder(json.loads))
    payload = json.dumps(value).encode()
    try:
        row = ["k", *row_maker(layout, plan, 1)(json.loads(payload))]
        wanted: bytes | None = row_packer(layout, "refused")(row)
    except Exception:  # noqa: BLE001  (conversions raise what they please)
        wanted = None
    try:
        found: bytes | None = writer.packer(layout, 1)(("k",), payload)
    except Exception:  # noqa: BLE001
        found = None
    assert found == wanted


def test_kinds_that_are_written_in_several_ways_have_no_form() -> None:
    assert has_form(LAYOUT)
    for column in (Column("d", "decimal", 9, 2), Column("j", "json"), Column("a", "array")):
        assert not has_form(Layout((column,), 1))
    layout = Layout((Column("d", "decimal", 9, 2),), 1)
    assert digest(layout, [[Decimal("1.50")]]) == digest(layout, [[Decimal("1.5")]])


def test_a_digest_has_one_word_for_nan_and_null_and_tells_misfits_apart() -> None:
    layout = Layout((Column("id", "integer"), Column("d", "double")), 1)
    assert digest(layout, [[1, nan]]) == digest(layout, [[1, None]])
    assert digest(layout, [[1, "x"]]) != digest(layout, [[1, None]])
    assert row_packer(layout)([1, nan]) != row_packer(layout)([1, None])


@pytest.fixture
def sink(postgres_target: str) -> Any:
    made = open_sink(postgres_target)
    yield made
    made.close()


@pytest.mark.postgres
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS)
def test_postgresql_takes_and_gives_what_is_packed_here(
    sink: PostgresSink, rows: list[Row]
) -> None:
    pack = row_packer(LAYOUT)
    packed = list(map(pack, rows))
    sink.load_packed("packed", LAYOUT, [b"".join(packed[:3]), b"".join(packed[3:])])
    assert [row for chunk in sink.read_packed("packed", LAYOUT) for row in chunk] == packed
    assert list(map(pack, sorted(sink.read("packed", LAYOUT)))) == packed
    sink.load("by_rows", LAYOUT, rows)
    assert [row for chunk in sink.read_packed("by_rows", LAYOUT) for row in chunk] == packed


@pytest.mark.postgres
def test_what_the_database_changes_loses_or_doubles_is_found(
    sink: PostgresSink, postgres_target: str
) -> None:
    layout = Layout((Column("id", "integer"), Column("t", "text")), 1)
    packed = [row_packer(layout)([at, f"é{at}"]) for at in range(12_000)]
    expected = Tally(layout, named=True, packed=True)
    expected.add_packed(packed)
    sink.load_packed("p", layout, [b"".join(packed)])
    told: list[int] = []
    prove(sink, "p", layout, expected, told.append)
    assert told[-1] == expected.rows
    for damage in (
        "UPDATE p SET t = 'è7' WHERE id = 7",
        "UPDATE p SET t = NULL WHERE id = 7",
        "DELETE FROM p WHERE id = 8",
        "INSERT INTO p VALUES (-1, '')",
        "UPDATE p SET t = CASE id WHEN 1 THEN 'é2' ELSE 'é1' END WHERE id IN (1, 2)",
    ):
        query(postgres_target, damage + " RETURNING 1")
        with pytest.raises(CopyDivergedError, match="of 12000"):
            prove(sink, "p", layout, expected, told.append)
        sink.load_packed("p", layout, [b"".join(packed)])


@pytest.mark.postgres
@pytest.mark.parametrize("text", [b"a\0b", b"\xff"])
def test_text_that_is_none_is_refused_and_leaves_no_table(sink: PostgresSink, text: bytes) -> None:
    layout = Layout((Column("id", "integer"), Column("t", "text")), 1)
    row = row_packer(layout)([1, "xxx"[: len(text)]]).replace(b"x" * len(text), text)
    with pytest.raises(SinkRefusedError):
        sink.load_packed("refused", layout, [row])
    assert sink.count("refused") == 0


@pytest.mark.postgres
def test_a_key_is_built_while_the_table_is_read(sink: PostgresSink, postgres_target: str) -> None:
    layout = Layout((Column("id", "integer"), Column("t", "text")), 1)
    row = row_packer(layout)([1, "x"])
    for table in ("keyed", "keyed", "other"):
        sink.load_packed(table, layout, [row])
        with sink.adding_key(table, layout):
            assert list(sink.read_packed(table, layout)) == [[row]]
        sink.merge(table, layout, [[1, "y"], [2, "z"]], [])
        assert sorted(sink.read(table, layout)) == [[1, "y"], [2, "z"]]
    with psycopg.connect(postgres_target, autocommit=True) as db:
        db.execute("ALTER TABLE keyed RENAME TO older")
    sink.load_packed("keyed", layout, [row])
    with sink.adding_key("keyed", layout):
        pass  # the name of the index is taken by a table that was renamed
    sink.load_packed("keyed", layout, [row] * 2)
    with pytest.raises(SinkRefusedError), sink.adding_key("keyed", layout):
        assert list(sink.read_packed("keyed", layout)) == [[row, row]]
    with pytest.raises(KeyError), sink.adding_key("other", layout):
        raise KeyError


def test_without_a_connection_to_spare_there_is_no_index_beside() -> None:
    with index_beside("postgresql://127.0.0.1:1/none", "t", ["id"]) as built:
        assert built() == ""


@pytest.mark.postgres
def test_a_table_read_back_in_part_leaves_the_connection_as_it_was(postgres_target: str) -> None:
    layout = Layout((Column("id", "integer"), Column("t", "text")), 1)
    sink = PostgresSink(postgres_target)
    pack = row_packer(layout)
    rows = [pack([at, "x" * 100]) for at in range(20_000)]
    sink.load_packed("copy", layout, [b"".join(rows)])
    assert sorted(row for some in sink.read_packed("copy", layout) for row in some) == rows
    reading = sink.read_packed("copy", layout)
    assert len(next(reading)) > 0
    reading.close()  # type: ignore[attr-defined]
    assert sink.count("copy") == len(rows)
    with pytest.raises(SinkError):
        list(sink.read_packed("nowhere", layout))
    assert [row for some in sink.read_packed("copy", layout) for row in some] == rows
    sink.close()


@pytest.mark.postgres
def test_a_server_that_ends_while_a_table_is_read_back_is_told(postgres_target: str) -> None:
    layout = Layout((Column("id", "integer"), Column("t", "text")), 1)
    sink = PostgresSink(postgres_target)
    pack = row_packer(layout)
    sink.load_packed("copy", layout, [pack([at, "x" * 1000]) for at in range(20_000)])
    reading = sink.read_packed("copy", layout)
    next(reading)
    query(
        postgres_target,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    with pytest.raises(SinkUnavailableError):
        list(reading)
    sink.close()
