"""How fast groups read, how far they are behind, and since when they stand still. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

_OF_THE_NEWEST = 0.3
"""Weight of the newest interval in the mean rate: a reader that commits in bursts is no liar."""


@dataclass
class Movement:
    """One group's reading of one topic, from sample to sample."""

    committed: int
    at: datetime
    moved_at: datetime | None = None
    rate: float | None = None
    lag: int | None = None

    def advance(self, committed: int, at: datetime) -> bool:
        """Take in the sum of committed offsets at `at`; return whether it moved."""
        seconds = (at - self.at).total_seconds()
        moved = committed != self.committed
        if moved:
            self.moved_at = at
        if seconds > 0:
            # offsets that were set back are no reading
            latest = max(0, committed - self.committed) / seconds
            before = latest if self.rate is None else self.rate
            self.rate = (1 - _OF_THE_NEWEST) * before + _OF_THE_NEWEST * latest
            self.at = at
        self.committed = committed
        return moved

    @property
    def particulars(self) -> dict[str, Any]:
        """Return records a second, records behind, and since when it stands still, where known."""
        found: dict[str, Any] = {}
        if self.rate is not None:
            found["records_per_s"] = round(self.rate, 2)
        if self.lag is not None:
            found["lag"] = self.lag
        if self.moved_at is not None and self.moved_at < self.at:
            found["idle_since"] = self.moved_at.isoformat()
        return found
