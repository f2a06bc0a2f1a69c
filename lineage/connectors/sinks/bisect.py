"""Find the rows that a database refuses, by halving: neighbours of a bad row are good. Pure."""

from collections.abc import Callable, Sequence

from lineage.connectors.columns import Row
from lineage.connectors.errors import SinkRefusedError


def find_refused(rows: Sequence[Row], attempt: Callable[[Sequence[Row]], None]) -> dict[int, str]:
    """Return index → reason; `attempt` raises SinkRefusedError and leaves nothing behind."""
    refused: dict[int, str] = {}
    waiting = [(0, len(rows))]
    while waiting:
        start, end = waiting.pop()
        try:
            attempt(rows[start:end])
        except SinkRefusedError as error:
            if end - start == 1:
                refused[start] = str(error)
                continue
            middle = (start + end) // 2
            waiting += [(start, middle), (middle, end)]
    return refused
