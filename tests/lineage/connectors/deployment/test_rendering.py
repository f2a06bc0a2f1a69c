"""A definition as Connect's configuration: what is said, what is refused, what is told beside."""

import json
from typing import Any

import pytest

from lineage.connectors.definition import KEYS, check, expand
from lineage.connectors.deployment.jdbc import JdbcTarget, jdbc_target
from lineage.connectors.deployment.rendering import (
    APICURIO,
    Rendering,
    Shape,
    Workers,
    group_of,
    render,
)
from lineage.connectors.errors import DefinitionInvalidError, TargetInvalidError
from lineage.connectors.mapping import avro

DECLARED: dict[str, Any] = {
    "name": "orders_pg",
    "topics": ["orders"],
    "target": "postgresql://me:hush@db:5433/shop?sslmode=require&connect_timeout=3",
    "table": "orders",
    "engine": "connect",
}
TARGET = JdbcTarget("jdbc:postgresql://db/shop", "me", "ORDERS_PG_PASSWORD")
WORKERS = Workers("http://registry:8080", converters=frozenset({APICURIO}))


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": {"type": kind, **more} if more else kind}


def shape(*fields: dict[str, Any], schema_format: str = "AVRO", **more: Any) -> Shape:
    schema = {"type": "record", "name": "Order", "fields": list(fields)}
    return Shape(schema_format, avro.plan(json.dumps(schema)), **more)


PLAIN = shape(field("id", "long"), field("note", "string"))


def rendered(
    extra: dict[str, Any] | None = None,
    known: Shape = PLAIN,
    workers: Workers = WORKERS,
    **said: Any,
) -> Rendering:
    declared = DECLARED | said
    written = declared | (extra or {})
    definition = check({key: value for key, value in written.items() if key in KEYS})
    return render(definition, written, TARGET, known, workers)


def steps(made: Rendering) -> list[str]:
    return made.config.get("transforms", "").split(",")


def test_a_table_is_upserted_by_a_key_made_of_the_bare_one() -> None:
    made = rendered()
    assert made.refusals == []
    assert (
        made.config.items()
        >= {
            "name": "insideout.connector.orders_pg",
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "topics": "orders",
            "collection.name.format": "orders",
            "insert.mode": "upsert",
            "delete.enabled": "true",
            "primary.key.mode": "record_key",
            "primary.key.fields": "record_key",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": APICURIO,
            "value.converter.apicurio.registry.url": "http://registry:8080/apis/registry/v2",
            "transforms": "key",
            "transforms.key.field": "record_key",
            "batch.size": "5000",
            "consumer.override.max.poll.records": "5000",
            "consumer.override.isolation.level": "read_committed",
            "errors.deadletterqueue.topic.name": "insideout.connector.orders_pg.dead-letters",
            "connection.password": "${env:ORDERS_PG_PASSWORD}",
        }.items()
    )
    assert made.secrets == ["ORDERS_PG_PASSWORD"]
    assert group_of("orders_pg") == "connect-insideout.connector.orders_pg"
    assert all(isinstance(value, str) for value in made.config.values())


def test_a_key_that_is_a_number_in_the_value_is_one_in_the_table() -> None:
    made = rendered(key=["id"])
    assert made.config["primary.key.fields"] == "id"
    assert made.config["transforms.keyKind.spec"] == "id:int64"


@pytest.mark.parametrize(
    ("schema", "hoisted"), [('"long"', True), ('{"type":"record","name":"K","fields":[]}', False)]
)
def test_a_key_with_a_schema_is_hoisted_only_when_it_is_bare(schema: str, hoisted: bool) -> None:
    known = shape(field("note", "string"), key_format="AVRO", key=avro.plan(schema))
    made = rendered(known=known, key_format="schema", key=["id"])
    assert made.config["key.converter"] == APICURIO
    assert ("key" in steps(made)) is hoisted
    assert made.config["primary.key.fields"] == "id"


def test_events_are_rows_by_their_place_in_the_log() -> None:
    made = rendered(mode="events", topics=["orders", "returns"])
    assert made.config["topics"] == "orders,returns"
    assert made.config["delete.enabled"] == "false"
    assert made.config["primary.key.mode"] == "record_value"
    assert made.config["primary.key.fields"] == "kafka_topic,kafka_partition,kafka_offset"
    assert steps(made) == ["events", "place"]
    assert any("kafka_key" in it for it in made.differences)


def test_nested_records_are_flattened_and_numbers_become_times() -> None:
    micros = {"logicalType": "timestamp-micros"}
    inner = {"type": "record", "name": "Who", "fields": [field("born", "long", **micros)]}
    made = rendered(known=shape({"name": "who", "type": inner}))
    assert steps(made) == ["key", "flatten", "time_who_born"]
    assert made.config["transforms.time_who_born.unix.precision"] == "microseconds"
    assert any("millisecond" in it for it in made.differences)


def test_renames_drops_constants_and_redaction() -> None:
    made = rendered({
        "columns": {
            "remark": {"from": "note"},
            "id": "drop",
            "source": {"constant": "shop"},
            "email": {"mask": "redact"},
        }
    })
    assert made.refusals == []
    assert made.config["transforms.columns.renames"] == "note:remark"
    assert made.config["transforms.columns.exclude"] == "id"
    assert made.config["transforms.constant_source.static.value"] == "shop"
    assert made.config["transforms.redact.fields"] == "email"


ARRAY = {"type": "map", "values": "string"}
HOME = {
    "type": "record",
    "name": "Home",
    "fields": [field("city", "string"), field("street", "string")],
}
NESTED = shape(field("id", "long"), field("note", "string"), {"name": "home", "type": HOME})


