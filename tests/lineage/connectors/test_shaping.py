"""Declared columns: renamed, dropped, masked, kept whole, constant and computed; and the key's."""

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.records import Record
from lineage.connectors.columns import Layout, Plan, Row, row_maker
from lineage.connectors.declared_columns import read_columns
from lineage.connectors.definition import Definition, check
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_parts import Writer
from lineage.connectors.errors import DefinitionInvalidError
from lineage.connectors.keying import keying_of
from lineage.connectors.mapping import avro
from lineage.connectors.masking import REDACTED, masked, part_of
from lineage.connectors.packing import row_packer
from lineage.connectors.shaped_parts import ShapedDecoder, ShapedKeying
from lineage.connectors.shaping import Faults, Shaper

SECRET = b"pepper"
INNER = {
    "type": "record",
    "name": "Home",
    "fields": [
        {"name": "city", "type": "string"},
        {
            "name": "geo",
            "type": {
                "type": "record",
                "name": "Geo",
                "fields": [{"name": "lat", "type": "double"}, {"name": "lon", "type": "double"}],
            },
        },
    ],
}
SCHEMA = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "email", "type": ["null", "string"]},
        {"name": "cents", "type": "int"},
        {"name": "home", "type": ["null", INNER]},
        {"name": "note", "type": ["null", "string"]},
    ],
}
PLAN: Plan = avro.plan(json.dumps(SCHEMA))
VALUE: dict[str, Any] = {
    "id": 7,
    "email": "ann@example.com",
    "cents": 1999,
    "home": {"city": "Bonn", "geo": {"lat": 1.5, "lon": 2.5}},
    "note": None,
}
GOOD: dict[str, Any] = {"name": "c", "topics": ["t"], "target": "sqlite:///x", "table": "orders"}


def defined(columns: Any = None, **more: Any) -> Definition:
    return check(GOOD | ({"columns": columns} if columns is not None else {}) | more)


def shaped(columns: Any = None, value: dict[str, Any] = VALUE, **more: Any) -> dict[str, Any]:
    plan = Shaper(defined(columns, **more), SECRET).plan(PLAN)
    layout = Layout(tuple(source.column for source in plan.columns), 0)
    return dict(zip(layout.names, row_maker(layout, plan, 0)(value), strict=True))


def faults(columns: Any, **more: Any) -> list[str]:
    noted = Faults()
    Shaper(defined(columns, **more)).plan(PLAN, noted)
    return [f"{'.'.join(path)}: {text}" for path, text in noted.found]


HOME = {"home_city": "Bonn", "home_geo_lat": 1.5, "home_geo_lon": 2.5}
ALL = {"id": 7, "email": "ann@example.com", "cents": 1999, **HOME, "note": None}


def test_nothing_declared_changes_nothing() -> None:
    definition = defined()
    assert Shaper(definition).plan(PLAN) is PLAN
    assert shaped() == ALL


def test_a_field_is_renamed_in_its_place_and_not_copied_twice() -> None:
    row = shaped({"town": {"from": "home.city"}, "mail": {"from": "email"}})
    assert list(row) == ["id", "mail", "cents", "town", "home_geo_lat", "home_geo_lon", "note"]
    assert (row["mail"], row["town"]) == ("ann@example.com", "Bonn")


def test_a_field_may_be_named_by_its_column_too() -> None:
    assert shaped({"town": {"from": "home_city"}})["town"] == "Bonn"


def test_fields_and_whole_records_are_dropped() -> None:
    assert shaped({"note": "drop", "home": "drop"}) == {
        "id": 7, "email": "ann@example.com", "cents": 1999,
    }  # fmt: skip


@pytest.mark.parametrize("columns", [["id", "cents"], {"id": "keep", "cents": None, "*": "drop"}])
def test_only_what_is_named_is_kept(columns: Any) -> None:
    assert shaped(columns) == {"id": 7, "cents": 1999}


def test_a_record_is_kept_whole_renamed_or_flattened_so_deep() -> None:
    assert json.loads(shaped({"home": "json"})["home"]) == VALUE["home"]
    assert json.loads(shaped({"place": {"from": "home.geo", "as": "json"}})["place"]) == {
        "lat": 1.5, "lon": 2.5,
    }  # fmt: skip
    row = shaped({"place": {"from": "home"}})
    assert (row["place_city"], row["place_geo_lat"]) == ("Bonn", 1.5)
    row = shaped({"home": {"flatten": 1}})
    assert (row["home_city"], json.loads(row["home_geo"])) == ("Bonn", {"lat": 1.5, "lon": 2.5})
    assert json.loads(shaped(flatten=0)["home"]) == VALUE["home"]
    assert json.loads(shaped(flatten=1)["home_geo"]) == {"lat": 1.5, "lon": 2.5}
    assert shaped(flatten=2) == ALL


