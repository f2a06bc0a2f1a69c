"""`cast(x AS type)`: from every kind to those that an expression may ask for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from lineage.connectors.columns import (
    Column,
    day,
    identifier,
    instant,
    jsonified,
    local_instant,
    time_of_day,
    to_json,
)
from lineage.connectors.expressions.types import (
    EXACT,
    INEXACT,
    NUMBERS,
    TIMES,
    ExpressionError,
    fitted,
)

Cast = Callable[[Any], Any]

DAY = 86_400_000_000
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


def cast(source: Column | None, target: Column) -> Cast:
    """Return the conversion of values that are not null; raise ExpressionError for none such."""
    kind, wanted = source.kind if source else "null", target.kind
    if source is None or (kind == wanted and kind != "decimal"):
        return lambda value: value
    if wanted == "text":
        return text_of(kind)
    found = _number(kind, target) if wanted in NUMBERS else _other(kind, wanted)
    if found is None:
        raise ExpressionError(f"{kind} cannot be cast to {wanted}")
    return found


def _number(kind: str, target: Column) -> Cast | None:
    fit = fitted(target)
    if kind in NUMBERS:
        if target.kind in EXACT - {"decimal"} and kind not in {"integer", "bigint"}:
            return lambda value: fit(_rounded(value))
        return fit
    if kind == "boolean" and target.kind in {"integer", "bigint"}:
        return int
    if kind == "text":
        return lambda value: fit(_read_number(value, whole=target.kind in {"integer", "bigint"}))
    return None


def _rounded(value: Any) -> int:
    try:
        return int(round(value))  # noqa: RUF046  (halves to even, as PostgreSQL with a double)
    except (OverflowError, ValueError):
        raise ExpressionError("the result is no whole number") from None


def _read_number(text: str, *, whole: bool) -> Any:
    try:
        return int(text) if whole else Decimal(text.strip())
    except (ValueError, InvalidOperation):
        raise ExpressionError("a text is no number") from None


def _other(kind: str, wanted: str) -> Cast | None:
    match kind, wanted:
        case "integer" | "bigint", "boolean":
            return bool
        case "timestamptz" | "timestamp", "date":
            return lambda value: value // DAY
        case "date", "timestamptz" | "timestamp":
            return lambda value: value * DAY
        case "timestamptz" | "timestamp", "timestamptz" | "timestamp":
            return lambda value: value  # by UTC
        case "timestamptz" | "timestamp", "time":
            return lambda value: value % DAY
        case "text", _ if wanted in _FROM_TEXT:
            return _reading(wanted)
    return None


def _boolean(text: str) -> bool:
    found = text.strip().lower()
    if found not in _TRUE | _FALSE:
        raise ValueError
    return found in _TRUE


_FROM_TEXT: dict[str, Cast] = {
    "boolean": _boolean,
    "date": day,
    "timestamptz": instant(1),
    "timestamp": lambda text: local_instant(1)(datetime.fromisoformat(text)),
    "time": time_of_day(1),
    "uuid": identifier,
}


def _reading(wanted: str) -> Cast:
    read = _FROM_TEXT[wanted]

    def convert(text: str) -> Any:
        try:
            return read(text.strip())
        except (ValueError, OverflowError):
            raise ExpressionError(f"a text is no {wanted}") from None

    return convert


def text_of(kind: str) -> Cast:
    """Return the conversion of a canonical value to text: instants ISO 8601, bytes hexadecimal."""
    if kind in TIMES:
        return lambda value: jsonified(value, kind).strip('"')
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind == "decimal":
        return lambda value: format(value, "f")
    if kind == "bytes":
        return lambda value: bytes(value).hex()
    if kind == "array":
        return to_json
    return repr if kind in INEXACT else str


# -- parts of times -------------------------------------------------------------------------------
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")


def moment(value: int, kind: str) -> datetime:
    """Return a canonical instant, local timestamp or day as a datetime, by UTC."""
    try:
        return _EPOCH + timedelta(microseconds=value * DAY if kind == "date" else value)
    except OverflowError:
        raise ExpressionError("a time is beyond the year 9999") from None


def truncate(unit: str, kind: str) -> Cast:
    """Return what cuts an instant, local timestamp or day down to the begin of a unit, by UTC."""
    lengths = {"second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000, "day": DAY}
    if unit in lengths and kind == "date":
        return lambda value: value
    if unit in lengths:
        return lambda value: value - value % lengths[unit]

    def cut(value: int) -> int:
        found = moment(value, kind).replace(hour=0, minute=0, second=0, microsecond=0)
        if unit == "week":
            found -= timedelta(days=found.weekday())
        elif unit == "month":
            found = found.replace(day=1)
        elif unit == "quarter":
            found = found.replace(month=3 * ((found.month - 1) // 3) + 1, day=1)
        else:
            found = found.replace(month=1, day=1)
        days = (found - _EPOCH).days
        return days if kind == "date" else days * DAY

    return cut


PARTS: dict[str, Callable[[datetime], int]] = {
    "year": lambda at: at.year,
    "quarter": lambda at: (at.month + 2) // 3,
    "month": lambda at: at.month,
    "day": lambda at: at.day,
    "hour": lambda at: at.hour,
    "minute": lambda at: at.minute,
    "second": lambda at: at.second,
    "dow": lambda at: at.isoweekday() % 7,
}
