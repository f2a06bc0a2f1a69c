"""Expressions: what PostgreSQL answers, we answer; what is not offered is refused, never run."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.connectors.columns import Plan, describe
from lineage.connectors.expressions import ExpressionError, check_syntax, compiled
from lineage.connectors.mapping import avro

SCHEMA = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "n", "type": ["null", "long"]},
        {"name": "m", "type": ["null", "int"]},
        {"name": "p", "type": ["null", "boolean"]},
        {"name": "q", "type": ["null", "boolean"]},
        {"name": "s", "type": ["null", "string"]},
        {
            "name": "price",
            "type": [
                "null",
                {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            ],
        },
        {"name": "d", "type": "double"},
        {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {
            "name": "customer",
            "type": {
                "type": "record",
                "name": "Customer",
                "fields": [
                    {"name": "id", "type": "int"},
                    {
                        "name": "home",
                        "type": {
                            "type": "record",
                            "name": "Home",
                            "fields": [{"name": "city", "type": "string"}],
                        },
                    },
                ],
            },
        },
    ],
}
PLAN: Plan = avro.plan(json.dumps(SCHEMA))
VALUE: dict[str, Any] = {
    "n": 1999,
    "m": None,
    "p": True,
    "q": None,
    "s": " Bonn ",
    "price": Decimal("1.50"),
    "d": 0.1,
    "at": 1_700_000_000_123,
    "tags": ["a"],
    "customer": {"id": -7, "home": {"city": "Köln"}},
}


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("n / 100", Decimal("19.99"), "decimal(21,2)"),
        ("n / 3", Decimal("666.333333333"), "decimal(28,9)"),
        ("price * 1.19", Decimal("1.7850"), "decimal(12,4)"),
        ("n + price", Decimal("2000.50"), "decimal(22,2)"),
        ("d * 2", 0.2, "double"),
        ("customer.id % 4", -3, "bigint"),
        ("customer_id + 1", -6, "bigint"),
        ("customer.home.city || '!'", "Köln!", "text"),
        ("upper(trim(s))", "BONN", "text"),
        ("m + 1", None, "bigint"),
        ("s || null", None, "text"),
        ("concat(m, 'a', 1)", "a1", "text"),
        ("coalesce(m, n)", 1999, "bigint"),
        ("nullif(n, 1999)", None, "bigint"),
        ("greatest(m, 1, 2.5)", Decimal("2.5"), "decimal(11,1)"),
        ("case when p then 'y' else 'n' end", "y", "text"),
        ("case n when 1999 then 1 end", 1, "integer"),
        ("q and p", None, "boolean"),
        ("q or p", True, "boolean"),
        ("n in (1, null)", None, "boolean"),
        ("n between 1 and 2000", True, "boolean"),
        ("m is null and not p is null", True, "boolean"),
        ("m is distinct from null", False, "boolean"),
        ("at >= '2023-11-14T22:13:20Z'", True, "boolean"),
        ("date_trunc('month', at)", 1_698_796_800_000_000, "timestamptz"),
        ("date_trunc('week', cast(at as date))", 19_674, "date"),
        ("cast(at as date)", 19_675, "date"),
        ("extract(year from at)", 2023, "integer"),
        ("cast(at as text)", "2023-11-14T22:13:20.123000+00:00", "text"),
        ("cast('7' as bigint) + n", 2006, "bigint"),
        ("cast(d as decimal(5,3))", Decimal("0.100"), "decimal(5,3)"),
        ("substring(s, 2, 2)", "Bo", "text"),
        ("round(price, 1)", Decimal("1.5"), "decimal(9,1)"),
        ('"n" + 0', 1999, "bigint"),
        ("absent is null", True, "boolean"),
    ],
)
def test_values_and_types(text: str, value: Any, kind: str) -> None:
    made = compiled(text, PLAN)
    found = made.evaluate(VALUE)
    assert (found, type(found)) == (value, type(value))
    assert made.type is not None
    assert describe(made.type) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select 1",
        "(select 1)",
        "n; drop table orders",
        "now()",
        "random()",
        "pg_read_file('/etc/passwd')",
        "count(*)",
        "n over ()",
        "s like '%a%'",
        "s ~ 'a'",
        "tags[1]",
        "array[1]",
        "*",
        "n.*",
        "$1",
        ":x",
        "@x",
        "exists (select 1)",
        "n in (select 1)",
        "__import__('os')",
        "(" * 900 + "1" + ")" * 900,
        "1" + " + 1" * 450,
        "n" * 2001,
        "'unclosed",
        "n +",
        "coalesce()",
        "floor()",
        "substring('a')",
        ". 5.",
        "n::decimal(s)",
        "n::decimal(99999999999999999999)",
        "replace(s, 'a')",
        "try_cast(s as int)",
        "interval '1 day'",
        "cast(n as json)",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compiled(text, PLAN)


def test_what_is_not_offered_is_seen_without_any_schema() -> None:
    check_syntax("coalesce(nothing, 1)")
    with pytest.raises(ExpressionError, match=r"currenttimestamp\(…\) is not offered"):
        check_syntax("now()")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("s + 1", "ADD is not for text"),
        ("s = 1", "text and integer do not go together"),
        ("customer", "is a record"),
        ("not n", "NOT is not for bigint"),
        ("tags = tags", "not for array"),
        ("case when n then 1 end", "not for bigint"),
        ("cast(p as date)", "boolean cannot be cast to date"),
        ("date_trunc('fortnight', at)", "no unit"),
        ("coalesce(s, 1)", "do not go together"),
        ("lower(n)", "not for bigint"),
        ("at > 'yesterday'", "a text is no timestamptz"),
    ],
)
def test_types_that_do_not_go_together_are_named(text: str, named: str) -> None:
    with pytest.raises(ExpressionError, match=named):
        compiled(text, PLAN)


@pytest.mark.parametrize(
    "text",
    [
        "n / 0",
        "d / 0",
        "n % 0",
        "9223372036854775807 + n",
        "cast(s as int)",
        "n * n * n * n * n * n",
    ],
)
def test_what_has_no_value_is_an_error_never_a_wrong_one(text: str) -> None:
    made = compiled(text, PLAN)
    with pytest.raises(ExpressionError):
        made.evaluate(VALUE)


def test_the_fields_that_are_used_and_those_that_are_missing_are_told() -> None:
    made = compiled("coalesce(customer.home.city, nothing.there, s) || s", PLAN)
    assert made.uses == (("customer", "home", "city"), ("s",))
    assert made.missing == ("nothing.there",)


# -- the same as PostgreSQL -----------------------------------------------------------------------
BOOLEANS: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["p", "q", "true", "false", "null::boolean"]),
        st.tuples(BOOLEANS, st.sampled_from(["and", "or"]), BOOLEANS).map(_joined),
        BOOLEANS.map(lambda one: f"(not {one})"),
        BOOLEANS.map(lambda one: f"({one} is null)"),
        BOOLEANS.map(lambda one: f"({one} is not true)"),
        st.tuples(NUMBERS, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), NUMBERS).map(
            _joined
        ),
        st.tuples(NUMBERS, st.sampled_from(["is distinct from"]), NUMBERS).map(_joined),
        st.tuples(NUMBERS, NUMBERS, NUMBERS).map(lambda it: f"({it[0]} in ({it[1]}, {it[2]}))"),
        st.tuples(NUMBERS, NUMBERS, NUMBERS).map(
            lambda it: f"({it[0]} between {it[1]} and {it[2]})"
        ),
        st.tuples(TEXTS, st.sampled_from(["=", "<>"]), TEXTS).map(_joined),
    )
)
NUMBERS: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["n", "m", "price", "7", "0", "2.50", "null::bigint"]),
        st.tuples(NUMBERS, st.sampled_from(["+", "-", "*"]), NUMBERS).map(_joined),
        NUMBERS.map(lambda one: f"(- {one})"),
        NUMBERS.map(lambda one: f"abs({one})"),
        NUMBERS.map(lambda one: f"floor({one})"),
        NUMBERS.map(lambda one: f"ceil({one})"),
        st.tuples(NUMBERS, NUMBERS).map(lambda it: f"coalesce({it[0]}, {it[1]})"),
        st.tuples(NUMBERS, NUMBERS).map(lambda it: f"nullif({it[0]}, {it[1]})"),
        st.tuples(NUMBERS, NUMBERS).map(lambda it: f"greatest({it[0]}, {it[1]})"),
        st.tuples(BOOLEANS, NUMBERS, NUMBERS).map(
            lambda it: f"(case when {it[0]} then {it[1]} else {it[2]} end)"
        ),
        TEXTS.map(lambda one: f"length({one})"),
    )
)
TEXTS: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["s", "''", "'a b'", "null::text", "'é'"]),
        st.tuples(TEXTS, st.just("||"), TEXTS).map(_joined),
        TEXTS.map(lambda one: f"upper({one})"),
        TEXTS.map(lambda one: f"trim({one})"),
        st.tuples(TEXTS, TEXTS).map(lambda it: f"concat({it[0]}, {it[1]})"),
        st.tuples(TEXTS, st.integers(-2, 4), st.integers(0, 4)).map(
            lambda it: f"substring({it[0]}, {it[1]}, {it[2]})"
        ),
        st.tuples(TEXTS, TEXTS, TEXTS).map(lambda it: f"replace({it[0]}, {it[1]}, {it[2]})"),
        st.tuples(TEXTS, st.integers(-2, 3)).map(lambda it: f"left({it[0]}, {it[1]})"),
        st.tuples(TEXTS, st.integers(-2, 3)).map(lambda it: f"right({it[0]}, {it[1]})"),
        BOOLEANS.map(lambda one: f"cast({one} as text)"),
    )
)
RECORDS = st.fixed_dictionaries({
    "n": st.none() | st.integers(-(10**6), 10**6),
    "m": st.none() | st.integers(-9, 9),
    "p": st.none() | st.booleans(),
    "q": st.none() | st.booleans(),
    "s": st.none() | st.sampled_from(["", "a", " b ", "é", "aXbX"]),
    "price": st.none() | st.decimals("-99999.99", "99999.99", places=2),
})


def _joined(parts: tuple[str, str, str]) -> str:
    return f"({' '.join(parts)})"


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(request.getfixturevalue("postgres_url"), autocommit=True) as db:
        yield db


@pytest.mark.postgres
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(text=BOOLEANS | NUMBERS | TEXTS, record=RECORDS)
def test_postgresql_gives_the_same(
    server: psycopg.Connection[Any], text: str, record: dict[str, Any]
) -> None:
    try:
        made = compiled(text, PLAN)
        ours = made.evaluate({**VALUE, **record})
    except ExpressionError as error:
        if "fit into" not in str(error) and "too deeply" not in str(error):
            raise
        return
    statement = (
        f"SELECT {text} FROM (SELECT %(n)s::bigint AS n, %(m)s::integer AS m, %(p)s::boolean AS p, "
        "%(q)s::boolean AS q, %(s)s::text AS s, %(price)s::numeric(9,2) AS price) AS record"
    )
    (theirs,) = server.execute(statement.encode(), record).fetchone() or (None,)
    assert ours == theirs