def test_an_absent_record_is_null_however_it_is_kept() -> None:
    value = VALUE | {"home": None}
    for columns in ({"home": "json"}, {"home": {"flatten": 1}}, None):
        row = shaped(columns, value)
        assert {row[name] for name in row if name.startswith("home")} == {None}


def test_constants_and_expressions_have_types_of_their_own() -> None:
    columns = {
        "source": {"constant": "shop"},
        "one": {"constant": 1},
        "half": {"constant": 0.5},
        "yes": {"constant": True},
        "euro": {"expression": "cents / 100"},
        "town": {"expression": "upper(home.city)"},
    }
    row = shaped(columns)
    assert [row[name] for name in columns] == ["shop", 1, 0.5, True, row["euro"], "BONN"]
    assert str(row["euro"]) == "19.99"
    kinds = [source.column.kind for source in Shaper(defined(columns)).plan(PLAN).columns]
    assert kinds[-6:] == ["text", "bigint", "double", "boolean", "decimal", "text"]


def test_a_declared_column_hides_the_field_of_its_name() -> None:
    row = shaped({"cents": {"expression": "cents + 1"}})
    assert row["cents"] == 2000
    assert list(row).count("cents") == 1


# -- masks ----------------------------------------------------------------------------------------
def test_masks_hide_and_null_stays_null() -> None:
    def mail(mask: str, value: dict[str, Any] = VALUE) -> Any:
        return shaped({"email": {"mask": mask}}, value)["email"]

    assert mail("redact") == REDACTED
    assert mail("partial") == "****@example.com"
    assert mail("hash") == masked("hash", "text", SECRET)("ann@example.com")
    for mask in ("redact", "partial", "hash"):
        assert mail(mask, VALUE | {"email": None}) is None
        assert "ann" not in mail(mask)


@given(st.text(), st.text())
def test_hashes_are_equal_as_values_are_and_differ_by_secret(one: str, other: str) -> None:
    def mask(value: str, secret: bytes = SECRET) -> str:
        hashed: str = masked("hash", "text", secret)(value)
        return hashed

    assert (mask(one) == mask(other)) == (one == other)
    assert mask(one) != mask(one, b"other")
    assert len(mask(one)) == 64


@given(st.text())
def test_a_part_never_shows_more_than_a_third(text: str) -> None:
    shown = part_of(text).removeprefix("****")
    if "@" not in text:
        assert 3 * len(shown) <= len(text)
        assert text.endswith(shown)


def test_numbers_are_masked_as_their_text() -> None:
    row = shaped({"id": {"mask": "hash"}, "cents": {"mask": "partial"}})
    assert row["id"] == masked("hash", "text", SECRET)("7")
    assert row["cents"] == "****"


# -- the key, and the place in the log ------------------------------------------------------------
class Known:
    """Decodes what is no bytes at all: the value of one test."""

    def writer(self, _record: Record) -> tuple[Writer, bytes]:
        return self._writer, b""

    def key(self, _raw: bytes) -> tuple[Plan, Any]:
        raise NotImplementedError

    def __init__(self) -> None:
        self._writer = Writer(PLAN, lambda _payload: VALUE)


def rows(definition: Definition, *values: bytes | None) -> list[dict[str, Any]]:
    decoder, shaper = Known(), Shaper(definition, SECRET)
    keying = ShapedKeying(keying_of(definition, decoder), shaper)
    preparation = Preparation(ShapedDecoder(decoder, shaper.plan), keying, lambda *_: None)
    records = [
        Record("t", 0, offset, 1_000 + offset, b"7", value, None)
        for offset, value in enumerate(values)
    ]
    changes = preparation.changes(records)
    assert preparation.layout is not None
    assert not changes.deletes
    for row, packed in zip(
        preparation.rows_of(records), preparation.packing.rows(records), strict=True
    ):
        assert packed is None or packed == row_packer(preparation.layout)(cast("Row", row))
    return [
        dict(zip(preparation.layout.names, row, strict=True)) for row in changes.upserts.values()
    ]


