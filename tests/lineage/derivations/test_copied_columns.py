"""Which fields the columns of a copy come from: renamed, masked, computed, dropped."""

import json
from typing import Any

from lineage.connectors.definition import check
from lineage.connectors.mapping import avro
from lineage.derivations.copied_columns import columns_of
from lineage.derivations.flows import ColumnSource, copied

SCHEMA = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "email", "type": "string"},
        {"name": "cents", "type": "int"},
        {"name": "note", "type": "string"},
        {
            "name": "home",
            "type": {
                "type": "record",
                "name": "Home",
                "fields": [{"name": "city", "type": "string"}, {"name": "zip", "type": "string"}],
            },
        },
    ],
}
GOOD: dict[str, Any] = {"name": "c", "topics": ["t"], "target": "sqlite:///x", "table": "orders"}


def sources(columns: Any, **more: Any) -> dict[str, ColumnSource]:
    definition = check(GOOD | {"columns": columns} | more)
    found = columns_of(definition, avro.plan(json.dumps(SCHEMA)), None)
    return {each.column: each for each in found}


def test_each_column_names_the_fields_that_it_is_made_from() -> None:
    found = sources({
        "order_id": {"from": "id"},
        "town": {"from": "home.city"},
        "email": {"mask": "hash"},
        "euro": {"expression": "case when home.zip = '1' then cents / 100 end"},
        "source": {"constant": "shop"},
        "note": "drop",
    })
    assert {name: (each.fields, each.transformation) for name, each in found.items()} == {
        "record_key": (("$key",), "record key"),
        "order_id": (("id",), "renamed"),
        "town": (("home.city",), "renamed"),
        "home_zip": (("home.zip",), "flattened"),
        "email": (("email",), "masked (hash)"),
        "cents": (("cents",), "copied"),
        "euro": (("home.zip", "cents"), "expression"),
        "source": ((), "constant"),
    }


def test_a_record_kept_whole_carries_its_fields() -> None:
    found = sources({"home": "json", "*": "drop"})
    assert found["home"] == ColumnSource("home", ("home",), "copied as JSON")
    flows = list(copied("t", "c", found.values(), ["home", "home.city", "home.zip", "note"]))
    reached = {(flow.source.field, flow.target.field) for flow in flows}
    assert {("home.city", "home"), ("home.zip", "home")} <= reached
    assert "note" not in {field for field, _ in reached}


def test_the_place_of_events_and_of_versions() -> None:
    events = sources({"kafka_key": {"mask": "redact"}, "kafka_timestamp": "drop"}, mode="events")
    assert "kafka_timestamp" not in events
    assert events["kafka_key"].fields == ("$key",)
    assert events["kafka_key"].transformation.endswith("masked (redact)")
    history = sources(None, mode="history", key="id")
    assert history["id"].fields == ("$key",)
    assert history["valid_from"].fields == ("$timestamp",)
    assert history["kafka_offset"].fields == ("$offset",)
