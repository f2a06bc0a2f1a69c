"""JSON texts of schemas: strict reading within limits, compact writing."""

import json
import math
from typing import Any, NoReturn

from registry.formats.contract import SchemaInvalidError

# Deeper nesting has no use in a schema and would reach the interpreter's recursion limit.
MAX_DEPTH = 200
# Commas and colons are counted before reading: a value each, about 100 bytes of memory.
MAX_VALUES = 500_000


def read(text: str) -> Any:
    """The JSON value of `text`; SchemaInvalidError for what RFC 8259 does not allow."""
    if text.count(",") + text.count(":") > MAX_VALUES:
        raise SchemaInvalidError(f"more than {MAX_VALUES} values")
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise SchemaInvalidError(
            f"not JSON: {error.msg}", f"line {error.lineno} column {error.colno}"
        ) from error
    except RecursionError as error:
        raise SchemaInvalidError(f"nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise SchemaInvalidError(f"not JSON: {error}") from error
    _check_depth(value)
    _check_characters(text, value)
    return value


def write(value: Any) -> str:
    """Compact JSON, key order kept, characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def write_sorted(value: Any) -> str:
    """Compact JSON with all keys sorted: equal texts mean equal values."""
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True
    )


def _refuse_constant(name: str) -> NoReturn:
    raise SchemaInvalidError(f"not JSON: {name}")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise SchemaInvalidError(f"number out of range: {digits[:40]}")
    return number


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise SchemaInvalidError(f"nested deeper than {MAX_DEPTH} levels")
        level = (
            [
                child
                for parent in level
                for child in (parent.values() if isinstance(parent, dict) else parent)
                if isinstance(child, dict | list)
            ]
            if depth > 1 or isinstance(value, dict | list)
            else []
        )


def _check_characters(text: str, value: Any) -> None:
    """Refuse half surrogate pairs, which no UTF-8 answer or table could hold."""
    if "\\ud" not in text and "\\uD" not in text:
        return
    try:
        write(value).encode()
    except UnicodeEncodeError as error:
        raise SchemaInvalidError("a lone surrogate is not a character") from error