def test_a_key_is_of_the_kind_of_the_renamed_field_and_may_be_masked() -> None:
    (row,) = rows(defined({"order_id": {"from": "id"}, "*": "drop"}, key="order_id"), b"x")
    assert row == {"order_id": 7}
    (row,) = rows(defined({"id": {"mask": "hash"}, "*": "drop"}, key="id"), b"x")
    assert row == {"id": masked("hash", "text", SECRET)("7")}
    (row,) = rows(defined({"record_key": {"mask": "redact"}, "*": "drop"}), b"x")
    assert row == {"record_key": REDACTED}


def test_the_key_of_events_can_be_hidden_or_left_out() -> None:
    columns = {"kafka_key": {"mask": "redact"}, "kafka_timestamp": "drop", "*": "drop"}
    (row,) = rows(defined(columns, mode="events"), b"x")
    assert row == {
        "kafka_topic": "t", "kafka_partition": 0, "kafka_offset": 0, "kafka_key": REDACTED,
    }  # fmt: skip


def test_a_history_hides_the_key_of_deletions_too() -> None:
    columns = {"id": {"mask": "hash"}, "*": "drop"}
    first, second = rows(defined(columns, mode="history", key="id"), b"x", None)
    assert first["id"] == second["id"] == masked("hash", "text", SECRET)("7")
    assert [row["deleted"] for row in (first, second)] == [False, True]


# -- faults ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"x": {"from": "nope"}}, "columns.x: from: the schema has no field nope"),
        ({"nope": "drop"}, "columns.nope: the schema has no field of this name"),
        ({"x": {"expression": "nope + 1"}}, "columns.x: expression: the schema has no field nope"),
        ({"x": {"expression": "email + 1"}}, "ADD is not for text"),
        ({"x": {"from": "cents", "as": "json"}}, "columns.x: as json: is no record"),
        ({"x": {"from": "home", "mask": "hash"}}, "mask: is a record"),
        (
            {"home_city": {"constant": 1}, "home": {"flatten": 1}},
            "columns.home_city: two columns would have this name",
        ),
    ],
)
def test_what_a_schema_does_not_have_is_named(columns: Any, named: str) -> None:
    assert any(named in fault for fault in faults(columns)), faults(columns)


def test_all_faults_are_told_at_once() -> None:
    assert len(faults({"x": {"from": "nope"}, "y": {"expression": "nope"}, "z": "drop"})) == 3


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        (5, "columns: is neither"),
        ({"a": 5}, "columns.a: 5 is not keep, drop, json"),
        ({"a": {"form": "b"}}, "unknown form"),
        ({"a": {"from": "b", "constant": 1}}, "from and constant: a column has one origin"),
        ({"a": {"mask": "rot13"}}, "mask: 'rot13' is not hash, redact or partial"),
        ({"a": {"as": "xml"}}, "as: 'xml' is not json"),
        ({"a": {"flatten": 99}}, "flatten: 99"),
        ({"a": {"as": "json", "flatten": 1}}, "one or the other"),
        ({"a": {"constant": None}}, "no text, number, true or false"),
        ({"a": {"constant": 2**64}}, "64 bits"),
        ({"a": {"constant": "x", "mask": "hash"}}, "a constant hides nothing"),
        ({"a": {"expression": "now()"}}, "expression: currenttimestamp"),
        ({"a": {"expression": 5}}, "is no text"),
        ({"a" * 64: "drop"}, "no name of a column"),
        ({"": "drop"}, "no name of a column"),
        ({"*": {"from": "a"}}, "is not keep or drop"),
        ({"a": {"from": ""}}, "no field's path"),
        ({"A": "drop", "a": "drop"}, "in case only"),
    ],
)
def test_what_cannot_be_declared_is_named(columns: Any, named: str) -> None:
    _, found = read_columns(columns)
    assert any(named in f"{'.'.join(path)}: {text}" for path, text in found), found
    with pytest.raises(DefinitionInvalidError):
        defined(columns)


def test_a_key_cannot_be_something_else() -> None:
    for told in ("drop", {"constant": 1}, {"expression": "1"}):
        with pytest.raises(DefinitionInvalidError, match="can only be renamed or masked"):
            defined({"id": told}, key="id")


def test_an_expression_that_no_record_can_fill_puts_them_aside() -> None:
    reasons: list[str] = []
    definition = defined({"x": {"expression": "email + 1"}})
    decoder = Known()
    preparation = Preparation(
        ShapedDecoder(decoder, Shaper(definition).plan),
        keying_of(definition, decoder),
        lambda _record, reason: reasons.append(reason),
    )
    assert not preparation.changes([Record("t", 0, 0, 0, b"7", b"x", None)]).upserts
    assert "column x: ADD is not for text" in reasons[0]
