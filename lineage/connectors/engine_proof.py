"""Whether a table holds just the rows that the log says: sums of hashes, in any order. Pure.

The digest (BLAKE2b) names the content for good, whatever the target. To compare rows within one
process Python's own keyed hash (SipHash, 64 bits) of the same text does, at a tenth of the cost.
"""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from struct import unpack

from lineage.connectors.columns import Digest, Layout, Row, canonical_text

_CHUNK = 5_000


class Tally:
    """Counts rows and sums their hashes; `named`: their digests too."""

    def __init__(self, layout: Layout, *, named: bool = False) -> None:
        self.rows = 0
        self.quick = 0
        self._sum = 0
        self._named = named
        self._text = canonical_text(layout)

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows in, as they are or one chunk after the other."""
        waiting = iter(rows)
        while chunk := list(islice(waiting, _CHUNK)):
            try:
                texts = list(map(self._text, chunk))
            except TypeError:
                # a value that has no JSON form: let the database refuse its row
                texts = [repr(row).encode(errors="backslashreplace") for row in chunk]
            self.rows += len(texts)
            self.quick += sum(map(hash, texts))
            if self._named:
                hashes = [blake2b(text, digest_size=8).digest() for text in texts]
                self._sum += sum(unpack(f">{len(hashes)}Q", b"".join(hashes)))

    def equals(self, other: "Tally") -> bool:
        """Whether both saw the same rows."""
        return self.rows == other.rows and (self.quick - other.quick) % 2**64 == 0

    @property
    def digest(self) -> Digest:
        """The digest of the rows, as `columns.digest` gives it."""
        return Digest(self.rows, self._sum % 2**64)
