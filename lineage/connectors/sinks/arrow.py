"""Rows as Apache Arrow tables and back: DuckDB and Parquet share it.

Numbers of microseconds and days are what Arrow's times hold inside, so they need no datetime.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.errors import SinkRefusedError

MOST_DIGITS = 38
"""Decimals of more digits, or of unknown precision, are text: a double would round them."""

_TYPES = {
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "bytes": pa.binary(),
    "timestamptz": pa.timestamp("us", "UTC"),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "time": pa.time64("us"),
}
_NUMBERS = {"timestamptz": pa.int64(), "timestamp": pa.int64(), "time": pa.int64()}
_NUMBERS["date"] = pa.int32()


def is_exact(column: Column) -> bool:
    """Whether a decimal column has a decimal type, and not text."""
    return 0 < column.precision <= MOST_DIGITS and 0 <= column.scale <= column.precision


def arrow_type(column: Column) -> Any:
    """Return Arrow's type: UUIDs and JSON are text, arrays lists."""
    if column.kind == "array":
        return pa.list_(_TYPES.get(column.item, pa.string()))
    if column.kind == "decimal" and is_exact(column):
        return pa.decimal128(column.precision, column.scale)
    return _TYPES.get(column.kind, pa.string())


def arrow_schema(layout: Layout) -> Any:
    """Return the schema of a table; the key's columns are never null."""
    return pa.schema([
        pa.field(column.name, arrow_type(column), nullable=column.name not in layout.key)
        for column in layout.columns
    ])


def table_of(layout: Layout, rows: Sequence[Row]) -> Any:
    """Return rows as an Arrow table; raises SinkRefusedError where a value does not fit."""
    values = zip(*rows, strict=True) if rows else ((),) * len(layout.columns)
    arrays = [_array(column, found) for column, found in zip(layout.columns, values, strict=True)]
    for column, array in zip(layout.columns[: layout.keys], arrays, strict=False):
        if array.null_count:
            raise SinkRefusedError(f"{column.name}: null in the primary key")
    return pa.Table.from_arrays(arrays, schema=arrow_schema(layout))


def _array(column: Column, values: Sequence[Any]) -> Any:
    if column.kind == "decimal" and not is_exact(column):
        values = [None if value is None else format(value, "f") for value in values]
    try:
        return pa.array(values, arrow_type(column))
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise SinkRefusedError(f"{column.name}: {error}") from error


def rows_of(layout: Layout, batch: Any) -> Iterator[Row]:
    """Return an Arrow table's or batch's rows as canonical ones."""
    columns = []
    for index, column in enumerate(layout.columns):
        array = batch.column(index)
        if column.kind in _NUMBERS:
            array = array.cast(_NUMBERS[column.kind])
        found = array.to_pylist()
        if column.kind == "decimal" and not is_exact(column):
            found = [None if value is None else Decimal(value) for value in found]
        columns.append(found)
    return map(list, zip(*columns, strict=True))
