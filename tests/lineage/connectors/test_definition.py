"""What a declaration may say, and what of a target is shown."""

from typing import Any

import pytest

from lineage.connectors.definition import check, expand, redact, show
from lineage.connectors.errors import DefinitionInvalidError, TargetInvalidError

GOOD: dict[str, Any] = {
    "name": "c",
    "topics": ["orders"],
    "target": "sqlite:///${VAR_DIR}/c.sqlite3",
    "table": "orders",
}


def test_a_declaration_is_read() -> None:
    definition = check(GOOD | {"key": "id"})
    assert (definition.topics, definition.key, definition.mode) == (("orders",), ("id",), "table")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"table": ""}, "table"),
        ({"table": "a; drop"}, "table"),
        ({"topics": ["a", "b"]}, "events"),
        ({"topics": [1]}, "topics"),
        ({"mode": "histories"}, "mode"),
        ({"target": "orders"}, "target"),
        (
            {"target": "oracle://x"},
            "known are sqlite, sqlite3, postgresql, postgres",
        ),
        ({"key": ["a", "b"]}, "key_format"),
        ({"mode": "events", "key": "a"}, "events"),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(DefinitionInvalidError, match=named):
        check(GOOD | change)


def test_variables_are_filled_in_when_used() -> None:
    assert (
        expand("sqlite:///${A}/x", lambda name: "/srv" if name == "A" else None)
        == "sqlite:////srv/x"
    )
    with pytest.raises(TargetInvalidError, match="B"):
        expand("${B}", lambda _name: None)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("postgresql://me:hush@db:5432/x", "postgresql://me:•••@db:5432/x"),
        ("postgresql://db/x?user=me&password=hush", "postgresql://db/x?user=me&password=•••"),
        ("postgresql://db/x?p%61ssword=hush&a=b", "postgresql://db/x?p%61ssword=•••&a=b"),
        ("postgresql://me:hu/s?h#h@sh@db/x", "postgresql://me:•••@db/x"),
        ("postgresql://db:5432/x?user=a@b", "postgresql://db:5432/x?user=a@b"),
        ("${COPIES}", "${COPIES}"),
        ("sqlite:///${VAR_DIR}/c.sqlite3", "sqlite:///${VAR_DIR}/c.sqlite3"),
    ],
)
def test_credentials_are_never_shown(target: str, shown: str) -> None:
    assert redact(target) == shown


@pytest.mark.parametrize("target", ["Oracle://x", "oracle+pg://x", "://x", "https://x/${A}"])
def test_only_a_scheme_in_words_is_judged_when_declared(target: str) -> None:
    with pytest.raises(DefinitionInvalidError, match="no scheme"):
        check(GOOD | {"target": target})


@pytest.mark.parametrize("target", ["${A}", "${A}://x", "${A}/x", "PostgreSQL://x"])
def test_a_scheme_in_a_variable_is_not(target: str) -> None:
    assert check(GOOD | {"target": target}).target == target


KNOWN = {
    "URL": "postgresql://me:hush@db:5432/x?password=hush&a=b",
    "WHO": "me:hush",
    "PIECE": "hush@evil:hush",
    "DIR": "/var",
    "PLACE": "db",
    "SECRET_KEY": "hush",
    "DB_PASSWORD": "hush",
}


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("${URL}", "postgresql://me:•••@db:5432/x?password=•••&a=b"),
        ("sqlite:///${DIR}/c", "sqlite:////var/c"),
        ("postgresql://${WHO}@${PLACE}/x", "postgresql://me:•••@db/x"),
        ("postgresql://me:${PIECE}@${PLACE}/x", "postgresql://me:•••@db/x"),
        ("postgresql://me:${NONE}@${PLACE}/x", "postgresql://me:•••@db/x"),
        ("postgresql://${PLACE}/x?password=${PIECE}", "postgresql://db/x?password=•••"),
        ("sqlite:///${SECRET_KEY}", "sqlite:///${SECRET_KEY}"),
        ("sqlite:///${DB_PASSWORD}", "sqlite:///${DB_PASSWORD}"),
        ("${NONE}", "${NONE}"),
        ("sqlite:///${NONE}/${PLACE}", "sqlite:///${NONE}/db"),
    ],
)
def test_a_target_is_shown_filled_in_where_known(target: str, shown: str) -> None:
    assert show(target, KNOWN.get) == shown
