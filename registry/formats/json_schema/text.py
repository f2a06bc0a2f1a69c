"""JSON texts of schemas: strict reading within limits, compact writing as Jackson prints it.

A fraction keeps its spelling (1.00 stays, 1e3 is 1E+3): it is a float where Python prints the same
digits, a Decimal otherwise.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from registry.formats.contract import SchemaInvalidError

# Deeper nesting has no use in a schema and would reach the interpreter's recursion limit.
MAX_DEPTH = 200
# Commas and colons are counted before reading: a value each, about 100 bytes of memory.
MAX_VALUES = 500_000
# Of one number, written out without an exponent: more would make arithmetic with bounds slow.
MAX_DIGITS = 1_000


def read(text: str) -> Any:
    """The JSON value of `text`; SchemaInvalidError for what RFC 8259 does not allow."""
    if text.count(",") + text.count(":") > MAX_VALUES:
        raise SchemaInvalidError(f"more than {MAX_VALUES} values")
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_int=_whole, parse_float=_exact
        )
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
    return _written(value, in_order=False)


def write_sorted(value: Any) -> str:
    """Compact JSON with all keys sorted: equal texts mean equal values."""
    return _written(value, in_order=True)


# Half a surrogate pair, which no text that was read holds, marks a string that is a number.
_MARK = "\ud800"
_MARKED = re.compile(f'"{_MARK}([^"]*)"')
_CONTROL = re.compile(r"\\(?:u00[01][0-9a-f]|.)")


def _written(value: Any, in_order: bool) -> str:
    found = json.dumps(
        value,
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
        sort_keys=in_order,
        default=_mark,
    )
    if _MARK in found:
        found = _MARKED.sub(r"\1", found)
    if "\\u00" in found:
        found = _CONTROL.sub(lambda escape: _capitals(escape[0]), found)
    return found


def _mark(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}"
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def _capitals(escape: str) -> str:
    """Jackson writes the digits of a control character in capitals."""
    return f"\\u{escape[2:].upper()}" if escape.startswith("\\u") else escape


def _refuse_constant(name: str) -> NoReturn:
    raise SchemaInvalidError(f"not JSON: {name}")


def _whole(digits: str) -> int:
    _check_digits(digits, len(digits))
    return int(digits)


def _exact(digits: str) -> float | Decimal:
    try:
        exact = Decimal(digits)
    except InvalidOperation as error:
        raise SchemaInvalidError(f"number out of range: {digits[:40]}") from error
    _check_digits(digits, len(digits))
    _check_digits(digits, abs(exact.adjusted()))
    if exact == 0:
        exact = exact.copy_abs()  # no exact number is a negative zero
    near = float(exact)
    return near if repr(near) == str(exact) else exact


def _check_digits(spelling: str, digits: int) -> None:
    if digits > MAX_DIGITS:
        raise SchemaInvalidError(f"number out of range: {spelling[:40]}")


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
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise SchemaInvalidError("a lone surrogate is not a character") from error