@pytest.mark.parametrize(
    ("extra", "known", "said"),
    [
        ({"columns": {"email": {"mask": "hash"}}}, PLAIN, "email: mask"),
        ({"columns": {"euros": {"expression": "cents / 100"}}}, PLAIN, "euros: expression"),
        ({"columns": {"note": "json"}}, PLAIN, "note: flatten"),
        (
            {"columns": {"note": {"mask": "redact"}}, "key": ["note"]},
            PLAIN,
            "note: the record's key",
        ),
        ({"columns": {"who": {"from": "home"}}}, NESTED, "who: from: 'home' is a record"),
        ({"flatten": 0}, NESTED, "flatten"),
        ({"start": "2026-01-01T00:00:00Z"}, PLAIN, "start"),
        ({"select": ["id"]}, PLAIN, "select"),
        ({}, shape({"name": "tags", "type": ARRAY}), "tags"),
        ({}, Shape(), "no schema"),
        ({}, Shape("AVRO", PLAIN.value, nanoseconds=True), "timestamp-nanos"),
        ({}, Shape("PROTOBUF", PLAIN.value), "ProtobufConverter"),
    ],
)
def test_what_would_be_lost_or_shown_is_refused(
    extra: dict[str, Any], known: Shape, said: str
) -> None:
    (refusal,) = rendered(extra, known).refusals
    assert said in refusal


def test_a_record_is_dropped_by_its_fields_and_a_name_that_is_given_hides_a_field() -> None:
    made = rendered({"columns": {"home": "drop", "note": {"from": "id"}}}, NESTED)
    assert made.refusals == []
    assert made.config["transforms.columns.exclude"] == "home_city,home_street,note"
    assert made.config["transforms.columns.renames"] == "id:note"


def test_a_list_of_names_keeps_these_alone() -> None:
    made = rendered({"columns": ["id", "home.city"]}, NESTED)
    assert made.refusals == []
    assert made.config["transforms.columns.include"] == "id,home_city"


def test_a_renamed_key_keeps_its_kind_and_a_time_that_is_dropped_stays_away() -> None:
    made = rendered(key=["order_id"], columns={"order_id": {"from": "id"}})
    assert made.config["transforms.keyKind.spec"] == "order_id:int64"
    made = rendered(mode="events", columns={"kafka_timestamp": "drop"})
    assert "transforms.place.timestamp.field" not in made.config


def test_a_column_that_is_dropped_needs_no_type() -> None:
    known = shape(field("id", "long"), {"name": "tags", "type": ARRAY})
    assert rendered({"columns": {"tags": "drop"}}, known).refusals == []


def test_the_differences_are_stated() -> None:
    stamp = field("at", "long", logicalType="timestamp-millis")
    made = rendered({"schedule": {"audit": "1h"}}, shape(stamp, field("id", "string")))
    told = " ".join(made.differences)
    for word in ("at least once", "generations", "audit", "schedule", "without time zone"):
        assert word in told


def test_confluents_converters_are_taken_first() -> None:
    known = Workers("http://registry:8080", tasks=3)
    made = rendered(known=Shape("JSON", PLAIN.value), workers=known)
    assert made.config["value.converter"] == "io.confluent.connect.json.JsonSchemaConverter"
    assert made.config["value.converter.schema.registry.url"] == "http://registry:8080"
    assert made.config["tasks.max"] == "3"


# -- targets ------------------------------------------------------------------------------------
VARIABLES = {"COPIES": "postgresql://u:p%40ss@h:1/d", "PGPASS": "hush", "UNIX": "postgresql:///d"}


@pytest.mark.parametrize(
    ("declared", "url", "user", "secret"),
    [
        (DECLARED["target"], "jdbc:postgresql://db:5433/shop", "me", "ORDERS_PG_PASSWORD"),
        ("${COPIES}", "jdbc:postgresql://h:1/d", "u", "COPIES_PASSWORD"),
        ("postgres://u:${PGPASS}@h/d", "jdbc:postgresql://h/d", "u", "PGPASS"),
        ("postgresql://u@h/d", "jdbc:postgresql://h/d", "u", None),
        (
            "postgresql://u:x@[::1]:5432/d",
            "jdbc:postgresql://[::1]:5432/d",
            "u",
            "ORDERS_PG_PASSWORD",
        ),
        ("mysql://u:x@h/d", "jdbc:mysql://h/d", "u", "ORDERS_PG_PASSWORD"),
    ],
)
def test_a_target_as_jdbc_wants_it(declared: str, url: str, user: str, secret: str | None) -> None:
    made = jdbc_target("orders_pg", declared, lambda text: expand(text, VARIABLES.get))
    assert (made.url.partition("?")[0], made.username, made.secret) == (url, user, secret)
    assert "hush" not in repr(made)
    assert "ss@" not in repr(made)


def test_what_means_the_same_is_handed_on_and_the_rest_is_told() -> None:
    made = jdbc_target("orders_pg", DECLARED["target"], str)
    assert "sslmode=require" in made.url
    assert made.dropped == ("connect_timeout",)
    said = render(check(DECLARED), DECLARED, made, PLAIN, WORKERS).differences
    assert any("connect_timeout" in it for it in said)


@pytest.mark.parametrize("declared", ["sqlite:///copies/x.sqlite3", "${UNIX}"])
def test_a_target_that_jdbc_cannot_reach_is_refused(declared: str) -> None:
    with pytest.raises(TargetInvalidError, match="Kafka Connect"):
        jdbc_target("orders_pg", declared, lambda text: expand(text, VARIABLES.get))


def test_an_engine_is_ours_or_connect() -> None:
    assert check(DECLARED | {"engine": None}).engine == "own"
    with pytest.raises(DefinitionInvalidError, match="own or connect"):
        check(DECLARED | {"engine": "flink"})
