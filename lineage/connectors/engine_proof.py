"""Whether a table holds just the rows that the log says: sums of hashes, in any order. Pure.

The digest names the content, whatever the target. What was sent and what comes back are compared by
their bytes, where the target takes bytes, else by the canonical texts of the rows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice

from lineage.connectors.columns import Digest, Layout, Row
from lineage.connectors.digests import canonical_form, canonical_text, summed
from lineage.connectors.engine_beside import Beside, read_parts
from lineage.connectors.engine_parts import Key
from lineage.connectors.errors import CopyDivergedError
from lineage.connectors.packing import UNFIT, row_packer
from lineage.connectors.sinks.contract import Sink, TakesPacked

_CHUNK = 5_000

Told = Callable[[int], None]
"""Told how many rows have been read back so far."""


class Tally:
    """Counts rows and sums their hashes; `named`: their fingerprints too.

    `packed`: rows are compared by their bytes (`packing`), which can be added as well.
    """

    def __init__(self, layout: Layout, *, named: bool = False, packed: bool = False) -> None:
        self.packed = packed
        self._layout = layout
        self.rows = 0
        self.quick = 0
        self._sum = 0
        self._named = named
        self._text = row_packer(layout) if packed else canonical_text(layout)
        self._form = canonical_form(layout)

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows in, as they are or one chunk after the other."""
        waiting = iter(rows)
        while chunk := list(islice(waiting, _CHUNK)):
            try:
                texts = list(map(self._text, chunk))
            except UNFIT:
                # a value that has no form: let the database refuse its row
                texts = [repr(row).encode(errors="backslashreplace") for row in chunk]
            self._take(texts)
            if self._named:
                self._sum += summed(map(self._form, chunk))

    def take_out(self, rows: Sequence[Row]) -> None:
        """Take rows out that were added."""
        gone = Tally(self._layout, named=self._named, packed=self.packed)
        gone.add(rows)
        self.rows -= gone.rows
        self.quick -= gone.quick
        self._sum -= gone._sum

    def add_packed(self, rows: Sequence[bytes]) -> None:
        """Take the bytes of rows in, none of which holds NaN where the tally is named."""
        found = self._take(rows)
        if self._named:
            self._sum += found

    def add_sum(self, rows: int, total: int) -> None:
        """As `add_packed`, of so many rows and the sum of their hashes (`digests.summed`)."""
        self.rows += rows
        self.quick += total
        if self._named:
            self._sum += total

    def _take(self, texts: Sequence[bytes]) -> int:
        found = summed(texts)
        self.rows += len(texts)
        self.quick += found
        return found

    def equals(self, other: "Tally") -> bool:
        """Whether both saw the same rows."""
        return self.rows == other.rows and (self.quick - other.quick) % 2**64 == 0

    @property
    def digest(self) -> Digest:
        """The digest of the rows, as `digests.digest` gives it."""
        return Digest(self.rows, self._sum % 2**64)


def prove(
    sink: Sink,
    table: str,
    layout: Layout,
    expected: Tally,
    told: Told,
    beside: Beside | None = None,
) -> None:
    """Read a table back and compare; raises CopyDivergedError."""
    found = Tally(layout, packed=expected.packed)
    for _ in _read_into(found, sink, table, layout, beside):
        told(min(found.rows, expected.rows))
    if not found.equals(expected):
        raise CopyDivergedError(
            f"the shadow read back is not what the log says: {found.rows} rows of "
            f"{expected.rows}, or other content"
        )


def prove_merged(
    sink: Sink, table: str, layout: Layout, rows: Sequence[Row], deletes: Collection[Key]
) -> None:
    """Read the keys of a batch back, and compare; raises CopyDivergedError."""
    keys = [tuple(row[: layout.keys]) for row in rows]
    expected, found = Tally(layout), Tally(layout)
    expected.add(rows)
    found.add(sink.read_keys(table, layout, [*keys, *deletes]))
    if not found.equals(expected):
        raise CopyDivergedError(
            f"what was merged into {table} and read back is not what the log says: of "
            f"{len(keys) + len(deletes)} keys {found.rows} have rows where {expected.rows} should, "
            "or other content"
        )


def _read_into(
    found: Tally, sink: Sink, table: str, layout: Layout, beside: Beside | None
) -> Iterator[None]:
    """Add all rows of a table to a tally, pausing behind each part."""
    if found.packed and isinstance(sink, TakesPacked):
        for count, total in read_parts(sink, table, layout, beside):
            found.add_sum(count, total)
            yield
        return
    rows = sink.read(table, layout)
    while chunk := list(islice(rows, _CHUNK)):
        found.add(chunk)
        yield
