"""What a declaration may say, and what of a target is shown."""

from typing import Any

import pytest

from lineage.connectors.definition import check, expand, redact
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
        ({"mode": "history"}, "mode"),
        ({"target": "orders"}, "target"),
        ({"key": ["a", "b"]}, "key_format"),
        ({"mode": "events", "key": "a"}, "events"),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(DefinitionInvalidError, match=named):
        check(GOOD | change)


def test_variables_are_filled_in_when_used() -> None:
    assert (
        expand("sqlite:///${A}/x", lambda name: "/tmp" if name == "A" else None)
        == "sqlite:////tmp/x"
    )
    with pytest.raises(TargetInvalidError, match="B"):
        expand("${B}", lambda _name: None)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("postgresql://me:hush@db:5432/x", "postgresql://me:•••@db:5432/x"),
        ("postgresql://db/x?user=me&password=hush", "postgresql://db/x?user=me&password=•••"),
        ("${COPIES}", "${COPIES}"),
        ("sqlite:///${VAR_DIR}/c.sqlite3", "sqlite:///${VAR_DIR}/c.sqlite3"),
    ],
)
def test_credentials_are_never_shown(target: str, shown: str) -> None:
    assert redact(target) == shown
